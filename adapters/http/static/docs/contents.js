/** The table of contents, and the search that narrows it down. */

import { make } from "./element.js";

/**
 * @typedef {{id: string, label: (Node | string)[], words: string, element: HTMLElement}} Entry
 * @typedef {{title: string, id: string, entries: Entry[], element: HTMLElement}} Part
 */

/**
 * Fill the table of contents. Return the links in their order.
 *
 * @param {HTMLElement} place
 * @param {Part[]} parts
 */
export function showContents(place, parts) {
  for (const { title, id, entries } of parts) {
    const links = entries.map((each) => make("li", {}, make("a", { href: `#${each.id}` }, ...each.label)));
    place.append(make("section", { "data-of": id }, make("h2", {}, make("a", { href: `#${id}` }, title)), make("ul", {}, ...links)));
  }
}

/**
 * Let what is typed into the field narrow down the page and its contents.
 *
 * @param {HTMLInputElement} field
 * @param {HTMLElement} found where it says how many there are
 * @param {HTMLElement} contents
 * @param {Part[]} parts
 */
export function searching(field, found, contents, parts) {
  field.addEventListener("input", () => {
    const words = field.value.toLowerCase().split(/\s+/).filter(Boolean);
    const counts = parts.map((part) => narrow(part, words, contents));
    const total = counts.reduce((sum, each) => sum + each, 0);
    found.textContent = words.length ? `${total} found` : "";
  });
}

/**
 * @param {Part} part
 * @param {string[]} words
 * @param {HTMLElement} contents
 */
function narrow({ id, entries, element }, words, contents) {
  let count = 0;
  for (const entry of entries) {
    const hit = words.every((each) => entry.words.includes(each));
    entry.element.hidden = !hit;
    const link = contents.querySelector(`a[href="#${CSS.escape(entry.id)}"]`)?.closest("li");
    if (link) link.hidden = !hit;
    count += Number(hit);
  }
  element.hidden = !count;
  const listed = /** @type {HTMLElement | null} */ (contents.querySelector(`[data-of="${id}"]`));
  if (listed) listed.hidden = !count;
  return count;
}
