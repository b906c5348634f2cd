// Going back to how a database was before a change: choose the copy, see the plan, say yes.

import { h } from "../base/dom.js";
import { date, nameOf } from "../base/words.js";
import { buttons, openDialog } from "../parts/dialog.js";
import { radios } from "../parts/form.js";
import { empty, success, warnings } from "../parts/notices.js";
import { undoTable } from "../parts/plan.js";
import { work } from "../parts/progress.js";

const REASONS = { import: "before an import", restore: "before a restore", undo: "before an undo" };

export async function undoDialog(database) {
  const dialog = openDialog(`Undo in ${database}`);
  const job = await work(dialog, `Copies of ${database}`, "/undo", { database, list_only: true });
  if (job) ask(dialog, database, job.report.points);
}

function ask(dialog, database, points) {
  if (!points.length) {
    dialog.show(
      empty(
        "Nothing to undo",
        "A copy of the database is kept before each import, restore and undo. There is none yet.",
      ),
      buttons(h("button", { type: "button", class: "primary", onclick: dialog.close }, "Close")),
    );
    return;
  }
  const form = h(
    "form",
    {
      onsubmit: (event) => {
        event.preventDefault();
        plan(dialog, { database, point: form.elements.point.value }, () => dialog.show(form));
      },
    },
    radios(
      "point",
      "Go back to how it was",
      points.map((each) => ({
        value: stem(each.path),
        title: `${date(each.taken_at)}, ${REASONS[each.reason] ?? `before: ${each.reason}`}`,
        hint: nameOf(each.path),
      })),
    ),
    h("p", { class: "hint" }, "Rows that came since go, too. An undo can itself be undone."),
    buttons(h("button", { class: "primary" }, "Show the plan")),
  );
  dialog.show(form);
}

function stem(path) {
  return nameOf(path).replace(/\.[^.]+$/, "");
}

async function plan(dialog, wanted, again) {
  const job = await work(dialog, `Plan of an undo in ${wanted.database}`, "/undo", wanted, {
    again,
  });
  if (!job) return;
  const { report } = job;
  if (report.outcome === "nothing to do") {
    dialog.show(
      success("Nothing to do", h("p", {}, "The database is as it was then already.")),
      buttons(h("button", { type: "button", onclick: again }, "Back")),
    );
    return;
  }
  dialog.show(
    h(
      "p",
      { class: "notice" },
      h("strong", {}, "This is a plan. "),
      "Nothing has been changed yet.",
    ),
    h("p", {}, `Back to how it was on ${date(report.point.taken_at)}:`),
    undoTable(report),
    warnings(report.warnings),
    buttons(
      h(
        "button",
        {
          type: "button",
          class: "primary",
          onclick: () => carryOut(dialog, { ...wanted, confirm: report.plan_id }, again),
        },
        "Go back",
      ),
      h("button", { type: "button", onclick: again }, "Back"),
    ),
  );
}

async function carryOut(dialog, wanted, again) {
  const job = await work(dialog, `Undo in ${wanted.database}`, "/undo", wanted, {
    again,
    goesOn: true,
  });
  if (!job) return;
  const { report } = job;
  dialog.show(
    success(
      "Gone back",
      h("p", {}, `The database is as it was on ${date(report.point.taken_at)}.`),
      report.restore_point &&
        h(
          "p",
          {},
          "Before that, it was copied to ",
          h("span", { class: "name" }, nameOf(report.restore_point)),
          ".",
        ),
    ),
    undoTable(report),
    warnings(report.warnings),
    buttons(h("button", { type: "button", class: "primary", onclick: dialog.close }, "Done")),
  );
}
