// A dialog that takes the keyboard, gives it back, and ends with Escape or its button.

import { fill, h } from "../base/dom.js";

let count = 0;

/**
 * Open a dialog. The keyboard starts at its title, and goes back to where it was when it closes.
 *
 * @returns show: put other content in, the title as it is; onClose: what to do then; close; isOpen
 */
export function openDialog(title) {
  let closed = () => {};
  count += 1;
  const id = `dialog-${count}`;
  const before = document.activeElement;
  const heading = h("h2", { id: `${id}-title`, tabindex: -1 }, title);
  const body = h("div", { class: "dialog-body" });
  const dialog = h(
    "dialog",
    { "aria-labelledby": heading.id },
    h(
      "div",
      { class: "dialog-head" },
      heading,
      h(
        "button",
        { type: "button", class: "ghost", "aria-label": "Close", onclick: () => dialog.close() },
        "✕",
      ),
    ),
    body,
  );
  dialog.addEventListener("close", () => {
    dialog.remove();
    closed();
    backTo(before);
  });
  document.body.append(dialog);
  dialog.showModal();
  heading.focus();
  return {
    show(...content) {
      fill(body, ...content);
      body.scrollTop = 0;
      heading.focus();
    },
    onClose(listener) {
      closed = listener;
    },
    close: () => dialog.close(),
    get isOpen() {
      return dialog.isConnected;
    },
  };
}

/** The buttons at the end of a dialog, the first of them the one that goes on. */
export function buttons(...all) {
  return h("div", { class: "dialog-buttons" }, all);
}

function backTo(element) {
  // A list may have been drawn anew meanwhile: the same button is found by its id.
  const now = element?.isConnected ? element : element?.id && document.getElementById(element.id);
  (now || document.getElementById("main")).focus();
}
