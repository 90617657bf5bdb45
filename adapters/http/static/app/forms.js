/** Small forms and tables of the views for administrators. */
import { Problem } from "./client.js";
import { element } from "./element.js";
import { say } from "./notices.js";
import { text } from "./texts.js";

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
 * Do something that the service may refuse, and say why it does.
 * @template T
 * @param {() => Promise<T>} action
 * @returns {Promise<T | undefined>}
 */
export async function attempt(action) {
  try {
    return await action();
  } catch (error) {
    if (!(error instanceof Problem && error.status === 401)) say(/** @type {Error} */ (error).message, { isError: true });
    return undefined;
  }
}

/**
 * A secret that is shown once, to be copied.
 * @param {string} what
 * @param {string} secret
 */
export const secret = (what, secret) =>
  element("p", { className: "secret", role: "alert" }, text("secret.once", { what }), " ", element("code", { tabIndex: 0 }, secret));

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
