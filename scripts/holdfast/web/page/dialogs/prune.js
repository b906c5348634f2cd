// Pruning: what the rules no longer keep, shown first, and removed on a yes.

import { h } from "../base/dom.js";
import { counted, size } from "../base/words.js";
import { buttons, openDialog } from "../parts/dialog.js";
import { failure, success, warnings } from "../parts/notices.js";
import { work } from "../parts/progress.js";
import { fatesOf, pruneTable } from "../parts/pruning.js";

export async function pruneDialog() {
  const dialog = openDialog("Remove what no rule keeps");
  const job = await work(dialog, "Plan of a prune", "/prune", {});
  if (!job) return;
  const { report } = job;
  const going = fatesOf(report, "removed");
  if (report.outcome !== "planned") {
    dialog.show(
      success("Nothing to remove", h("p", {}, "All backups stay.")),
      warnings(report.warnings),
      buttons(h("button", { type: "button", onclick: dialog.close }, "Close")),
    );
    return;
  }
  dialog.show(
    h(
      "p",
      { class: "notice" },
      h("strong", {}, "This is a plan. "),
      `Nothing has been removed yet: ${counted(going.length, "backup")} would go. This cannot be undone.`,
    ),
    pruneTable(report),
    warnings(report.warnings),
    buttons(
      h(
        "button",
        { type: "button", class: "danger", onclick: () => carryOut(dialog, report.plan_id) },
        `Remove ${counted(going.length, "backup")}`,
      ),
      h("button", { type: "button", onclick: dialog.close }, "Keep all"),
    ),
  );
}

async function carryOut(dialog, confirm) {
  const job = await work(dialog, "Prune", "/prune", { confirm }, { goesOn: true });
  if (!job) return;
  const gone = fatesOf(job.report, "removed");
  const failed = fatesOf(job.report, "failed");
  dialog.show(
    success(
      "Removed",
      h(
        "p",
        {},
        `${counted(gone.length, "backup")}, ${size(gone.reduce((sum, each) => sum + each.bytes, 0))}.`,
      ),
    ),
    failed.map((each) =>
      failure({ title: `${each.name} could not be removed`, detail: each.reasons.join(", ") }),
    ),
    warnings(job.report.warnings),
    buttons(h("button", { type: "button", class: "primary", onclick: dialog.close }, "Done")),
  );
}
