// Parts of a view that follow what is so: asked again, and drawn anew only when it has changed.

import { fill, keepingFocus } from "./dom.js";
import { failure, loading } from "../parts/notices.js";

const COSTLY_MS = 60_000;

/**
 * Let an element show what is loaded, and say so while it loads, or fails.
 *
 * @param what what is loaded, for people
 * @param load a promise of the data
 * @param draw the data as nodes
 * @param isCostly whether the answer takes work, such as a look at each store: then it is asked
 *   for less often
 * @returns a function that asks again; `isIdle` when nothing has happened that anybody knows of
 */
export function live(element, what, load, draw, { isCostly = false } = {}) {
  let shown;
  let turn = 0;
  let askedAt = 0;
  fill(element, loading(what));
  return async function refresh({ isIdle = false } = {}) {
    if (isIdle && isCostly && Date.now() - askedAt < COSTLY_MS) return;
    askedAt = Date.now();
    turn += 1;
    const mine = turn;
    let found;
    try {
      found = await load();
    } catch (problem) {
      if (!problem.kind) throw problem;
      // What is there stays readable while nobody answers: the page says that at its top.
      if (shown === undefined || problem.kind === "refused") {
        shown = undefined;
        fill(element, failure(problem));
      }
      return;
    }
    const text = JSON.stringify(found);
    // One that was asked later may have been answered before.
    if (text === shown || mine < turn) return;
    shown = text;
    keepingFocus(() => fill(element, draw(found)));
  };
}
