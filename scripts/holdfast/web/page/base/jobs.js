// Long work: started, followed to its end, and cancelled. What changes is told to all who listen.

import { get, post, remove, send } from "./api.js";

const ENDED = new Set(["done", "failed", "cancelled"]);
const POLL_MS = 1000;

/** Every job this page knows of, by id; "change" is told with the job in `detail`. */
export const jobs = new EventTarget();

const known = new Map();
const waiting = new Map(); // by id: a promise of the job's end
const hidden = new Set(); // shown elsewhere, or put away

export function hasEnded(job) {
  return ENDED.has(job.state);
}

/** The jobs that are shown with the page, the newest first. */
export function shownJobs() {
  return [...known.values()].filter((job) => !hidden.has(job.id)).reverse();
}

/** The report of a job that this page has followed; lists of jobs come without. */
export function knownReport(id) {
  return known.get(id)?.report;
}

/** Leave a job out of those that are shown with the page, or show it there again. */
export function hide(id, isHidden = true) {
  if (isHidden) hidden.add(id);
  else hidden.delete(id);
  jobs.dispatchEvent(new CustomEvent("change", { detail: known.get(id) }));
}

/** Start long work; the job, and it is followed. With a form, `sending` is as of `send`. */
export async function start(path, body, sending) {
  const job = await (body instanceof FormData ? send(path, body, sending) : post(path, body));
  follow(job);
  return job;
}

/** Take up jobs that were started before this page was opened. */
export async function resume() {
  const { jobs: all } = await get("/jobs");
  for (const job of all.filter((each) => !hasEnded(each) && !known.has(each.id))) follow(job);
}

export function cancel(id) {
  return remove(`/jobs/${encodeURIComponent(id)}`);
}

/** Come back with a job once it has ended, however it ended. */
export function end(id) {
  return waiting.get(id);
}

function keep(job) {
  known.set(job.id, job);
  jobs.dispatchEvent(new CustomEvent("change", { detail: job }));
}

function follow(job) {
  keep(job);
  waiting.set(job.id, hasEnded(job) ? Promise.resolve(job) : followed(job.id));
}

function followed(id) {
  return new Promise((resolve) => {
    const source = new EventSource(`/backup/jobs/${encodeURIComponent(id)}/events`);
    const finish = (job) => {
      source.close();
      keep(job);
      resolve(job);
    };
    source.addEventListener("progress", (event) => keep(JSON.parse(event.data)));
    source.addEventListener("end", (event) => finish(JSON.parse(event.data)));
    source.addEventListener("error", () => {
      source.close();
      poll(id).then(finish);
    });
  });
}

/** Ask again and again, where the stream was cut. */
async function poll(id) {
  for (;;) {
    try {
      const job = await get(`/jobs/${encodeURIComponent(id)}`);
      if (hasEnded(job)) return job;
      keep(job);
    } catch (problem) {
      if (problem.kind !== "gone") return { ...known.get(id), state: "failed", problem };
    }
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
}
