/** The webhooks: making, testing and switching them, and what was delivered, with each attempt. */
import { ask } from "./client.js";
import { COLLECTIONS } from "./collections.js";
import { button, element } from "./element.js";
import { attempt, named, row, secret, table } from "./forms.js";
import { shown } from "./formats.js";
import { text } from "./texts.js";

/**
 * @typedef {{ id: number, version: number, url: string, types: string[], enabled: boolean, description: string, disabled_reason: string | null }} Webhook
 * @typedef {{ at: string, status: number | null, error: string | null, duration_ms: number }} Attempt
 * @typedef {{ id: string, type: string, status: string, attempts: Attempt[], next_attempt_at: string | null }} Delivery
 */

const AGAIN_MS = 1000;
const TYPES = Object.values(COLLECTIONS).flatMap(({ type }) => ["created", "updated", "deleted", "restored"].map((each) => `${type}.${each}`));
const time = (/** @type {string | null} */ at) => shown({ name: "at", kind: "time" }, at);

/** @param {HTMLElement} main @returns {import("./collection_view.js").View} */
export function webhooksView(main) {
  const list = element("section", { "aria-label": text("webhooks") });
  const news = element("div");
  const log = element("section", { "aria-labelledby": "deliveries" });
  const url = element("input", { type: "url", required: true, autocomplete: "off", placeholder: "https://" });
  const types = TYPES.map((each) => element("input", { type: "checkbox", value: each }));
  const boxes = types.map((each) => element("label", { className: "check" }, each, each.value));
  const form = element(
    "form",
    { className: "fields", noValidate: true, onsubmit: create },
    named("url", url),
    element("fieldset", {}, element("legend", {}, text("field.types")), boxes),
    element("p", { className: "buttons" }, element("button", { className: "primary" }, text("webhook.make"))),
  );
  /** @type {number | null} */
  let open = null;
  let timer = 0;
  main.replaceChildren(element("h1", {}, text("webhooks")), form, news, list, log);

  /** @param {Event} event */
  async function create(event) {
    event.preventDefault();
    const body = { url: url.value, types: types.filter((each) => each.checked).map((each) => each.value) };
    const made = await attempt(() => ask("POST", "webhooks", { body }));
    if (!made) return;
    form.reset();
    news.replaceChildren(secret(made.body.url, made.body.secret));
    await load();
  }

  async function load() {
    const found = await attempt(() => ask("GET", "webhooks?limit=1000"));
    if (!found) return;
    const heads = ["field.url", "webhook.changes", "field.enabled"].map((each) => text(each));
    list.replaceChildren(table(text("webhooks"), [...heads, text("column.actions")], found.body.webhooks.map(shownWebhook)));
  }

  /** @param {Webhook} webhook */
  function shownWebhook(webhook) {
    const enabled = element("input", { type: "checkbox", checked: webhook.enabled, "aria-label": `${text("field.enabled")}: ${webhook.url}`, onchange: () => void change(webhook, "PATCH", "", { enabled: enabled.checked }) });
    const act = (/** @type {string} */ name, /** @type {() => void} */ run) => button(text(`webhook.${name}`), run, { "aria-label": `${text(`webhook.${name}`)}: ${webhook.url}` });
    const actions = [
      act("test", () => void test(webhook)),
      act("deliveries", () => show(webhook.id)),
      act("rotate", () => void rotate(webhook)),
      act("delete", () => void (confirm(text("webhook.delete.sure", { url: webhook.url })) && change(webhook, "DELETE", ""))),
    ];
    const why = webhook.disabled_reason && element("p", { className: "wrong" }, webhook.disabled_reason);
    return row([webhook.url, webhook.types.join(", ") || text("webhook.all"), element("div", {}, enabled, why || ""), element("span", { className: "buttons" }, actions)]);
  }

  /** @param {Webhook} webhook @param {string} method @param {string} rest @param {any} [body] */
  async function change({ id, version }, method, rest, body) {
    const made = await attempt(() => ask(method, `webhooks/${id}${rest}`, { body, headers: { "If-Match": `"${version}"` } }));
    await load();
    return made;
  }

  /** @param {Webhook} webhook */
  async function rotate(webhook) {
    const made = await change(webhook, "POST", "/rotate");
    if (made) news.replaceChildren(secret(webhook.url, made.body.secret));
  }

  /** @param {Webhook} webhook */
  async function test({ id }) {
    if (await attempt(() => ask("POST", `webhooks/${id}/test`))) show(id);
  }

  /** @param {number} id */
  function show(id) {
    open = id;
    void deliveries();
  }

  /** Show the deliveries, and again for as long as one is on its way. */
  async function deliveries() {
    clearTimeout(timer);
    const id = open;
    const found = await attempt(() => ask("GET", `webhooks/${id}/deliveries?limit=50`));
    if (!found || id !== open) return;
    /** @type {Delivery[]} */
    const all = found.body.deliveries;
    const heads = ["field.type", "field.status", "webhook.attempts", "webhook.next", "column.actions"].map((each) => text(each));
    const focused = document.activeElement?.getAttribute("aria-label");
    log.replaceChildren(element("h2", { id: "deliveries" }, text("webhook.deliveries")), table(text("webhook.deliveries"), heads, all.map(shownDelivery)));
    if (focused) [...log.querySelectorAll("button")].find((each) => each.getAttribute("aria-label") === focused)?.focus();
    if (all.some((each) => each.status === "pending")) timer = setTimeout(deliveries, AGAIN_MS);
  }

  /** @param {Delivery} delivery */
  function shownDelivery({ id, type, status, attempts, next_attempt_at }) {
    const told = attempts.map((each) => element("li", {}, `${time(each.at)}: ${each.status ?? each.error} (${each.duration_ms} ms)`));
    const again = async () => {
      if (await attempt(() => ask("POST", `webhooks/${open}/deliveries/${id}/retry`))) void deliveries();
    };
    const retry = button(text("webhook.retry"), () => void again(), { "aria-label": `${text("webhook.retry")}: ${type}, ${id}` });
    return row([type, text(`delivery.${status}`), element("ol", { className: "history" }, told), time(next_attempt_at), retry]);
  }

  return {
    show: () => void load(),
    apply: () => {},
    waiting: () => {},
    leave() {
      open = null;
      clearTimeout(timer);
    },
  };
}
