/** The webhooks: making, editing and testing them, and what was delivered, with each attempt. */
import { ask } from "./client.js";
import { COLLECTIONS } from "./collections.js";
import { button, element, named, renew, row, secret, table } from "./element.js";
import { refreshed } from "./feed.js";
import { time } from "./formats.js";
import { attempt } from "./notices.js";
import { text } from "./texts.js";

const AGAIN_MS = 1000;
const TYPES = Object.values(COLLECTIONS).flatMap(({ type }) => ["created", "updated", "deleted", "restored"].map((each) => `${type}.${each}`));

/** @param {HTMLElement} main @returns {View} */
export function webhooksView(main) {
  const list = element("section", { "aria-label": text("webhooks") });
  const news = element("div");
  const log = element("section", { "aria-label": text("webhook.deliveries") });
  const url = element("input", { type: "url", required: true, autocomplete: "off", placeholder: "https://" });
  const description = element("input", { autocomplete: "off" });
  const types = TYPES.map((each) => element("input", { type: "checkbox", value: each }));
  const boxes = types.map((each) => element("label", { className: "check" }, each, each.value));
  const submit = element("button", { className: "primary" });
  const cancel = button(text("cancel"), () => fill(null));
  const form = element(
    "form",
    { className: "fields", noValidate: true, onsubmit: save },
    named("url", url),
    named("description", description),
    element("fieldset", {}, element("legend", {}, text("field.types")), boxes),
    element("p", { className: "buttons" }, submit, cancel),
  );
  /** @type {Webhook | null} */
  let edited = null;
  /** @type {number | null} */
  let open = null;
  let timer = 0;
  let end = () => {};
  main.replaceChildren(element("h1", {}, text("webhooks")), form, news, list, log);
  fill(null);

  /**
   * Let the form edit a webhook, or make one.
   * @param {Webhook | null} webhook
   */
  function fill(webhook) {
    edited = webhook;
    url.value = webhook?.url ?? "";
    description.value = webhook?.description ?? "";
    for (const each of types) each.checked = !!webhook?.types.includes(each.value);
    submit.textContent = text(webhook ? "save" : "webhook.make");
    cancel.hidden = !webhook;
    if (webhook) url.focus();
  }

  /** @param {Event} event */
  async function save(event) {
    event.preventDefault();
    const chosen = types.filter((each) => each.checked).map((each) => each.value);
    const body = { url: url.value, description: description.value, types: chosen };
    const made = edited ? await change(edited, "PATCH", "", body) : await attempt(() => ask("POST", "webhooks", { body }));
    if (!made) return;
    fill(null);
    if (!made.body.secret) return;
    news.replaceChildren(secret(made.body.url, made.body.secret));
    await load();
  }

  const load = () => attempt(read);

  async function read() {
    const found = await ask("GET", "webhooks?limit=1000");
    const heads = ["field.url", "webhook.changes", "field.enabled"].map((each) => text(each));
    renew(list, table(text("webhooks"), [...heads, text("column.actions")], found.body.webhooks.map(shownWebhook)));
  }

  /** @param {Webhook} webhook */
  function shownWebhook(webhook) {
    const enabled = element("input", { type: "checkbox", checked: webhook.enabled, "data-version": webhook.version, "aria-label": `${text("field.enabled")}: ${webhook.url}`, onchange: ({ target }) => void change(webhook, "PATCH", "", { enabled: target.checked }) });
    /** @param {string} name @param {() => void} run */
    const act = (name, run) => button(text(name), run, { "aria-label": `${text(name)}: ${webhook.url}` });
    const actions = [
      act("webhook.edit", () => fill(webhook)),
      act("webhook.test", () => void test(webhook)),
      act("webhook.deliveries", () => show(webhook.id)),
      act("webhook.rotate", () => void rotate(webhook)),
      act("delete.short", () => void (confirm(text("webhook.delete.sure", { url: webhook.url })) && change(webhook, "DELETE", ""))),
    ];
    const why = webhook.disabled_reason && element("p", { className: "wrong" }, webhook.disabled_reason);
    return row([element("div", {}, webhook.url, element("p", { className: "meta" }, webhook.description)), webhook.types.join(", ") || text("webhook.all"), element("div", {}, enabled, why || ""), element("span", { className: "buttons" }, actions)]);
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
    void attempt(deliveries);
  }

  /** Show the deliveries, and again for as long as one is on its way. */
  async function deliveries() {
    clearTimeout(timer);
    const id = open;
    const found = await ask("GET", `webhooks/${id}/deliveries?limit=50`);
    if (id !== open) return;
    /** @type {Delivery[]} */
    const all = found.body.deliveries;
    const heads = ["field.type", "field.status", "webhook.attempts", "webhook.next", "column.actions"].map((each) => text(each));
    renew(log, element("h2", {}, text("webhook.deliveries")), table(text("webhook.deliveries"), heads, all.map(shownDelivery)));
    if (all.some((each) => each.status === "pending")) timer = setTimeout(() => void deliveries().catch(() => null), AGAIN_MS);
  }

  /** @param {Delivery} delivery */
  function shownDelivery({ id, type, status, attempts, next_attempt_at }) {
    const told = attempts.map((each) => element("li", {}, `${time(each.at)}: ${each.status ?? each.error} (${each.duration_ms} ms)`));
    const again = async () => {
      if (await attempt(() => ask("POST", `webhooks/${open}/deliveries/${id}/retry`))) await attempt(deliveries);
    };
    const retry = button(text("webhook.retry"), () => void again(), { "aria-label": `${text("webhook.retry")}: ${type}, ${id}` });
    return row([type, text(`delivery.${status}`), element("ol", { className: "history" }, told), time(next_attempt_at), retry]);
  }

  return {
    show: () => void (end = refreshed(async () => {
      await read();
      if (open) await deliveries();
    })),
    leave() {
      end();
      open = null;
      clearTimeout(timer);
    },
  };
}
