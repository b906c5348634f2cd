// One database: its state, what can be done, how it grew, its backups, and what was done.

import { h } from "../base/dom.js";
import { get } from "../base/api.js";
import { live } from "../base/live.js";
import { sentence, size } from "../base/words.js";
import { diffDialog } from "../dialogs/diff.js";
import { exportDialog } from "../dialogs/export.js";
import { importDialog } from "../dialogs/import.js";
import { undoDialog } from "../dialogs/undo.js";
import { backupTable } from "../parts/backups.js";
import { since, stateBadge } from "../parts/badges.js";
import { takeDrops } from "../parts/drop.js";
import { entryList } from "../parts/entries.js";
import { empty, warnings } from "../parts/notices.js";
import { shortened } from "../parts/shortened.js";
import { picture, rowsOf, sizesOf } from "../parts/picture.js";
import { allDatabases, fact, others } from "./databases.js";

const FEW = 5;
const ENTRIES = 60;

export function databaseView(main, name) {
  const places = {
    state: h("div", {}),
    growth: h("div", {}),
    backups: h("div", {}),
    past: h("div", {}),
  };
  const action = (title, kind, open) =>
    h(
      "button",
      {
        type: "button",
        class: kind,
        id: `action-${title.split(" ")[0].toLowerCase()}`,
        onclick: open,
      },
      title,
    );
  const drop = h("div", { class: "drop-view" });
  drop.append(
    h("p", { class: "crumb" }, h("a", { href: "#/" }, "Databases")),
    h("h1", { tabindex: -1 }, name),
    places.state,
    h(
      "div",
      { class: "row toolbar", role: "group", "aria-label": `What to do with ${name}` },
      action("Back up", "primary", () => exportDialog(name)),
      action("Import …", "", () => importDialog(name)),
      action("Undo …", "", () => undoDialog(name)),
      action("Compare …", "", () => diffDialog(name)),
    ),
    section("Size and rows", places.growth),
    section("Backups", places.backups),
    section("What was done", places.past),
  );
  takeDrops(drop, (file) => importDialog(name, { file }));
  main.append(drop);
  const query = { database: name };
  const memories = { backups: {}, past: {} };
  const parts = [
    live(places.state, "the state", () => oneOf(name), drawState, { isCostly: true }),
    live(places.growth, "the sizes", () => get("/sizes", query), growth()),
    live(
      places.backups,
      "the backups",
      () => get("/list", query),
      (found) => {
        // A backup that has come or gone may make the database another state.
        if (places.backups.querySelector("table, .notice")) parts[0]();
        return drawBackups(found, name, refresh, memories.backups);
      },
    ),
    live(
      places.past,
      "what was done",
      () => get("/history", { ...query, limit: ENTRIES }),
      ({ entries }) => entryList(entries, { ofOne: true, few: FEW, memory: memories.past }),
    ),
  ];
  async function refresh(how) {
    await Promise.all(parts.map((part) => part(how)));
  }
  return { title: name, refresh };
}

function section(title, place) {
  const id = `section-${title.split(" ")[0].toLowerCase()}`;
  return h("section", { "aria-labelledby": id }, h("h2", { id }, title), place);
}

async function oneOf(name) {
  const databases = await allDatabases();
  return databases.find((each) => each.name === name) ?? null;
}

function drawState(database) {
  if (!database)
    return empty(
      "There is no such database",
      "It is neither in backup.yaml nor where Holdfast looks.",
    );
  const { state, state_text: text, bytes, tool, path, last_backup_at: at } = database;
  return [
    h("p", { class: "lead" }, stateBadge(state), " ", sentence(text)),
    warnings(others(database)),
    h(
      "dl",
      { class: "facts wide-facts" },
      fact("Last backup", at ? since(at) : "none"),
      fact("Size", bytes === null ? "cannot be read" : size(bytes)),
      tool && fact("Tool", tool),
      fact("File", h("span", { class: "path" }, path)),
    ),
  ];
}

/** Draws two pictures, and keeps to what was chosen in each when they are drawn anew. */
function growth() {
  const sizes = chooser("sizes", "Sizes of");
  const rows = chooser("rows", "Rows in");
  return ({ points }) => {
    if (!points.length)
      return empty("Nothing to draw yet", "The picture begins with the first backup.");
    return h("div", { class: "pictures" }, rows(rowsOf(points)), sizes(sizesOf(points)));
  };
}

/** One picture, and a list of what it can show where that is more than one thing. */
function chooser(id, label) {
  let chosen;
  return (all) => {
    const place = h("div", {});
    const draw = () =>
      place.replaceChildren(picture(all.find((each) => each.name === chosen) ?? all[0]));
    const choose = (event) => {
      chosen = event.target.value;
      draw();
    };
    draw();
    const options = all.map((each) =>
      h("option", { value: each.name, selected: each.name === chosen }, each.short),
    );
    return h(
      "div",
      {},
      h(
        "div",
        { class: "inline-field" },
        h("label", { for: id }, label),
        h("select", { id, onchange: choose, disabled: all.length < 2 }, options),
      ),
      place,
    );
  };
}

function drawBackups({ backups, folder }, name, refresh, memory) {
  if (!backups.length)
    return empty("No backup yet", `The first one is made with “Back up”. It goes into ${folder}.`);
  return [
    shortened(backups, FEW, "backups", (some) => backupTable(some, name, refresh), memory),
    h("p", { class: "quiet" }, "Folder: ", h("span", { class: "path" }, folder)),
  ];
}
