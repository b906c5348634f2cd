// Importing: choose what, see the plan, then say yes. Nothing changes before that.

import { h } from "../base/dom.js";
import { get } from "../base/api.js";
import { counted, date, nameOf, size } from "../base/words.js";
import { buttons, openDialog } from "../parts/dialog.js";
import { fileField } from "../parts/drop.js";
import { check, field, pick, radios, ticked } from "../parts/form.js";
import { failure, loading, success, warnings } from "../parts/notices.js";
import { planTable, planWords } from "../parts/plan.js";
import { work } from "../parts/progress.js";

const MODES = [
  {
    value: "overwrite",
    title: "Take the backup's row",
    hint: "Rows that only the database has stay.",
  },
  {
    value: "merge",
    title: "Keep the database's row",
    hint: "Only rows that are missing are added.",
  },
  {
    value: "newer",
    title: "Take the one that was changed later",
    hint: "Refused where nothing tells which that is.",
  },
  {
    value: "remap",
    title: "Both stay: the backup is from another machine",
    hint: "Its rows get numbers of their own, and references follow.",
  },
  { value: "fail", title: "Import nothing if any row is in both" },
  {
    value: "clear",
    title: "Make the tables as the backup has them",
    hint: "Rows that the backup lacks are removed.",
  },
];
const FLAGS = {
  create_missing: "Make tables that the database lacks",
  add_columns: "Add columns that the database lacks",
  drop_unknown: "Leave out columns that the database lacks",
};

/** @param given a backup's name, or a file that was dropped; nothing: it is asked for */
export async function importDialog(database, given = {}) {
  const dialog = openDialog(`Import into ${database}`);
  dialog.show(loading("the backups"));
  try {
    const [options, { backups }] = await Promise.all([get("/options", { database }), get("/list")]);
    ask(dialog, database, options, backups, given);
  } catch (problem) {
    dialog.show(failure(problem));
  }
}

function ask(dialog, database, options, backups, given) {
  const limit = options.upload_bytes;
  const select = backupSelect(database, backups, given.backup);
  const file = fileField(given.file);
  const source = radios(
    "source",
    "From",
    [
      { value: "backup", title: "A backup that is here" },
      { value: "file", title: "A file" },
    ],
    given.file || !backups.length ? "file" : "backup",
  );
  const form = h(
    "form",
    {
      novalidate: true,
      onsubmit: (event) => {
        event.preventDefault();
        const wanted = { database, limit, form, file: isFile() ? file.chosen() : null };
        if (isFile() && !wanted.file) return file.complain("Choose a file first.");
        if (wanted.file && limit && wanted.file.size > limit)
          return file.complain(
            `${wanted.file.name} has ${size(wanted.file.size)}, and no more than ${size(limit)} may be sent. Put it into the folder of backups, or start serve.py with a higher --upload-limit.`,
          );
        return plan(dialog, wanted, () => dialog.show(form));
      },
    },
    source,
    h(
      "div",
      { class: "source-backup" },
      backups.length
        ? field("Backup", select)
        : h("p", { class: "hint" }, "There is no backup here yet."),
    ),
    h("div", { class: "source-file" }, file.element),
    radios(
      "mode",
      "Where a row is in both",
      MODES.filter((each) => !options.modes || options.modes.includes(each.value)),
    ),
    h(
      "details",
      {},
      h("summary", {}, "More"),
      Object.entries(FLAGS).map(([name, label]) => check(name, label)),
      options.tables?.length > 0 &&
        h(
          "fieldset",
          {},
          h("legend", {}, "Only these tables"),
          pick(
            "tables",
            options.tables.map((name) => ({ value: name, title: name })),
          ),
        ),
    ),
    buttons(h("button", { class: "primary" }, "Show the plan")),
  );
  const isFile = () => form.elements.source.value === "file";
  const arrange = () => {
    form.querySelector(".source-backup").hidden = isFile();
    form.querySelector(".source-file").hidden = !isFile();
  };
  form.addEventListener("change", arrange);
  arrange();
  dialog.show(form);
}

