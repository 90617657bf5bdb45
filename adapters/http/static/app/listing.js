/** One list: what was read of it so far, in order, kept up to date by changes. */
import { ask } from "./client.js";
import { COLLECTIONS, entitiesOf, fieldOf } from "./collections.js";
import { route } from "./router.js";

const FIRST = 100;
const MORE = 1000;
const MAX_ASKED = 400; // ids in one URL
const PLAIN = ["sort", "limit"];

export class Listing {
  /** @param {Collection} collection @param {URLSearchParams} query as in the address */
  constructor(collection, query) {
    this.collection = collection;
    this.query = query;
    this.sort = (query.get("sort") ?? "id").split(",").map((each) => [each.replace(/^-/, ""), each.startsWith("-") ? -1 : 1]);
    this.isFiltered = [...query.keys()].some((name) => !PLAIN.includes(name));
    /** @type {Entity[]} */
    this.rows = [];
    /** @type {Map<number, Entity>} */
    this.byId = new Map();
    /** @type {string | null} */
    this.next = null;
    this.changes = "";
    /** @type {number | null} */
    this.counted = null;
    /** @type {Promise<void> | undefined} */
    this.loading;
    /** @type {Promise<void> | null} */
    this.reading = null;
    /** @type {number | null} stays where it is, as it is, while it is edited */
    this.held = null;
    /** @type {Change | null} */
    this.late = null;
    /** @type {Promise<any>} */
    this.applying = Promise.resolve();
  }

  /** Read the beginning, once. */
  load() {
    return (this.loading ??= this.#ask({ limit: FIRST }).then((answer) => this.#take(answer)));
  }

  /** Read on. What is asked for while that goes on is not asked for again. */
  more() {
    if (this.next && !this.reading) {
      const next = this.next.replace(/\blimit=\d+/, `limit=${MORE}`);
      this.reading = ask("GET", next).then(({ body }) => this.#take(body)).finally(() => void (this.reading = null));
    }
    return this.reading ?? Promise.resolve();
  }

  /** Count all that match. */
  async count() {
    const { total } = await this.#ask({ limit: 1, total: true });
    this.counted = total;
  }

  /** How many match, also of those that were not read yet; null if that is not known. */
  get total() {
    return this.next ? this.counted : this.rows.length;
  }

  /**
   * Bring in what changed. Whether an entity belongs to the list, only the service decides.
   * @param {Change[]} changes
   * @returns {Promise<Set<number>>} the entities that look different now
   */
  apply(changes) {
    this.applying = this.applying.catch(() => null).then(() => this.#bring(changes)); // in their order
    return this.applying;
  }

  /** @param {Change[]} changes */
  async #bring(changes) {
    /** @type {Map<number, Change>} */
    const latest = new Map();
    for (const each of changes) if (each.type.startsWith(`${this.collection.type}.`)) latest.set(each.id, each);
    if (this.held !== null && latest.has(this.held)) {
      this.late = latest.get(this.held) ?? null;
      latest.delete(this.held);
    }
    const news = [...latest.values()].filter((each) => each.version > (this.byId.get(each.id)?.version ?? 0));
    const living = news.filter((each) => !each.type.endsWith(".deleted"));
    const members = this.isFiltered ? await this.#members(living.map((each) => each.id)) : null;
    /** @type {Set<number>} */
    const touched = new Set();
    for (const { id, data, type } of news) {
      const entity = members ? members.get(id) : type.endsWith(".deleted") ? undefined : data;
      const known = this.byId.get(id);
      if (known && entity && known.version > entity.version) continue;
      if (known) this.#remove(id);
      if (entity) this.#place(entity);
      if (known || this.byId.has(id)) touched.add(id);
    }
    return touched;
  }

  /**
   * Let an entity stay where it is while it is edited; null lets go.
   * @param {number | null} id
   */
  hold(id) {
    this.held = id;
    const late = this.late && [this.late];
    this.late = null;
    return late ? this.apply(late) : Promise.resolve(new Set());
  }

  /** @param {number} id @returns its position, or -1 */
  position(id) {
    const entity = this.byId.get(id);
    if (!entity) return -1;
    const found = this.#behind(entity) - 1;
    return this.rows[found] === entity ? found : this.rows.indexOf(entity);
  }

  /** @param {number[]} ids @returns {Promise<Map<number, Entity>>} those that belong to the list */
  async #members(ids) {
    const found = new Map();
    for (let start = 0; start < ids.length; start += MAX_ASKED) {
      const some = ids.slice(start, start + MAX_ASKED);
      const answer = await this.#ask({ limit: MAX_ASKED, "id[in]": some });
      for (const each of entitiesOf(this.collection, answer)) found.set(each.id, each);
    }
    return found;
  }

  /** @param {Record<string, any>} options */
  async #ask(options) {
    const query = new URLSearchParams(this.query);
    for (const [name, value] of Object.entries(options)) query.set(name, String(value));
    return (await ask("GET", `${this.collection.name}?${query}`)).body;
  }

  /** @param {any} answer */
  #take(answer) {
    for (const each of entitiesOf(this.collection, answer)) {
      if (this.byId.has(each.id)) this.#remove(each.id); // it moved behind what was read before
      this.rows.push(each);
      this.byId.set(each.id, each);
    }
    this.next = answer.next;
    this.changes ||= answer.changes;
  }

  /** @param {number} id */
  #remove(id) {
    const at = this.position(id);
    this.rows.splice(at, 1);
    this.byId.delete(id);
  }

  /**
   * Put an entity where it belongs. What belongs behind all that was read comes when that is read.
   * @param {Entity} entity
   */
  #place(entity) {
    const at = this.#behind(entity);
    if (at === this.rows.length && this.next) return;
    this.rows.splice(at, 0, entity);
    this.byId.set(entity.id, entity);
  }

  /** @param {Entity} entity @returns {number} how many come before it or are it */
  #behind(entity) {
    let [low, high] = [0, this.rows.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.#compare(this.rows[middle], entity) <= 0) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  /** @param {Entity} one @param {Entity} other */
  #compare(one, other) {
    for (const [name, sign] of this.sort) {
      const [left, right] = [one, other].map((each) => this.#key(String(name), each[name]));
      if (left === right) continue;
      if (left === null || right === null) return left === null ? 1 : -1;
      return (left < right ? -1 : 1) * Number(sign);
    }
    return one.id - other.id;
  }

  /** @param {string} name @param {any} value */
  #key(name, value) {
    const field = fieldOf(this.collection, name);
    if (field?.choices) return field.choices.indexOf(value);
    return typeof value === "string" && field?.kind === "text" ? folded(value) : value;
  }
}

/**
 * Text as the service puts it into order: without case, width and diacritics.
 * @param {string} value
 */
const folded = (value) =>
  value.normalize("NFKC").toUpperCase().toLowerCase().normalize("NFKD").replace(/[\u0300-\u036f]/g, "").normalize("NFC");

const { view, query } = route();
/**
 * The list that the address names: it is asked for while the modules that show it are still on their way.
 * @type {Listing | null}
 */
let first = view in COLLECTIONS ? new Listing(COLLECTIONS[view], query) : null;
first?.load().catch(() => null); // whoever takes it sees that

/** @param {Collection} collection @param {string} query */
export function listingOf(collection, query) {
  const early = first;
  first = null;
  return early?.collection === collection && String(early.query) === query ? early : new Listing(collection, new URLSearchParams(query));
}
