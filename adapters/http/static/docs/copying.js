/** Lines to copy, each with a button. */

import { listing, make } from "./element.js";

/**
 * Return a listing with a button that copies it, and a function that shows another text in it.
 *
 * @param {string} title
 */
export function copied(title) {
  const shown = listing("", title);
  shown.classList.add("lines");
  const said = make("span", { role: "status", class: "aside" });
  const button = make("button", { type: "button", click: () => copy(shown, said) }, `Copy ${title}`);
  const element = make("figure", {}, make("figcaption", {}, title, " ", button, " ", said), shown);
  return { element, show: (/** @type {string} */ text) => shown.replaceChildren(make("code", {}, text)) };
}

/**
 * @param {HTMLElement} shown
 * @param {HTMLElement} said
 */
async function copy(shown, said) {
  try {
    await navigator.clipboard.writeText(shown.textContent ?? "");
    said.textContent = "Copied";
  } catch {
    getSelection()?.selectAllChildren(shown); // without https there is no clipboard, but it can be copied by hand
    said.textContent = "Selected: copy it with Ctrl+C";
  }
}
