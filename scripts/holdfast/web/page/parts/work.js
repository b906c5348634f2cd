// The jobs of this page: those at work at its foot, and all of them as a table.

import { fill, h, say } from "../base/dom.js";
import { hasEnded, hide, jobs, knownReport, shownJobs } from "../base/jobs.js";
import { nameOf, sentence } from "../base/words.js";
import { since } from "./badges.js";
import { empty, failure } from "./notices.js";
import { planWords } from "./plan.js";
import { cancelButton, progressBar, titleOf } from "./progress.js";
import { table } from "./table.js";

const STATES = {
  queued: "waiting",
  running: "at work",
  done: "done",
  failed: "failed",
  cancelled: "cancelled",
};

/** Show the jobs that no dialog shows, for as long as they run, and how they ended. */
export function showWork(section, list) {
  const drawn = new Map(); // by id: the state it was drawn in
  jobs.addEventListener("change", () => {
    const shown = shownJobs();
    section.hidden = !shown.length;
    const states = new Map(shown.map((job) => [job.id, hasEnded(job)]));
    const isSame =
      states.size === drawn.size && [...states].every(([id, state]) => drawn.get(id) === state);
    if (isSame) return;
    for (const job of shown)
      if (hasEnded(job) && drawn.get(job.id) === false) say(`${titleOf(job)}: ${outcome(job)}`);
    drawn.clear();
    for (const [id, state] of states) drawn.set(id, state);
    fill(list, shown.map(item));
  });
}

function item(job) {
  const title = titleOf(job);
  if (!hasEnded(job))
    return h(
      "li",
      { class: "card" },
      h("p", { class: "work-title" }, title),
      progressBar(job, title),
      h("div", { class: "row" }, cancelButton(job)),
    );
  const away = h(
    "button",
    {
      type: "button",
      class: "small",
      "aria-label": `Put away: ${title}`,
      onclick: () => hide(job.id),
    },
    "Put away",
  );
  if (job.state === "failed")
    return h("li", { class: "card" }, failure({ ...job.problem, title: `${title}: failed` }), away);
  return h(
    "li",
    { class: "card" },
    h("p", { class: "work-title" }, title),
    h("p", {}, sentence(outcome(job))),
    away,
  );
}

/** How a job ended, in a line. */
export function outcome(job) {
  if (job.state === "failed") return job.problem?.detail || "failed";
  if (job.state !== "done") return STATES[job.state] ?? job.state;
  const report = job.report ?? knownReport(job.id);
  if (!report) return "done";
  if (job.verb === "export" && report.path)
    return `${nameOf(report.path)}${report.verified ? ", verified" : ", not verified"}`;
  if (job.verb === "import") return `${report.outcome}: ${planWords(report.plan)}`;
  if (job.verb === "verify")
    return report.backups.some((each) => each.problem) ? "damage was found" : "verified";
  if (job.verb === "diff") return report.same ? "no difference" : "they differ";
  return report.outcome ?? "done";
}

/** All jobs that the server remembers. */
export function jobTable(all) {
  if (!all.length)
    return empty(
      "No work yet",
      "Backups, imports and the like that are started here will be listed.",
    );
  return table({
    caption: "Jobs, the latest first",
    columns: [{ title: "What" }, { title: "When" }, { title: "State" }, { title: "Outcome" }],
    rows: all.map((job) => [
      titleOf(job),
      since(job.created_at),
      STATES[job.state] ?? job.state,
      hasEnded(job) ? outcome(job) : "",
    ]),
  });
}
