/** The OpenAPI document, in the order in which the page shows it. */

/**
 * @typedef {Record<string, any>} Schema
 * @typedef {{name: string, in: string, required?: boolean, description?: string, schema: Schema, example?: any}} Parameter
 * @typedef {{mediaType: string, schema: Schema, example?: any}} Content
 * @typedef {{status: string, description: string, headers: {name: string, description: string}[], contents: Content[]}} Reply
 * @typedef {{code: string, status: string, title: string, explanation: string}} Problem
 * @typedef {object} Operation
 * @property {string} id
 * @property {string} method
 * @property {string} path
 * @property {string} summary
 * @property {string} tag
 * @property {string | null} scope the scope that a caller needs
 * @property {Parameter[]} parameters
 * @property {Content[]} bodies
 * @property {Reply[]} replies
 * @property {Problem[]} problems
 * @property {"request" | "events" | "socket"} manner
 * @typedef {{name: string, description: string, operations: Operation[]}} Tag
 * @typedef {{version: string, root: string, tags: Tag[], schemas: Record<string, Schema>, problems: Problem[]}} Reference
 */

/** @returns {Promise<Reference>} */
export async function load() {
  const answer = await fetch("openapi.json");
  if (!answer.ok) throw new Error(`openapi.json was answered with ${answer.status}`);
  const document = await answer.json();
  const problems = Object.entries(document.components.examples).map(([code, example]) => problemOf(code, example.value));
  const operations = Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, facts]) => operationOf(method, path, facts, document, problems)),
  );
  return {
    version: document.info.version,
    root: new URL(document.servers[0].url, location.href).href.replace(/\/$/, ""),
    tags: document.tags.map((/** @type {any} */ tag) => ({
      name: tag.name,
      description: tag.description ?? "",
      operations: operations.filter((each) => each.tag === tag.name),
    })),
    schemas: document.components.schemas,
    problems,
  };
}

/**
 * @param {string} code
 * @param {any} example
 * @returns {Problem}
 */
function problemOf(code, example) {
  return { code, status: String(example.status), title: example.title, explanation: example.detail };
}

/**
 * @param {string} method
 * @param {string} path
 * @param {any} facts
 * @param {any} document
 * @param {Problem[]} problems
 * @returns {Operation}
 */
function operationOf(method, path, facts, document, problems) {
  const answers = Object.entries(facts.responses);
  const codes = new Set(answers.flatMap(([, each]) => Object.keys(each.content?.["application/problem+json"]?.examples ?? {})));
  const replies = answers.filter(([status]) => status < "400").map(([status, each]) => replyOf(status, each, document));
  return {
    id: facts.operationId,
    method: method.toUpperCase(),
    path,
    summary: facts.summary,
    tag: facts.tags[0],
    scope: facts.security.length ? Object.values(facts.security[0])[0][0] : null,
    parameters: (facts.parameters ?? []).map((/** @type {Parameter} */ each) => ({ ...each, schema: resolved(each.schema, document) })),
    bodies: contentsOf(facts.requestBody?.content),
    replies,
    problems: problems.filter((each) => codes.has(each.code)),
    manner: mannerOf(replies),
  };
}

/**
 * @param {string} status
 * @param {any} facts
 * @param {any} document
 * @returns {Reply}
 */
function replyOf(status, facts, document) {
  const headers = Object.keys(facts.headers ?? {}).map((name) => ({ name, description: document.components.headers[name].description }));
  return { status, description: facts.description, headers, contents: contentsOf(facts.content) };
}

/**
 * @param {Record<string, {schema: Schema, example?: any}>} [content]
 * @returns {Content[]}
 */
function contentsOf(content = {}) {
  return Object.entries(content).map(([mediaType, each]) => ({ mediaType, ...each }));
}

/** @param {Reply[]} replies */
function mannerOf(replies) {
  if (replies.some((each) => each.status === "101")) return "socket";
  return replies.some((each) => each.contents.some(({ mediaType }) => mediaType === "text/event-stream")) ? "events" : "request";
}

/** @param {Schema} schema the name of the component that it refers to */
export function referred(schema) {
  return schema.$ref ? String(schema.$ref).split("/").pop() ?? "" : "";
}

/**
 * Return the schema of a parameter with its choices, which may be a component.
 *
 * @param {Schema} schema
 * @param {any} document
 * @returns {Schema}
 */
function resolved(schema, document) {
  if (schema.$ref) return document.components.schemas[referred(schema)];
  return schema.items ? { ...schema, items: resolved(schema.items, document) } : schema;
}

/**
 * Return an example as it goes over the wire.
 *
 * @param {Content} content
 */
export function written({ mediaType, example }) {
  if (mediaType !== "text/event-stream") return typeof example === "string" ? example : JSON.stringify(example, null, 2);
  return Object.entries(example).map(([name, value]) => `${name}: ${value}\n`).join("") + "\n";
}
