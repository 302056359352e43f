// The public API, as any client would call it. What goes wrong becomes a Failure with a code.

import { forget, isDemo, randomHex, renewed, visitor } from "./visitor.js";

export class Failure extends Error {
  constructor(code, { status = 0, reference = null, retryAfter = null } = {}) {
    super(code);
    this.code = code;
    this.status = status; // 0: no answer came
    this.reference = reference; // what an operator can look for
    this.retryAfter = retryAfter; // seconds
  }
}

export async function balance() {
  const who = await someone();
  return call(`/v1/credits/balance/${encodeURIComponent(who.id)}`);
}

export function whoAmI(token) {
  return answerOf("/v1/auth/me", { headers: { Authorization: `Bearer ${token}` } });
}

export async function upload(file, signal) {
  const form = new FormData();
  form.append("file", file, file.name || "photo");
  return (await call("/v1/uploads", { method: "POST", body: form, signal })).image_url;
}

/** Orders a picture. The order's key makes a repetition of the same order harmless. */
export function submit(order) {
  const wishes = order.wishes ? { prompt: order.wishes } : {};
  return call("/v1/ai/render-jobs", {
    method: "POST",
    headers: { "Content-Type": "application/json", "Idempotency-Key": order.key },
    body: JSON.stringify({
      project_id: order.photo.project,
      image_url: order.photo.address,
      style_id: order.style,
      operation: "restyle",
      tier: order.tier,
      prompt_overrides: wishes,
    }),
  });
}

export const newKey = () => `try-${randomHex(16)}`;
export const statusOf = (id, signal) => call(`/v1/ai/render-jobs/${id}`, { signal });
export const cancel = (id) => call(`/v1/ai/render-jobs/${id}/cancel`, { method: "POST" });

/** Opens the job's stream of events; fetch, because EventSource cannot carry a token. */
export const eventsOf = (id, signal) =>
  knock(`/v1/ai/render-jobs/${id}/events`, { headers: { Accept: "text/event-stream" }, signal });

async function call(path, options = {}) {
  return (await knock(path, options)).json();
}

/** Sends a request as the visitor; an outworn demo token is renewed once. */
async function knock(path, options) {
  const who = await someone();
  const response = await send(path, withToken(options, who.token));
  if (response.status !== 401) return checked(response);
  if (!isDemo) {
    forget();
    return checked(response);
  }
  const fresh = await reached(renewed);
  return checked(fresh ? await send(path, withToken(options, fresh.token)) : response);
}

async function someone() {
  const who = await reached(visitor);
  if (!who) throw new Failure("missing_or_invalid_token", { status: 401 });
  return who;
}

const withToken = (options, token) => ({
  ...options,
  headers: { ...options.headers, Authorization: `Bearer ${token}` },
});

const send = (path, options) => reached(() => fetch(path, options));

async function answerOf(path, options) {
  return (await checked(await send(path, options))).json();
}

/** Does something over the network; where that fails, says on whose side. */
async function reached(act) {
  try {
    return await act();
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new Failure(navigator.onLine ? "unreachable" : "offline");
  }
}

async function checked(response) {
  if (response.ok) return response;
  const told = await response.json().catch(() => ({}));
  const requestId = response.headers.get("X-Request-Id");
  throw new Failure(codeOf(told, response.status), {
    status: response.status,
    reference: requestId && `Request ${requestId}`,
    retryAfter: Number(response.headers.get("Retry-After")) || null,
  });
}

/** A refusal says its code as `detail` or inside it; a body that does not fit says a list. */
function codeOf({ code, detail }, status) {
  if (code) return code;
  if (typeof detail === "string") return detail;
  if (detail?.code) return detail.code;
  return status === 422 ? "invalid_request" : "unexpected_answer";
}
