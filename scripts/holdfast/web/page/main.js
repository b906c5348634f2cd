// The page: which view is shown, what is at work, and whether the server answers.

import { connection } from "./base/api.js";
import { fill, h } from "./base/dom.js";
import { hasEnded, jobs, resume } from "./base/jobs.js";
import { renewMoments } from "./parts/badges.js";
import { failure } from "./parts/notices.js";
import { showWork } from "./parts/work.js";
import { activityView } from "./views/activity.js";
import { databaseView } from "./views/database.js";
import { databasesView } from "./views/databases.js";
import { keepingView } from "./views/keeping.js";

const REFRESH_MS = 10_000;
const GONE_MS = 2_000; // between two questions while nobody answers
const MOMENTS_MS = 20_000;

const main = document.getElementById("main");
const trouble = document.getElementById("trouble");
let view = null;
let isGone = false;

function chosenView() {
  const [, name = "", ...rest] = location.hash.split("/");
  if (name === "database")
    return ["databases", (place) => databaseView(place, decoded(rest.join("/")))];
  if (name === "keeping") return ["keeping", keepingView];
  if (name === "activity") return ["activity", activityView];
  return ["databases", databasesView];
}

function decoded(text) {
  try {
    return decodeURIComponent(text);
  } catch {
    return text; // no name of ours: the view says that there is no such database
  }
}

function show({ isFirst = false } = {}) {
  const [name, draw] = chosenView();
  const place = h("div", { class: "view" });
  fill(main, place);
  view = draw(place);
  document.title = `${view.title} – Holdfast`;
  for (const link of document.querySelectorAll("nav a")) {
    if (link.dataset.view === name) link.setAttribute("aria-current", "page");
    else link.removeAttribute("aria-current");
  }
  if (!isFirst) {
    scrollTo(0, 0);
    place.querySelector("h1").focus({ preventScroll: true });
  }
  return view.refresh();
}

/** Ask again now and then; more often while nobody answers, so that the page is soon back. */
async function keepFresh() {
  for (;;) {
    await new Promise((resolve) => setTimeout(resolve, isGone ? GONE_MS : REFRESH_MS));
    if (document.visibilityState === "visible") await view.refresh({ isIdle: !isGone });
  }
}

function watchConnection() {
  const say = (title, hint) => {
    isGone = true;
    trouble.hidden = false;
    fill(trouble, failure({ title, hint }));
  };
  connection.addEventListener("gone", () =>
    say(
      "Holdfast does not answer",
      "It may have been stopped. What you see is how things were; the page goes on by itself once it is back. To start it: python3 scripts/serve.py",
    ),
  );
  connection.addEventListener("session", () =>
    say(
      "This session is over",
      "Holdfast was started anew. Open the address that it printed then.",
    ),
  );
  connection.addEventListener("back", () => {
    isGone = false;
    trouble.hidden = true;
    fill(trouble);
    view.refresh();
  });
}

jobs.addEventListener("change", ({ detail }) => {
  if (detail && hasEnded(detail)) view.refresh();
});
addEventListener("hashchange", () => show());
document.addEventListener(
  "visibilitychange",
  () => document.visibilityState === "visible" && view.refresh(),
);

watchConnection();
showWork(document.getElementById("work"), document.getElementById("work-list"));
setInterval(renewMoments, MOMENTS_MS);
await show({ isFirst: true });
resume().catch(() => {}); // nobody answers: the page says so already
keepFresh();
