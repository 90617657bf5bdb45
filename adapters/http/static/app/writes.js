/** What the page can do to entities. Each write goes through the outbox, and names the version that it changes. */
import { Problem } from "./client.js";
import { COLLECTIONS, writable } from "./collections.js";
import { draftOf, edits, keep, rebase } from "./drafts.js";
import { typed } from "./formats.js";
import { say } from "./notices.js";
import { submit } from "./outbox.js";
import { address } from "./router.js";
import { text } from "./texts.js";

/** @param {Collection} collection @param {Entity} entity */
export const pathOf = (collection, entity) => `${collection.name}/${entity.id}`;

/** @param {Collection} collection @param {Record<string, any>} body */
export const create = (collection, body) =>
  submit({ method: "POST", path: collection.name, body, label: text("write.create", { title: body[collection.title] }) });

/**
 * Change fields of an entity, as typed. What is refused stays as a draft.
 * @param {Collection} collection @param {Entity} base @param {Record<string, string>} mine
 */
export function edit(collection, base, mine) {
  const body = edits(collection, { base, mine });
  const label = text("write.edit", { title: base[collection.title] });
  return submit({ method: "PATCH", path: pathOf(collection, base), version: base.version, body, base, mine, label });
}

/**
 * Give an entity the values that it had in another version.
 * @param {Collection} collection @param {Entity} now @param {Entity} then
 */
export function revert(collection, now, then) {
  const differs = writable(collection).filter(({ name }) => now[name] !== then[name]);
  return edit(collection, now, Object.fromEntries(differs.map((each) => [each.name, typed(each, then[each.name])])));
}

/**
 * Delete an entity, and offer to undo that.
 * @param {Collection} collection @param {Entity} entity
 */
export async function remove(collection, entity) {
  const title = entity[collection.title];
  const path = pathOf(collection, entity);
  const { deleted } = await submit({ method: "DELETE", path, version: entity.version, label: text("write.delete", { title }) });
  say(text("deleted", { title }), { action: text("undo"), run: () => void restore(collection, deleted).catch(() => null) });
}

/** @param {Collection} collection @param {Entity} deleted */
export function restore(collection, deleted) {
  const label = text("write.restore", { title: deleted[collection.title] });
  return submit({ method: "POST", path: `${pathOf(collection, deleted)}/restore`, version: deleted.version, label });
}

/**
 * Add to the stock, whatever it is by then.
 * @param {Entity} product @param {number} change @param {string} [reason]
 */
export function moveStock(product, change, reason) {
  const label = text(change < 0 ? "write.sell" : "write.receive", { title: product.name, n: Math.abs(change) });
  const body = { change, reason: reason || text(change < 0 ? "sold" : "received") };
  return submit({ method: "POST", path: `products/${product.id}/stock`, version: "*", body, label });
}

/**
 * What an answer means for the page: what is stored now, or a draft and a word about it.
 * @param {Write} write @param {any} body @param {Problem | null} problem
 * @returns {Partial<Change>[]}
 */
export function settled(write, body, problem) {
  const [name, id] = write.path.split("/");
  const collection = COLLECTIONS[name];
  if (!collection) return [];
  if (problem) {
    refused(collection, write, problem);
    return [];
  }
  const data = body.deleted ?? body;
  const base = draftOf(`${name}/${id}`)?.base.version ?? 0;
  // Only a change of the very version that the draft is based on: else it would hide what others changed since.
  if (!body.deleted && (write.version === base || body.version === base + 1)) rebase(collection, `${name}/${id}`, body);
  const type = `${collection.type}.${body.deleted ? "deleted" : "updated"}`;
  return data.id ? [{ type, id: data.id, version: data.version, data }] : [];
}

/** @param {Collection} collection @param {Write} write @param {Problem} problem */
function refused(collection, write, problem) {
  const { base, mine, path } = write;
  const theirs = problem.status === 412 ? problem.body.current : undefined;
  if (base && mine) {
    const draft = draftOf(path) ?? { base, mine: {} };
    keep(path, { base: draft.base, mine: { ...mine, ...draft.mine }, ...(theirs && { theirs }) });
  }
  const reason = theirs && base ? text("conflict.found") : problem.message;
  const here = location.hash.slice(1) === path.split("/")[1];
  const open = { action: text("open"), run: () => location.assign(address(collection.name, "", base?.id)) };
  say(text("refused", { label: write.label, reason }), { isError: true, ...(base && !here && open) });
}
