/** What was typed and is not stored by the service yet. It survives a reload of the page. */
import { meant, typed } from "./formats.js";
import { writable } from "./collections.js";

/** @type {number | string} */
let owner = "";

/**
 * Say whose key this browser uses. What others typed is theirs; what was typed without a key is anybody's.
 * @param {number | undefined} key
 */
export const typedBy = (key) => void (owner = key ?? "");

/** @param {number | string} who @param {string} name */
const place = (who, name) => `backroom:typed:${who}:${name}`;

/**
 * What somebody typed into a place with a name.
 * @param {string} name
 */
export const recalled = (name) => localStorage.getItem(place(owner, name)) ?? localStorage.getItem(place("", name));

/** @param {string} name @param {string} typed if empty, it is forgotten */
export function remember(name, typed) {
  localStorage.removeItem(place("", name));
  if (typed) localStorage.setItem(place(owner, name), typed);
  else localStorage.removeItem(place(owner, name));
}

/** @param {string} path @returns {Draft | null} */
export const draftOf = (path) => JSON.parse(recalled(path) ?? "null");

/** @param {string} path @param {Draft} draft */
export const keep = (path, draft) => remember(path, Object.keys(draft.mine).length ? JSON.stringify(draft) : "");

/** @param {string} path */
export const drop = (path) => remember(path, "");

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
