/** A collection: what may be added to it, which part of it is shown, and the entity that is open. */
import { isFinal, isOurs } from "./client.js";
import { COLLECTIONS } from "./collections.js";
import { Editor } from "./editor.js";
import { button, element } from "./element.js";
import { follow, stop } from "./feed.js";
import { filters } from "./filters.js";
import { count as written } from "./formats.js";
import { Grid } from "./grid.js";
import { onKey } from "./keyboard.js";
import { listingOf } from "./listing.js";
import { say } from "./notices.js";
import { quickAdd } from "./quickadd.js";
import { address, go } from "./router.js";
import { text } from "./texts.js";
import { edit, moveStock, remove } from "./writes.js";

const AGAIN_MS = 2000;
const COUNT_MS = 1000; // after the last change

/** @param {string} name @param {HTMLElement} main @param {boolean} mayWrite @returns {View} */
export function collectionView(name, main, mayWrite) {
  const collection = COLLECTIONS[name];
  /** @type {Listing | null} */
  let listing = null;
  /** @type {Editor | null} */
  let editor = null;
  let query = "";
  let timer = 0;
  let counting = 0;

  /** @type {Grid} */
  const grid = new Grid(collection, {
    tick: (task) =>
      void edit(collection, task, { status: task.status === "done" ? "pending" : "done" }).catch(({ status }) => status === 412 && go(address(name, query, task.id))),
    move: (product, change) => void moveStock(product, change).catch(() => null),
    remove: (entity) => {
      const next = listing?.rows[(listing?.position(entity.id) ?? 0) + 1];
      void remove(collection, entity).then(() => next && grid.focus(next.id), () => null);
    },
    edit: ({ id }) => void grid.edit(id),
    open: (id) => go(address(name, query, id)),
    sort: (field) => {
      const sorted = new URLSearchParams(query);
      sorted.set("sort", sorted.get("sort") === field ? `-${field}` : field);
      go(address(name, sorted));
    },
    failed,
  });
  grid.mayWrite = mayWrite;
  const filter = filters(collection, (wanted, isTyping) => go(address(name, wanted), isTyping));
  const panel = element("aside", { className: "panel", "aria-label": text("details"), hidden: true, onkeydown: ({ key }) => key === "Escape" && go(address(name, query)) });
  const list = element("div", { className: "list" }, mayWrite ? quickAdd(collection) : null, filter.form, grid.root, grid.foot);
  filter.form.append(button(text("csv.export"), save));
  main.replaceChildren(element("h1", { className: "unseen" }, text(name)), element("div", { className: "collection" }, list, panel));
  onKey("/", "search", () => filter.search.focus());
  onKey("n", "add", () => document.getElementById("quick-add")?.focus());
  onKey("l", "keys.l", () => grid.active && grid.focus(grid.active));

  /** @param {unknown} error */
  function failed(error) {
    if (isFinal(error)) return say(error.message, { isError: true });
    clearTimeout(timer);
    timer = setTimeout(read, AGAIN_MS);
  }

  async function read() {
    const mine = (listing = listingOf(collection, query));
    stop();
    try {
      await mine.load();
    } catch (error) {
      return mine === listing && failed(error);
    }
    if (mine !== listing) return;
    grid.show(mine);
    const now = () => mine === listing;
    void follow(mine.changes, (changes) => now() && changed(changes), () => now() && read());
    count(mine);
  }

  /** @param {Listing} counted */
  async function count(counted) {
    if (!counted.next) return;
    await counted.count().catch(() => null);
    if (counted === listing) grid.render();
  }

  /** @param {Change[]} changes */
  function changed(changes) {
    editor?.apply(changes);
    if (!listing) return;
    const theirs = new Set(changes.filter((each) => !isOurs(each)).map((each) => each.id));
    void grid.change(listing.apply(changes), (id) => theirs.has(id)).catch(failed);
    clearTimeout(counting);
    counting = setTimeout(count, COUNT_MS, listing);
  }

  /** @param {number | null} id */
  async function open(id) {
    if (editor?.id === id || (!editor && !id)) return;
    const closed = editor?.id;
    editor = null;
    const top = grid.top;
    panel.hidden = !id;
    main.classList.toggle("opened", !!id);
    if (scrollY) scrollBy(0, grid.top - top); // what is above the list may have grown
    panel.replaceChildren();
    if (id && !list.offsetHeight) scrollTo(0, 0); // there is no room for both
    if (!id) return grid.focus(closed ?? 0);
    editor = new Editor(panel, collection, id, { close: () => go(address(name, query)), mayWrite });
    grid.active = id;
    await editor.open().catch((error) => say(String(error.message), { isError: true }));
  }

  /** Save the list as it is filtered and ordered. */
  async function save() {
    const { download } = await import("./table.js");
    const tell = (/** @type {string} */ key, /** @type {number} */ n) => say(text(key, { n, done: written(n) }));
    await download(name, query, (read) => tell("csv.exporting", read)).then((rows) => tell("csv.exported", rows), failed);
  }

  return {
    show(route) {
      const wanted = String(route.query);
      if (!listing || wanted !== query) {
        query = wanted;
        filter.show(route.query);
        void read();
      }
      void open(route.id);
    },
    apply(changes) {
      editor?.apply(changes);
      if (listing?.changes) void grid.change(listing.apply(/** @type {Change[]} */ (changes))).catch(failed);
    },
    waiting() {
      editor?.refresh();
      grid.render();
    },
    leave() {
      clearTimeout(timer);
      listing = null;
      stop();
      grid.leave();
    },
  };
}
