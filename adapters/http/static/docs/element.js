/** Making elements. Text is set as text, never as markup. */

/**
 * Return a new element. An attribute that is a function listens to the event of that name; false and null leave it out.
 *
 * @template {keyof HTMLElementTagNameMap} Name
 * @param {Name} name
 * @param {Record<string, string | number | boolean | null | undefined | ((event: any) => void)>} [attributes]
 * @param {...(Node | string)} children
 * @returns {HTMLElementTagNameMap[Name]}
 */
export function make(name, attributes = {}, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (typeof value === "function") made.addEventListener(key, value);
    else if (value !== false && value !== null && value !== undefined) made.setAttribute(key, value === true ? "" : String(value));
  }
  made.append(...children);
  return made;
}

/**
 * Return prose whose `code` is in backticks.
 *
 * @param {string} text
 * @returns {(Node | string)[]}
 */
export function prose(text) {
  return text.split("`").map((part, index) => (index % 2 ? make("code", {}, part) : part));
}

/**
 * Return text that is read as it is, such as code. It scrolls by itself, so it can have the focus.
 *
 * @param {string} text
 * @param {string} label what a screen reader calls it
 */
export function listing(text, label) {
  return make("pre", { tabindex: 0, role: "group", "aria-label": label }, make("code", {}, text));
}

/**
 * Return a part that can be opened.
 *
 * @param {string | Node} title
 * @param {...(Node | string)} children
 */
export function folded(title, ...children) {
  return make("details", {}, make("summary", {}, title), ...children);
}
