/** The head of a list. Its buttons put the list into order. */
import { button, element } from "./element.js";
import { text } from "./texts.js";

/**
 * @param {import("./collections.js").Collection} collection
 * @param {string} sort as in the query
 * @param {(name: string) => void} order
 */
export function heads({ columns, name: collection, title }, sort, order) {
  const cell = (/** @type {string} */ name, /** @type {HTMLElement} */ content, /** @type {string | null} */ direction = null) =>
    element("div", { role: "columnheader", className: `cell ${name}`, "aria-sort": direction }, content);
  const silent = (/** @type {string} */ name) => cell(name, element("span", { className: "unseen" }, text(`column.${name}`)));
  const sorting = columns.map((name) => {
    const direction = { [name]: "ascending", [`-${name}`]: "descending" }[sort.split(",")[0]] ?? "none";
    const arrow = { ascending: " ↑", descending: " ↓" }[direction] ?? "";
    const label = button(text(`field.${name}`) + arrow, () => order(name), { className: "quiet" });
    return cell(name === title ? "title" : name, label, direction);
  });
  return [...(collection === "tasks" ? [silent("tick")] : []), ...sorting, silent("actions")];
}
