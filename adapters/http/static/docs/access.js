/** Who asks: nobody in particular while the service is open, or a key, by a session of this browser. */

import { make } from "./element.js";

/** @typedef {{key: {id: number, name: string} | null, scope: string, by: string | null} | null} Granted */

/** Who asks. `change` is told whenever that changes. */
export class Access extends EventTarget {
  /** @type {Granted} */
  granted = null;

  /** Whether a request from elsewhere needs a key. */
  get needsKey() {
    return this.granted?.by !== null;
  }

  async refresh() {
    const answer = await fetch("session", { cache: "no-store" });
    this.granted = answer.ok ? await answer.json() : null;
    this.dispatchEvent(new Event("change"));
  }

  /**
   * Show a key, and return why it was refused, or an empty text.
   *
   * @param {string} key
   */
  async logIn(key) {
    const headers = { "Content-Type": "application/json" };
    const answer = await fetch("session", { method: "POST", headers, body: JSON.stringify({ key }) });
    if (!answer.ok) return String((await answer.json()).detail);
    await this.refresh();
    return "";
  }

  async logOut() {
    await fetch("session", { method: "DELETE" });
    await this.refresh();
  }
}

/**
 * Show who asks, with a form to log in.
 *
 * @param {HTMLElement} place
 * @param {Access} access
 */
export function showAccess(place, access) {
  const show = () => place.replaceChildren(...(access.granted ? granted(access) : [form(access)]));
  access.addEventListener("change", show);
}

/** @param {Access} access */
function granted(access) {
  const { key, scope, by } = /** @type {NonNullable<Granted>} */ (access.granted);
  if (by === null) return [make("p", {}, "This service is open: everyone on this machine may do everything.")];
  const who = make("p", {}, "Logged in as ", make("strong", {}, key?.name ?? ""), ` (${scope})`);
  return [who, make("button", { type: "button", click: () => access.logOut() }, "Log out")];
}

/** @param {Access} access */
function form(access) {
  const said = make("p", { role: "alert" });
  const key = make("input", { id: "key", type: "password", autocomplete: "off", placeholder: "brm_…", required: true });
  const submit = async (/** @type {SubmitEvent} */ event) => {
    event.preventDefault();
    said.textContent = await access.logIn(key.value.trim());
  };
  return make("form", { submit }, make("label", { for: "key" }, "Key"), key, make("button", {}, "Log in"), said);
}
