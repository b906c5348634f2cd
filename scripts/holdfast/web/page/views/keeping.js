// The schedule, the rules of what is kept, the stores, and what the next prune would remove.

import { h } from "../base/dom.js";
import { get } from "../base/api.js";
import { live } from "../base/live.js";
import { counted, date, sentence, size } from "../base/words.js";
import { pruneDialog } from "../dialogs/prune.js";
import { since } from "../parts/badges.js";
import { empty, failure, warnings } from "../parts/notices.js";
import { fatesOf, pruneTable } from "../parts/pruning.js";
import { table } from "../parts/table.js";
import { fact } from "./databases.js";

export function keepingView(main) {
  const place = h("div", {});
  main.append(h("h1", { tabindex: -1 }, "Schedule and keeping"), place);
  return {
    title: "Schedule and keeping",
    refresh: live(place, "the schedule", () => get("/schedule"), draw, { isCostly: true }),
  };
}

function draw(found) {
  return [
    h("section", {}, h("h2", {}, "Schedule"), schedule(found.schedule)),
    h("section", {}, h("h2", {}, "Stores"), stores(found.stores)),
    h("section", {}, h("h2", {}, "What is kept"), rules(found)),
    h("section", {}, h("h2", {}, "What the next prune would remove"), nextPrune(found)),
  ];
}

function schedule(state) {
  if (!state)
    return empty(
      "No schedule is installed",
      "Backups are made only when somebody makes them.",
      h("p", {}, "Every day at 03:00: ", h("code", {}, "python3 scripts/schedule.py install")),
    );
  const failed = state.last_outcome && !["done", "started"].includes(state.last_outcome);
  return [
    h("p", { class: "lead" }, sentence(`Backups ${state.calendar}, by ${state.scheduler}`)),
    failed &&
      failure({
        title: "The last run failed",
        detail: state.last_message || state.last_outcome,
        hint: state.last_hint,
      }),
    h(
      "dl",
      { class: "facts wide-facts" },
      fact("Last run", state.last_run_at ? since(state.last_run_at) : "it has not run yet"),
      fact("Next run", state.next_at ? date(state.next_at) : "not known"),
      fact("Installed", date(state.installed_at)),
    ),
  ];
}

function stores(all) {
  if (!all.length)
    return empty(
      "No store is set",
      "All backups lie on this computer. A store in backup.yaml is another place: a disk, a bucket, a git repository.",
    );
  return table({
    caption: "Stores and what they hold",
    columns: [
      { title: "Store" },
      { title: "Backups", kind: "number" },
      { title: "Newest" },
      { title: "Size", kind: "number" },
      { title: "State" },
    ],
    rows: all.map((each) => [
      [each.name, h("span", { class: "path" }, each.location)],
      each.backup_count,
      each.newest_at ? since(each.newest_at) : "none",
      size(each.bytes),
      each.problem
        ? [h("strong", { class: "warn" }, sentence(each.problem)), " ", each.hint]
        : "reached",
    ]),
  });
}

function rules({ keep, keep_of: special }) {
  const lines = [["All databases", keep], ...Object.entries(special)].filter(([, each]) => each);
  if (!lines.length)
    return empty(
      "No rule is set",
      "All backups stay until you delete them. Rules go into backup.yaml, such as keep: {daily: 7, weekly: 4, monthly: 12}.",
    );
  return table({
    caption: "Rules of what is kept",
    columns: [{ title: "For" }, { title: "Kept" }],
    rows: lines.map(([name, each]) => [
      name,
      Object.entries(each)
        .map(
          ([rule, value]) => `${rule} ${typeof value === "object" ? JSON.stringify(value) : value}`,
        )
        .join(", "),
    ]),
  });
}

function nextPrune({ prune, prune_problem: problem }) {
  if (problem) return failure({ title: "That cannot be told just now", detail: problem });
  if (!prune || prune.outcome === "no rules")
    return empty("Nothing", "As no rule is set, nothing is ever removed.");
  const going = fatesOf(prune, "removed");
  const bytes = going.reduce((sum, each) => sum + each.bytes, 0);
  return [
    h(
      "p",
      {},
      going.length
        ? `${counted(going.length, "backup")}, ${size(bytes)}. The newest verified backup of a database always stays.`
        : "Nothing: every backup is kept by a rule.",
    ),
    pruneTable(prune),
    warnings(prune.warnings),
    going.length > 0 &&
      h(
        "div",
        { class: "row" },
        h("button", { type: "button", id: "prune", onclick: pruneDialog }, "Prune now …"),
      ),
  ];
}
