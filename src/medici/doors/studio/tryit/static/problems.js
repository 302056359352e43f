// The box that says what went wrong, and the button that leads on.

import { Failure } from "./api.js";
import { part } from "./elements.js";
import { failureWords, STEPS } from "./words.js";

let onStep = null;

part("problem-step").addEventListener("click", () => onStep?.());

/** Shows a failure. `steps` are the ways on that can be offered here, by their names in words.js. */
export function showProblem(error, steps) {
  const failure = named(error);
  const { title, text, step } = failureWords(failure);
  onStep = steps[step] ?? null;
  part("problem-title").textContent = title;
  part("problem-text").textContent = text;
  part("problem-id").textContent = failure.reference ?? "";
  part("problem-id").hidden = failure.reference === null;
  part("problem-step").textContent = STEPS[step] ?? "";
  part("problem-step").hidden = onStep === null;
  part("problem").hidden = false;
  part("problem").scrollIntoView({ block: "nearest" });
}

export function clearProblem() {
  part("problem").hidden = true;
}

function named(error) {
  if (error instanceof Failure) return error;
  console.error(error); // a fault of this page: it must not pass unseen
  return new Failure("page_fault");
}
