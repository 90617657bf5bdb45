/** The overview: what is overdue and due, what was done each day, which stock runs low, and what happened lately. */
import { ask } from "./client.js";
import { COLLECTIONS, entitiesOf } from "./collections.js";
import { element } from "./element.js";
import { followAll, LATELY, stop } from "./feed.js";
import { LOW } from "./filters.js";
import { count, shown, time, today } from "./formats.js";
import { attempt } from "./notices.js";
import { address } from "./router.js";
import { locale, text } from "./texts.js";

const WIDTH = 560;
const HEIGHT = 120;
const FOOT = 24;
const DAYS = 14;
const SOON_DAYS = 7;
const QUIET_MS = 300;
const OPEN = "status[in]=pending,in_progress";

const due = (/** @type {Entity} */ task) => shown({ name: "due", kind: "date" }, task.due);

/** @returns {Card[]} */
const cards = () => [
  { title: "overview.overdue", name: "tasks", query: `${OPEN}&due[lt]=${today()}&sort=due`, told: due },
  { title: "overview.due", name: "tasks", query: `${OPEN}&due[gte]=${today()}&due[lte]=${today(SOON_DAYS)}&sort=due`, told: due },
  { title: "overview.low", name: "products", query: `stock[lte]=${LOW}&sort=stock`, told: ({ stock }) => count(stock) },
];

/** @param {HTMLElement} main @returns {View} */
export function overview(main) {
  /** @type {Change[]} */
  let news = [];
  let timer = 0;
  const places = cards().map(() => element("section", { className: "card" }));
  const done = element("section", { className: "card wide" });
  const lately = element("section", { className: "card wide" });
  main.replaceChildren(element("h1", { className: "unseen" }, text("overview")), element("div", { className: "cards" }, places, done, lately));

  async function read() {
    tell(lately, news);
    await attempt(() => Promise.all([...cards().map((each, at) => fill(places[at], each)), plotDone(done)]));
  }

  /**
   * Read again once nothing has happened for a moment.
   * @param {Change[]} changes
   */
  function later(changes) {
    news = [...[...changes].reverse(), ...news].slice(0, LATELY);
    clearTimeout(timer);
    timer = setTimeout(read, QUIET_MS);
  }

  return {
    show: () => void followAll(later, (latest) => ((news = latest.reverse()), read())),
    apply: () => later([]),
    leave() {
      clearTimeout(timer);
      stop();
    },
  };
}

/** @param {HTMLElement} place @param {Card} card */
async function fill(place, { title, name, query, told }) {
  const collection = COLLECTIONS[name];
  const { body } = await ask("GET", `${name}?${query}&limit=${LATELY}&total=true`);
  const items = entitiesOf(collection, body).map((each) => entry(name, each, told(each)));
  const all = element("a", { href: address(name, new URLSearchParams(query)) }, count(body.total));
  place.replaceChildren(element("h2", {}, text(title), " ", all), items.length ? element("ul", {}, items) : element("p", {}, text("overview.none")));
}

/** @param {string} name @param {Entity} entity @param {string} told */
function entry(name, entity, told) {
  const link = element("a", { href: address(name, "", entity.id), dir: "auto" }, entity[COLLECTIONS[name].title]);
  return element("li", {}, link, element("span", {}, told));
}

/** @param {HTMLElement} place */
async function plotDone(place) {
  const days = Array.from({ length: DAYS }, (_, at) => at - DAYS + 1);
  const bars = await Promise.all(days.map(doneOn));
  place.replaceChildren(element("h2", {}, text("overview.done")), plot(text("overview.done"), bars));
}

/** @param {number} day from today */
async function doneOn(day) {
  const [from, to] = [day, day + 1].map((each) => new Date(`${today(each)}T00:00:00`));
  const { body } = await ask("GET", `tasks?completed_at[gte]=${from.toISOString()}&completed_at[lt]=${to.toISOString()}&limit=1&total=true`);
  const label = from.toLocaleDateString(locale, { weekday: "long", day: "numeric", month: "long" });
  return { label, short: from.toLocaleDateString(locale, { day: "numeric" }), value: body.total };
}

/** @param {HTMLElement} place @param {Change[]} latest */
function tell(place, latest) {
  const items = latest.map(({ type, data, at, actor }) => {
    const [prefix, verb] = type.split(".");
    const said = text(`history.${verb}`, { who: actor?.name ?? text("somebody") });
    return entry(`${prefix}s`, data, `${said}, ${time(at)}`);
  });
  place.replaceChildren(element("h2", {}, text("overview.lately")), items.length ? element("ul", {}, items) : element("p", {}, text("overview.none")));
}

/** @param {string} tag @param {Record<string, string | number>} attributes @param {...(Node | string)} children */
function svg(tag, attributes, ...children) {
  const made = document.createElementNS("http://www.w3.org/2000/svg", tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, String(value));
  made.append(...children);
  return made;
}

/**
 * A plot of bars, with its numbers for those who cannot see it.
 * @param {string} name
 * @param {{ label: string, short: string, value: number }[]} bars
 */
function plot(name, bars) {
  const most = Math.max(1, ...bars.map((each) => each.value));
  const step = WIDTH / bars.length;
  const drawn = bars.map(({ label, short, value }, at) => {
    const height = Math.round((value / most) * (HEIGHT - 2 * FOOT));
    const middle = { x: (at + 0.5) * step, "text-anchor": "middle" };
    return svg(
      "g",
      {},
      svg("title", {}, `${label}: ${count(value)}`),
      svg("rect", { x: at * step + 2, y: HEIGHT - FOOT - height, width: step - 4, height, rx: 2 }),
      svg("text", { ...middle, y: HEIGHT - FOOT - height - 4 }, value ? count(value) : ""),
      svg("text", { ...middle, y: HEIGHT - 4, class: "short" }, short),
    );
  });
  const told = `${name}: ${bars.map(({ label, value }) => `${label} ${count(value)}`).join(", ")}`;
  return svg("svg", { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, class: "plot", role: "img", "aria-label": told }, ...drawn);
}
