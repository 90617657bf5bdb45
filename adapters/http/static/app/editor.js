/** One entity with all that belongs to it: its fields, a conflict, its stock, its history. */
import { ask, Problem } from "./client.js";
import { writable } from "./collections.js";
import { changesOf, conflict, historyList } from "./differences.js";
import { draftOf, drop, keep, rebase, write } from "./drafts.js";
import { button, element, input, labelled, showWrong } from "./element.js";
import { shown, time, typed } from "./formats.js";
import { waits } from "./outbox.js";
import { text } from "./texts.js";
import { edit, moveStock, remove, restore, revert } from "./writes.js";

export class Editor {
  /** @param {HTMLElement} host @param {Collection} collection @param {number} id @param {{ close: () => void, mayWrite: boolean }} options */
  constructor(host, collection, id, { close, mayWrite }) {
    this.host = host;
    this.collection = collection;
    this.path = `${collection.name}/${id}`;
    this.id = id;
    this.close = close;
    this.mayWrite = mayWrite;
    /** @type {Entity | null} */
    this.entity = null;
    this.isDeleted = false;
    this.state = element("p", { className: "state", role: "status" });
    this.fields = element("form", { className: "fields", onsubmit: (event) => this.#save(event) });
    this.past = element("details", { ontoggle: () => this.#showHistory() }, element("summary", {}, text("history")));
  }

  /** Read the entity and show it. */
  async open() {
    try {
      this.entity = this.#newest((await ask("GET", this.path)).body); // a change may be told first
    } catch (error) {
      if (!(error instanceof Problem) || error.status !== 404) throw error;
      const last = (await changesOf(this.collection, this.id).catch(() => [])).at(-1);
      this.isDeleted = !!last;
      this.entity = last?.data ?? null;
    }
    this.#render();
    this.host.querySelector("h2")?.focus({ preventScroll: true });
  }

  /**
   * Take in what was stored, here or elsewhere. What is being typed stays.
   * @param {Partial<Change>[]} changes
   */
  apply(changes) {
    const change = changes.filter((each) => each.id === this.id && each.type?.startsWith(`${this.collection.type}.`)).at(-1);
    const known = this.entity?.version ?? 0;
    if (!change?.data || (change.version ?? 0) < known) return;
    const wasDeleted = this.isDeleted;
    this.isDeleted = !!change.type?.endsWith(".deleted");
    this.entity = change.data;
    const draft = draftOf(this.path);
    if (wasDeleted !== this.isDeleted || (draft && !this.host.querySelector(".conflict") && draft.theirs)) this.#render();
    else this.refresh();
    this.past.open &&= change.version === known;
  }

  /** Show what was stored in the fields that nobody has typed in, and how far the rest is. */
  refresh() {
    const { entity } = this;
    if (!entity) return;
    const draft = draftOf(this.path);
    if (draft?.theirs && !this.isDeleted && !this.host.querySelector(".conflict")) return this.#render();
    for (const field of writable(this.collection)) {
      const control = /** @type {HTMLInputElement | null} */ (this.fields.querySelector(`[name="${field.name}"]`));
      const value = draft?.mine[field.name] ?? typed(field, entity[field.name]);
      if (control && control.value !== value) control.value = value;
    }
    const isStale = draft && draft.base.version < entity.version;
    this.state.replaceChildren(
      text(waits(this.path) ? "state.waits" : isStale ? "state.stale" : draft ? "state.unsaved" : "state.saved"),
      ...(isStale ? [" ", button(text("compare"), () => this.#compare())] : []),
    );
    this.fields.classList.toggle("unsaved", !!draft);
    const tell = (/** @type {string} */ place, /** @type {string} */ told) => this.host.querySelector(place)?.replaceChildren(told);
    tell("h2", entity[this.collection.title]);
    tell(".meta", this.#meta(entity));
    tell(".level", shown({ name: "stock", kind: "count" }, entity.stock));
  }

  #render() {
    const { collection, entity } = this;
    const heading = element("h2", { tabIndex: -1, dir: "auto" }, entity ? entity[collection.title] : text("unknown", { id: this.id }));
    const top = element("header", {}, heading, button("✕", this.close, { className: "quiet", "aria-label": text("close") }));
    if (!entity) return this.host.replaceChildren(top, element("p", {}, text("unknown.hint")));
    const draft = draftOf(this.path);
    const theirs = this.#newest(draft?.theirs);
    const isConflict = draft && draft.base.version < theirs.version && !this.isDeleted;
    if (isConflict) keep(this.path, { ...draft, theirs });
    const parts = this.isDeleted
      ? [this.#deleted(entity)]
      : isConflict
        ? [conflict(collection, { ...draft, theirs }, (mine) => this.#solved(mine, theirs))]
        : [this.#form(entity), ...(entity.stock === null || entity.stock === undefined || !this.mayWrite ? [] : [this.#stock()])];
    this.host.replaceChildren(top, ...parts, element("p", { className: "meta" }, this.#meta(entity)), this.past);
    this.refresh();
    /** @type {HTMLElement | null} */ (this.host.querySelector("#conflict-title"))?.focus();
  }

  /** @param {Entity} entity */
  #form(entity) {
    const mine = draftOf(this.path)?.mine ?? {};
    const controls = writable(this.collection).map((field) => {
      const changed = (/** @type {string} */ value) => {
        if (this.entity) write(this.collection, this.path, this.entity, field.name, value);
        this.refresh();
      };
      return labelled(field, input(field, mine[field.name] ?? typed(field, entity[field.name]), changed, { disabled: !this.mayWrite }));
    });
    const buttons = [
      element("button", { className: "primary" }, text("save")),
      button(text("discard"), () => (drop(this.path), this.#render()), { className: "discard" }),
      button(text("delete.short"), () => this.#remove(), { className: "danger" }),
    ];
    this.fields.replaceChildren(...controls, this.state, element("div", { className: "buttons" }, this.mayWrite ? buttons : []));
    return this.fields;
  }

  /** @param {Event} event */
  async #save(event) {
    event.preventDefault();
    const draft = draftOf(this.path);
    if (!draft) return;
    showWrong(this.fields, null);
    const saving = edit(this.collection, draft.base, draft.mine);
    this.refresh();
    await saving.catch((problem) => showWrong(this.fields, problem));
    this.refresh();
  }

  #compare() {
    const draft = draftOf(this.path);
    if (draft && this.entity) keep(this.path, { ...draft, theirs: this.entity });
    this.#render();
  }

  /** @param {Record<string, string>} mine what to keep @param {Entity} theirs as it was shown */
  async #solved(mine, theirs) {
    this.entity = this.#newest(theirs);
    keep(this.path, { base: theirs, mine });
    rebase(this.collection, this.path, theirs);
    this.#render();
    const left = draftOf(this.path);
    if (left?.theirs) return;
    this.host.querySelector("h2")?.focus({ preventScroll: true });
    if (left) await edit(this.collection, theirs, left.mine).catch((problem) => showWrong(this.fields, problem));
    this.refresh();
  }

  /** @param {Entity | undefined} other */
  #newest(other) {
    return /** @type {Entity} */ ((other?.version ?? 0) > (this.entity?.version ?? 0) ? other : this.entity);
  }

  async #remove() {
    if (this.entity) await remove(this.collection, this.entity).catch(() => null);
    if (this.isDeleted) this.close();
  }

  /** @param {Entity} entity */
  #deleted(entity) {
    const back = button(text("restore"), () => void restore(this.collection, entity).catch(() => null), { className: "primary" });
    return element("section", {}, element("p", {}, text("deleted.hint")), this.mayWrite ? back : "");
  }

  #stock() {
    const amount = element("input", { id: "amount", type: "number", min: "1", value: "1", inputMode: "numeric" });
    const reason = element("input", { id: "reason", maxLength: 100, autocomplete: "off" });
    const move = (/** @type {number} */ sign) => {
      if (!amount.reportValidity() || !this.entity) return;
      void moveStock(this.entity, sign * Number(amount.value), reason.value).then(() => (reason.value = ""), () => null);
    };
    return element(
      "section",
      { className: "stock", "aria-labelledby": "stock-title" },
      element("h3", { id: "stock-title" }, `${text("field.stock")}: `, element("span", { className: "level" })),
      element("div", {}, element("label", { htmlFor: "amount" }, text("amount")), amount),
      element("div", {}, element("label", { htmlFor: "reason" }, text("reason")), reason),
      element("div", { className: "buttons" }, button(text("sell"), () => move(-1)), button(text("receive"), () => move(1))),
    );
  }

  /** @param {Entity} entity */
  #meta(entity) {
    return text("meta", { id: entity.id, version: entity.version, created: time(entity.created_at), updated: time(entity.updated_at) });
  }

  async #showHistory() {
    this.past.querySelector("ol")?.remove();
    if (!this.past.open) return;
    const changes = await changesOf(this.collection, this.id);
    const back = (/** @type {Entity} */ then) => this.entity && revert(this.collection, this.entity, then).catch(() => this.refresh());
    this.past.append(historyList(this.collection, changes, (then) => void (this.mayWrite && !this.isDeleted && back(then))));
  }
}