function backupSelect(database, backups, chosen) {
  const option = (each) =>
    h(
      "option",
      { value: each.name, selected: each.name === chosen },
      `${date(each.created_at)} · ${each.name} · ${size(each.bytes)}`,
    );
  const [own, others] = [true, false].map((isOwn) =>
    backups.filter((each) => (each.database === database) === isOwn),
  );
  return h(
    "select",
    { name: "backup" },
    own.length > 0 && h("optgroup", { label: `Of ${database}` }, own.map(option)),
    others.length > 0 && h("optgroup", { label: "Of others" }, others.map(option)),
  );
}

/**
 * The same words go with the plan and with the yes to it, so that what runs is what was shown.
 *
 * @param more what only the yes has: the plan's id, and what the server calls a file it has by now
 */
function body({ database, form, file }, { upload, ...more } = {}) {
  const flags = Object.fromEntries(
    Object.keys(FLAGS).map((name) => [name, form.elements[name].checked]),
  );
  const words = {
    database,
    mode: form.elements.mode.value,
    tables: ticked(form, "tables"),
    ...flags,
    values: true,
    ...more,
  };
  const sent = new FormData();
  if (upload) sent.append("upload", upload);
  else if (file) sent.append("file", file);
  else sent.append("backup", form.elements.backup.value);
  sent.append("options", JSON.stringify(words));
  return sent;
}

async function plan(dialog, wanted, again) {
  const name = wanted.file?.name ?? wanted.form.elements.backup.value;
  const job = await work(dialog, `Plan of importing ${name}`, "/import", body(wanted), { again });
  if (!job) return;
  const { report } = job;
  const shown = [
    h(
      "p",
      {},
      h("span", { class: "name" }, name),
      ` of ${report.backup_date ? date(report.backup_date) : "an unknown date"}, ${counted(report.row_count, "row")}, ${report.is_proven ? "proven whole" : "not proven"}, into `,
      h("span", { class: "name" }, report.database.path),
      ".",
    ),
    report.recognised && h("p", {}, `The file is ${report.recognised}.`),
    report.part && h("p", {}, `It holds a part of its database: ${report.part}.`),
    planTable(report.plan, "The plan, table by table"),
    warnings(report.warnings),
  ];
  if (report.outcome === "nothing to do") {
    dialog.show(
      success("Nothing to do", h("p", {}, "The database has all of it already.")),
      ...shown,
      buttons(h("button", { type: "button", onclick: again }, "Back")),
    );
    return;
  }
  dialog.show(
    h(
      "p",
      { class: "notice" },
      h("strong", {}, "This is a plan. "),
      `Nothing has been changed yet: ${planWords(report.plan)} if you go on.`,
    ),
    ...shown,
    buttons(
      h(
        "button",
        {
          type: "button",
          class: "primary",
          onclick: () =>
            carryOut(
              dialog,
              wanted,
              name,
              { confirm: report.plan.plan_id, upload: job.upload },
              again,
            ),
        },
        "Import as planned",
      ),
      h("button", { type: "button", onclick: again }, "Back"),
    ),
  );
}

async function carryOut(dialog, wanted, name, yes, again) {
  const job = await work(dialog, `Import ${name}`, "/import", body(wanted, yes), {
    again: () => plan(dialog, wanted, again),
    goesOn: true,
  });
  if (!job) return;
  const { report } = job;
  dialog.show(
    success(
      "Imported",
      h("p", {}, `${planWords(report.plan)}.`),
      report.restore_point &&
        h(
          "p",
          {},
          "Before that, the database was copied to ",
          h("span", { class: "name" }, nameOf(report.restore_point)),
          ": Undo goes back to it.",
        ),
    ),
    planTable({ ...report.plan, rows: [] }, "What was done, table by table"),
    warnings(report.warnings),
    buttons(h("button", { type: "button", class: "primary", onclick: dialog.close }, "Done")),
  );
}
