// What a row holds before and after, column by column.

import { h } from "../base/dom.js";
import { counted, size } from "../base/words.js";

/** The values of a row that is named in a report; nothing where it names none. */
export function valueList({ values, more_values: more }) {
  return (
    values.length > 0 &&
    h(
      "ul",
      { class: "values" },
      values.map(({ column, old, new: now }) =>
        h(
          "li",
          {},
          h("span", { class: "value-name" }, column),
          old && h("del", {}, unseen("before: "), cell(old, now)),
          now && h("ins", {}, unseen("after: "), cell(now, old)),
        ),
      ),
      more > 0 && h("li", { class: "quiet" }, `and ${counted(more, "column")} more`),
    )
  );
}

function unseen(text) {
  return h("span", { class: "unseen" }, text);
}

/** A value; its type, too, where that may be all that differs. */
function cell({ type, text, beyond }, other) {
  if (type === "null") return h("em", {}, "no value");
  if (type === "blob") return h("em", {}, `BLOB of ${size(beyond)}`);
  if (!text) return h("em", {}, "empty text");
  return [
    text,
    beyond > 0 && h("em", {}, ` … and ${counted(beyond, "character")} more`),
    other && !["null", "blob", type].includes(other.type) && h("em", {}, ` (${type})`),
  ];
}
