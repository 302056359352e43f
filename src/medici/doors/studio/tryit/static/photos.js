// Taking photos in: from a file, a drop, the clipboard, or the sample room.

import { Failure, newKey } from "./api.js";

const KINDS = ["image/jpeg", "image/png", "image/webp"];
const MOST_BYTES = 15 * 1024 * 1024;
const SAMPLE = "/static/demo/bedroom.jpg";

/** Hands every photo that a visitor offers to `take`, and every refusal to `refuse`. */
export function acceptPhotos(take, refuse) {
  const input = document.getElementById("file");
  const offer = async (file) => {
    if (!file) return;
    try {
      take(await photoOf(file));
    } catch (failure) {
      refuse(failure);
    }
  };
  document.getElementById("empty").querySelector(".drop").addEventListener("click", choosePhoto);
  document.getElementById("sample").addEventListener("click", async () => {
    try {
      offer(await sampleFile());
    } catch (failure) {
      refuse(failure);
    }
  });
  input.addEventListener("change", () => {
    offer(input.files[0]);
    input.value = "";
  });
  document.addEventListener("paste", (event) => offer(event.clipboardData?.files[0]));
  acceptDrops(offer);
}

export function choosePhoto() {
  document.getElementById("file").click();
}

function acceptDrops(offer) {
  const mark = (on) => document.body.classList.toggle("dropping", on);
  document.addEventListener("dragover", (event) => {
    if (!event.dataTransfer.types.includes("Files")) return;
    event.preventDefault();
    mark(true);
  });
  document.addEventListener("dragleave", (event) => {
    if (!event.relatedTarget) mark(false);
  });
  document.addEventListener("drop", (event) => {
    mark(false);
    if (event.dataTransfer.files.length === 0) return;
    event.preventDefault();
    offer(event.dataTransfer.files[0]);
  });
}

/** A photo has a project of its own, within which a preview opens the way to a final picture. */
async function photoOf(file) {
  if (!KINDS.includes(file.type)) throw new Failure("unsupported_image");
  if (file.size > MOST_BYTES) throw new Failure("file_too_large");
  const url = URL.createObjectURL(file);
  const image = new Image();
  image.src = url;
  try {
    await image.decode();
  } catch {
    URL.revokeObjectURL(url);
    throw new Failure("undecodable_image");
  }
  const ratio = image.naturalWidth / image.naturalHeight;
  return { file, url, ratio, project: newKey(), address: null, owner: null };
}

async function sampleFile() {
  const response = await fetch(SAMPLE).catch(() => null);
  if (!response?.ok) throw new Failure("sample_missing");
  return new File([await response.blob()], "sample-room.jpg", { type: "image/jpeg" });
}
