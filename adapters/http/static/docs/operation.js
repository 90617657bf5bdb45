/** One operation: what it takes, what it answers, and a form to try it. What is inside is made when it is first opened. */

import { answerTo } from "./answer.js";
import { copied } from "./copying.js";
import { folded, listing, make, prose } from "./element.js";
import { follow } from "./following.js";
import { written } from "./openapi.js";
import { parametersOf } from "./parameters.js";
import { problemList } from "./problems.js";
import { curl, python, requestOf } from "./request.js";
import { fieldsOf, typeOf } from "./schema.js";

/**
 * @typedef {import("./openapi.js").Operation} Operation
 * @typedef {import("./openapi.js").Reference} Reference
 * @typedef {import("./openapi.js").Reply} Reply
 * @typedef {import("./openapi.js").Content} Content
 * @typedef {import("./access.js").Access} Access
 */

/** An operation on the page. */
export class OperationView {
  /**
   * @param {Operation} operation
   * @param {Reference} reference
   * @param {Access} access
   */
  constructor(operation, reference, access) {
    this.operation = operation;
    this.reference = reference;
    this.access = access;
    this.inside = make("div", { id: `${operation.id}-inside`, class: "inside", hidden: true });
    this.button = this.#heading();
    const link = make("a", { href: `#${operation.id}`, class: "link", "aria-label": `Link to ${operation.summary}` }, "#");
    this.element = make("article", { id: operation.id }, make("h3", {}, this.button, link), this.inside);
    access.addEventListener("change", () => this.#showLines());
  }

  #heading() {
    const { method, path, summary, manner } = this.operation;
    const verb = make("span", { class: `method ${method.toLowerCase()}` }, manner === "socket" ? "WS" : method);
    const toggle = () => this.toggle(!this.isOpen);
    const attributes = { type: "button", "aria-expanded": "false", "aria-controls": this.inside.id, click: toggle };
    return make("button", attributes, verb, " ", make("code", {}, path), " ", make("span", { class: "summary" }, summary));
  }

  get isOpen() {
    return !this.inside.hasAttribute("hidden");
  }

  /** @param {boolean} open */
  toggle(open) {
    if (open && !this.inside.hasChildNodes()) this.#fill();
    this.inside.hidden = !open;
    this.button.setAttribute("aria-expanded", String(open));
  }

  #fill() {
    const { scope, replies, problems } = this.operation;
    const needed = scope === null ? ["Everyone may call this."] : prose(`It needs a key with the scope \`${scope}\`.`);
    this.inside.append(
      make("p", {}, ...needed),
      this.#form(),
      make("h4", {}, "Answers"),
      ...replies.map((each) => this.#reply(each)),
      folded(`${problems.length} problems`, problemList(problems)),
    );
    this.#showLines();
  }

  #form() {
    const { operation } = this;
    this.output = make("div", { class: "output", role: "group", "aria-label": "The answer", "aria-live": "polite" });
    this.curl = operation.manner === "socket" ? null : copied("curl");
    this.python = copied("Python");
    const submit = (/** @type {SubmitEvent} */ event) => {
      event.preventDefault();
      this.#send(event.submitter?.getAttribute("value") === "dry");
    };
    this.form = make(
      "form",
      { submit, input: () => this.#showLines(), "aria-label": `Try ${operation.summary}`, novalidate: true },
      ...(operation.parameters.length ? [make("h4", {}, "Parameters"), ...parametersOf(operation)] : []),
      ...this.#body(),
      make("h4", {}, "Try it"),
      make("p", { class: "buttons" }, ...this.#choices(), ...this.#buttons()),
      this.output,
      make("h4", {}, "From elsewhere"),
      ...(this.curl ? [this.curl.element] : []),
      this.python.element,
    );
    return this.form;
  }

  #body() {
    const { id, bodies } = this.operation;
    if (!bodies.length) return [];
    const [first] = bodies;
    const options = bodies.map(({ mediaType }) => make("option", {}, mediaType));
    const text = JSON.stringify(first.example);
    const shown = text.length > 60 ? written(first) : text.replace(/":/g, '": ').replace(/,"/g, ', "');
    this.bodyType = make("select", { id: `${id}-type` }, ...options);
    this.body = make("textarea", { id: `${id}-body`, rows: Math.min(shown.split("\n").length + 1, 20), spellcheck: "false" });
    this.body.value = shown;
    return [
      make("h4", {}, "Body"),
      make("p", {}, ...typeOf(first.schema), ", as ", make("label", { for: `${id}-type`, class: "unseen" }, "Media type"), this.bodyType),
      folded("Fields", ...fieldsOf(first.schema, this.reference.schemas)),
      make("label", { for: `${id}-body`, class: "unseen" }, "Body"),
      this.body,
    ];
  }

  /** Return a choice of the answer's media type, where there is one. */
  #choices() {
    const types = this.operation.replies[0].contents.map(({ mediaType }) => mediaType);
    if (types.length < 2) return [];
    this.accept = make("select", { id: `${this.operation.id}-accept` }, ...types.map((each) => make("option", {}, each)));
    return [make("label", { for: this.accept.id }, "Answer as"), this.accept];
  }

