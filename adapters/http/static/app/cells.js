/** The cells of a row. */
import { fieldOf } from "./collections.js";
import { button, element } from "./element.js";
import { LOW } from "./filters.js";
import { shown, today } from "./formats.js";
import { text } from "./texts.js";

/**
 * @typedef {import("./collections.js").Entity} Entity
 * @typedef {import("./collections.js").Collection} Collection
 * @typedef {{ tick: (entity: Entity) => void, move: (entity: Entity, change: number) => void, remove: (entity: Entity) => void,
 *   edit: (entity: Entity) => void }} Actions
 * @typedef {{ waits: boolean, isDraft: boolean, mayWrite: boolean }} Marks
 */

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
    const late = name === "due" && isOverdue(entity);
    return cell(`${name} ${value ?? "none"}`, value === null ? "" : element("span", { className: late ? "late" : "" }, shown(fieldOf(collection, name), value)), late && mark("overdue"));
  });
  if (collection.name === "tasks") made.unshift(cell("tick", tick(entity, actions, mayWrite)));
  const edit = button("✎", () => actions.edit(entity), { className: "quiet", "aria-label": text("edit", { title }) });
  const remove = button("✕", () => actions.remove(entity), { className: "quiet", "aria-label": text("delete", { title }) });
  made.push(cell("actions", ...(mayWrite ? [edit, remove] : [])));
  return made;
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
  const number = element("span", {}, shown({ name: "stock", kind: "count" }, product.stock));
  if (!mayWrite) return [low, number];
  const step = (/** @type {string} */ sign, /** @type {number} */ change, /** @type {string} */ name) =>
    button(sign, () => actions.move(product, change), { className: "quiet", "aria-label": text(name, { title: product.name }) });
  return [low, step("−", -1, "sell.one"), number, step("+", 1, "receive.one")];
}
