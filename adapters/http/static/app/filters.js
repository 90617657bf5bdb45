/** What a list shows and in which order, as the query of the address. */
import { button, choice, element } from "./element.js";
import { today } from "./formats.js";
import { text } from "./texts.js";

/** What counts as little. */
export const LOW = 5;
const TYPING_MS = 200;

/** @type {Record<string, () => Record<string, string[]>>} by filter: the queries that it chooses between */
const CHOICES = {
  tasks: () => ({
    status: ["status[in]=pending,in_progress", "status=pending", "status=in_progress", "status=done", "status=cancelled"],
    priority: ["priority=high", "priority=normal", "priority=low"],
    due: [`due[lt]=${today()}`, `due[lte]=${today()}`, `due[gte]=${today()}&due[lte]=${today(7)}`, "due[null]=true"],
  }),
  products: () => ({ stock: [`stock[lte]=${LOW}`, "stock=0", "stock[null]=true"] }),
};

/**
 * @param {Collection} collection
 * @param {(query: URLSearchParams, isTyping: boolean) => void} changed
 */
export function filters(collection, changed) {
  let query = new URLSearchParams();
  let timer = 0;
  const search = element("input", { type: "search", id: "search", "aria-label": text("search"), placeholder: text("search"), oninput: later });
  const rest = element("div", { className: "filters" });
  const form = element("form", { role: "search", onsubmit: (event) => event.preventDefault() }, search, rest);

  function later() {
    clearTimeout(timer);
    timer = setTimeout(() => set(["q"], search.value ? `q=${encodeURIComponent(search.value)}` : "", true), TYPING_MS);
  }

  /** @param {string[]} names @param {string} wanted @param {boolean} [isTyping] */
  function set(names, wanted, isTyping = false) {
    const next = new URLSearchParams(query);
    for (const name of names) next.delete(name);
    for (const [name, value] of new URLSearchParams(wanted)) next.set(name, value);
    changed(next, isTyping);
  }

  /** @param {URLSearchParams} next */
  function show(next) {
    query = next;
    if (document.activeElement !== search) search.value = query.get("q") ?? "";
    const seen = new Set(["q", "sort", "limit"]);
    const selects = Object.entries(CHOICES[collection.name]()).map(([name, queries]) => {
      const owned = [...query].filter(([each]) => each.replace(/\[.*/, "") === name);
      const now = owned.map(([each, value]) => `${each}=${value}`).join("&");
      if (queries.includes(now)) owned.forEach(([each]) => seen.add(each));
      const names = queries.flatMap((each) => [...new URLSearchParams(each).keys()]);
      const options = [["", `${text(`field.${name}`)}: ${text("any")}`], ...queries.map((each, at) => [each, label(name, each, at)])];
      return chooser(`filter-${name}`, text(`field.${name}`), options, now, (wanted) => set(names, wanted));
    });
    const others = [...query].filter(([name]) => !seen.has(name));
    const chips = others.map(([name, value]) =>
      button(`${name}=${value} ✕`, () => set([name], ""), { className: "chip", "aria-label": text("filter.drop", { name }) }),
    );
    const focused = document.activeElement?.id;
    rest.replaceChildren(...selects, sorting(), ...chips);
    if (focused?.startsWith("filter-")) document.getElementById(focused)?.focus();
  }

  function sorting() {
    const fields = collection.fields.filter((each) => !each.unsorted);
    const options = fields.flatMap(({ name }) => ["", "-"].map((sign) => [sign + name, `${text(`field.${name}`)} ${sign ? "↓" : "↑"}`]));
    const now = query.get("sort") ?? "";
    const all = [["", `${text("sort")}: ${text("sort.id")}`], ...options, ...(now.includes(",") ? [[now, now]] : [])];
    return chooser("filter-sort", text("sort"), all, now, (wanted) => set(["sort"], wanted && `sort=${wanted}`));
  }

  return { form, search, show };
}

/** @param {string} name @param {string} query @param {number} at */
const label = (name, query, at) => text(/^(status|priority)=/.test(query) ? query.replace(/.*=/, "choice.") : `filter.${name}.${at}`);

/** @param {string} id @param {string} name @param {string[][]} options @param {string} now @param {(wanted: string) => void} chosen */
const chooser = (id, name, options, now, chosen) =>
  choice(options, now, {
    id,
    "aria-label": name,
    onchange: ({ target }) => chosen(target.value),
  });
