/** The answer to a request that was tried: status, headers and body. */

import { folded, listing, make } from "./element.js";

/** @typedef {import("./request.js").Request} Request */

const MOST_SHOWN = 100_000;

/**
 * Send a request, and return what it was answered with. The session's cookie goes with it.
 *
 * @param {Request} request
 * @returns {Promise<Node[]>}
 */
export async function answerTo({ method, url, headers, body }) {
  const started = performance.now();
  try {
    const answer = await fetch(url, { method, headers, body, cache: "no-store" });
    const text = await answer.text();
    return [told(answer, performance.now() - started), headersOf(answer), ...bodyOf(answer, text)];
  } catch (error) {
    return [make("p", { class: "status bad", role: "alert" }, `There was no answer: ${/** @type {Error} */ (error).message}.`)];
  }
}

/**
 * @param {Response} answer
 * @param {number} milliseconds
 */
function told(answer, milliseconds) {
  const text = `${answer.status} ${answer.statusText}`.trim();
  return make("p", { class: answer.ok || answer.status === 304 ? "status good" : "status bad" }, `${text}, after ${milliseconds.toFixed(0)} ms`);
}

/** @param {Response} answer */
function headersOf(answer) {
  const lines = [...answer.headers].map(([name, value]) => `${name}: ${value}`).join("\n");
  return folded("Headers", listing(lines, "Headers of the answer"));
}

/**
 * @param {Response} answer
 * @param {string} text
 */
function bodyOf(answer, text) {
  if (!text) return [make("p", { class: "aside" }, "The answer has no body.")];
  const shown = laidOut(answer.headers.get("content-type") ?? "", text);
  const rest = shown.length - MOST_SHOWN;
  const cut = rest > 0 ? [make("p", { class: "aside" }, `${rest.toLocaleString("en")} more characters are not shown.`)] : [];
  return [listing(shown.slice(0, MOST_SHOWN), "Body of the answer"), ...cut];
}

/**
 * Return JSON with line breaks. What is no JSON stays as it is.
 *
 * @param {string} type
 * @param {string} text
 */
function laidOut(type, text) {
  if (!/[/+]json/.test(type)) return text;
  try {
    return JSON.stringify(JSON.parse(text), null, 2);
  } catch {
    return text;
  }
}
