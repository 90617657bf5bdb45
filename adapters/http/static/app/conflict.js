/** Mine and theirs side by side, field by field, with what both had before. */
import { fieldOf, writable } from "./collections.js";
import { edits, same } from "./drafts.js";
import { button, element } from "./element.js";
import { shown } from "./formats.js";
import { text } from "./texts.js";

/**
 * @param {Collection} collection
 * @param {Draft} draft with `theirs`
 * @param {(mine: Record<string, string>) => void} solved is called with what to keep of mine; all else is theirs
 */
export function conflict(collection, draft, solved) {
  const { base, mine } = draft;
  const theirs = draft.theirs ?? base;
  const values = edits(collection, draft);
  const differing = writable(collection).filter(({ name }) => name in mine || theirs[name] !== base[name]);
  /** @type {Record<string, boolean>} */
  const keeps = Object.fromEntries(differing.map(({ name }) => [name, name in mine]));

  const solve = (/** @type {(name: string) => boolean} */ isMine) =>
    solved(Object.fromEntries(Object.entries(mine).filter(([name]) => isMine(name))));

  const rows = differing.map(({ name }) => {
    const field = fieldOf(collection, name);
    const isMine = name in mine;
    const clashes = isMine && theirs[name] !== base[name] && !same(values[name], theirs[name]);
    const option = (/** @type {boolean} */ keep, /** @type {any} */ value) =>
      element(
        "td",
        { role: "cell" },
        element(
          "label",
          {},
          element("input", {
            type: "radio",
            name: `keep-${name}`,
            checked: keep === isMine,
            disabled: keep && !isMine,
            "aria-label": `${text(`field.${name}`)}: ${text(keep ? "mine" : "theirs")}`,
            onchange: () => (keeps[name] = keep),
          }),
          element("span", { dir: "auto" }, shown(field, value)),
        ),
      );
    return element(
      "tr",
      { role: "row", className: clashes ? "clash" : "" },
      element("th", { role: "rowheader" }, text(`field.${name}`)),
      element("td", { role: "cell", dir: "auto" }, shown(field, base[name])),
      option(true, isMine ? values[name] : base[name]),
      option(false, theirs[name]),
    );
  });
  const heads = ["field", "before", "mine", "theirs"].map((each) => element("th", { role: "columnheader" }, text(each)));
  return element(
    "section",
    { className: "conflict", "aria-labelledby": "conflict-title" },
    element("h3", { id: "conflict-title", tabIndex: -1 }, text("conflict")),
    element("p", {}, text("conflict.hint")),
    // Its rows are laid out as grids, so the roles of a table are said in words.
    element(
      "table",
      { role: "table" },
      element("thead", { role: "rowgroup" }, element("tr", { role: "row" }, heads)),
      element("tbody", { role: "rowgroup" }, rows),
    ),
    element(
      "div",
      { className: "buttons" },
      button(text("conflict.chosen"), () => solve((name) => keeps[name]), { className: "primary" }),
      button(text("conflict.mine"), () => solve(() => true)),
      button(text("conflict.theirs"), () => solve(() => false)),
    ),
  );
}
