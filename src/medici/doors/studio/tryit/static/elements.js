// The page's elements, and the line that screen readers are told.

export const part = (id) => document.getElementById(id);

export function element(name, ...content) {
  const made = document.createElement(name);
  made.append(...content);
  return made;
}

export function tell(words) {
  part("news").textContent = words;
}
