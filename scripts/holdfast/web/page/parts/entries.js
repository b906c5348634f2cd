// What was done, as the history remembers it.

import { h } from "../base/dom.js";
import { nameOf, sentence } from "../base/words.js";
import { since } from "./badges.js";
import { empty } from "./notices.js";
import { shortened } from "./shortened.js";
import { table } from "./table.js";

const VERBS = {
  export: "Backup",
  import: "Import",
  restore: "Restore",
  undo: "Undo",
  verify: "Verification",
  prune: "Prune",
  sync: "Sync",
  delete: "Deletion",
  schedule: "Schedule",
};

/**
 * A table of what was done; plans that nobody carried out are not in it.
 *
 * @param ofOne all are of one database, which needs no naming
 * @param memory as of `shortened`
 */
export function entryList(all, { ofOne = false, few, memory }) {
  const entries = all.filter(({ outcome }) => outcome !== "planned");
  if (!entries.length)
    return empty(
      "Nothing was done yet",
      "Backups, imports, verifications and whatever failed will be listed here.",
    );
  return shortened(entries, few, "entries", (some) => entryTable(some, ofOne), memory);
}

function entryTable(entries, ofOne) {
  return table({
    caption: "What was done, the latest first",
    columns: [
      { title: "What" },
      { title: "When" },
      { title: ofOne ? "Backup" : "Of" },
      { title: "Outcome" },
    ],
    rows: entries.map(({ at, operation, outcome, database, backup }) => [
      VERBS[operation] ?? sentence(operation).replace(/\.$/, ""),
      since(at),
      [
        !ofOne && database && [nameOf(database), backup && " · "],
        backup && h("span", { class: "name" }, nameOf(backup)),
      ],
      outcome === "done" ? "done" : h("strong", {}, outcome),
    ]),
  });
}
