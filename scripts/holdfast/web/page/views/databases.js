// All databases at a glance: which are safe, which are not, and why.

import { h } from "../base/dom.js";
import { get } from "../base/api.js";
import { live } from "../base/live.js";
import { counted, sentence, size } from "../base/words.js";
import { exportDialog } from "../dialogs/export.js";
import { since, stateBadge } from "../parts/badges.js";
import { empty, warnings } from "../parts/notices.js";

// How warnings begin that say no more than a state does.
const SAID = { never: "there is no backup", stale: "no backup in the last" };

export function databasesView(main) {
  const place = h("div", {});
  main.append(h("h1", { tabindex: -1 }, "Databases"), place);
  return {
    title: "Databases",
    refresh: live(place, "the databases", allDatabases, draw, { isCostly: true }),
  };
}

/** All databases, without the moment at which they were looked at. */
export async function allDatabases() {
  const { databases } = await get("/databases");
  return databases;
}

function draw(databases) {
  if (!databases.length) return nothing();
  const shared = sharedWarnings(databases);
  return [
    h("p", { class: "lead" }, headline(databases)),
    h(
      "ul",
      { class: "plain deck" },
      databases.map((each) => card(each, shared)),
    ),
    shared.map((text) =>
      h("p", { class: "notice is-stale" }, h("strong", {}, "For all of them: "), sentence(text)),
    ),
  ];
}

/** What is warned of for each of several databases is said once. */
function sharedWarnings(databases) {
  if (databases.length < 2) return [];
  const backedUp = databases.filter((each) => each.state !== "never");
  return others(backedUp[0] ?? databases[0]).filter((text) =>
    backedUp.every((each) => each.warnings.includes(text)),
  );
}

/** What a database is warned of besides what its state says. */
export function others({ warnings: all, state, state_text: text }) {
  return all.filter((each) => each !== text && !(SAID[state] && each.startsWith(SAID[state])));
}

function nothing() {
  return empty(
    "No database yet",
    "Holdfast has found no database to back up. It looks at those in backup.yaml, at data/*.db in its home, and where the tools that it knows keep theirs.",
    h(
      "p",
      {},
      "To look for others, and add what is found: ",
      h("code", {}, "python3 scripts/discover.py --add all"),
    ),
    h(
      "p",
      {},
      "To try it with invented contacts and mail: ",
      h("code", {}, "python3 scripts/export.py --sample"),
    ),
  );
}

function headline(databases) {
  const troubled = databases.filter((each) => each.state !== "safe");
  if (!troubled.length)
    return databases.length === 1
      ? "Your database is safe."
      : `All ${databases.length} databases are safe.`;
  return `${troubled.length} of ${counted(databases.length, "database")} ${troubled.length === 1 ? "needs" : "need"} attention.`;
}

function card(database, shared) {
  const { name, path, tool, bytes, state, state_text: text, last_backup_at: at } = database;
  const id = `database-${name}`;
  return h(
    "li",
    { class: ["card", `edge-${state}`] },
    h(
      "div",
      { class: "card-head" },
      h("h2", {}, h("a", { href: `#/database/${encodeURIComponent(name)}`, id }, name)),
      stateBadge(state),
    ),
    h("p", { class: "card-text" }, sentence(text)),
    h(
      "dl",
      { class: "facts" },
      fact("Last backup", at ? since(at) : "none"),
      fact("Size", bytes === null ? "cannot be read" : size(bytes)),
      tool && fact("Tool", tool),
      fact("File", h("span", { class: "path" }, path)),
    ),
    warnings(others(database).filter((each) => !shared.includes(each))),
    h(
      "div",
      { class: "row" },
      h(
        "button",
        {
          type: "button",
          class: state === "safe" ? "" : "primary",
          id: `${id}-export`,
          "aria-label": `Back up ${name}`,
          onclick: () => exportDialog(name),
        },
        "Back up",
      ),
      h(
        "a",
        {
          class: "button",
          href: `#/database/${encodeURIComponent(name)}`,
          "aria-label": `Open ${name}`,
        },
        "Open",
      ),
    ),
  );
}

export function fact(title, value) {
  return h("div", {}, h("dt", {}, title), h("dd", {}, value));
}
