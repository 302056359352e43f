// Following a render to its end: by its stream of events, else by asking again and again.

import { eventsOf, Failure, statusOf } from "./api.js";

const ENDED = new Set(["completed", "failed", "canceled"]);
const ASK_MS = 1000;
const PATIENCE_MS = 120_000; // without a single answer

/** Calls `show` with each status, and returns the last one. */
export async function follow(id, show, signal) {
  try {
    for await (const status of streamed(id, signal)) {
      show(status);
      if (ENDED.has(status.status)) return status;
    }
  } catch (error) {
    if (signal.aborted) throw error;
  }
  return polled(id, show, signal);
}

async function* streamed(id, signal) {
  const response = await eventsOf(id, signal);
  const text = response.body.pipeThrough(new TextDecoderStream());
  let rest = "";
  for await (const chunk of chunks(text.getReader())) {
    const events = (rest + chunk).split("\n\n");
    rest = events.pop();
    yield* events.map(dataOf).filter(Boolean).map((data) => JSON.parse(data));
  }
}

async function* chunks(reader) {
  for (let read = await reader.read(); !read.done; read = await reader.read()) yield read.value;
}

/** The data of one event; empty for a comment that only keeps the line open. */
function dataOf(event) {
  const lines = event.split("\n").filter((line) => line.startsWith("data:"));
  return lines.map((line) => line.slice(5).trim()).join("\n");
}

async function polled(id, show, signal) {
  let heard = Date.now();
  for (;;) {
    try {
      const status = await statusOf(id, signal);
      heard = Date.now();
      show(status);
      if (ENDED.has(status.status)) return status;
    } catch (error) {
      if (!passing(error) || Date.now() - heard > PATIENCE_MS) throw error;
      show({ status: "reconnecting" });
    }
    await new Promise((resolve) => setTimeout(resolve, ASK_MS));
  }
}

/** Tells whether asking again may help: no answer, a fault, or too many questions. */
function passing(error) {
  if (!(error instanceof Failure)) return false;
  return error.status === 0 || error.status === 429 || error.status >= 500;
}