  #buttons() {
    const { manner, parameters } = this.operation;
    if (manner !== "request") {
      const stop = make("button", { type: "button", class: "stop", hidden: true, click: () => this.#stop() }, "Stop");
      return [make("button", { class: "send" }, "Connect"), stop];
    }
    const dry = parameters.some(({ name }) => name === "Prefer");
    return [make("button", { class: "send" }, "Send"), ...(dry ? [make("button", { value: "dry" }, "Try without storing")] : [])];
  }

  /** @param {boolean} [dry] whether the request asks for a dry run */
  #request(dry = false) {
    const inputs = /** @type {NodeListOf<HTMLInputElement>} */ (this.form?.querySelectorAll("[name]"));
    const values = Object.fromEntries([...inputs].map(({ name, value }) => [name, value.trim()]));
    if (dry) values.Prefer = "validate-only";
    const request = requestOf(this.reference.root, this.operation, values, this.body?.value ?? null, this.bodyType?.value ?? null);
    if (this.accept?.selectedIndex) request.headers.Accept = this.accept.value;
    return request;
  }

  #showLines() {
    if (!this.form) return;
    const request = this.#request();
    this.curl?.show(curl(request, this.#isLocked()));
    this.python?.show(python(request, this.#isLocked()));
  }

  /** Tell whether a caller from elsewhere has to show a key. */
  #isLocked() {
    return this.operation.scope !== null && this.access.needsKey;
  }

  /** @param {boolean} dry */
  async #send(dry) {
    const request = this.#request(dry);
    if (request.manner !== "request") return this.#follow(request);
    this.output?.setAttribute("aria-busy", "true");
    this.output?.replaceChildren(...(await answerTo(request)));
    this.output?.setAttribute("aria-busy", "false");
    if (this.operation.tag === "session") await this.access.refresh();
  }

  /** @param {import("./request.js").Request} request */
  #follow(request) {
    this.#stop();
    this.following = new AbortController();
    this.output?.replaceChildren(...follow(request, this.following.signal));
    this.#show(".stop", true);
  }

  #stop() {
    this.following?.abort();
    this.#show(".stop", false);
  }

  /**
   * @param {string} selector
   * @param {boolean} shown
   */
  #show(selector, shown) {
    const found = /** @type {HTMLElement | null | undefined} */ (this.form?.querySelector(selector));
    if (found) found.hidden = !shown;
  }

  /** @param {Reply} reply */
  #reply({ status, description, headers, contents }) {
    const shown = headers.map(({ name, description }) => make("li", {}, make("code", {}, name), " ", ...prose(description)));
    return make(
      "div",
      { class: "reply" },
      make("p", {}, make("strong", {}, status), " ", ...prose(description)),
      ...contents.map((each) => this.#content(each)),
      folded("Headers", make("ul", {}, ...shown)),
    );
  }

  /** @param {Content} content */
  #content(content) {
    const inside = fieldsOf(content.schema, this.reference.schemas);
    return make(
      "div",
      {},
      make("p", {}, make("code", {}, content.mediaType), ", ", ...typeOf(content.schema)),
      ...(content.example === undefined ? [] : [listing(written(content), `Example of ${content.mediaType}`)]),
      ...(inside.length ? [folded("Fields", ...inside)] : []),
    );
  }
}
