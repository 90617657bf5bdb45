/** Schemas for reading: the type of a value in words, its limits, and the fields inside it. */

import { folded, make, prose } from "./element.js";
import { referred } from "./openapi.js";

/** @typedef {import("./openapi.js").Schema} Schema */

/**
 * Return what a value is, such as "list of Task" or "text or null".
 *
 * @param {Schema} schema
 * @returns {(Node | string)[]}
 */
export function typeOf(schema) {
  const name = referred(schema);
  if (name) return [make("a", { href: `#schema-${name}` }, name)];
  const choices = schema.anyOf ?? schema.oneOf;
  if (choices) return joined(choices.map((/** @type {Schema} */ each) => (each.title ? [each.title] : typeOf(each))), " or ");
  if ("const" in schema) return [make("code", {}, JSON.stringify(schema.const))];
  if (schema.enum) return joined(schema.enum.map((/** @type {any} */ each) => [make("code", {}, each === null ? "null" : String(each))]), ", ");
  if (schema.type === "array") return ["list of ", ...typeOf(schema.items)];
  return [[schema.type ?? "any"].flat().map((each) => WORDS[each] ?? each).join(" or ")];
}

/** @type {Record<string, string>} */
const WORDS = { string: "text", integer: "whole number", boolean: "true or false" };

/**
 * @param {(Node | string)[][]} parts
 * @param {string} between
 */
function joined(parts, between) {
  return parts.flatMap((part, index) => (index ? [between, ...part] : part));
}

/**
 * Return the limits of a value in words.
 *
 * @param {Schema} schema
 * @returns {string[]}
 */
export function limitsOf(schema) {
  const within = schema.anyOf ? schema.anyOf.flatMap(limitsOf) : schema.type === "array" ? limitsOf(schema.items) : [];
  return [
    ...range(schema.minimum, schema.maximum, ""),
    ...range(schema.minLength || undefined, schema.maxLength, " characters"),
    ...range(schema.minItems, schema.maxItems, " values"),
    ...(schema.uniqueItems ? ["no value twice"] : []),
    ...(schema.format ? [FORMATS[schema.format] ?? schema.format] : []),
    ...("default" in schema ? [`by default ${JSON.stringify(schema.default)}`] : []),
    ...within,
  ];
}

/** @type {Record<string, string>} */
const FORMATS = { date: "a date such as 2026-12-31", "date-time": "a time such as 2026-01-31T12:00:00Z" };

/**
 * @param {number | undefined} least
 * @param {number | undefined} most
 * @param {string} unit
 */
function range(least, most, unit) {
  if (unit && least === 1 && most === undefined) return ["not empty"];
  const [from, to] = [least, most].map((each) => (each === undefined ? each : exact(each)));
  if (from !== undefined && to !== undefined) return [`${from} to ${to}${unit}`];
  if (from !== undefined) return [`at least ${from}${unit}`];
  return to === undefined ? [] : [`at most ${to}${unit}`];
}

/** @param {number} bound of 64 bits, or less, which can be read exactly */
function exact(bound) {
  if (Number.isSafeInteger(Math.trunc(bound))) return bound.toLocaleString("en");
  return bound < 0 ? "-(2^63 - 1)" : "2^63 - 1";
}

/**
 * Return the pattern of a value where it has one.
 *
 * @param {Schema} schema
 * @returns {string | undefined}
 */
export function patternOf(schema) {
  return schema.pattern ?? (schema.anyOf ?? []).map(patternOf).find(Boolean) ?? (schema.items && patternOf(schema.items));
}

/**
 * Return the fields of a value: those of an object, of the entries of a list, or of each of its choices. A type that
 * is shown around it already is only named.
 *
 * @param {Schema} schema
 * @param {Record<string, Schema>} schemas
 * @param {string[]} around
 * @returns {Node[]}
 */
export function fieldsOf(schema, schemas, around = []) {
  const name = referred(schema);
  if (name) return around.includes(name) ? [] : fieldsOf(schemas[name], schemas, [...around, name]);
  if (schema.items) return fieldsOf(schema.items, schemas, around);
  if (typeof schema.additionalProperties === "object") return fieldsOf(schema.additionalProperties, schemas, around);
  const choices = schema.anyOf ?? schema.oneOf;
  if (choices) return choices.flatMap((/** @type {Schema} */ each) => choice(each, schemas, around));
  if (!schema.properties) return [];
  const rows = Object.entries(schema.properties).map(([key, each]) => field(key, each, schema, schemas, around));
  return [make("ul", { class: "fields" }, ...rows)];
}

/**
 * @param {Schema} schema
 * @param {Record<string, Schema>} schemas
 * @param {string[]} around
 */
function choice(schema, schemas, around) {
  const inside = fieldsOf(schema, schemas, around);
  const name = schema.title ?? referred(schema);
  return inside.length && name ? [folded(`Fields of ${name}`, ...inside)] : inside;
}

/**
 * @param {string} key
 * @param {Schema} schema
 * @param {Schema} parent
 * @param {Record<string, Schema>} schemas
 * @param {string[]} around
 */
function field(key, schema, parent, schemas, around) {
  const inside = fieldsOf(schema, schemas, around);
  const needed = schema.readOnly ? "read-only" : parent.required?.includes(key) ? "required" : "optional";
  return make(
    "li",
    {},
    make("code", { class: "name" }, key),
    " ",
    ...typeOf(schema),
    ...choicesOf(schema, schemas),
    " ",
    make("span", { class: needed === "required" ? "needed" : "aside" }, needed),
    ...facts(schema),
    ...(inside.length ? [folded(`Inside ${key}`, ...inside)] : []),
  );
}

/**
 * Return the choices of a component, because its name alone does not tell what may be sent.
 *
 * @param {Schema} schema
 * @param {Record<string, Schema>} schemas
 * @returns {(Node | string)[]}
 */
function choicesOf(schema, schemas) {
  const component = [schema, ...(schema.anyOf ?? [])].map((each) => schemas[referred(each)]).find((each) => each?.enum);
  return component ? [": ", ...typeOf(component)] : [];
}

/**
 * Return what else is said of a value: limits, description, pattern.
 *
 * @param {Schema} schema
 * @param {string} [description]
 * @returns {Node[]}
 */
export function facts(schema, description = schema.description ?? "") {
  const limits = limitsOf(schema);
  const pattern = patternOf(schema);
  return [
    ...(limits.length ? [make("span", { class: "limits" }, limits.join(", "))] : []),
    ...(description ? [make("p", {}, ...prose(description))] : []),
    ...(pattern ? [folded("Pattern", make("code", { class: "pattern" }, pattern))] : []),
  ];
}
