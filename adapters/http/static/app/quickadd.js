/** One line that becomes an entity, shown as it will be understood. */
import { Problem } from "./client.js";
import { fieldOf } from "./collections.js";
import { recalled, remember } from "./drafts.js";
import { element } from "./element.js";
import { price, shown, today } from "./formats.js";
import { text, words } from "./texts.js";
import { create } from "./writes.js";

/** @type {Record<string, Record<string, (word: string) => [string, any] | null>>} */
const SIGNS = {
  tasks: {
    "!": (word) => known("priority", among(["low", "normal", "high"], word)),
    "@": (word) => known("due", date(word)),
  },
  products: {
    "=": (word) => known("price", price(word)),
    "+": (word) => known("stock", /^\d{1,10}$/.test(word) ? Number(word) : null),
    "#": (word) => known("category", word),
    "/": (word) => known("sku", word),
  },
};

/**
 * @param {Collection} collection @param {string} line
 * @returns {Record<string, any>} the entity that is meant; words that mean nothing special are its title
 */
export function understood(collection, line) {
  /** @type {Record<string, any>} */
  const found = {};
  const title = line.trim().split(/\s+/).filter((word) => {
    const meaning = SIGNS[collection.name][word[0]]?.(word.slice(1));
    if (meaning) found[meaning[0]] = meaning[1];
    return !meaning;
  });
  const last = title.length > 1 && collection.name === "products" && !("price" in found) ? price(title[title.length - 1]) : null;
  if (last) found.price = last;
  return { [collection.title]: (last ? title.slice(0, -1) : title).join(" "), ...found };
}

/** @param {Collection} collection */
export function quickAdd(collection) {
  const kept = `new ${collection.name}`;
  const line = element("input", {
    id: "quick-add",
    autocomplete: "off",
    dir: "auto",
    placeholder: text(`add.${collection.name}`),
    "aria-label": text("add"),
    "aria-describedby": "understood",
    value: recalled(kept) ?? "",
    oninput: () => tell(),
  });
  const meaning = element("p", { id: "understood", role: "status" });
  const form = element("form", { className: "add", onsubmit: submitted }, line, element("button", {}, text("add")), meaning);

  function tell() {
    remember(kept, line.value);
    const entity = line.value.trim() ? Object.entries(understood(collection, line.value)) : [];
    meaning.classList.remove("wrong");
    meaning.replaceChildren(
      ...(entity.length ? [] : [text(`hint.${collection.name}`)]),
      ...entity.map(([name, value]) =>
        element("span", { className: "chip" }, `${text(`field.${name}`)}: `, element("b", {}, shown(fieldOf(collection, name), value))),
      ),
    );
  }

  /** @param {Event} event */
  async function submitted(event) {
    event.preventDefault();
    const sent = line.value;
    if (!sent.trim()) return;
    line.value = "";
    tell();
    try {
      await create(collection, understood(collection, sent));
    } catch (problem) {
      if (!(problem instanceof Problem)) throw problem;
      line.value ||= sent;
      tell();
      meaning.classList.add("wrong");
      meaning.textContent = problem.message;
    }
  }

  tell();
  return form;
}

/** @param {string} name @param {any} value @returns {[string, any] | null} */
const known = (name, value) => (value === null || value === "" ? null : [name, value]);

/**
 * The one of some words that begins like this.
 * @param {string[]} names @param {string} word @returns {string | null}
 */
function among(names, word) {
  const typed = word.toLowerCase();
  const fits = names.filter((name) => [name, ...(words[name] ?? [])].some((each) => typed && each.startsWith(typed)));
  const exact = fits.find((name) => [name, ...(words[name] ?? [])].includes(typed));
  return exact ?? (fits.length === 1 ? fits[0] : null);
}

/** @param {string} word @returns {string | null} */
function date(word) {
  if (/^\d{4}-\d\d-\d\d$/.test(word)) return word;
  if (/^\+?\d{1,3}$/.test(word)) return today(Number(word));
  const named = among(["today", "tomorrow", "0", "1", "2", "3", "4", "5", "6"], word);
  if (named === "today" || named === "tomorrow") return today(named === "today" ? 0 : 1);
  return named === null ? null : today(((Number(named) - new Date().getDay() + 6) % 7) + 1); // the next such day, not today
}
