// Fields of forms, each with its label and the words that explain it.

import { h } from "../base/dom.js";

let count = 0;

function nextId() {
  count += 1;
  return `field-${count}`;
}

/** A label above its field, and a hint that is heard with it. */
export function field(label, input, hint) {
  const id = nextId();
  input.id = id;
  if (hint) input.setAttribute("aria-describedby", `${id}-hint`);
  return h(
    "div",
    { class: "field" },
    h("label", { for: id }, label),
    input,
    hint && h("p", { class: "hint", id: `${id}-hint` }, hint),
  );
}

/** A box to tick. */
export function check(name, label, { hint, disabled = false, value = "on" } = {}) {
  return mark("checkbox", name, label, { hint, disabled, value });
}

/** One of several; the first is chosen unless `chosen` says otherwise. */
export function radios(name, legend, options, chosen) {
  return h(
    "fieldset",
    {},
    h("legend", {}, legend),
    options.map(({ value, title, hint }, index) =>
      mark("radio", name, title, { hint, value, checked: chosen ? value === chosen : index === 0 }),
    ),
  );
}

/** Several to tick. */
export function pick(name, options) {
  return h(
    "div",
    { class: "pick" },
    options.map(({ value, title, hint }) => check(name, title, { value, hint })),
  );
}

function mark(type, name, label, { hint, ...attributes }) {
  const id = nextId();
  const described = hint ? { "aria-describedby": `${id}-hint` } : {};
  return h(
    "div",
    { class: "mark" },
    h("input", { type, name, id, ...attributes, ...described }),
    h("label", { for: id }, label),
    hint && h("p", { class: "hint", id: `${id}-hint` }, hint),
  );
}

/** A list to choose one from; the titles by value. */
export function choice(name, titles) {
  return h(
    "select",
    { name },
    Object.entries(titles).map(([value, title]) => h("option", { value }, title)),
  );
}

/** The values that are ticked under a name. */
export function ticked(form, name) {
  return new FormData(form).getAll(name);
}
