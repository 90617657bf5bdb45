/** CSV out and in: a collection as a file, and a file as entities, checked by the service before anything is stored. */
import { isFinal } from "./client.js";
import { COLLECTIONS } from "./collections.js";
import { button, choice, element, named, row, table } from "./element.js";
import { followAll, stop } from "./feed.js";
import { count } from "./formats.js";
import { attempt } from "./notices.js";
import { beginning, download, pieces, repeated, store } from "./table.js";
import { text } from "./texts.js";

const MOST_TOLD = 100;
const ENCODINGS = ["utf-8", "windows-1252", "utf-16le", "utf-16be"];
const DELIMITERS = [",", ";", "\t", "|"];

/** @param {HTMLElement} main @param {boolean} mayWrite @returns {View} */
export function csvView(main, mayWrite) {
  const of = choice(Object.keys(COLLECTIONS).map((each) => [each, text(each)]), "tasks", { onchange: () => void read() });
  const bar = element("progress", { "aria-label": text("csv.progress"), hidden: true });
  const state = element("p", { role: "status" });
  const file = element("input", { type: "file", accept: ".csv,.tsv,text/csv,text/plain", onchange: () => void read() });
  const encoding = choice([["", text("csv.guessed")], ...ENCODINGS.map((each) => [each, each])], "", { onchange: () => void read() });
  const delimiter = choice(DELIMITERS.map((each) => [each, each === "\t" ? "Tab" : each]), ",", { onchange: () => void preview() });
  const decimal = choice([".", ","].map((each) => [each, `0${each}99`]), ".", { onchange: () => found.replaceChildren() });
  const form = element("section", { "aria-label": text("csv.preview") });
  const found = element("section", { "aria-label": text("csv.breaches") });
  let content = "";
  let going = {};
  main.replaceChildren(
    element("h1", {}, text("csv")),
    element("div", { className: "fields" }, named("collection", of)),
    act(text("csv.export"), save),
    mayWrite ? element("div", { className: "fields" }, named("file", file), named("encoding", encoding)) : "",
    bar,
    state,
    form,
    found,
  );

  /** @param {number} value @param {number} most @param {string} told @param {number} n */
  function progress(value, most, told, n) {
    bar.hidden = false;
    bar.max = most || 1;
    bar.value = value;
    state.textContent = text(told, { n, done: count(n) });
  }

  async function save() {
    const rows = await download(of.value, "", (read, total) => progress(read, total, "csv.exporting", read));
    progress(1, 1, "csv.exported", rows);
  }

  function reset() {
    going = {};
    for (const each of [form, found, state]) each.replaceChildren();
    bar.hidden = true;
  }

  /** Read the file as text. Whatever is no UTF-8 and has no mark is taken for what spreadsheets write. */
  async function read() {
    reset();
    const [picked] = file.files ?? [];
    if (!picked) return;
    const bytes = await picked.arrayBuffer();
    const mark = String(new Uint8Array(bytes.slice(0, 2)));
    const marked = { "255,254": "utf-16le", "254,255": "utf-16be" }[mark] ?? "utf-8";
    const tried = encoding.value ? [encoding.value] : [marked, "windows-1252"];
    for (const each of tried) {
      try {
        content = new TextDecoder(each, { fatal: true }).decode(bytes);
        encoding.value = each;
        const head = content.split(/[\r\n]/, 1)[0];
        const counts = DELIMITERS.map((sign) => head.split(sign).length);
        delimiter.value = DELIMITERS[counts.indexOf(Math.max(...counts))];
        decimal.value = delimiter.value === ";" ? "," : ".";
        return preview();
      } catch (error) {
        if (!(error instanceof TypeError)) throw error;
      }
    }
    state.textContent = text("csv.encoding", { encoding: tried[0] });
  }

  /** Show the first rows, and which field each column holds. */
  async function preview() {
    reset();
    const mine = going;
    const collection = COLLECTIONS[of.value];
    const options = () => ({ delimiter: delimiter.value, decimal: decimal.value });
    const report = await attempt(() => beginning(collection.name, content, options()));
    if (!report || mine !== going) return;
    if (!report.titles.length) return found.replaceChildren(...told(report.errors));
    const names = ["id", "version", ...collection.fields.filter((each) => !each.fixed).map((each) => each.name)];
    const label = (/** @type {string} */ name) => text(`field.${name}`);
    const columns = report.titles.map((title, at) => {
      const meant = names.find((each) => [each, label(each).toLowerCase()].includes(title.toLowerCase())) ?? "";
      const fields = [["", text("csv.left.out")], ...names.map((each) => [each, label(each)])];
      return choice(fields, meant, { "aria-label": text("csv.column", { name: title || String(at + 1) }), onchange: () => found.replaceChildren() });
    });
    const ways = ["create", "id", ...(collection.name === "products" ? ["sku"] : [])].map((each) => [each, text(`csv.match.${each}`)]);
    const match = choice(ways, "create", { onchange: () => found.replaceChildren() });
    const all = () => ({
      ...options(),
      columns: Object.fromEntries(report.titles.map((title, at) => [title, columns[at].value])),
      ...(match.value !== "create" && { match: match.value, update: true }),
    });
    form.replaceChildren(
      element("h2", {}, text("csv.preview")),
      table(text("csv.preview"), report.titles, [row(columns), ...report.first.map(row)]),
      element("div", { className: "fields" }, named("delimiter", delimiter), named("decimal", decimal), named("match", match)),
      act(text("csv.check"), () => check(collection.name, all())),
    );
  }

  /** @param {string} name @param {Options} options */
  async function check(name, options) {
    const mine = (going = {});
    found.replaceChildren();
    /** @type {Piece[]} */
    const all = [];
    let [rows, refused, omitted] = [0, 0, 0];
    progress(0, content.length, "csv.checking", 0);
    for await (const piece of pieces(name, content, options)) {
      if (mine !== going) return;
      all.push(piece);
      rows += piece.report.rows;
      refused += piece.report.refused;
      omitted += piece.report.omitted;
      progress(piece.end, content.length, "csv.checking", rows);
    }
    const twice = repeated(all, (line) => text("csv.twice", { line }));
    const breaches = [...all.flatMap((each) => each.report.errors), ...twice];
    progress(1, 1, "csv.checked", rows);
    const isBroken = twice.length || all.some(({ report }) => report.errors.length && !report.refused);
    const good = isBroken ? 0 : rows - refused;
    const go = act(text(refused ? "csv.import.good" : "csv.import", { n: good }), () => write(name, all, rows));
    found.replaceChildren(...told(breaches, omitted), good ? go : "");
  }

  /**
   * Store the rows. After a break it goes on where it was: what was stored already is not stored again.
   * @param {string} name @param {Piece[]} all @param {number} rows
   * @returns {Promise<void>}
   */
  async function write(name, all, rows) {
    const mine = (going = {});
    found.replaceChildren();
    let done = 0;
    for (const piece of all) {
      progress(done, rows, "csv.importing", done);
      try {
        const report = await store(name, piece);
        if (mine !== going) return;
        if (report.refused && !piece.report.refused) return found.replaceChildren(...told(report.errors, report.omitted));
        done += report.rows - report.refused;
      } catch (error) {
        if (isFinal(error)) throw error;
        state.textContent = text("csv.broken");
        return found.replaceChildren(act(text("csv.again"), () => write(name, all, rows)));
      }
    }
    progress(1, 1, "csv.imported", done);
    file.value = "";
    form.replaceChildren();
  }

  return { show: () => void followAll(() => {}), leave: () => ((going = {}), stop()) };
}

/** @param {string} label @param {() => Promise<unknown>} run */
const act = (label, run) => element("p", { className: "buttons" }, button(label, () => void attempt(run), { className: "primary" }));

/** @param {Breach[]} breaches @param {number} [omitted] */
function told(breaches, omitted = 0) {
  if (!breaches.length) return [];
  const heads = ["csv.line", "field", "csv.value", "csv.rule"].map((each) => text(each));
  const rows = breaches.slice(0, MOST_TOLD).map(({ line, column, value, reason }) => row([String(line), column, value || null, reason]));
  const n = breaches.length + omitted;
  const rest = n - rows.length;
  const title = element("h2", {}, text("csv.breaches.n", { n }));
  return [title, table(text("csv.breaches"), heads, rows), rest ? element("p", {}, text("csv.more", { n: rest })) : ""];
}
