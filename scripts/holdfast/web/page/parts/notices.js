// What is said where there is nothing to show, or something went wrong.

import { h } from "../base/dom.js";
import { sentence } from "../base/words.js";

/** A failure: what, why, and what to do. */
export function failure(problem, ...more) {
  const detail = sentence(problem.detail);
  const title = sentence(problem.title).replace(/\.$/, "");
  return h(
    "div",
    { class: "notice is-failing", role: "alert" },
    h("p", { class: "notice-title" }, title || "It failed"),
    detail && h("p", {}, detail),
    problem.hint && h("p", {}, sentence(problem.hint)),
    more,
  );
}

/** Nothing is there, and what brings something. */
export function empty(title, ...words) {
  return h(
    "div",
    { class: "notice is-empty" },
    h("p", { class: "notice-title" }, title),
    words.map((each) => (each instanceof Node ? each : h("p", {}, each))),
  );
}

export function loading(what) {
  return h("p", { class: "quiet", role: "status" }, `Loading ${what} …`);
}

/** Warnings, one a line; nothing where there are none. */
export function warnings(all) {
  return all.map((text) =>
    h("p", { class: "notice is-stale" }, h("strong", {}, "Warning: "), sentence(text)),
  );
}

/** It went well. */
export function success(title, ...words) {
  return h("div", { class: "notice is-safe" }, h("p", { class: "notice-title" }, title), words);
}
