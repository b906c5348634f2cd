// Comparing any two: backups with each other, or with the database as it is now.

import { h } from "../base/dom.js";
import { get } from "../base/api.js";
import { date } from "../base/words.js";
import { differenceTable, sideWords } from "../parts/difference.js";
import { buttons, openDialog } from "../parts/dialog.js";
import { check, field } from "../parts/form.js";
import { empty, failure, loading, success, warnings } from "../parts/notices.js";
import { work } from "../parts/progress.js";

export async function diffDialog(database, left) {
  const dialog = openDialog(`Compare in ${database}`);
  dialog.show(loading("the backups"));
  try {
    const { backups } = await get("/list", { database });
    ask(dialog, database, backups, left);
  } catch (problem) {
    dialog.show(failure(problem));
  }
}

function ask(dialog, database, backups, left) {
  if (!backups.length) {
    dialog.show(empty("Nothing to compare", "There is no backup of this database yet."));
    return;
  }
  const form = h(
    "form",
    {
      onsubmit: (event) => {
        event.preventDefault();
        const words = {
          database,
          left: form.elements.left.value,
          right: form.elements.right.value,
          values: form.elements.values.checked,
        };
        compare(dialog, words, () => dialog.show(form));
      },
    },
    field("From", side("left", backups, left ?? backups[0].name)),
    field("To", side("right", backups, "live")),
    check("values", "Show the rows that differ", {
      hint: "With what they hold on either side. Of a long text you see the beginning, of a secret nothing.",
    }),
    buttons(h("button", { class: "primary" }, "Compare")),
  );
  form.elements.values.checked = true;
  dialog.show(form);
}

function side(name, backups, chosen) {
  return h(
    "select",
    { name },
    h("option", { value: "live", selected: chosen === "live" }, "The database as it is now"),
    backups.map((each) =>
      h(
        "option",
        { value: each.name, selected: each.name === chosen },
        `${date(each.created_at)} · ${each.name}`,
      ),
    ),
  );
}

async function compare(dialog, words, again) {
  const job = await work(dialog, `Compare in ${words.database}`, "/diff", words, { again });
  if (!job) return;
  const { report } = job;
  dialog.show(
    h("p", {}, "From ", sideWords(report.first), " to ", sideWords(report.second), ":"),
    report.same
      ? success(
          "No difference",
          h("p", {}, "Every row, column and definition that was compared is the same."),
        )
      : differenceTable(report),
    warnings(report.warnings),
    buttons(
      h("button", { type: "button", class: "primary", onclick: dialog.close }, "Done"),
      h("button", { type: "button", onclick: again }, "Compare others"),
    ),
  );
}
