/** A list in the page. Of its rows, only those near the window are there. */
import { cell, cells, heads, stepOf, verbOf } from "./cells.js";
import { fieldOf } from "./collections.js";
import { draftOf, drop, keep, write } from "./drafts.js";
import { button, element, input } from "./element.js";
import { count, typed } from "./formats.js";
import { say } from "./notices.js";
import { waiting, waits } from "./outbox.js";
import { text } from "./texts.js";
import { edit, pathOf } from "./writes.js";

const MARGIN = 12; // rows above and below the window
const AHEAD = 60; // rows before the end at which more are read
const PRINTED = 2000;
const MARKED_MS = 4000;

export class Grid {
  /**
   * @param {Collection} collection
   * @param {Actions & { sort: (name: string) => void, open: (id: number) => void, failed: (error: unknown) => void }} actions
   */
  constructor(collection, actions) {
    this.collection = collection;
    this.actions = actions;
    /** @type {Listing | null} */
    this.listing = null;
    /** @type {Map<number, { row: HTMLElement, key: string }>} */
    this.made = new Map();
    /** @type {number | null} */
    this.active = null;
    /** @type {number | null} */
    this.editing = null;
    this.mayWrite = true;
    this.isPrinting = false;
    this.height = 40;
    this.heads = element("div", { role: "row", className: `row heads ${collection.name}`, "aria-rowindex": 1 });
    this.body = element("div", { role: "rowgroup", className: "body" });
    this.root = element(
      "div",
      { role: "grid", className: "grid", "aria-label": text(collection.name), onkeydown: (event) => this.#pressed(event) },
      element("div", { role: "rowgroup" }, this.heads),
      this.body,
    );
    this.foot = element("p", { className: "foot", role: "status" });
    const later = () => (this.frame ||= requestAnimationFrame(() => this.render()));
    /** @type {[string, () => void][]} */
    this.listeners = [["scroll", later], ["resize", later], ["pointerup", later], ["keyup", later], ["beforeprint", () => this.#print(true)], ["afterprint", () => this.#print(false)]];
    for (const [name, listener] of this.listeners) addEventListener(name, listener);
    this.frame = 0;
  }

  /** Where the list begins in the window. */
  get top() {
    return this.body.getBoundingClientRect().top;
  }

  leave() {
    for (const [name, listener] of this.listeners) removeEventListener(name, listener);
  }

  /** @param {Listing} listing */
  show(listing) {
    this.listing = listing;
    this.editing = null;
    this.made.clear();
    this.body.replaceChildren();
    this.heads.replaceChildren(...heads(this.collection, listing.query.get("sort") ?? "", this.actions.sort));
    this.render();
  }

  /**
   * Change the list, and keep what is looked at or worked on in its place.
   * @param {Promise<Set<number>>} changing @param {(id: number) => boolean} [isMarked]
   */
  async change(changing, isMarked = () => false) {
    const { listing } = this;
    const anchor = this.#anchor();
    const before = anchor === null ? 0 : listing?.position(anchor) ?? -1;
    const touched = await changing;
    if (listing !== this.listing || !listing) return;
    const after = anchor === null ? 0 : listing.position(anchor);
    if (before >= 0 && after >= 0 && before !== after) {
      this.#stretch();
      scrollBy(0, (after - before) * this.height);
    }
    this.render();
    [...touched].filter(isMarked).forEach((id) => this.#mark(id));
  }

  /** @returns {void} */
  render() {
    this.frame = 0;
    const { listing } = this;
    if (!listing || !this.root.isConnected) return;
    const rows = listing.rows;
    this.#stretch();
    const { top } = this;
    const first = this.isPrinting ? 0 : Math.max(0, Math.floor(-top / this.height) - MARGIN);
    const last = this.isPrinting ? PRINTED : Math.max(0, Math.ceil((innerHeight - top) / this.height)) + MARGIN;
    if (this.active === null || !listing.byId.has(this.active)) this.active = rows[first]?.id ?? null;
    const focused = this.#focused();
    const length = Math.max(0, Math.min(last, rows.length) - first);
    const positions = Array.from({ length }, (_, at) => first + at);
    const away = focused === null ? -1 : listing.position(focused);
    if (away >= 0 && away < first) positions.unshift(away);
    if (away >= last) positions.push(away);
    this.#put(positions.map((at) => this.#row(rows[at], at)));
    this.root.ariaRowCount = String(listing.total === null ? -1 : listing.total + 1);
    this.foot.textContent = this.#summary(listing);
    const height = this.body.querySelector(".row:not(.editing)")?.getBoundingClientRect().height || this.height;
    if (height !== this.height && !this.isPrinting) {
      this.height = height;
      return this.render();
    }
    if (listing.next && last > rows.length - AHEAD) void this.#more(listing);
  }

  /** @param {number} id */
  focus(id) {
    const at = this.listing?.position(id) ?? -1;
    if (at < 0) return;
    this.active = id;
    const top = this.top + at * this.height;
    const margin = parseFloat(getComputedStyle(document.documentElement).scrollPaddingTop) || 0;
    const hidden = Math.min(0, top - margin) || Math.max(0, top + 2 * this.height - innerHeight);
    if (hidden) scrollBy(0, hidden);
    this.render();
    this.made.get(id)?.row.focus({ preventScroll: true });
  }

  /**
   * Edit a row in its place.
   * @param {number} id
   */
  async edit(id) {
    const entity = this.listing?.byId.get(id);
    if (!entity || !this.mayWrite) return;
    if (this.editing !== null) this.#done();
    this.editing = this.active = id;
    void this.listing?.hold(id);
    this.render();
    const control = /** @type {HTMLInputElement | null | undefined} */ (this.made.get(id)?.row.querySelector("input, select"));
    control?.focus();
    control?.select?.();
  }

  #print(/** @type {boolean} */ begins) {
    this.isPrinting = begins;
    this.render();
  }

  /** @param {Listing} listing */
  async #more(listing) {
    await listing.more().catch(this.actions.failed);
    if (listing === this.listing) this.render();
  }

  /** @param {Listing} listing */
  #summary({ rows, total, next, isFiltered }) {
    if (!rows.length) return text(isFiltered ? "none" : "empty");
    const n = total ?? rows.length;
    return text(next ? "count.more" : `count.${this.collection.name}`, { n: next && total === null ? "…" : n, total: count(n), read: count(rows.length) }) ;
  }

  #stretch() {
    this.body.style.blockSize = `${(this.listing?.rows.length ?? 0) * this.height}px`;
  }

