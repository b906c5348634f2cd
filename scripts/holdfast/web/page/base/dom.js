// Elements of plain words: all text goes in as text, and none is ever read as HTML.

const SVG = "http://www.w3.org/2000/svg";

/** Make an element. Functions among the attributes listen; true and false set or leave one. */
export function h(tag, attributes = {}, ...children) {
  return filled(document.createElement(tag), attributes, children);
}

/** Make an element of a picture. */
export function svg(tag, attributes = {}, ...children) {
  return filled(document.createElementNS(SVG, tag), attributes, children);
}

/** Put other children into an element, in the place of all it has. */
export function fill(element, ...children) {
  element.replaceChildren(...nodes(children));
  return element;
}

function filled(element, attributes, children) {
  for (const [name, value] of Object.entries(attributes)) {
    if (value === undefined || value === null || value === false) continue;
    if (typeof value === "function") element.addEventListener(name.slice(2), value);
    else if (name === "class")
      element.setAttribute("class", [value].flat().filter(Boolean).join(" "));
    else element.setAttribute(name, value === true ? "" : String(value));
  }
  element.append(...nodes(children));
  return element;
}

function nodes(children) {
  return children
    .flat(Infinity)
    .filter((child) => child !== null && child !== undefined && child !== false && child !== "")
    .map((child) => (child instanceof Node ? child : document.createTextNode(String(child))));
}

/** Say something to those who hear the page: it interrupts nobody. */
export function say(text) {
  const place = document.getElementById("said");
  // The same words twice are heard twice only if they were gone in between.
  place.textContent = "";
  requestAnimationFrame(() => {
    place.textContent = text;
  });
}

/** Change what an element shows, and leave the keyboard where it was. */
export function keepingFocus(change) {
  const held = document.activeElement?.id;
  change();
  if (held && document.activeElement?.id !== held)
    document.getElementById(held)?.focus({ preventScroll: true });
}
