/** The access keys: who may do what, when they were last used; making, rotating and revoking them. */
import { ask } from "./client.js";
import { button, choice, element, named, renew, row, secret, table } from "./element.js";
import { refreshed } from "./feed.js";
import { time } from "./formats.js";
import { attempt } from "./notices.js";
import { letIn } from "./session.js";
import { text } from "./texts.js";

const SCOPES = ["read", "write", "admin"];
const USUAL = "write";

/**
 * @param {HTMLElement} main
 * @param {boolean} isOpen whether no key is needed yet
 * @param {() => unknown} entered what to do when this browser has logged in
 * @returns {View}
 */
export function accessView(main, isOpen, entered) {
  const list = element("section", { "aria-label": text("access") });
  const news = element("div");
  const name = element("input", { required: true, autocomplete: "off", maxLength: 100 });
  const scope = choice(SCOPES.map((each) => [each, text(`scope.${each}`)]), isOpen ? "admin" : USUAL, {});
  const until = element("input", { type: "date" });
  const form = element(
    "form",
    { className: "fields", onsubmit: create },
    named("key_name", name),
    named("scope", scope),
    named("expires_at", until),
    element("p", { className: "buttons" }, element("button", { className: "primary" }, text("key.make"))),
  );
  const hint = element("p", {}, text(isOpen ? "access.open" : "access.hint"));
  main.replaceChildren(element("h1", {}, text("access")), hint, form, news, list);

  /** @param {Event} event */
  async function create(event) {
    event.preventDefault();
    const body = { name: name.value, scope: scope.value, ...(until.value && { expires_at: `${until.value}T23:59:59Z` }) };
    const made = await attempt(() => ask("POST", "keys", { body }));
    if (!made) return;
    form.reset();
    scope.value = USUAL;
    if (isOpen) {
      await attempt(() => letIn(made.body.key)); // or one would be locked out
      isOpen = false;
      hint.textContent = text("access.hint");
      entered();
    }
    tell(made.body);
  }

  /** @param {Key & { key: string }} made */
  function tell(made) {
    news.replaceChildren(secret(made.name, made.key));
    void load();
  }

  /** @param {Key} key */
  async function rotate(key) {
    const made = await attempt(() => ask("POST", `keys/${key.id}/rotate`, { body: {} }));
    if (made) tell(made.body);
  }

  /** @param {Key} key */
  async function revoke(key) {
    if (!confirm(text("key.revoke.sure", { name: key.name }))) return;
    if (await attempt(() => ask("DELETE", `keys/${key.id}`))) void load();
  }

  const load = () => attempt(read);

  async function read() {
    const found = await ask("GET", "keys");
    const heads = ["key_name", "scope", "key_end", "last_used_at", "expires_at", "status"].map((each) => text(`field.${each}`));
    renew(list, table(text("access"), [...heads, text("column.actions")], found.body.keys.map(shownKey)));
  }

  /** @param {Key} key */
  function shownKey(key) {
    const state = key.revoked_at ? "revoked" : key.expires_at && Date.parse(key.expires_at) < Date.now() ? "expired" : "valid";
    const actions = ["rotate", "revoke"].map((verb) => {
      const label = text(`key.${verb}`);
      return button(label, () => void (verb === "rotate" ? rotate(key) : revoke(key)), { "aria-label": `${label}: ${key.name}` });
    });
    const cells = [key.name, text(`scope.${key.scope}`), `…${key.last_four}`, time(key.last_used_at), time(key.expires_at), text(`key.${state}`)];
    return row([...cells, state === "valid" ? element("span", { className: "buttons" }, actions) : null]);
  }

  let end = () => {};
  return { show: () => void (end = refreshed(read)), leave: () => end() };
}
