/** The keys of the page. Single keys can be turned off, because speech input and chance touch them too. */

import { make } from "./element.js";

/** @typedef {{key: string, shown: string, what: string, act: () => void}} Key */

const OFF = "docs.single-keys-off";

/**
 * Listen to single keys outside of fields. Return a function that shows them.
 *
 * @param {Key[]} keys
 */
export function listenToKeys(keys) {
  const dialog = dialogOf(keys);
  document.body.append(dialog);
  const show = () => dialog.showModal();
  document.addEventListener("keydown", (event) => {
    const aside = event.ctrlKey || event.metaKey || event.altKey || dialog.open || localStorage.getItem(OFF);
    if (aside || (event.target instanceof Element && event.target.matches("input, textarea, select"))) return;
    const act = event.key === "?" ? show : keys.find((each) => each.key === event.key)?.act;
    if (!act) return;
    event.preventDefault();
    act();
  });
  return show;
}

/** @param {Key[]} keys */
function dialogOf(keys) {
  /** @type {HTMLInputElement} */
  const off = make("input", { type: "checkbox", id: "single-keys", checked: !localStorage.getItem(OFF), change: () => set(off.checked) });
  const rows = [...keys, { shown: "?", what: "Show the keys" }].flatMap(({ shown, what }) => [make("dt", {}, make("kbd", {}, shown)), make("dd", {}, what)]);
  return make(
    "dialog",
    { "aria-labelledby": "keys-title" },
    make("h2", { id: "keys-title" }, "Keys"),
    make("dl", {}, ...rows),
    make("p", {}, off, make("label", { for: "single-keys" }, " Listen to single keys")),
    make("form", { method: "dialog" }, make("button", {}, "Close")),
  );
}

/** @param {boolean} on */
function set(on) {
  if (on) localStorage.removeItem(OFF);
  else localStorage.setItem(OFF, "1");
}
