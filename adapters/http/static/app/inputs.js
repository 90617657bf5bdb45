/** Controls in which a field is typed. */
import { element } from "./element.js";
import { shown } from "./formats.js";
import { text } from "./texts.js";

/** @typedef {import("./collections.js").Field} Field */

/**
 * @param {Field} field
 * @param {string} value as typed
 * @param {(value: string) => void} changed
 * @param {Record<string, any>} [properties]
 */
export function input(field, value, changed, properties = {}) {
  const oninput = (/** @type {Event} */ event) => changed(/** @type {HTMLInputElement} */ (event.target).value);
  const all = { name: field.name, oninput, autocomplete: "off", required: !!field.required, ...properties };
  if (field.kind === "choice") return choice((field.choices ?? []).map((each) => [each, shown(field, each)]), value, all);
  if (field.kind === "lines") return element("textarea", { ...all, rows: 5, value });
  const numeric = { price: "decimal", count: "numeric" }[String(field.kind)];
  const type = field.kind === "date" ? "date" : "text";
  return element("input", { ...all, type, value, ...(numeric && { inputMode: numeric }), dir: "auto" });
}

/** @param {string[][]} choices value and name of each @param {string} value @param {Record<string, any>} properties */
export const choice = (choices, value, properties) =>
  element(
    "select",
    properties,
    choices.map(([each, name]) => element("option", { value: each, selected: each === value }, name)),
  );

/**
 * A control with its name and room for what is wrong with it.
 * @param {Field} field @param {HTMLElement} control
 */
export function labelled(field, control) {
  control.id = `field-${field.name}`;
  const wrong = element("p", { className: "wrong", id: `wrong-${field.name}` });
  control.setAttribute("aria-describedby", wrong.id);
  const label = element("label", { htmlFor: control.id }, text(`field.${field.name}`));
  return element("div", { className: `field ${field.name}` }, label, control, wrong);
}

/**
 * Say at each control what the service finds wrong with it, and go to the first.
 * @param {HTMLElement} form @param {import("./client.js").Problem | null} problem
 */
export function showWrong(form, problem) {
  const found = new Map((problem?.body.errors ?? []).map((/** @type {any} */ each) => [each.pointer.slice(1), each.detail]));
  let first = null;
  for (const wrong of form.querySelectorAll(".wrong")) {
    const name = wrong.id.replace("wrong-", "");
    const control = /** @type {HTMLElement} */ (form.querySelector(`[name="${name}"]`));
    wrong.textContent = found.get(name) ?? "";
    control.setAttribute("aria-invalid", String(found.has(name)));
    if (found.has(name)) first ??= control;
  }
  first?.focus();
}
