// A classic script in the head: a chosen theme holds before the first paint, so nothing flashes.
// Without a choice the style sheet follows the system.
"use strict";
(() => {
  const KEY = "medici.theme";
  const root = document.documentElement;

  // Storage may be closed to us; then a choice lasts as long as the page.
  const storage = (act) => {
    try {
      return act(localStorage);
    } catch {
      return null;
    }
  };

  const isDark = () => {
    if (root.dataset.theme) return root.dataset.theme === "dark";
    return matchMedia("(prefers-color-scheme: dark)").matches;
  };

  const chosen = storage((kept) => kept.getItem(KEY));
  if (chosen === "light" || chosen === "dark") root.dataset.theme = chosen;

  document.addEventListener("DOMContentLoaded", () => {
    const button = document.getElementById("theme");
    const tell = () => button.setAttribute("aria-pressed", String(isDark()));
    button.addEventListener("click", () => {
      root.dataset.theme = isDark() ? "light" : "dark";
      storage((kept) => kept.setItem(KEY, root.dataset.theme));
      tell();
    });
    tell();
  });
})();
