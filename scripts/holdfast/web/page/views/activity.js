// What is being done now, and what was done.

import { h } from "../base/dom.js";
import { get } from "../base/api.js";
import { live } from "../base/live.js";
import { entryList } from "../parts/entries.js";
import { jobTable } from "../parts/work.js";

const FEW = 20;
const ENTRIES = 200;

export function activityView(main) {
  const now = h("div", {});
  const past = h("div", {});
  const memory = {};
  main.append(
    h("h1", { tabindex: -1 }, "Activity"),
    h(
      "section",
      { "aria-labelledby": "activity-now" },
      h("h2", { id: "activity-now" }, "Since the server was started"),
      now,
    ),
    h(
      "section",
      { "aria-labelledby": "activity-past" },
      h("h2", { id: "activity-past" }, "History"),
      past,
    ),
  );
  const parts = [
    live(
      now,
      "the jobs",
      () => get("/jobs"),
      ({ jobs }) => jobTable(jobs),
    ),
    live(
      past,
      "the history",
      () => get("/history", { limit: ENTRIES }),
      ({ entries }) => entryList(entries, { few: FEW, memory }),
    ),
  ];
  return { title: "Activity", refresh: (how) => Promise.all(parts.map((part) => part(how))) };
}
