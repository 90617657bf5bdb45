/** Tables as text (RFC 4180). An empty cell is null; two quotes with nothing between them are an empty text. */

/** @typedef {{ line: number, cells: (string | null)[] }} Row */

const SEPARATORS = [",", ";", "\t"];

/**
 * Return the rows of a table, each with the line on which it begins. Empty lines are left out.
 * @param {string} source
 * @returns {Row[]}
 */
export function parse(source) {
  const text = source.replace(/^\ufeff/, "");
  const separator = separatorOf(text);
  const token = new RegExp(`(?:"((?:[^"]|"")*)"|([^"${separator}\\r\\n][^${separator}\\r\\n]*)?)(${separator}|\\r\\n|\\n|\\r|$)`, "y");
  /** @type {Row[]} */
  const rows = [];
  let [line, start] = [1, 1];
  /** @type {(string | null)[]} */
  let cells = [];
  while (token.lastIndex < text.length || cells.length) {
    const found = token.exec(text);
    if (!found) throw new SyntaxError(String(line));
    const [whole, quoted, plain, end] = found;
    cells.push(quoted === undefined ? (plain ?? null) : quoted.replaceAll('""', '"'));
    line += whole.match(/\r\n|\n|\r/g)?.length ?? 0;
    if (end === separator) continue;
    if (cells.length > 1 || cells[0] !== null) rows.push({ line: start, cells });
    [cells, start] = [[], line];
    if (!end) break;
  }
  return rows;
}

/** @param {string} text whose first line tells which separator it uses */
function separatorOf(text) {
  const first = text.split(/[\r\n]/, 1)[0].replace(/"[^"]*"/g, "");
  const counts = SEPARATORS.map((each) => first.split(each).length);
  return SEPARATORS[counts.indexOf(Math.max(...counts))];
}
