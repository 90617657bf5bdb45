/** A list as a file: page by page, exactly as the service writes it. */
import { ask, request } from "./client.js";
import { element } from "./element.js";

/**
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
