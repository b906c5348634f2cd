// A job while it runs and when it has ended: how far it is, and a way to stop it.

import { h, say } from "../base/dom.js";
import { cancel, end, hasEnded, hide, jobs, start } from "../base/jobs.js";
import { number, size } from "../base/words.js";
import { failure } from "./notices.js";

/** What a job is doing just now. */
export function doing(job) {
  if (job.state === "queued") return "Waiting for other work to end …";
  const { phase, table } = job.progress ?? {};
  if (!phase) return "Starting …";
  return `${phase[0].toUpperCase()}${phase.slice(1)}${table ? ` ${table}` : ""} …`;
}

/** A bar that follows a job until it has ended. */
export function progressBar(job, label) {
  const bar = h("progress", { "aria-label": label, max: 1 });
  const words = h("span", { class: "progress-words" });
  const counts = h("span", { class: "progress-counts" });
  const draw = (now) => {
    const { done, total } = now.progress ?? {};
    if (total) bar.value = Math.min(done / total, 1);
    else bar.removeAttribute("value");
    words.textContent = doing(now);
    counts.textContent = total ? `${number(done)} of ${number(total)}` : done ? number(done) : "";
  };
  const listen = ({ detail }) => {
    if (detail?.id !== job.id) return;
    draw(detail);
    if (hasEnded(detail)) jobs.removeEventListener("change", listen);
  };
  jobs.addEventListener("change", listen);
  draw(job);
  return h("div", { class: "progress" }, bar, h("div", { class: "progress-line" }, words, counts));
}

export function cancelButton(job) {
  return stopButton(() => cancel(job.id).catch((problem) => say(problem.message)));
}

function stopButton(stop) {
  const button = h(
    "button",
    {
      type: "button",
      onclick: () => {
        button.disabled = true;
        button.textContent = "Cancelling …";
        stop();
      },
    },
    "Cancel",
  );
  return button;
}

/** A bar for a file on its way, and what draws how much of it has been sent. */
function sendingBar(label) {
  const bar = h("progress", { "aria-label": label, max: 1 });
  const share = h("span", { class: "progress-words" }, "Sending the file …");
  const counts = h("span", { class: "progress-counts" });
  const draw = (sent, total) => {
    bar.value = sent / total;
    share.textContent = `Sending the file, ${Math.floor((100 * sent) / total)} % …`;
    counts.textContent = `${size(sent)} of ${size(total)}`;
  };
  const line = h("div", { class: "progress-line" }, share, counts);
  return [h("div", { class: "progress" }, bar, line), draw];
}

/**
 * Do long work in a dialog, which shows its progress.
 *
 * @param title such as "Back up crm", for the dialog and the page
 * @param again shows the dialog as it was, for who wants to go back after a failure
 * @param goesOn whether it goes on, shown with the page, when the dialog is closed; if not, as a
 *   plan that nobody sees helps nobody, it is cancelled then
 * @returns the job if it is done and the dialog is still open; else null, and it has been said
 */
export async function work(dialog, title, path, body, { again, goesOn = false } = {}) {
  const job = await begun(dialog, title, path, body, { again, goesOn });
  if (!job) return null;
  dialog.show(progressBar(job, title), h("div", { class: "dialog-buttons" }, cancelButton(job)));
  dialog.onClose(() => (goesOn ? hide(job.id, false) : cancel(job.id).catch(() => {})));
  const ended = await end(job.id);
  if (!dialog.isOpen) return null;
  dialog.onClose(() => {});
  if (ended.state === "done") return ended;
  dialog.show(
    ended.state === "cancelled"
      ? cancelled(again)
      : failure(ended.problem ?? {}, backButton(again)),
  );
  return null;
}

/** The job, once it has begun; nothing where it could not, or was cancelled. */
async function begun(dialog, title, path, body, { again, goesOn }) {
  const stop = new AbortController();
  const [bar, tell] = sendingBar(title);
  if (body instanceof FormData && body.has("file"))
    dialog.show(
      bar,
      h(
        "div",
        { class: "dialog-buttons" },
        stopButton(() => stop.abort()),
      ),
    );
  else dialog.show(h("p", {}, "Starting …"), h("progress", { "aria-label": title }));
  dialog.onClose(() => stop.abort());
  try {
    const job = await start(path, body, { tell, signal: stop.signal });
    titles.set(job.id, title);
    hide(job.id);
    if (stop.signal.aborted) await (goesOn ? hide(job.id, false) : cancel(job.id));
    return job;
  } catch (problem) {
    dialog.show(
      problem.kind === "cancelled" ? cancelled(again) : failure(problem, backButton(again)),
    );
    return null;
  }
}

function cancelled(again) {
  return h(
    "div",
    { class: "notice" },
    h("p", { class: "notice-title" }, "Cancelled"),
    h("p", {}, "Nothing has been changed."),
    backButton(again),
  );
}

function backButton(again) {
  return (
    again &&
    h("div", { class: "dialog-buttons" }, h("button", { type: "button", onclick: again }, "Back"))
  );
}

const titles = new Map();
const VERBS = {
  export: "Back up",
  import: "Import",
  verify: "Verify",
  diff: "Compare",
  undo: "Undo",
  prune: "Prune",
  restore: "Restore",
  sync: "Sync",
};

/** What a job is called. */
export function titleOf(job) {
  const verb = VERBS[job.verb] ?? job.verb;
  return titles.get(job.id) ?? [verb, job.backup ?? job.database].filter(Boolean).join(" ");
}
