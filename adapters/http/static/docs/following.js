/** Following the log from the page: the events of a stream, or the messages of a socket, until they are stopped. */

import { make } from "./element.js";
import { socketUrl } from "./request.js";

/** @typedef {import("./request.js").Request} Request */

const MOST_LINES = 200;

/**
 * Follow, and return what shows it. It goes on until the signal is aborted, or the other side ends it.
 *
 * @param {Request} request
 * @param {AbortSignal} signal
 */
export function follow(request, signal) {
  const state = make("p", { class: "status", role: "status" }, "Connecting");
  const lines = make("pre", { tabindex: 0, role: "log", "aria-label": "What came" });
  const tell = (/** @type {string} */ text) => {
    lines.append(make("code", {}, `${text}\n`));
    while (lines.childElementCount > MOST_LINES) lines.firstElementChild?.remove();
  };
  const say = (/** @type {string} */ text) => state.replaceChildren(text);
  if (request.manner === "socket") socket(request, signal, say, tell);
  else events(request, signal, say, tell);
  return [state, lines];
}

/**
 * @param {Request} request
 * @param {AbortSignal} signal
 * @param {(text: string) => void} say
 * @param {(text: string) => void} tell
 */
function socket({ url }, signal, say, tell) {
  const connection = new WebSocket(socketUrl(url));
  connection.addEventListener("open", () => say("Connected"));
  connection.addEventListener("message", ({ data }) => tell(data));
  connection.addEventListener("close", ({ code }) => say(`Closed with ${code}`));
  signal.addEventListener("abort", () => connection.close());
}

/**
 * @param {Request} request
 * @param {AbortSignal} signal
 * @param {(text: string) => void} say
 * @param {(text: string) => void} tell
 */
async function events({ url, headers }, signal, say, tell) {
  try {
    const answer = await fetch(url, { headers, signal, cache: "no-store" });
    say(answer.ok ? "Connected" : `${answer.status} ${answer.statusText}`);
    const reader = answer.body?.pipeThrough(new TextDecoderStream()).getReader();
    for (let next = await reader?.read(); next && !next.done; next = await reader?.read()) tell(next.value.trimEnd());
    if (answer.ok) say("Ended");
  } catch (error) {
    say(signal.aborted ? "Stopped" : `There was no answer: ${/** @type {Error} */ (error).message}`);
  }
}
