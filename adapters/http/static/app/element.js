/** Elements: what is made of them, controls in which a value is typed, and small tables. */
import { shown } from "./formats.js";
import { text } from "./texts.js";

/**
 * Make an element. Properties named `on…` are its listeners; what is no property is an attribute. Children may be text.
 * @template {keyof HTMLElementTagNameMap} T
 * @param {T} tag
 * @param {Properties} [properties]
 * @param {...any} children null and false are left out
 * @returns {HTMLElementTagNameMap[T]}
 */
export function element(tag, properties = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (name.startsWith("on")) made.addEventListener(name.slice(2), value);
    else if (name in made) /** @type {any} */ (made)[name] = value;
    else if (value !== null && value !== false) made.setAttribute(name, value);
  }
  made.append(...children.flat().filter((each) => each !== null && each !== false));
  return made;
}

/** @param {string} label @param {(event: MouseEvent) => void} onclick @param {Properties} [properties] */
export const button = (label, onclick, properties = {}) =>
  element("button", { type: "button", onclick, ...properties }, label);

/**
 * @param {Field} field
 * @param {string} value as typed
 * @param {(value: string) => void} changed
 * @param {Properties} [properties]
 */
export function input(field, value, changed, properties = {}) {
  /** @type {Properties} */
  const all = { name: field.name, oninput: ({ target }) => changed(target.value), autocomplete: "off", required: !!field.required, ...properties };
  if (field.kind === "choice") return choice((field.choices ?? []).map((each) => [each, shown(field, each)]), value, all);
  if (field.kind === "lines") return element("textarea", { ...all, rows: 5, value });
  const numeric = { price: "decimal", count: "numeric" }[String(field.kind)];
  const type = field.kind === "date" ? "date" : "text";
  return element("input", { ...all, type, value, ...(numeric && { inputMode: numeric }), dir: "auto" });
}

/** @param {string[][]} choices value and name of each @param {string} value @param {Properties} properties */
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

/**
 * A control under its name.
 * @param {string} name of the control, and of its label in the table of texts
 * @param {HTMLElement} control
 */
export function named(name, control) {
  control.id = `field-${name}`;
  control.setAttribute("name", name);
  return element("div", { className: "field" }, element("label", { htmlFor: control.id }, text(`field.${name}`)), control);
}

/**
 * A secret that is shown once, to be copied.
 * @param {string} what
 * @param {string} secret
 */
export const secret = (what, secret) =>
  element("p", { className: "secret", role: "alert" }, text("secret.once", { what }), " ", element("code", { tabIndex: 0 }, secret));

/**
 * Put other content into a place, unless it looks the same. What has the focus keeps it.
 * @param {HTMLElement} place @param {...(Node | string)} content
 */
export function renew(place, ...content) {
  const made = /** @type {HTMLElement} */ (place.cloneNode());
  made.append(...content);
  if (made.isEqualNode(place)) return;
  const focused = place.contains(document.activeElement) && document.activeElement?.getAttribute("aria-label");
  place.replaceChildren(...made.childNodes);
  if (focused) /** @type {HTMLElement?} */ (place.querySelector(`[aria-label="${CSS.escape(focused)}"]`))?.focus();
}

/**
 * A table that scrolls by itself where it is too wide.
 * @param {string} name
 * @param {string[]} heads
 * @param {HTMLElement[]} rows
 */
export const table = (name, heads, rows) =>
  rows.length === 0 ? element("p", {}, text("overview.none")) : element(
    "div",
    { className: "scroll", tabIndex: 0, role: "group", "aria-label": name },
    element("table", { className: "plain" }, element("thead", {}, element("tr", {}, heads.map((each) => element("th", { scope: "col" }, each)))), element("tbody", {}, rows)),
  );

/** @param {(HTMLElement | string | null)[]} cells */
export const row = (cells) => element("tr", {}, cells.map((each) => element("td", { dir: "auto" }, each ?? "–")));
