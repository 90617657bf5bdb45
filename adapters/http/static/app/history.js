/** What happened to an entity: differences, with who and when. */
import { ask } from "./client.js";
import { fieldOf } from "./collections.js";
import { button, element } from "./element.js";
import { shown } from "./formats.js";
import { text } from "./texts.js";

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
    const when = element("time", { dateTime: change.at }, shown({ name: "at", kind: "time" }, change.at));
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
