/** Importing a table: its rows as operations, sent in batches that can be repeated and take effect once. */
import { ask, Problem } from "./client.js";

/**
 * @typedef {import("./collections.js").Collection} Collection
 * @typedef {import("./csv.js").Row} Row
 * @typedef {"create" | "id" | "sku"} Match
 * @typedef {{ line: number, operation: Record<string, any> }} Item
 * @typedef {{ line: number, name: string, value: any, reason: string }} Breach
 */

const MOST_OPERATIONS = 500;
const MOST_CHARACTERS = 200_000; // far below the size of a body, whatever the text takes as UTF-8

/**
 * @param {Collection} collection @param {Row[]} rows
 * @param {string[]} names the field of each column; empty for one that is left out
 * @param {Match} match what decides whether a row is new
 * @returns {Item[]}
 */
export function itemsOf(collection, rows, names, match) {
  return rows.map(({ line, cells }) => {
    const all = Object.fromEntries(names.map((name, at) => [name, cells[at] ?? null]));
    const fields = collection.fields.filter((each) => !each.fixed && each.name in all);
    const body = Object.fromEntries(fields.map((field) => [field.name, valueOf(field.kind, all[field.name])]));
    return { line, operation: operationOf(match, all, body) };
  });
}

/** @param {Match} match @param {Record<string, string | null>} all @param {Record<string, any>} body */
function operationOf(match, all, body) {
  if (match === "sku") return { op: "upsert", body };
  if (match === "create" || all.id === null || all.id === undefined) return { op: "create", body: given(body) };
  const version = all.version ? { if_match: valueOf("count", all.version) } : {};
  return { op: "update", id: valueOf("count", all.id), ...version, body };
}

/** @param {Record<string, any>} body without what has its default */
const given = (body) => Object.fromEntries(Object.entries(body).filter(([, value]) => value !== null));

/** @param {string} kind @param {string | null} cell */
const valueOf = (kind, cell) => (cell !== null && kind === "count" && /^\s*-?\d{1,15}\s*$/.test(cell) ? Number(cell) : cell);

/** @param {Item[]} items */
export function batchesOf(items) {
  /** @type {Item[][]} */
  const batches = [];
  let size = Infinity;
  for (const item of items) {
    const more = JSON.stringify(item.operation).length;
    if (size + more > MOST_CHARACTERS || batches[batches.length - 1].length === MOST_OPERATIONS) {
      batches.push([]);
      size = 0;
    }
    batches[batches.length - 1].push(item);
    size += more;
  }
  return batches;
}

/**
 * The idempotency keys of batches, made of their content. A batch that occurs twice is meant twice.
 * @param {Collection} collection @param {Item[][]} batches
 */
export function keysOf({ name }, batches) {
  /** @type {Map<string, number>} */
  const seen = new Map();
  return batches.map((batch) => {
    const key = nameOf(`${name} ${JSON.stringify(batch.map((each) => each.operation))}`);
    seen.set(key, (seen.get(key) ?? 0) + 1);
    return `import-${key}-${seen.get(key)}`;
  });
}

/**
 * Send a batch, all or nothing; without a key it is only checked. Return what the service finds wrong with it.
 * @param {Collection} collection @param {Item[]} batch @param {string} [key]
 * @returns {Promise<Breach[]>}
 */
export async function send(collection, batch, key) {
  const body = { operations: batch.map((each) => each.operation) };
  /** @type {Record<string, string>} */
  const headers = key ? { "Idempotency-Key": key } : { Prefer: "validate-only" };
  try {
    await ask("POST", `${collection.name}/bulk`, { body, headers });
    return [];
  } catch (error) {
    if (!(error instanceof Problem && error.body.failures)) throw error;
    return error.body.failures.flatMap((/** @type {any} */ each) => breaches(batch[each.index], each.body));
  }
}

/** @param {Item} item @param {any} problem @returns {Breach[]} */
function breaches({ line, operation }, problem) {
  const errors = problem.errors ?? [{ pointer: "", detail: problem.detail }];
  return errors.map((/** @type {any} */ each) => {
    const name = each.pointer.split("/").pop();
    return { line, name, value: operation.body[name] ?? operation[name], reason: each.detail };
  });
}

/**
 * A hash against chance; the service compares the content too. Without https there is no `crypto.subtle`.
 * @param {string} content
 */
function nameOf(content) {
  const sums = [0x9e3779b1, 0x85ebca6b, 0xc2b2ae35, 0x27d4eb2f];
  for (let at = 0; at < content.length; at++) {
    const code = content.charCodeAt(at);
    for (let each = 0; each < 4; each++) sums[each] = Math.imul(sums[each] ^ (code + each), 0x01000193 + 2 * each) ^ (sums[each] >>> 15);
  }
  return sums.map((each) => (each >>> 0).toString(16).padStart(8, "0")).join("");
}
