/** Differences of an entity: mine and theirs side by side, with what both had before; and what happened to it, with who and when. */
import { ask } from "./client.js";
import { fieldOf, writable } from "./collections.js";
import { edits, same } from "./drafts.js";
import { button, element } from "./element.js";
import { shown, time } from "./formats.js";
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

/** @param {Collection} collection @param {number} id @returns {Promise<Change[]>} oldest first */
export async function changesOf(collection, id) {
  const all = [];
  for (let next = `${collection.name}/${id}/history?limit=1000`; next; ) {
    const { body } = await ask("GET", next);
    all.push(...body.history);
    next = body.next;
  }
  return all;
}

/** @param {Collection} collection @param {Change[]} changes @param {(then: Entity) => void} revert */
export function historyList(collection, changes, revert) {
  const latest = changes.at(-1);
  const items = changes.map((change, at) => {
    const before = changes[at - 1]?.data;
    const verb = change.type.split(".")[1];
    const who = change.actor?.name ?? text("somebody");
    const when = element("time", { dateTime: change.at }, time(change.at));
    const told = [text(`history.${verb}`, { who }), change.reason && `“${change.reason}”`].filter(Boolean).join(" · ");
    const named = verb === "updated" || verb === "restored" ? change.changed : [];
    const differences = named.map((name) => {
      const field = fieldOf(collection, name);
      return element(
        "li",
        {},
        `${text(`field.${name}`)}: `,
        before ? element("del", { dir: "auto" }, shown(field, before[name])) : "",
        " → ",
        element("ins", { dir: "auto" }, shown(field, change.data[name])),
      );
    });
    const label = text("history.revert", { n: change.version });
    const back = change === latest || verb === "deleted" ? null : button(label, () => revert(change.data), { className: "quiet" });
    return element("li", {}, element("p", {}, when, ` · ${told}`), element("ul", {}, differences), back);
  });
  return element("ol", { className: "history" }, items.reverse());
}
