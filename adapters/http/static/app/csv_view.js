/** CSV out and in: a collection as a file, and a file as entities, checked by the service before anything is stored. */
import { ask, NoAnswer, Problem, request } from "./client.js";
import { COLLECTIONS, writable } from "./collections.js";
import { parse } from "./csv.js";
import { button, element } from "./element.js";
import { attempt, named, row, table } from "./forms.js";
import { count } from "./formats.js";
import { batchesOf, itemsOf, keysOf, send } from "./importing.js";
import { choice } from "./inputs.js";
import { text } from "./texts.js";

/**
 * @typedef {import("./importing.js").Breach} Breach
 * @typedef {import("./importing.js").Item} Item
 * @typedef {import("./collections.js").Collection} Collection
 */

const PREVIEW = 5;
const MOST_TOLD = 100;

/** @param {HTMLElement} main @param {boolean} mayWrite @returns {import("./collection_view.js").View} */
export function csvView(main, mayWrite) {
  const of = choice(Object.keys(COLLECTIONS).map((each) => [each, text(each)]), "tasks", { onchange: () => chosen() });
  const bar = element("progress", { "aria-label": text("csv.progress"), hidden: true });
  const state = element("p", { role: "status" });
  const file = element("input", { type: "file", accept: ".csv,text/csv,text/plain", onchange: () => void chosen() });
  const preview = element("section", { "aria-label": text("csv.preview") });
  const found = element("section", { "aria-label": text("csv.breaches") });
  let going = {};
  main.replaceChildren(
    element("h1", {}, text("csv")),
    element("div", { className: "fields" }, named("collection", of)),
    act(text("csv.export"), download),
    mayWrite ? element("div", { className: "fields" }, named("file", file)) : "",
    bar,
    state,
    preview,
    found,
  );

  /** @param {number} value @param {number} most @param {string} told */
  function progress(value, most, told) {
    bar.hidden = false;
    bar.max = most || 1;
    bar.value = value;
    state.textContent = text(told, { done: count(value), all: count(most) });
  }

  async function download() {
    const name = of.value;
    const { total } = (await ask("GET", `${name}?limit=1&total=true`)).body;
    const parts = [];
    let [url, rows] = [`${name}?limit=1000`, 0];
    while (url) {
      const answer = await request(url, { headers: { Accept: "text/csv" } });
      if (!answer.ok) throw new Error((await answer.json()).detail);
      const page = await answer.text();
      parts.push(parts.length ? page.slice(page.indexOf("\r\n") + 2) : page);
      rows += parse(page).length - 1;
      progress(rows, total, "csv.exporting");
      url = /<([^>]+)>; rel="next"/.exec(answer.headers.get("Link") ?? "")?.[1] ?? "";
    }
    const link = element("a", { href: URL.createObjectURL(new Blob(parts, { type: "text/csv" })), download: `${name}.csv` });
    link.click();
    URL.revokeObjectURL(link.href);
    progress(rows, rows, "csv.exported");
  }

  async function chosen() {
    going = {};
    for (const each of [preview, found, state]) each.replaceChildren();
    bar.hidden = true;
    const [picked] = file.files ?? [];
    if (!picked) return;
    const content = await picked.text();
    try {
      const [head, ...rows] = parse(content);
      if (!rows.length) throw new SyntaxError("1");
      if (content.includes("\ufffd")) throw new TypeError();
      show(head.cells.map((each) => each ?? ""), rows);
    } catch (error) {
      state.textContent = error instanceof TypeError ? text("csv.encoding") : text("csv.malformed", { line: /** @type {Error} */ (error).message });
    }
  }

  /** @param {string[]} heads @param {import("./csv.js").Row[]} rows */
  function show(heads, rows) {
    const collection = COLLECTIONS[of.value];
    const names = ["id", "version", ...writable(collection).map((each) => each.name)];
    const label = (/** @type {string} */ name) => text(`field.${name}`);
    const same = (/** @type {string} */ a, /** @type {string} */ b) => a.trim().toLowerCase() === b.toLowerCase();
    const columns = heads.map((head, at) => {
      const meant = names.find((each) => same(head, each) || same(head, label(each))) ?? "";
      const options = [["", text("csv.left.out")], ...names.map((each) => [each, label(each)])];
      return choice(options, meant, { "aria-label": text("csv.column", { name: head || String(at + 1) }), onchange: () => found.replaceChildren() });
    });
    const ways = ["create", "id", ...(collection.name === "products" ? ["sku"] : [])].map((each) => [each, text(`csv.match.${each}`)]);
    const match = choice(ways, "create", { onchange: () => found.replaceChildren() });
    const fields = () => columns.map((each) => each.value);
    const items = () => itemsOf(collection, rows, fields(), /** @type {any} */ (match.value));
    const shown = table(text("csv.preview"), heads, [row(columns), ...rows.slice(0, PREVIEW).map(({ cells }) => row(cells))]);
    preview.replaceChildren(
      element("h2", {}, text("csv.preview")),
      element("p", {}, text("csv.rows", { n: rows.length })),
      shown,
      element("div", { className: "fields" }, named("match", match)),
      act(text("csv.check"), () => check(collection, items())),
    );
  }

  /**
   * Have every row checked.
   * @param {Collection} collection @param {Item[]} items
   */
  async function check(collection, items) {
    const mine = (going = {});
    found.replaceChildren();
    /** @type {Breach[]} */
    const breaches = [];
    let done = 0;
    for (const batch of batchesOf(items)) {
      progress(done, items.length, "csv.checking");
      breaches.push(...(await send(collection, batch)));
      if (mine !== going) return;
      done += batch.length;
    }
    progress(done, items.length, "csv.checked");
    const bad = new Set(breaches.map((each) => each.line));
    const good = items.filter((each) => !bad.has(each.line));
    const label = text(bad.size ? "csv.import.good" : "csv.import", { n: good.length });
    found.replaceChildren(...told(breaches), good.length ? act(label, () => write(collection, good)) : "");
  }

  /**
   * Store the rows. After a break it goes on where it was: what was stored already is not stored again.
   * @param {Collection} collection @param {Item[]} items
   * @returns {Promise<void>}
   */
  async function write(collection, items) {
    const mine = (going = {});
    found.replaceChildren();
    const batches = batchesOf(items);
    const keys = keysOf(collection, batches);
    let done = 0;
    for (const [at, batch] of batches.entries()) {
      progress(done, items.length, "csv.importing");
      try {
        const breaches = await send(collection, batch, keys[at]);
        if (mine !== going) return;
        if (breaches.length) return found.replaceChildren(...told(breaches));
      } catch (error) {
        if (!(error instanceof NoAnswer || (error instanceof Problem && error.status === 401))) throw error;
        state.textContent = text("csv.broken");
        return found.replaceChildren(act(text("csv.again"), () => write(collection, items)));
      }
      done += batch.length;
    }
    progress(done, items.length, "csv.imported");
    file.value = "";
    preview.replaceChildren();
  }

  return { show: () => {}, apply: () => {}, waiting: () => {}, leave: () => void (going = {}) };
}

/** @param {string} label @param {() => Promise<unknown>} run */
const act = (label, run) => element("p", { className: "buttons" }, button(label, () => void attempt(run), { className: "primary" }));

/** @param {Breach[]} breaches */
function told(breaches) {
  if (!breaches.length) return [];
  const heads = ["csv.line", "field", "csv.value", "csv.rule"].map((each) => text(each));
  const rows = breaches.slice(0, MOST_TOLD).map(({ line, name, value, reason }) => row([String(line), name, value === null || value === undefined ? null : String(value), reason]));
  const rest = breaches.length - rows.length;
  const title = element("h2", {}, text("csv.breaches.n", { n: breaches.length }));
  return [title, table(text("csv.breaches"), heads, rows), rest ? element("p", {}, text("csv.more", { n: rest })) : ""];
}
