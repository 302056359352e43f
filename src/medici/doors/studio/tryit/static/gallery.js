// The pictures of this visit: the one on show with its notes, and the strip below.

import { Failure, statusOf } from "./api.js";
import { showAfter, showBefore } from "./comparison.js";
import { element, part } from "./elements.js";

const LINK_MS = 45 * 60 * 1000; // a link is good for an hour

let onShow = null;

export const shown = () => onShow;

export const captionOf = (order) => `${order.look}, ${order.tier}`;

/** Shows a photo without a picture, and says what it is for. */
export function showPhoto(photo, caption) {
  onShow = null;
  showBefore(photo);
  describe(caption);
}

/** Shows a picture beside its photo; rejects with `picture_missing` where it cannot be loaded. */
export async function showPicture(picture) {
  await refreshLink(picture);
  try {
    await showAfter(picture);
  } catch {
    throw new Failure("picture_missing");
  }
  onShow = picture;
  describe(picture.caption);
}

/** Adds a new picture to the strip; `choose` is called when a visitor picks it there. */
export function keepPicture(order, ended, choose) {
  const picture = {
    id: ended.id,
    order,
    photo: order.photo,
    url: ended.output_url,
    linkedAt: Date.now(),
    caption: captionOf(order),
    notes: ended.notes,
    engine: `${ended.provider} (${ended.provider_model})`,
  };
  part("pictures").prepend(element("li", thumbnail(picture, choose)));
  part("history").hidden = false;
  return picture;
}

/** Follows the download link, with a new address where the old one has expired. */
export async function download(event) {
  if (Date.now() - onShow.linkedAt < LINK_MS) return;
  event.preventDefault();
  await refreshLink(onShow);
  describe(onShow.caption);
  part("download").click();
}

function thumbnail(picture, choose) {
  const image = element("img");
  image.src = picture.url;
  image.alt = "";
  const button = element("button", image, element("span", picture.caption));
  button.type = "button";
  button.className = "picture";
  button.dataset.id = picture.id;
  button.addEventListener("click", () => choose(picture));
  return button;
}

async function refreshLink(picture) {
  if (Date.now() - picture.linkedAt < LINK_MS) return;
  picture.url = (await statusOf(picture.id)).output_url;
  picture.linkedAt = Date.now();
}

function describe(caption) {
  part("caption").textContent = caption;
  part("download").hidden = onShow === null;
  part("finalise").hidden = onShow?.order.tier !== "preview";
  part("notes").hidden = onShow === null;
  for (const each of part("pictures").querySelectorAll("button")) {
    each.setAttribute("aria-current", String(each.dataset.id === onShow?.id));
  }
  if (onShow === null) return;
  part("download").href = onShow.url;
  part("download").download = `${onShow.order.style}-${onShow.order.tier}`;
  part("notes-list").replaceChildren(...onShow.notes.map((note) => element("li", note)));
  part("engine").textContent = `Made by ${onShow.engine}.`;
}
