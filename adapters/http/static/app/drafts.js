/** What was typed and is not stored by the service yet. It survives a reload of the page. */
import { meant, typed } from "./formats.js";
import { writable } from "./collections.js";

/**
 * @typedef {import("./collections.js").Entity} Entity
 * @typedef {import("./collections.js").Collection} Collection
 * @typedef {{ base: Entity, mine: Record<string, string>, theirs?: Entity }} Draft `mine` as typed, by field; `theirs`
 *   is what the service has, if somebody changed it after `base`
 */

const PREFIX = "backroom:draft:";

/** @param {string} path @returns {Draft | null} */
export const draftOf = (path) => JSON.parse(localStorage.getItem(PREFIX + path) ?? "null");

/** @param {string} path @param {Draft} draft */
export function keep(path, draft) {
  if (Object.keys(draft.mine).length) localStorage.setItem(PREFIX + path, JSON.stringify(draft));
  else drop(path);
}

/** @param {string} path */
export const drop = (path) => localStorage.removeItem(PREFIX + path);

/** The paths of all that have a draft. */
export const draftPaths = () =>
  Object.keys(localStorage).filter((each) => each.startsWith(PREFIX)).map((each) => each.slice(PREFIX.length));

/**
 * The draft's values, as the service takes them.
 * @param {Collection} collection @param {Draft} draft
 */
export function edits(collection, { mine }) {
  const fields = writable(collection).filter((each) => each.name in mine);
  return Object.fromEntries(fields.map((field) => [field.name, meant(field, mine[field.name])]));
}

/**
 * Base a draft on another version. What is the same there is no longer mine.
 *
 * @param {Collection} collection @param {string} path @param {Entity} entity
 */
export function rebase(collection, path, entity) {
  const draft = draftOf(path);
  if (!draft) return;
  const differs = writable(collection).filter(
    ({ name }) => name in draft.mine && !same(edits(collection, draft)[name], entity[name]),
  );
  keep(path, { base: entity, mine: Object.fromEntries(differs.map(({ name }) => [name, draft.mine[name]])) });
}

/**
 * Write one field into a draft, and make the draft if there is none.
 *
 * @param {Collection} collection @param {string} path @param {Entity} entity @param {string} name @param {string} input
 */
export function write(collection, path, entity, name, input) {
  const draft = draftOf(path) ?? { base: entity, mine: {} };
  const field = writable(collection).find((each) => each.name === name);
  if (field && typed(field, draft.base[name]) === input) delete draft.mine[name];
  else draft.mine[name] = input;
  keep(path, draft);
}

/** @param {any} one @param {any} other */
export const same = (one, other) => one === other || (typeof other === "number" && one !== null && Number(one) === other);
