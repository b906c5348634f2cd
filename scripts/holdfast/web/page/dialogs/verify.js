// Proving a backup: the rungs it reached, one after the other, and why it got no further.

import { h } from "../base/dom.js";
import { counted, RUNG_NAMES, step } from "../base/words.js";
import { sign } from "../parts/badges.js";
import { buttons, openDialog } from "../parts/dialog.js";
import { failure, success, warnings } from "../parts/notices.js";
import { work } from "../parts/progress.js";

export async function verifyDialog(backup) {
  const dialog = openDialog(`Verify ${backup}`);
  const job = await work(dialog, `Verify ${backup}`, "/verify", { backup }, { goesOn: true });
  if (!job) return;
  const [found] = job.report.backups;
  dialog.show(
    found.problem
      ? failure({ title: "This backup is not sound", detail: found.problem, hint: found.hint })
      : verdict(found),
    h(
      "ol",
      { class: "rungs" },
      RUNG_NAMES.map((rung) => rungLine(rung, found.rungs.includes(rung))),
    ),
    found.broken_references > 0 &&
      h(
        "p",
        {},
        `${counted(found.broken_references, "row")} in it refer to rows that are not there, as in the database.`,
      ),
    warnings([...found.warnings, ...job.report.warnings]),
    buttons(h("button", { type: "button", class: "primary", onclick: dialog.close }, "Done")),
  );
}

function verdict(found) {
  if (found.rungs.includes("contents"))
    return success(
      "Verified",
      h("p", {}, `${counted(found.row_count, "row")}, all of them as they were in the database.`),
    );
  return h(
    "div",
    { class: "notice is-stale" },
    h("p", { class: "notice-title" }, "It can be read, but nothing proves it"),
    h("p", {}, "The file holds no digests: another program wrote it."),
  );
}

function rungLine(rung, isReached) {
  return h(
    "li",
    { class: isReached ? "is-safe" : "is-never" },
    sign(isReached ? "tick" : "ring"),
    h("span", {}, step(rung), !isReached && h("small", {}, " (not reached)")),
  );
}
