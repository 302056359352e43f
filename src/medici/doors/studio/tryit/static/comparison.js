// Before and after, laid over each other; a hidden range input makes the line between them
// reachable by keyboard and by screen readers.

const figure = document.getElementById("compare");
const before = document.getElementById("before");
const after = document.getElementById("after");
const split = document.getElementById("split");
const trimmings = [split, ...figure.querySelectorAll(".tag, .handle")];

split.addEventListener("input", place);
figure.addEventListener("pointerdown", (event) => {
  if (!figure.classList.contains("done") || event.button !== 0) return;
  figure.setPointerCapture(event.pointerId);
  split.focus({ focusVisible: false });
  drag(event);
});
figure.addEventListener("pointermove", (event) => {
  if (figure.hasPointerCapture(event.pointerId)) drag(event);
});

/** Shows a photo alone. `ratio` is its width by its height. */
export function showBefore(photo) {
  figure.style.setProperty("--ratio", photo.ratio);
  before.src = photo.url;
  after.hidden = true;
  after.removeAttribute("src");
  trim(false);
}

/** Lays a picture over its photo once it has loaded; rejects where it cannot be loaded. */
export async function showAfter(picture) {
  const loading = new Image();
  loading.src = picture.url;
  await loading.decode();
  showBefore(picture.photo);
  after.src = picture.url;
  after.alt = `The same room: ${picture.caption}`;
  after.hidden = false;
  split.value = 50;
  trim(true);
  place();
}

function trim(shown) {
  figure.classList.toggle("done", shown);
  for (const element of trimmings) element.hidden = !shown;
}

function drag(event) {
  const box = figure.getBoundingClientRect();
  split.value = Math.round(((event.clientX - box.left) / box.width) * 100);
  place();
}

function place() {
  figure.style.setProperty("--split", `${split.value}%`);
  split.setAttribute("aria-valuetext", `${split.value} % before, ${100 - split.value} % after`);
}
