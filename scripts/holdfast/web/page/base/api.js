// The API, and what can go wrong with it: each failure has a kind, and words that say what to do.

export class Problem extends Error {
  /**
   * @param {"refused"|"session"|"gone"|"cancelled"} kind refused: the API said no, and why;
   *   session: the token is not the one of this server; gone: nobody answers; cancelled: by us
   */
  constructor(kind, { title, detail = "", hint = "", status = 0, exit_code = 0, ...rest } = {}) {
    super(detail || title);
    Object.assign(this, { kind, title, detail, hint, status, exitCode: exit_code, rest });
  }
}

/** Whoever wants to know whether the server answers listens here, for "gone", "session", "back". */
export const connection = new EventTarget();

let state = "back";

function tell(next) {
  if (next === state) return;
  state = next;
  connection.dispatchEvent(new Event(next));
}

export function get(path, query = {}) {
  return call("GET", path, { query });
}

export function post(path, body = {}) {
  return call("POST", path, { body: JSON.stringify(body), type: "application/json" });
}

/**
 * Send a form with a file in it.
 *
 * @param tell called with how many bytes of how many have been sent
 * @param signal of an AbortController: ends it while it is not all sent, with the kind cancelled
 */
export async function send(path, form, { tell, signal }) {
  // fetch does not tell how much it has sent.
  const request = new XMLHttpRequest();
  request.open("POST", `/backup${path}`);
  request.setRequestHeader("Accept", "application/json");
  request.upload.addEventListener("progress", ({ loaded, total }) => tell(loaded, total));
  const abort = () => request.abort();
  signal.addEventListener("abort", abort);
  // All of it has been sent: there will be a job, which can be cancelled by its name.
  request.upload.addEventListener("load", () => signal.removeEventListener("abort", abort));
  await new Promise((resolve) => {
    request.addEventListener("loadend", resolve);
    request.send(form);
  });
  if (!request.status) throw signal.aborted ? new Problem("cancelled") : nobody();
  return understood(request.status, parsed(request.responseText));
}

export function remove(path, query = {}) {
  return call("DELETE", path, { query });
}

async function call(method, path, { query = {}, body, type } = {}) {
  const given = Object.entries(query).filter(([, value]) => value !== undefined && value !== "");
  const search = given.length ? `?${new URLSearchParams(given)}` : "";
  const headers = { Accept: "application/json", ...(type ? { "Content-Type": type } : {}) };
  let answer;
  try {
    answer = await fetch(`/backup${path}${search}`, { method, body, headers, cache: "no-store" });
  } catch {
    throw nobody();
  }
  return understood(answer.status, parsed(await answer.text().catch(() => "")));
}

function nobody() {
  tell("gone");
  return new Problem("gone", {
    title: "Holdfast does not answer",
    hint: "It may have been stopped. Start it again with serve.py, and open the address that it prints.",
  });
}

function parsed(text) {
  try {
    return JSON.parse(text);
  } catch {
    return {};
  }
}

/** Return what was answered, or throw what is wrong. */
function understood(status, document) {
  if (status === 401) {
    tell("session");
    throw new Problem("session", {
      title: "This session is over",
      hint: "Open the address that serve.py printed when it was started.",
    });
  }
  tell("back");
  if (status >= 200 && status < 300) return document;
  throw new Problem("refused", {
    title: document.title || `The answer was ${status}`,
    ...document,
    status,
  });
}
