// Files: chosen in a field, or dropped on it, or anywhere on a view.

import { h } from "../base/dom.js";
import { size } from "../base/words.js";

/** A field for one file, which also takes one that is dropped on it. */
export function fileField(given) {
  let dropped = given;
  const words = h("p", { class: "hint", id: "file-words" });
  const problem = h("p", { class: "field-problem", id: "file-problem", role: "alert" });
  const input = h("input", {
    type: "file",
    id: "file-input",
    "aria-describedby": "file-words file-problem",
  });
  const show = () => {
    const file = dropped ?? input.files[0];
    words.textContent = file
      ? `${file.name}, ${size(file.size)}`
      : "A backup of Holdfast, or of a program whose files it reads. Or drop it here.";
    problem.textContent = "";
  };
  input.addEventListener("change", () => {
    dropped = undefined;
    show();
  });
  const element = h(
    "div",
    { class: "drop" },
    h("label", { for: "file-input" }, "File"),
    input,
    words,
    problem,
  );
  takeDrops(element, (file) => {
    dropped = file;
    input.value = "";
    show();
  });
  show();
  return {
    element,
    chosen: () => dropped ?? input.files[0],
    complain(text) {
      problem.textContent = text;
      input.focus();
    },
  };
}

/** Let an element take a file that is dropped on it; it looks ready while one is held above. */
export function takeDrops(element, take) {
  let depth = 0;
  const isFile = (event) => event.dataTransfer?.types.includes("Files");
  const enter = (step) => {
    depth = Math.max(depth + step, 0);
    element.classList.toggle("is-ready", depth > 0);
  };
  element.addEventListener("dragenter", (event) => {
    if (isFile(event)) enter(1);
  });
  element.addEventListener("dragleave", (event) => {
    if (isFile(event)) enter(-1);
  });
  element.addEventListener("dragover", (event) => {
    if (isFile(event)) event.preventDefault();
  });
  element.addEventListener("drop", (event) => {
    enter(-depth);
    const [file] = event.dataTransfer?.files ?? [];
    if (!file) return;
    event.preventDefault();
    event.stopPropagation();
    take(file);
  });
}
