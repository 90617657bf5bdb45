/** The service, as the page talks to it. */
const ROOT = new URL("..", location.href);
const RUN = [...crypto.getRandomValues(new Uint8Array(9))].map((each) => each.toString(36)).join("");
const UNANSWERED = [408, 429, 502, 503, 504, 507];
let asked = 0;
let earlier = 0;
let refused = () => {};

/** The service did not answer, or not yet: the same request may be sent again. */
export class NoAnswer extends Error {
  /** @param {string} message @param {number} [wait] seconds */
  constructor(message, wait = 0) {
    super(message);
    this.wait = wait;
  }
}

/** The service refused. `body` is its problem. */
export class Problem extends Error {
  /** @param {number} status @param {any} body */
  constructor(status, body) {
    super(body.detail ?? String(status));
    this.status = status;
    this.body = body;
  }
}

/**
 * Tell whether an error is the service's last word; a key may still be shown, and an answer may still come.
 * @param {unknown} error @returns {error is Problem}
 */
export const isFinal = (error) => error instanceof Problem && error.status !== 401;

/** @param {() => void} then what to do when the service wants a key */
export const onUnauthorized = (then) => void (refused = then);

/** Say that a key was shown: that what was asked before was refused is no news. */
export const onEntered = () => void (earlier = asked);

/** A name that nothing else has. */
export const unique = () => `${RUN}-${++asked}`;

/**
 * Tell whether this page made a change.
 * @param {{ request_id: string }} change
 */
export const isOurs = (change) => change.request_id.startsWith(`${RUN}-`);

/** @param {string} path @param {RequestInit & { headers?: Record<string, string> }} [init] @returns {Promise<Response>} */
export async function request(path, init = {}) {
  const number = asked + 1;
  const headers = { "X-Request-ID": unique(), Accept: "application/json", ...init.headers };
  const answer = await fetch(new URL(path, ROOT), { ...init, headers });
  if (answer.status === 401 && number > earlier) refused();
  return answer;
}

/**
 * @param {string} method
 * @param {string} path below the service, such as `tasks/7`, or a URL that the service gave
 * @param {{ body?: any, headers?: Record<string, string>, signal?: AbortSignal }} [options]
 * @returns {Promise<{ status: number, body: any }>}
 */
export async function ask(method, path, options = {}) {
  const { body, signal } = options;
  const sent = body === undefined ? null : JSON.stringify(body);
  const headers = { ...options.headers, ...(sent && { "Content-Type": "application/json" }) };
  let answer, text;
  try {
    answer = await request(path, { method, headers, body: sent, signal });
    text = await answer.text();
  } catch (error) {
    throw signal?.aborted ? error : new NoAnswer(String(error));
  }
  const read = text && /json/.test(answer.headers.get("Content-Type") ?? "") ? JSON.parse(text) : {};
  if (UNANSWERED.includes(answer.status) || read.code === "idempotency_key_in_flight")
    throw new NoAnswer(read.detail ?? String(answer.status), Number(answer.headers.get("Retry-After")));
  if (!answer.ok) throw new Problem(answer.status, read);
  return { status: answer.status, body: read };
}
