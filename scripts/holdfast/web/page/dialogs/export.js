// Backing up: what goes in, how it is written, and where it goes.

import { h } from "../base/dom.js";
import { get } from "../base/api.js";
import { counted, listed, nameOf, number, proof, size } from "../base/words.js";
import { buttons, openDialog } from "../parts/dialog.js";
import { check, choice, field, pick, ticked } from "../parts/form.js";
import { failure, loading, success, warnings } from "../parts/notices.js";
import { work } from "../parts/progress.js";

const COMPRESSIONS = {
  none: "None",
  zstd: "Zstandard: small and quick",
  gzip: "gzip: opens everywhere",
};

export async function exportDialog(database) {
  const dialog = openDialog(`Back up ${database}`);
  dialog.show(loading("the options"));
  try {
    const options = await get("/options", { database });
    ask(dialog, database, options);
  } catch (problem) {
    dialog.show(failure(problem));
  }
}

function ask(dialog, database, options) {
  const form = h(
    "form",
    {
      onsubmit: (event) => {
        event.preventDefault();
        run(dialog, database, order(database, form), () => dialog.show(form));
      },
    },
    parts(options),
    h(
      "div",
      { class: "pair" },
      field("Format", choice("format", options.formats)),
      field(
        "Compression",
        choice(
          "compression",
          Object.fromEntries(
            options.compressions.map((name) => [name, COMPRESSIONS[name] ?? name]),
          ),
        ),
      ),
    ),
    stores(options.stores),
    check("redact", "Replace secrets by a marker", {
      hint: "Tokens and keys that the profile of the tool names. An import leaves living ones alone.",
    }),
    options.can_encrypt
      ? check("encrypt", "Encrypt", { hint: "Only who has the key can open it." })
      : check("encrypt", "Encrypt", {
          disabled: true,
          hint: "There is no key yet: keys.py create makes one.",
        }),
    field(
      "Name",
      h("input", {
        name: "name",
        maxlength: 60,
        pattern: "[A-Za-z0-9][A-Za-z0-9_\\-]*",
        autocomplete: "off",
      }),
      "Stands before the date, such as before-the-move. May stay empty: letters, digits, - and _.",
    ),
    buttons(h("button", { class: "primary" }, "Back up")),
  );
  const compression = form.elements.compression;
  form.elements.format.addEventListener("change", (event) => {
    const isZip = event.target.value === "zip";
    if (isZip) compression.value = "none";
    compression.disabled = isZip;
  });
  dialog.show(form);
}

function parts({ groups = [], tables = [] }) {
  const groupList =
    groups.length > 0 &&
    h(
      "details",
      {},
      h("summary", {}, "Only some groups"),
      pick(
        "groups",
        groups.map((each) => ({
          value: each.name,
          title: each.title || each.name,
          hint: listed(each.tables ?? []),
        })),
      ),
    );
  const tableList =
    tables.length > 0 &&
    h(
      "details",
      {},
      h("summary", {}, "Only some tables"),
      pick(
        "tables",
        tables.map((name) => ({ value: name, title: name })),
      ),
    );
  return h(
    "fieldset",
    {},
    h("legend", {}, "What"),
    h(
      "p",
      { class: "hint" },
      "Everything that is usual for this database, unless you choose here. Such a backup is called partial.",
    ),
    groupList,
    tableList,
  );
}

function stores(all) {
  if (!all.length)
    return h(
      "p",
      { class: "hint" },
      "It goes into the folder of backups on this computer. No other place is set in backup.yaml.",
    );
  return h(
    "fieldset",
    {},
    h("legend", {}, "Also put it into"),
    pick(
      "to",
      all.map((each) => ({ value: each, title: each })),
    ),
  );
}

function order(database, form) {
  const value = (name) => form.elements[name]?.value || undefined;
  return {
    database,
    name: value("name"),
    format: value("format"),
    compression: value("compression"),
    groups: ticked(form, "groups"),
    tables: ticked(form, "tables"),
    to: ticked(form, "to"),
    encrypt: form.elements.encrypt.checked,
    redact: form.elements.redact.checked,
  };
}

async function run(dialog, database, body, again) {
  const job = await work(dialog, `Back up ${database}`, "/export", body, { again, goesOn: true });
  if (job)
    dialog.show(
      exported(job.report),
      buttons(h("button", { type: "button", class: "primary", onclick: dialog.close }, "Done")),
    );
}

function exported(report) {
  const filled = Object.entries(report.counts).filter(([, count]) => count);
  const rows = filled.reduce((sum, [, count]) => sum + count, 0);
  const secrets = Object.entries(report.secrets ?? {});
  return [
    success(
      report.verified ? "Backed up, and read back" : "Backed up, but not read back",
      h(
        "p",
        {},
        h("span", { class: "name" }, nameOf(report.path)),
        `: ${counted(rows, "row")} in ${counted(Object.keys(report.counts).length, "table")}, ${size(report.bytes)}.`,
      ),
      report.verified && h("p", {}, `Proven: ${proof(report.verified)}.`),
    ),
    report.part && h("p", {}, `This is a part of the database: ${report.part}.`),
    report.encrypted && h("p", {}, `Encrypted ${report.encrypted}.`),
    secrets.length > 0 &&
      h(
        "p",
        { class: "notice is-stale" },
        `${report.is_redacted ? "Secrets replaced by a marker" : "Secrets in it"}: ${listed(secrets.map(([name, count]) => `${name} (${counted(count, "row")})`))}.`,
      ),
    report.copies.map(copyLine),
    warnings(report.warnings),
    h(
      "details",
      {},
      h("summary", {}, "Rows by table"),
      h(
        "ul",
        { class: "columns" },
        filled.map(([name, count]) => h("li", {}, `${name}: ${number(count)}`)),
      ),
    ),
  ];
}

function copyLine(copy) {
  if (copy.problem)
    return failure({ title: `It is not in ${copy.store}`, detail: copy.problem, hint: copy.hint });
  return h("p", {}, `Also in ${copy.store}: ${copy.name}, read back.`);
}
