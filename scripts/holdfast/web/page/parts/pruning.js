// What a prune keeps and removes, with the reasons.

import { h } from "../base/dom.js";
import { date, nameOf, size } from "../base/words.js";
import { table } from "./table.js";

const FATES = {
  kept: "stays",
  removed: "goes",
  "not ours": "is left alone",
  failed: "could not go",
};

/** The backups of one fate, in all places. */
export function fatesOf(report, fate) {
  return report.places.flatMap((place) => place.backups.filter((each) => each.fate === fate));
}

/** What goes, place by place; what stays, and why, is there to open. */
export function pruneTable(report) {
  const staying = placeTables(report, (each) => each.fate !== "removed");
  return [
    placeTables(report, (each) => each.fate === "removed"),
    staying.length > 0 && h("details", {}, h("summary", {}, "What stays, and why"), staying),
  ];
}

function placeTables(report, isShown) {
  return report.places
    .map((place) => ({ ...place, backups: place.backups.filter(isShown) }))
    .filter((place) => place.backups.length)
    .map((place) =>
      table({
        caption: place.store
          ? `In ${place.store}, ${place.location}`
          : `On this computer, ${place.location}`,
        captionIsSeen: true,
        columns: [
          { title: "Backup" },
          { title: "Of" },
          { title: "Date" },
          { title: "Size", kind: "number" },
          { title: "Outcome" },
        ],
        rows: place.backups.map((each) => [
          h("span", { class: "name" }, each.name),
          nameOf(each.database) || "not known",
          each.created_at ? date(each.created_at) : "not known",
          size(each.bytes),
          [
            h(
              each.fate === "kept" ? "span" : "strong",
              { class: each.fate === "removed" && "warn" },
              FATES[each.fate] ?? each.fate,
            ),
            each.reasons.length > 0 && h("small", {}, ` ${each.reasons.join(", ")}`),
          ],
        ]),
      }),
    );
}
