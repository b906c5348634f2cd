// Tables that become cards on a narrow screen, and stay tables for those who hear them.

import { h } from "../base/dom.js";

/**
 * Make a table.
 *
 * @param caption what it holds; it is heard, and seen only with `captionIsSeen`
 * @param columns each {title, kind}; the kind "number" is set to the right, "actions" has no title
 * @param rows each a list of cells, or {wide: node} for one across all columns
 */
export function table({ caption, captionIsSeen = false, columns, rows }) {
  const heads = columns.map(({ title, kind }) =>
    h(
      "th",
      { scope: "col", role: "columnheader", class: kind },
      kind === "actions" ? h("span", { class: "unseen" }, title) : title,
    ),
  );
  return h(
    "table",
    { role: "table", class: "cards" },
    h("caption", { class: !captionIsSeen && "unseen" }, caption),
    h("thead", { role: "rowgroup" }, h("tr", { role: "row" }, heads)),
    h(
      "tbody",
      { role: "rowgroup" },
      rows.map((row) => (row.wide ? wideRow(row.wide, columns.length) : plainRow(row, columns))),
    ),
  );
}

function plainRow(cells, columns) {
  const [first, ...rest] = cells;
  return h(
    "tr",
    { role: "row" },
    h("th", { scope: "row", role: "rowheader" }, first),
    rest.map((cell, index) => {
      const { title, kind } = columns[index + 1];
      return h("td", { role: "cell", class: kind, "data-title": title }, h("div", {}, cell));
    }),
  );
}

function wideRow(content, span) {
  return h(
    "tr",
    { role: "row", class: "wide-row" },
    h("td", { role: "cell", colspan: span }, content),
  );
}
