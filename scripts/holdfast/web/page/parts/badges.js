// States at a glance: each has a sign, a word and a colour, and none says anything by colour alone.

import { h, svg } from "../base/dom.js";
import { ago, date, isProven, proof } from "../base/words.js";

const STATES = {
  safe: { word: "Safe", sign: "tick" },
  stale: { word: "Stale", sign: "clock" },
  failing: { word: "Failing", sign: "cross" },
  never: { word: "Never backed up", sign: "ring" },
};
const SIGNS = {
  tick: ["M4 8.5l3 3 5.5-6.5"],
  clock: ["M8 4.5V8l2.5 1.5"],
  cross: ["M5 5l6 6M11 5l-6 6"],
  ring: ["M5 8h6"],
  lock: ["M5.5 7.5V6a2.5 2.5 0 0 1 5 0v1.5M5 7.5h6v4H5z"],
};

export function sign(name) {
  const lines = SIGNS[name].map((d) => svg("path", { d }));
  return svg(
    "svg",
    { viewBox: "0 0 16 16", class: "sign", "aria-hidden": "true" },
    svg("circle", { cx: 8, cy: 8, r: 7 }),
    lines,
  );
}

/** Whether a database is safe. */
export function stateBadge(state) {
  const { word, sign: name } = STATES[state] ?? { word: state, sign: "ring" };
  return h("span", { class: ["badge", `is-${state}`] }, sign(name), word);
}

/** How far a backup is proven. */
export function proofBadge({ verified: rung, verified_at: verifiedAt, created_at: createdAt }) {
  const kind = rung === "damaged" ? "failing" : isProven(rung) ? "safe" : "never";
  const name = { failing: "cross", safe: "tick", never: "ring" }[kind];
  const word = rung === "damaged" ? "Damaged" : isProven(rung) ? "Verified" : "Not verified";
  return h(
    "span",
    { class: "proof" },
    h("span", { class: ["badge", `is-${kind}`] }, sign(name), word),
    isProven(rung) &&
      h(
        "small",
        {},
        proof(rung),
        verifiedAt && verifiedAt !== createdAt && [", ", since(verifiedAt)],
      ),
  );
}

/** That only who has the key can open a backup. */
export function lockBadge(opening) {
  const word = {
    opens: "Encrypted",
    untried: "Encrypted (passphrase)",
    closed: "Encrypted, no key at hand",
  }[opening];
  return word
    ? h(
        "span",
        { class: ["badge", opening === "closed" ? "is-stale" : "is-plain"] },
        sign("lock"),
        word,
      )
    : "";
}

/** How long ago something was; the exact moment is in its title, and the words move on. */
export function since(moment) {
  return h("time", { datetime: moment, title: date(moment), "data-since": moment }, ago(moment));
}

/** Let the words of all moments say how long ago they are by now. */
export function renewMoments() {
  for (const time of document.querySelectorAll("time[data-since]")) {
    const words = ago(time.dataset.since);
    if (time.textContent !== words) time.textContent = words;
  }
}
