/**
 * Make an element. Properties named `on…` are its listeners; what is no property is an attribute. Children may be text.
 * @template {keyof HTMLElementTagNameMap} T
 * @param {T} tag
 * @param {Record<string, any>} [properties]
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

/** @param {string} label @param {(event: MouseEvent) => void} onclick @param {Record<string, any>} [properties] */
export const button = (label, onclick, properties = {}) =>
  element("button", { type: "button", onclick, ...properties }, label);
