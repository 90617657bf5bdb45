/** Keys that do something anywhere on the page, and the table of all keys. */
import { button, element } from "./element.js";
import { text } from "./texts.js";

const OFF = "backroom:keys-off";
const IN_LISTS = ["↑ ↓ j k", "Home End", "e F2", "Space x", "+ −", "Esc"];
/** @type {Record<string, { name: string, run: () => void }>} */
const keys = { "?": { name: "keys.?", run: help } };

/** @param {string} key @param {string} name of what it does, in the table of texts @param {() => void} run */
export const onKey = (key, name, run) => void (keys[key] = { name, run });

addEventListener("keydown", (event) => {
  const target = /** @type {HTMLElement} */ (event.target);
  const isTyping = target.matches("input:not([type=checkbox], [type=radio]), textarea, select") || target.closest("dialog");
  if (isTyping || event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented) return;
  if (!keys[event.key] || localStorage.getItem(OFF)) return;
  event.preventDefault();
  keys[event.key].run();
});

/** Show all keys. Where single keys disturb, they can be turned off. */
export function help() {
  const line = (/** @type {string} */ key, /** @type {string} */ name) =>
    element("tr", {}, element("td", {}, key.split(" ").map((each) => element("kbd", {}, each))), element("td", {}, text(name)));
  const off = element("input", {
    type: "checkbox",
    checked: !localStorage.getItem(OFF),
    onchange: ({ target }) => (target.checked ? localStorage.removeItem(OFF) : localStorage.setItem(OFF, "1")),
  });
  /** @type {HTMLDialogElement} */
  const dialog = element(
    "dialog",
    { "aria-labelledby": "keys-title", onclose: () => dialog.remove() },
    element("h2", { id: "keys-title" }, text("keys")),
    element(
      "table",
      {},
      Object.entries(keys).map(([key, { name }]) => line(key, name)),
      IN_LISTS.map((key, at) => line(key, `keys.list.${at}`)),
      line("Enter", "open"),
      line("Delete", "delete.short"),
    ),
    element("label", { className: "check" }, off, text("keys.on")),
    button(text("close"), () => dialog.close(), { className: "primary", autofocus: true }),
  );
  document.body.append(dialog);
  dialog.showModal();
}
