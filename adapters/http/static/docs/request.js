/** One request: what is sent, and the lines that send the same from elsewhere. */

/**
 * @typedef {import("./openapi.js").Operation} Operation
 * @typedef {{method: string, url: string, headers: Record<string, string>, body: string | null, manner: Operation["manner"]}} Request
 */

/**
 * Return the request of an operation with values for its parameters, by name. An empty value is not sent.
 *
 * @param {string} root
 * @param {Operation} operation
 * @param {Record<string, string>} values
 * @param {string | null} body
 * @param {string | null} bodyType
 * @returns {Request}
 */
export function requestOf(root, operation, values, body, bodyType) {
  const given = (/** @type {string} */ place) => operation.parameters.filter((each) => each.in === place && values[each.name]);
  const path = operation.path.replace(/\{(\w+)\}/g, (_, name) => encodeURIComponent(values[name] ?? ""));
  const query = given("query").map(({ name }) => `${readable(name)}=${readable(values[name])}`).join("&");
  const headers = Object.fromEntries(given("header").map(({ name }) => [name, values[name]]));
  if (body !== null && bodyType) headers["Content-Type"] = bodyType;
  return { method: operation.method, url: `${root}${path}${query && "?"}${query}`, headers, body, manner: operation.manner };
}

/** @param {string} text in a query, where a comma need not be escaped */
function readable(text) {
  return encodeURIComponent(text).replaceAll("%2C", ",");
}

/**
 * Return a line for a shell.
 *
 * @param {Request} request
 * @param {boolean} needsKey
 */
export function curl({ method, url, headers, body, manner }, needsKey) {
  const usual = body === null ? "GET" : "POST";
  const parts = [manner === "events" ? "curl -sN" : "curl -s", quoted(url)];
  if (method !== usual) parts.push(`-X ${method}`);
  if (needsKey) parts.push('-H "Authorization: Bearer $BACKROOM_KEY"');
  for (const [name, value] of Object.entries(headers)) parts.push(`-H ${quoted(`${name}: ${value}`)}`);
  if (body !== null) parts.push(`--data-raw ${quoted(body)}`);
  return parts.join(" ");
}

/** @param {string} text for a POSIX shell */
function quoted(text) {
  return `'${text.replaceAll("'", "'\\''")}'`;
}

/**
 * Return lines of Python, with httpx, or with websockets for a socket.
 *
 * @param {Request} request
 * @param {boolean} needsKey
 */
export function python(request, needsKey) {
  const { method, url, headers, body, manner } = request;
  const shown = Object.entries(headers).filter(([name, value]) => name !== "Content-Type" || body === null || value !== "application/json");
  const pairs = shown.map(([name, value]) => `${JSON.stringify(name)}: ${JSON.stringify(value)}`);
  if (needsKey) pairs.unshift('"Authorization": f"Bearer {os.environ[\'BACKROOM_KEY\']}"');
  const more = pairs.length ? [`headers={${pairs.join(", ")}}`] : [];
  const imports = needsKey ? "import os, " : "import ";
  if (manner === "socket") return socket(url, needsKey, pairs);
  if (manner === "events") return events(imports, [JSON.stringify(url), ...more, "timeout=None"]);
  const sent = body === null ? [] : [literal(body)];
  return `${imports}httpx; print(httpx.${method.toLowerCase()}(${[JSON.stringify(url), ...sent, ...more].join(", ")}).text)`;
}

/**
 * @param {string} imports
 * @param {string[]} options
 */
function events(imports, options) {
  return `${imports}httpx\nwith httpx.stream("GET", ${options.join(", ")}) as answer:\n    for line in answer.iter_lines():\n        print(line)`;
}

/**
 * @param {string} url
 * @param {boolean} needsKey
 * @param {string[]} pairs
 */
function socket(url, needsKey, pairs) {
  const more = pairs.length ? `, additional_headers={${pairs.join(", ")}}` : "";
  const lines = [
    ...(needsKey ? ["import os"] : []),
    "from websockets.sync.client import connect",
    `with connect(${JSON.stringify(socketUrl(url))}${more}) as socket:`,
    "    for message in socket:\n        print(message)",
  ];
  return lines.join("\n");
}

/** @param {string} url */
export function socketUrl(url) {
  return url.replace(/^http/, "ws");
}

/** @param {string} body as an argument: a literal of Python where it is JSON */
function literal(body) {
  try {
    return `json=${pythonic(JSON.parse(body))}`;
  } catch {
    return `content=${JSON.stringify(body)}.encode()`;
  }
}

/**
 * @param {any} value
 * @returns {string}
 */
function pythonic(value) {
  if (value === null) return "None";
  if (typeof value === "boolean") return value ? "True" : "False";
  if (Array.isArray(value)) return `[${value.map(pythonic).join(", ")}]`;
  if (typeof value !== "object") return JSON.stringify(value);
  return `{${Object.entries(value).map(([key, each]) => `${JSON.stringify(key)}: ${pythonic(each)}`).join(", ")}}`;
}
