/** The parameters of an operation: what each of them may be, and the inputs for their values. */

import { folded, make } from "./element.js";
import { facts, typeOf } from "./schema.js";

/**
 * @typedef {import("./openapi.js").Operation} Operation
 * @typedef {import("./openapi.js").Parameter} Parameter
 */

const SHOWN_AT_ONCE = 5;

/**
 * Return the rows of parameters. Those in a query that are many are folded, but for the first.
 *
 * @param {Operation} operation
 */
export function parametersOf(operation) {
  const rows = operation.parameters.map((each) => row(operation, each));
  const many = rows.length > 2 * SHOWN_AT_ONCE;
  const [shown, rest] = many ? [rows.slice(0, SHOWN_AT_ONCE), rows.slice(SHOWN_AT_ONCE)] : [rows, []];
  const more = folded(`${rest.length} more parameters`, make("ul", { class: "parameters" }, ...rest));
  return [make("ul", { class: "parameters" }, ...shown), ...(rest.length ? [more] : [])];
}

/**
 * @param {Operation} operation
 * @param {Parameter} parameter
 */
function row(operation, parameter) {
  const id = `${operation.id}-${parameter.in}-${parameter.name}`;
  return make(
    "li",
    {},
    make("label", { for: id }, make("code", { class: "name" }, parameter.name)),
    make(
      "div",
      { id: `${id}-facts`, class: "facts" },
      `${parameter.in}, `,
      ...typeOf(parameter.schema),
      " ",
      make("span", { class: parameter.required ? "needed" : "aside" }, parameter.required ? "required" : "optional"),
      ...facts(parameter.schema, parameter.description),
    ),
    input(parameter, id),
  );
}

/**
 * @param {Parameter} parameter
 * @param {string} id
 */
function input(parameter, id) {
  const common = { id, name: parameter.name, "aria-describedby": `${id}-facts` };
  const choices = parameter.schema.enum ?? (parameter.schema.type === "boolean" ? ["true", "false"] : null);
  if (!choices) {
    const value = parameter.required ? parameter.example : "";
    return make("input", { ...common, value, autocomplete: "off", spellcheck: "false" });
  }
  const options = choices.map((/** @type {string} */ each) => make("option", {}, each));
  return make("select", common, make("option", { value: "" }, "not sent"), ...options);
}
