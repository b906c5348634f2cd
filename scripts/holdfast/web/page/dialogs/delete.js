// Deleting a backup: asks first, and says what remains.

import { h } from "../base/dom.js";
import { remove } from "../base/api.js";
import { counted, date, isProven, nameOf, proof, size } from "../base/words.js";
import { buttons, openDialog } from "../parts/dialog.js";
import { failure, loading, success, warnings } from "../parts/notices.js";

export async function deleteDialog(name, whenGone) {
  const dialog = openDialog(`Delete ${name}`);
  dialog.show(loading("what would remain"));
  try {
    await remove(pathOf(name));
  } catch (problem) {
    if (problem.rest?.report) ask(dialog, name, problem.rest.report, whenGone);
    else dialog.show(failure(problem));
  }
}

function pathOf(name) {
  return `/delete/${encodeURIComponent(name)}`;
}

function ask(dialog, name, report, whenGone) {
  dialog.show(
    h("p", {}, `${size(report.bytes)} are removed from this computer. This cannot be undone.`),
    warnings(report.warnings),
    h("h3", {}, "What remains"),
    remaining(report.remaining),
    buttons(
      h(
        "button",
        {
          type: "button",
          class: "danger",
          onclick: () => carryOut(dialog, name, report.plan_id, whenGone),
        },
        "Delete it",
      ),
      h("button", { type: "button", onclick: dialog.close }, "Keep it"),
    ),
  );
}

function remaining(all) {
  if (!all.length)
    return h(
      "p",
      { class: "notice is-failing" },
      h("strong", {}, "Nothing. "),
      "It is the last backup of this database that is known here.",
    );
  const [newest] = all;
  const proven = all.find((each) => isProven(each.verified));
  return h(
    "ul",
    {},
    h("li", {}, counted(all.length, "backup"), ` of this database: ${placesOf(all)}`),
    h("li", {}, "The newest: ", facts(newest)),
    proven && proven !== newest && h("li", {}, "The newest that is verified: ", facts(proven)),
    !proven && h("li", {}, h("strong", {}, "None of them is verified.")),
  );
}

function placesOf(all) {
  const here = all.filter((each) => !each.place).length;
  const stores = [...new Set(all.map((each) => each.place).filter(Boolean))];
  return [
    here && `${here} on this computer`,
    ...stores.map((store) => `${all.filter((each) => each.place === store).length} in ${store}`),
  ]
    .filter(Boolean)
    .join(", ");
}

function facts({ place, name, created_at: at, verified, part }) {
  return [
    h("span", { class: "name" }, name),
    place && ` in ${place}`,
    at && `, ${date(at)}`,
    `, ${proof(verified)}`,
    part && `, partial (${part})`,
  ];
}

async function carryOut(dialog, name, confirm, whenGone) {
  try {
    const report = await remove(pathOf(name), { confirm });
    dialog.show(
      success(
        "Deleted",
        h("p", {}, h("span", { class: "name" }, nameOf(report.path)), `, ${size(report.bytes)}.`),
      ),
      warnings(report.warnings),
      buttons(h("button", { type: "button", class: "primary", onclick: dialog.close }, "Done")),
    );
    await whenGone();
  } catch (problem) {
    // What remains is no longer what was shown: it is shown anew, and asked again.
    const report = problem.rest?.report;
    dialog.show(
      failure(
        problem,
        report &&
          h(
            "div",
            { class: "dialog-buttons" },
            h(
              "button",
              { type: "button", onclick: () => ask(dialog, name, report, whenGone) },
              "Show what remains now",
            ),
          ),
      ),
    );
  }
}
