// What differs between two sides: tables with the rows to open, definitions, and numbers.

import { h } from "../base/dom.js";
import { counted, date, listed, nameOf, number } from "../base/words.js";
import { rowTable } from "./plan.js";
import { table } from "./table.js";
import { valueList } from "./values.js";

/** One of the two sides, by its name and date. */
export function sideWords(side) {
  if (side.kind === "database") return "the database as it is now";
  return [h("span", { class: "name" }, nameOf(side.path)), side.date && ` of ${date(side.date)}`];
}

export function differenceTable(report) {
  const busy = report.tables.filter(
    (each) =>
      each.added ||
      each.removed ||
      each.changed ||
      each.added_columns.length ||
      each.removed_columns.length,
  );
  const rest = report.tables.length - busy.length;
  return [
    busy.length > 0 &&
      table({
        caption: "What differs, table by table",
        columns: [
          { title: "Table" },
          ...["Added", "Removed", "Changed", "Same"].map((title) => ({ title, kind: "number" })),
        ],
        rows: busy.flatMap(tableRows),
      }),
    rest > 0 && h("p", { class: "quiet" }, `${counted(rest, "table")}: the same on both sides.`),
    wholeTables("Only on the second side", report.added_tables),
    wholeTables("Only on the first side", report.removed_tables),
    report.schema.length > 0 &&
      h(
        "ul",
        {},
        report.schema.map((each) => h("li", {}, `${each.type} ${each.name}: ${each.change}`)),
      ),
    Object.entries(report.numbers).map(([name, [first, second]]) =>
      h("p", {}, `${name}: ${first ?? "none"} → ${second ?? "none"}`),
    ),
    report.not_compared.length > 0 &&
      h(
        "p",
        { class: "quiet" },
        `Not compared: ${listed(report.not_compared.map((each) => `${each.table} (${each.reason})`))}.`,
      ),
    report.parts.length > 0 &&
      h("p", { class: "quiet" }, `Compared is a part of the database: ${report.parts.join("; ")}.`),
  ];
}

function tableRows(each) {
  const counts = [each.added, each.removed, each.changed].map((count) =>
    count ? h("strong", {}, number(count)) : h("span", { class: "quiet" }, "0"),
  );
  const row = [each.name, ...counts, number(each.same)];
  const columns = [
    each.added_columns.length > 0 && h("p", {}, `Columns added: ${listed(each.added_columns)}.`),
    each.removed_columns.length > 0 &&
      h("p", {}, `Columns removed: ${listed(each.removed_columns)}.`),
  ].filter(Boolean);
  if (!each.rows.length && !columns.length) return [row];
  const differing = each.added + each.removed + each.changed;
  const title = each.rows.length
    ? `${counted(differing, "row")} of ${each.name}`
    : `More of ${each.name}`;
  const rows = each.rows.map((one) => [
    keyWords(one.key),
    [one.change, one.columns.length > 0 && ` in ${listed(one.columns)}`, valueList(one)],
  ]);
  return [
    row,
    {
      wide: h(
        "details",
        {},
        h("summary", {}, title),
        columns,
        rows.length > 0 && rowTable(each.name, rows, differing, "not listed"),
      ),
    },
  ];
}

function keyWords(key) {
  const parts = Object.entries(key).map(
    ([column, value]) => `${column} = ${typeof value === "string" ? value : JSON.stringify(value)}`,
  );
  return parts.join(", ") || "a row without a key";
}

function wholeTables(title, tables) {
  const names = Object.entries(tables).map(([name, rows]) => `${name} (${counted(rows, "row")})`);
  return names.length > 0 && h("p", {}, `${title}: ${listed(names)}.`);
}
