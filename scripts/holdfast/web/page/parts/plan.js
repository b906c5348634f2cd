// What an import or an undo would do, or did: a table of tables, with the rows to open.

import { h } from "../base/dom.js";
import { counted, listed, number, sentence } from "../base/words.js";
import { shortened } from "./shortened.js";
import { table } from "./table.js";
import { valueList } from "./values.js";

const SHOWN_ROWS = 200; // of a table
const FEW_ROWS = 20; // until more are asked for
const ACTIONS = {
  insert: "added",
  change: "overwritten",
  keep: "kept as it is",
  stale: "kept, being newer",
  undecided: "in conflict",
  remove: "removed",
};
const COLUMNS = [
  ["inserted", "Added"],
  ["overwritten", "Overwritten"],
  ["removed", "Removed"],
  ["kept", "Kept"],
  ["stale", "Kept, being newer"],
  ["conflicts", "In conflict"],
  ["unchanged", "Unchanged"],
];

/** A plan of an import as a table; tables without any change are only counted. */
export function planTable(plan, caption) {
  const busy = plan.tables.filter(
    (each) => each.is_new || COLUMNS.some(([key]) => key !== "unchanged" && each[key]),
  );
  const shown = COLUMNS.filter(([key]) => key === "unchanged" || busy.some((each) => each[key]));
  const rest = plan.tables.length - busy.length;
  const byTable = byTableOf(plan.rows ?? []);
  return [
    busy.length > 0 &&
      table({
        caption,
        columns: [{ title: "Table" }, ...shown.map(([, title]) => ({ title, kind: "number" }))],
        rows: busy.flatMap((each) => planRows(each, shown, byTable.get(each.name) ?? [])),
      }),
    rest > 0 && h("p", { class: "quiet" }, `${counted(rest, "table")}: nothing to change.`),
    notes(plan),
  ];
}

function byTableOf(rows) {
  const found = new Map();
  for (const row of rows) {
    if (!found.has(row.table)) found.set(row.table, []);
    found.get(row.table).push(row);
  }
  return found;
}

function planRows(each, shown, rows) {
  const first = [each.name, each.is_new && h("small", {}, " a new table")];
  const row = [first, ...shown.map(([key]) => amount(each[key], key))];
  // Of many rows, the plan names the first alone.
  const concerned = COLUMNS.reduce((sum, [key]) => sum + (key === "unchanged" ? 0 : each[key]), 0);
  const columns = Object.keys(each.columns ?? {});
  const collided = [...(each.examples ?? []), ...(each.collided ?? [])];
  const details = (rows.length > 0 ||
    columns.length > 0 ||
    (each.conflicts && collided.length > 0)) && {
    wide: h(
      "details",
      {},
      h(
        "summary",
        {},
        rows.length ? `${counted(concerned, "row")} of ${each.name}` : `More of ${each.name}`,
      ),
      columns.length > 0 && h("p", {}, "Columns that are overwritten: ", listed(columns), "."),
      each.conflicts > 0 &&
        collided.length > 0 &&
        h(
          "ul",
          {},
          collided.map((text) => h("li", {}, text)),
        ),
      rows.length > 0 &&
        rowTable(
          each.name,
          rows.map((row) => [row.key, [ACTIONS[row.action] ?? row.action, valueList(row)]]),
          concerned,
          "named by the script with --rows",
        ),
    ),
  };
  return details ? [row, details] : [row];
}

/**
 * Rows of a table by their keys, and what becomes of each; no more than a person reads.
 *
 * @param total how many there are, of which `rows` may be only the first
 * @param rest what is said of those that are not shown
 */
export function rowTable(name, rows, total, rest) {
  const shown = rows.slice(0, SHOWN_ROWS);
  const more = total - shown.length;
  const caption = `Rows of ${name}`;
  const draw = (some) =>
    h(
      "div",
      { class: "scroll", tabindex: 0, role: "region", "aria-label": caption },
      table({ caption, columns: [{ title: "Row" }, { title: "Outcome" }], rows: some }),
    );
  return [
    shortened(shown, FEW_ROWS, `rows of ${name}`, draw, {}),
    more > 0 && h("p", { class: "quiet" }, `And ${counted(more, "row")} more, ${rest}.`),
  ];
}

function amount(count, key) {
  if (!count) return h("span", { class: "quiet" }, "0");
  return key === "unchanged"
    ? number(count)
    : h("strong", { class: key === "removed" || key === "conflicts" ? "warn" : "" }, number(count));
}

function notes(plan) {
  const reasons = new Map();
  for (const { table: name, reason } of plan.skipped ?? [])
    reasons.set(reason, [...(reasons.get(reason) ?? []), name]);
  const lines = [
    ...[...reasons].map(([reason, names]) => `Left out: ${listed(names)} (${reason}).`),
    plan.broken?.length && `References that would break: ${plan.broken.join("; ")}.`,
    plan.triggers?.length && `Triggers that will not fire: ${listed(plan.triggers)}.`,
    plan.holders?.length && `The database is open in ${listed(plan.holders)}.`,
    plan.short_of_space && `Too little room: ${sentence(plan.short_of_space)}`,
  ].filter(Boolean);
  return lines.map((line) => h("p", { class: "quiet" }, line));
}

/** What a plan does in a line: 3 rows overwritten, 10 added. */
export function planWords(plan) {
  const sum = (key) => plan.tables.reduce((total, each) => total + (each[key] ?? 0), 0);
  const parts = [
    [sum("inserted"), "added"],
    [sum("overwritten"), "overwritten"],
    [sum("removed"), "removed"],
  ].filter(([count]) => count);
  const [first, ...rest] = parts;
  if (!first) return "no row changes";
  return [
    `${counted(first[0], "row")} ${first[1]}`,
    ...rest.map(([count, word]) => `${number(count)} ${word}`),
  ].join(", ");
}

/** What going back does, table by table. */
export function undoTable(report) {
  const { tables, other_changes: others } = report;
  return [
    tables.length > 0 &&
      table({
        caption: "What going back does, table by table",
        columns: [
          { title: "Table" },
          ...["Brought back", "Taken out", "Changed back"].map((title) => ({
            title,
            kind: "number",
          })),
        ],
        rows: tables.map((each) => [
          each.name,
          amount(each.brought_back),
          amount(each.taken_out, "removed"),
          amount(each.changed),
        ]),
      }),
    others.length > 0 &&
      h(
        "ul",
        {},
        others.map((text) => h("li", {}, sentence(text))),
      ),
  ];
}
