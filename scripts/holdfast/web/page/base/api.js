// The API, and what can go wrong with it: each failure has a kind, and words that say what to do.

export class Problem extends Error {
  /**
   * @param {"refused"|"session"|"gone"} kind refused: the API said no, and why; session: the token
   *   is not the one of this server; gone: nobody answers
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

/** Send a form with a file in it. */
export function send(path, form) {
  return call("POST", path, { body: form });
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
    tell("gone");
    throw new Problem("gone", {
      title: "Holdfast does not answer",
      hint: "It may have been stopped. Start it again with serve.py, and open the address that it prints.",
    });
  }
  const document = await answer.json().catch(() => ({}));
  if (answer.status === 401) {
    tell("session");
    throw new Problem("session", {
      title: "This session is over",
      hint: "Open the address that serve.py printed when it was started.",
    });
  }
  tell("back");
  if (answer.ok) return document;
  throw new Problem("refused", {
    title: document.title || `The answer was ${answer.status}`,
    ...document,
    status: answer.status,
  });
}
