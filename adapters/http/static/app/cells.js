/** The cells of a row and of the head, and what keys do on a row that has the focus. */
import { fieldOf } from "./collections.js";
import { button, element } from "./element.js";
import { LOW } from "./filters.js";
import { count, shown, today } from "./formats.js";
import { text } from "./texts.js";

/** @param {string} name @param {...any} content */
export const cell = (name, ...content) => element("div", { role: "gridcell", className: `cell ${name}` }, content);

/** @param {Collection} collection @param {Entity} entity @param {Actions} actions @param {Marks} marks */
export function cells(collection, entity, actions, { waits, isDraft, mayWrite }) {
  const title = entity[collection.title];
  const made = collection.columns.map((name) => {
    if (name === collection.title) {
      const link = element("a", { href: `#${entity.id}`, dir: "auto", title }, title);
      return cell("title", link, waits && mark("waits"), isDraft && mark("unsaved"));
    }
    if (name === "stock") return cell("stock", ...stock(entity, actions, mayWrite));
    const value = entity[name];
    const field = fieldOf(collection, name);
    const late = name === "due" && isOverdue(entity);
    const kind = field.choices ? value : ""; // what people wrote is no name of a class
    return cell(`${name} ${kind}`, value === null ? "" : element("span", { className: late ? "late" : "" }, shown(field, value)), late && mark("overdue"));
  });
  if (collection.name === "tasks") made.unshift(cell("tick", tick(entity, actions, mayWrite)));
  const edit = button("✎", () => actions.edit(entity), { className: "quiet", "aria-label": text("edit", { title }) });
  const remove = button("✕", () => actions.remove(entity), { className: "quiet", "aria-label": text("delete", { title }) });
  made.push(cell("actions", ...(mayWrite ? [edit, remove] : [])));
  return made;
}

/**
 * @param {Collection} collection
 * @param {string} sort as in the query
 * @param {(name: string) => void} order
 */
export function heads({ columns, name: collection, title }, sort, order) {
  const head = (/** @type {string} */ name, /** @type {HTMLElement} */ content, /** @type {string | null} */ direction = null) =>
    element("div", { role: "columnheader", className: `cell ${name}`, "aria-sort": direction }, content);
  const silent = (/** @type {string} */ name, /** @type {string} */ label) => head(name, element("span", { className: "unseen" }, text(label)));
  const sorting = columns.map((name) => {
    const direction = { [name]: "ascending", [`-${name}`]: "descending" }[sort.split(",")[0]] ?? "none";
    const arrow = { ascending: " ↑", descending: " ↓" }[direction] ?? "";
    const label = button(text(`field.${name}`) + arrow, () => order(name), { className: "quiet" });
    return head(name === title ? "title" : name, label, direction);
  });
  return [...(collection === "tasks" ? [silent("tick", "field.completed_at")] : []), ...sorting, silent("actions", "column.actions")];
}

/**
 * @param {string} key
 * @param {number} all how many rows there are
 * @param {number} page how many of them fill the window
 * @returns {number} by how many rows the focus moves
 */
export function stepOf(key, all, page) {
  const steps = { ArrowDown: 1, j: 1, ArrowUp: -1, k: -1, PageDown: page, PageUp: -page, Home: -all, End: all };
  return /** @type {Record<string, number>} */ (steps)[key] ?? 0;
}

/**
 * @param {string} key
 * @param {Entity} entity
 * @param {Actions & { open: (id: number) => void }} actions
 * @param {boolean} mayWrite
 * @returns {(() => void) | undefined}
 */
export function verbOf(key, entity, actions, mayWrite) {
  const edit = () => actions.edit(entity);
  /** @type {Record<string, () => void>} */
  const verbs = { Enter: () => actions.open(entity.id) };
  if (mayWrite) Object.assign(verbs, { e: edit, F2: edit, Delete: () => actions.remove(entity) });
  if (mayWrite && "status" in entity) verbs[" "] = verbs.x = () => actions.tick(entity);
  if (mayWrite && entity.stock >= 0 && entity.stock !== null)
    Object.assign(verbs, { "+": () => actions.move(entity, 1), "-": () => actions.move(entity, -1) });
  return verbs[key];
}

/** @param {string} name */
const mark = (name) => element("span", { className: `mark ${name}` }, text(`mark.${name}`));

/** @param {Entity} task */
const isOverdue = (task) => task.due && task.due < today() && ["pending", "in_progress"].includes(task.status);

/** @param {Entity} task @param {Actions} actions @param {boolean} mayWrite */
function tick(task, actions, mayWrite) {
  const label = text("complete", { title: task.title });
  return element("input", { type: "checkbox", checked: task.status === "done", disabled: !mayWrite, "aria-label": label, onchange: () => actions.tick(task) });
}

/** @param {Entity} product @param {Actions} actions @param {boolean} mayWrite */
function stock(product, actions, mayWrite) {
  if (product.stock === null) return [element("span", { className: "none" }, text("untracked"))];
  const low = product.stock <= LOW && mark(product.stock ? "low" : "out");
  const number = element("span", {}, count(product.stock));
  if (!mayWrite) return [low, number];
  const step = (/** @type {string} */ sign, /** @type {number} */ change, /** @type {string} */ name) =>
    button(sign, () => actions.move(product, change), { className: "quiet", "aria-label": text(name, { title: product.name }) });
  return [low, step("−", -1, "sell.one"), number, step("+", 1, "receive.one")];
}
