// The backups of a database, and what can be done with each.

import { h } from "../base/dom.js";
import { counted, date, listed, size } from "../base/words.js";
import { deleteDialog } from "../dialogs/delete.js";
import { diffDialog } from "../dialogs/diff.js";
import { importDialog } from "../dialogs/import.js";
import { verifyDialog } from "../dialogs/verify.js";
import { lockBadge, proofBadge, since } from "./badges.js";
import { table } from "./table.js";

export function backupTable(backups, database, whenGone) {
  return table({
    caption: `Backups of ${database}, the newest first`,
    columns: [
      { title: "Backup" },
      { title: "Size", kind: "number" },
      { title: "Rows", kind: "number" },
      { title: "Proof" },
      { title: "Where" },
      { title: "Actions", kind: "actions" },
    ],
    rows: backups.map((each) => backupRow(each, database, whenGone)),
  });
}

function backupRow(backup, database, whenGone) {
  const { name, created_at: at, bytes, row_count: rows, part, opening, copies } = backup;
  return [
    [
      h("span", { class: "when" }, at ? date(at) : "unknown date"),
      h("span", { class: "name" }, name),
      h("small", {}, at && since(at), part && `, partial: ${part}`),
    ],
    size(bytes),
    rows === null ? "not known" : counted(rows, "row").replace(/ rows?$/, ""),
    [proofBadge(backup), lockBadge(opening)],
    listed(["this computer", ...copies]),
    actions(name, database, whenGone),
  ];
}

function actions(name, database, whenGone) {
  const button = (title, kind, open) =>
    h(
      "button",
      {
        type: "button",
        class: ["small", "light", kind],
        id: `${title.toLowerCase()}-${name}`,
        "aria-label": `${title} ${name}`,
        onclick: open,
      },
      title,
    );
  return h(
    "div",
    { class: "row" },
    button("Verify", "", () => verifyDialog(name)),
    button("Compare", "", () => diffDialog(database, name)),
    button("Import", "", () => importDialog(database, { backup: name })),
    h(
      "a",
      {
        class: "button small light",
        href: `/backup/download/${encodeURIComponent(name)}`,
        download: true,
        "aria-label": `Download ${name}`,
      },
      "Download",
    ),
    button("Delete", "danger-quiet", () => deleteDialog(name, whenGone)),
  );
}