  /** the entity whose place on the screen must not change */
  #anchor() {
    const focused = this.#focused();
    if (focused !== null) return focused;
    const passed = -this.top;
    return passed > 0 ? this.listing?.rows[Math.ceil(passed / this.height)]?.id ?? null : null;
  }

  #focused() {
    const row = document.activeElement?.closest(".grid .body .row");
    return row instanceof HTMLElement ? Number(row.dataset.id) : null;
  }

  /**
   * Put rows into the body without moving the one with the focus.
   * @param {HTMLElement[]} rows
   */
  #put(rows) {
    const wanted = new Set(rows);
    for (const child of [...this.body.children]) {
      if (wanted.has(/** @type {HTMLElement} */ (child))) continue;
      this.made.delete(Number(/** @type {HTMLElement} */ (child).dataset.id));
      child.remove();
    }
    let next = null;
    for (const row of rows.reverse()) {
      const isIn = row.parentElement === this.body;
      if (!isIn || (row.nextSibling !== next && !row.contains(document.activeElement))) this.body.insertBefore(row, next);
      next = row;
    }
  }

  /** @param {Entity} stored @param {number} at */
  #row(stored, at) {
    const entity = this.#overlaid(stored);
    const path = pathOf(this.collection, entity);
    const marks = { waits: waits(path), isDraft: !!draftOf(path), mayWrite: this.mayWrite };
    const isEditing = entity.id === this.editing;
    const key = JSON.stringify(isEditing || [entity, marks]);
    let made = this.made.get(entity.id);
    if (made?.key !== key && !made?.row.querySelector(":active")) {
      // What is pressed stays until it is let go, or it would do nothing.
      const row = made?.row ?? element("div", { role: "row", "data-id": entity.id, tabIndex: -1 });
      const hadFocus = row.contains(document.activeElement);
      row.className = `row ${this.collection.name} ${entity.status ?? ""} ${isEditing ? "editing" : ""}`;
      row.replaceChildren(...(isEditing ? this.#controls(stored) : cells(this.collection, entity, this.actions, marks)));
      if (hadFocus && !isEditing) row.focus({ preventScroll: true });
      made = { row, key };
      this.made.set(entity.id, made);
    }
    const { row } = made;
    row.style.insetBlockStart = `${at * this.height}px`;
    row.ariaRowIndex = String(at + 2);
    row.tabIndex = entity.id === this.active ? 0 : -1;
    for (const each of row.querySelectorAll("a, button, input, select"))
      /** @type {HTMLElement} */ (each).tabIndex = entity.id === this.active ? 0 : -1;
    return row;
  }

  /**
   * What waits is shown as if it were stored.
   * @param {Entity} entity
   */
  #overlaid(entity) {
    const path = pathOf(this.collection, entity);
    const edits = waiting().filter((each) => each.method === "PATCH" && each.path === path);
    return edits.reduce((now, { body }) => ({ ...now, ...body }), entity);
  }

  /** @param {Entity} entity */
  #controls(entity) {
    const path = pathOf(this.collection, entity);
    const mine = draftOf(path)?.mine ?? {};
    const made = this.collection.columns.map((name) => {
      const field = fieldOf(this.collection, name);
      const value = mine[name] ?? typed(field, entity[name]);
      const control = input(field, value, (now) => write(this.collection, path, entity, name, now), { "aria-label": text(`field.${name}`) });
      return cell(name, control);
    });
    const buttons = [
      button("✓", () => this.#save(), { "aria-label": text("save"), className: "primary" }),
      button("✕", () => this.#cancel(), { "aria-label": text("cancel") }),
    ];
    return [...made, cell("actions", ...buttons)];
  }

  #save() {
    const { editing: id, listing } = this;
    const entity = id === null ? null : listing?.byId.get(id);
    if (!entity || id === null) return;
    const draft = draftOf(pathOf(this.collection, entity));
    this.#done();
    if (draft)
      edit(this.collection, draft.base, draft.mine).catch(({ status }) => (status === 422 ? this.edit(id) : this.actions.open(id)));
  }

  #cancel() {
    const id = this.editing;
    const path = `${this.collection.name}/${id}`;
    const draft = draftOf(path);
    drop(path);
    this.#done();
    if (draft) say(text("discarded"), { action: text("undo"), run: () => (keep(path, draft), id && this.edit(id)) });
  }

  #done() {
    const id = this.editing;
    this.editing = null;
    if (this.listing) void this.change(this.listing.hold(null), () => true).then(() => id && this.active === id && this.focus(id));
    this.render();
    if (id) this.made.get(id)?.row.focus({ preventScroll: true });
  }

  /**
   * Show for a moment that somebody changed an entity.
   * @param {number} id
   */
  #mark(id) {
    const row = this.made.get(id)?.row;
    row?.classList.add("changed");
    setTimeout(() => row?.classList.remove("changed"), MARKED_MS);
  }

  /** @param {KeyboardEvent} event */
  #pressed(event) {
    const id = this.#focused();
    const entity = id === null ? null : this.listing?.byId.get(id);
    if (!entity || !this.listing || event.ctrlKey || event.metaKey || event.altKey) return;
    const isRow = event.target === this.made.get(entity.id)?.row;
    const done = this.editing === entity.id ? this.#pressedInEdit(event) : isRow && this.#pressedInRow(event.key, entity);
    if (done) event.preventDefault();
  }

  /** @param {KeyboardEvent} event */
  #pressedInEdit({ key, target }) {
    if (key === "Escape") this.#cancel();
    else if (key === "Enter" && !(target instanceof HTMLButtonElement)) this.#save();
    else return false;
    return true;
  }

  /** @param {string} key @param {Entity} entity */
  #pressedInRow(key, entity) {
    const rows = this.listing?.rows ?? [];
    const step = stepOf(key, rows.length, Math.max(1, Math.floor(innerHeight / this.height) - 4));
    const at = (this.listing?.position(entity.id) ?? 0) + step;
    if (step) this.focus(rows[Math.min(rows.length - 1, Math.max(0, at))].id);
    const verb = verbOf(key, entity, this.actions, this.mayWrite);
    verb?.();
    return !!(step || verb);
  }
}
