/** A table on its way out of a collection, and into one: in pieces, which the service writes, checks and stores. */
import { ask, request } from "./client.js";
import { element } from "./element.js";

const PIECE = 200_000; // characters; far below the size of a body, whatever they take as UTF-8

/**
 * Save a list as a file.
 * @param {string} name of the collection @param {string} query of the list
 * @param {(read: number, total: number) => void} progress
 * @returns {Promise<number>} how many rows there are
 */
export async function download(name, query, progress) {
  const { total } = (await ask("GET", `${name}?${with_(query, { limit: "1", total: "true" })}`)).body;
  const parts = [];
  let url = `${name}?${with_(query, { limit: "1000" })}`;
  let rows = 0;
  while (url) {
    const answer = await request(url, { headers: { Accept: "text/csv" } });
    if (!answer.ok) throw new Error((await answer.json()).detail);
    const page = await answer.text();
    parts.push(parts.length ? page.slice(page.indexOf("\r\n") + 2) : page);
    url = /<([^>]+)>; rel="next"/.exec(answer.headers.get("Link") ?? "")?.[1] ?? "";
    rows = url ? rows + 1000 : total;
    progress(rows, total);
  }
  const link = element("a", { href: URL.createObjectURL(new Blob(parts, { type: "text/csv" })), download: `${name}.csv` });
  link.click();
  URL.revokeObjectURL(link.href);
  return rows;
}

/** @param {string} query @param {Record<string, string>} more */
const with_ = (query, more) => new URLSearchParams({ ...Object.fromEntries(new URLSearchParams(query)), ...more });

/**
 * Have a part of a table checked.
 * @param {string} name of the collection @param {Piece["body"] & { more: boolean }} body @returns {Promise<Report>}
 */
const check = async (name, body) => (await ask("POST", `${name}/import`, { body, headers: { Prefer: "validate-only" } })).body;

/**
 * The titles and the first rows.
 * @param {string} name @param {string} text @param {Options} options
 */
export const beginning = (name, text, options) => check(name, { ...options, ...cut(text, 0, PIECE) });

/**
 * Check all rows, and yield each piece.
 * @param {string} name @param {string} text @param {Options} options
 * @returns {AsyncGenerator<Piece>}
 */
export async function* pieces(name, text, options) {
  let [at, size, head] = [0, PIECE, ""];
  let line = 0;
  do {
    const { text: some, more } = cut(text, at, size);
    const body = { ...options, text: head + some, ...(head && { line }) };
    const report = await check(name, { ...body, more });
    const end = report.next_line ? behind(text, at, report.next_line - (line || 1)) : text.length;
    if (!report.rows && more && !report.errors.length) {
      size *= 2; // a row is longer than that
      continue;
    }
    yield { body: { ...body, text: head + text.slice(at, end) }, end, report };
    if (report.errors.length && !report.rows) return;
    head ||= `${report.header}\n`;
    [at, line] = [end, report.next_line ?? 0];
  } while (at < text.length);
}

/**
 * Store a piece, once, however often that is asked for: its key is made of its content.
 * @param {string} name @param {Piece} piece @returns {Promise<Report>}
 */
export async function store(name, { body, report }) {
  const whole = { ...body, continue: report.refused > 0 };
  const headers = { "Idempotency-Key": `import-${hash(name + JSON.stringify(whole))}` };
  return (await ask("POST", `${name}/import`, { body: whole, headers })).body;
}

/**
 * What is wrong with rows of different pieces that are for the same thing.
 * @param {Piece[]} all @param {(line: number) => string} told @returns {Breach[]}
 */
export function repeated(all, told) {
  const seen = new Map();
  const found = [];
  for (const [at, { report }] of all.entries())
    for (const { line, field, value } of report.keys) {
      const earlier = seen.get(`${field} ${value}`) ?? [at, line];
      seen.set(`${field} ${value}`, earlier);
      if (earlier[0] !== at) found.push({ line, column: field, value, reason: told(earlier[1]) });
    }
  return found;
}

/**
 * Whole lines from a place on.
 * @param {string} text @param {number} at @param {number} size
 */
function cut(text, at, size) {
  const more = at + size < text.length;
  const last = more ? text.lastIndexOf("\n", at + size) : text.length;
  return { text: text.slice(at, last < at ? at + size : last + 1), more };
}

/** @param {string} text @param {number} at @param {number} lines @returns {number} the place behind some lines */
function behind(text, at, lines) {
  const end = /\r\n|\r|\n|$/g;
  end.lastIndex = at;
  for (; lines > 0; lines--) end.test(text);
  return end.lastIndex;
}

/**
 * A hash against chance; the service compares the content too. Without https there is no `crypto.subtle`.
 * @param {string} content
 */
function hash(content) {
  const sums = [0x9e3779b1, 0x85ebca6b, 0xc2b2ae35, 0x27d4eb2f];
  for (let at = 0; at < content.length; at++)
    sums.forEach((sum, each) => (sums[each] = Math.imul(sum ^ (content.charCodeAt(at) + each), 0x01000193 + 2 * each) ^ (sum >>> 15)));
  return sums.map((each) => (each >>> 0).toString(16)).join("-");
}
