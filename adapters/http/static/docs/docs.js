/** The reference of the API, made of the OpenAPI document. */

import { Access, showAccess } from "./access.js";
import { searching, showContents } from "./contents.js";
import { folded, make, prose } from "./element.js";
import { listenToKeys } from "./keys.js";
import { load } from "./openapi.js";
import { OperationView } from "./operation.js";
import { problemList } from "./problems.js";
import { facts, fieldsOf, typeOf } from "./schema.js";

/**
 * @typedef {import("./openapi.js").Reference} Reference
 * @typedef {import("./openapi.js").Tag} Tag
 * @typedef {import("./contents.js").Part} Part
 */

const main = /** @type {HTMLElement} */ (document.getElementById("main"));
const contents = /** @type {HTMLDetailsElement} */ (document.getElementById("contents"));
const search = /** @type {HTMLInputElement} */ (document.getElementById("search"));
const narrow = matchMedia("(max-width: 60rem)");

/** @type {OperationView[]} */
let views = [];

async function show() {
  const access = new Access();
  showAccess(/** @type {HTMLElement} */ (document.getElementById("access")), access);
  const [reference] = await Promise.all([load(), access.refresh()]);
  const parts = [...reference.tags.map((each) => tagPart(each, reference, access)), schemaPart(reference), problemPart(reference)];
  main.replaceChildren(introduction(reference), ...parts.map((each) => each.element));
  showContents(contents, parts);
  contents.open = !narrow.matches;
  searching(search, /** @type {HTMLElement} */ (document.getElementById("found")), contents, parts);
  helpWithKeys();
  main.setAttribute("aria-busy", "false");
  addEventListener("hashchange", goToHash);
  goToHash();
}

/** @param {Reference} reference */
function introduction({ version, root }) {
  return make(
    "section",
    {},
    make("p", {}, `Version ${version} at `, make("code", {}, root), ". All of this comes from ", make("a", { href: "openapi.json" }, "openapi.json"), "."),
    make("p", { class: "buttons" }, ...["Open all", "Close all"].map((text, index) => make("button", { type: "button", click: () => toggleAll(!index) }, text))),
  );
}

/** @param {boolean} open */
function toggleAll(open) {
  for (const each of views) if (!each.element.hidden) each.toggle(open);
}

/**
 * @param {Tag} tag
 * @param {Reference} reference
 * @param {Access} access
 * @returns {Part}
 */
function tagPart(tag, reference, access) {
  const shown = tag.operations.map((each) => new OperationView(each, reference, access));
  views = [...views, ...shown];
  const id = `tag-${tag.name}`;
  const description = tag.description ? [make("p", {}, ...prose(tag.description))] : [];
  return {
    id,
    title: tag.name,
    element: make("section", { id, "aria-labelledby": `${id}-title` }, make("h2", { id: `${id}-title` }, tag.name), ...description, ...shown.map((each) => each.element)),
    entries: shown.map(({ operation, element }) => ({
      id: operation.id,
      label: [make("span", { class: `method ${operation.method.toLowerCase()}` }, operation.manner === "socket" ? "WS" : operation.method), " ", operation.summary],
      words: wordsOf(operation),
      element,
    })),
  };
}

/** @param {import("./openapi.js").Operation} operation */
function wordsOf({ id, method, path, summary, tag, parameters, problems }) {
  const names = [...parameters.map(({ name }) => name), ...problems.map(({ code }) => code)];
  return [id, method, path, summary, tag, ...names].join(" ").toLowerCase();
}

/**
 * @param {Reference} reference
 * @returns {Part}
 */
function schemaPart({ schemas }) {
  const entries = Object.entries(schemas).map(([name, schema]) => {
    const fields = fieldsOf(schema, schemas, [name]);
    const inside = fields.length ? [folded("Fields", ...fields)] : [make("p", {}, ...typeOf(schema)), ...facts(schema)];
    const element = make("article", { id: `schema-${name}` }, make("h3", {}, name), ...inside);
    return { id: `schema-${name}`, label: [name], words: `schema ${name} ${[...Object.keys(schema.properties ?? {}), ...(schema.enum ?? [])].join(" ")}`.toLowerCase(), element };
  });
  const element = make("section", { id: "schemas", "aria-labelledby": "schemas-title" }, make("h2", { id: "schemas-title" }, "Schemas"), ...entries.map((each) => each.element));
  return { id: "schemas", title: "Schemas", element, entries };
}

/**
 * @param {Reference} reference
 * @returns {Part}
 */
function problemPart({ problems }) {
  const list = problemList(problems, "problem-");
  const entries = problems.map(({ code, status, title, explanation }, index) => ({
    id: `problem-${code}`,
    label: [status, " ", code],
    words: `problem ${status} ${code} ${title} ${explanation}`.toLowerCase(),
    element: /** @type {HTMLElement} */ (list.children[index]),
  }));
  const element = make("section", { id: "problems", "aria-labelledby": "problems-title" }, make("h2", { id: "problems-title" }, "Problems"), list);
  return { id: "problems", title: "Problems", element, entries };
}

/** Open what the address names, and let it have the focus. */
function goToHash() {
  const id = decodeURIComponent(location.hash.slice(1));
  const target = id && document.getElementById(id);
  if (!target) return;
  const view = views.find(({ operation }) => operation.id === id);
  view?.toggle(true);
  const fold = target.querySelector(":scope > details");
  if (!view && fold) fold.setAttribute("open", "");
  if (narrow.matches) contents.open = false;
  target.scrollIntoView();
  focus(view ? view.button : target);
}

/** @param {HTMLElement} target */
function focus(target) {
  if (!target.matches("a, button, input")) target.setAttribute("tabindex", "-1");
  target.focus({ preventScroll: true });
}

/** @param {number} step */
function goBy(step) {
  const shown = views.filter(({ element }) => !element.hidden);
  const now = shown.findIndex(({ element }) => element.contains(document.activeElement));
  const next = shown[now < 0 ? 0 : Math.max(0, Math.min(shown.length - 1, now + step))];
  next?.element.scrollIntoView({ block: "nearest" });
  next?.button.focus();
}

function helpWithKeys() {
  const keys = [
    { key: "/", shown: "/", what: "Search", act: () => search.focus() },
    { key: "j", shown: "j", what: "Next operation", act: () => goBy(1) },
    { key: "k", shown: "k", what: "Previous operation", act: () => goBy(-1) },
    { key: "o", shown: "o", what: "Open or close all", act: () => toggleAll(!views.some(({ isOpen }) => isOpen)) },
  ];
  document.getElementById("help")?.addEventListener("click", listenToKeys(keys));
  search.addEventListener("keydown", (event) => {
    if (event.key !== "Enter") return;
    event.preventDefault(); // or the button would be pressed, too
    views.find(({ element }) => !element.hidden)?.button.focus();
  });
}

show().catch((error) => {
  main.replaceChildren(make("p", { role: "alert" }, `The reference could not be shown: ${error.message}.`));
  main.setAttribute("aria-busy", "false");
});
