// The page: what a visitor does, and what follows from it.

import { enter, leave, showCredits, signIn } from "./account.js";
import { cancel, Failure, newKey, submit, upload } from "./api.js";
import { part, tell } from "./elements.js";
import { follow } from "./follow.js";
import { captionOf, download, keepPicture, showPhoto, showPicture, shown } from "./gallery.js";
import { acceptPhotos, choosePhoto } from "./photos.js";
import { clearProblem, showProblem } from "./problems.js";
import { isDemo, visitor } from "./visitor.js";
import { creditWords, stateWords } from "./words.js";

const READY = "Your photo, ready to be restyled";
const form = part("order");

let photo = null; // what will be restyled next
let running = null; // the order at work: {sending, following, job, unwanted}

const chosen = (name) => form.querySelector(`[name=${name}]:checked`);

function start() {
  acceptPhotos(takePhoto, report);
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    restyle();
  });
  form.addEventListener("change", showButton);
  const onClick = (id, act) => part(id).addEventListener("click", (event) => attempt(() => act(event)));
  onClick("another", choosePhoto);
  onClick("cancel", stop);
  onClick("download", download);
  onClick("finalise", () => run({ ...shown().order, tier: "final", key: newKey() }));
  onClick("sign-in", signIn);
  onClick("sign-out", leave);
  part("token").addEventListener("keydown", (event) => {
    if (event.key !== "Enter") return;
    event.preventDefault(); // it would order a picture
    attempt(signIn);
  });
  showButton();
  attempt(enter);
}

async function attempt(act) {
  clearProblem();
  try {
    await act();
  } catch (failure) {
    report(failure);
  }
}

function takePhoto(taken) {
  if (running) return;
  clearProblem();
  photo = taken;
  part("empty").hidden = true;
  part("view").hidden = false;
  showPhoto(photo, READY);
  showButton();
  tell("The photo is ready. Choose a style and press Restyle.");
}

function choosePicture(picture) {
  if (running) return;
  attempt(async () => {
    await showPicture(picture);
    photo = picture.photo;
    part("stage").scrollIntoView({ block: "nearest" });
  });
}

// Orders

function restyle() {
  if (running) return;
  if (!photo) {
    tell(part("hint").textContent);
    part("sample").focus();
    return;
  }
  const style = chosen("style");
  run({
    photo,
    style: style.value,
    look: style.dataset.name,
    tier: chosen("tier").value,
    wishes: part("wishes").value.trim(),
    key: newKey(),
  });
}

async function run(order) {
  if (running) return;
  const before = shown();
  running = { sending: new AbortController(), following: new AbortController() };
  photo = order.photo;
  clearProblem();
  showPhoto(photo, captionOf(order));
  part("stage").scrollIntoView({ block: "nearest" });
  try {
    const ended = await rendered(order);
    await showPicture(keepPicture(order, ended, choosePicture));
    tell(`Done: ${shown().caption}. The slider compares before and after.`);
  } catch (failure) {
    await showAgain(before);
    if (failure.name === "AbortError") tell("Canceled. Nothing was charged.");
    else report(failure, order);
  } finally {
    running = null;
    showWork(null);
    refreshCredits();
  }
}

/** Goes back to what was on show before an order that came to nothing. */
async function showAgain(picture) {
  if (picture?.photo !== photo) showPhoto(photo, READY);
  else await showPicture(picture).catch(() => showPhoto(photo, READY));
}

/** Sends the photo and the order, and follows the render until it is completed. */
async function rendered(order) {
  showWork("Sending your photo");
  await send(order.photo, running.sending.signal);
  showWork("Placing the order");
  running.job = await submit(order);
  if (running.unwanted) await stop();
  refreshCredits();
  const show = (status) => showWork(stateWords(status), status.progress);
  const ended = await follow(running.job.id, show, running.following.signal);
  if (ended.status === "canceled") throw new DOMException("canceled", "AbortError");
  if (ended.status === "completed") return ended;
  throw new Failure(ended.error_code, { reference: `Render ${ended.id}` });
}

/** Uploads a photo once for each visitor; what one has uploaded, the next cannot use. */
async function send(unsent, signal) {
  const who = await visitor();
  if (unsent.address && unsent.owner === who?.id) return;
  unsent.address = await upload(unsent.file, signal);
  unsent.owner = who?.id;
}

/**
 * Cuts the sending off, or cancels at the server. An order that is being placed is never cut off,
 * because it may have been taken already: it is canceled as soon as its answer is there.
 */
async function stop() {
  if (!running) return;
  showWork("Canceling");
  if (running.job) {
    const { status } = await cancel(running.job.id);
    if (status === "canceled") running?.following.abort();
  } else {
    running.unwanted = true;
    running.sending.abort();
  }
}

// What is shown

/** Says what happens to the photo; null when nothing does. Without a figure the bar just moves. */
function showWork(words, progress = 0) {
  part("working").hidden = words === null;
  part("another").hidden = words !== null;
  part("stage").setAttribute("aria-busy", String(words !== null));
  showButton();
  if (words === null) return;
  if (part("state").textContent !== words) tell(words);
  part("state").textContent = words;
  if (progress > 0) part("progress").value = progress;
  else part("progress").removeAttribute("value");
}

function showButton() {
  part("restyle").textContent = priced("Restyle", chosen("tier"));
  part("finalise").textContent = priced("Final picture", form.querySelector("[value=final]"));
  part("restyle").setAttribute("aria-disabled", String(!photo || running !== null));
  part("hint").hidden = photo !== null;
}

function priced(words, { dataset }) {
  return dataset.price ? `${words} for ${creditWords(Number(dataset.price))}` : words;
}

/** The figure may be late; that is no reason to disturb anybody. */
function refreshCredits() {
  showCredits().catch(() => {});
}

function report(failure, order = null) {
  const show = () => showProblem(failure, ways(failure, order));
  if (failure.status === 401 && !isDemo) attempt(enter).then(show);
  else show();
}

/** Returns the ways on that can be offered after a failure, by their names in words.js. */
function ways(failure, order) {
  const preview = () => run({ ...order, tier: "preview", key: newKey() });
  return {
    choose: choosePhoto,
    ...(!isDemo && { "sign-in": () => part("token").focus() }),
    ...(order && { preview, retry: () => run(again(order, failure)) }),
    ...(order && isDemo && { restart: () => attempt(leave).then(preview) }),
  };
}

/** The same order, under the same key where no answer came, so that it cannot be charged twice. */
function again(order, failure) {
  if (failure.code === "image_not_found") order.photo.address = null;
  return failure.status === 0 ? order : { ...order, key: newKey() };
}

start();
