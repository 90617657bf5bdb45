/** A small plot of bars, with its numbers for those who cannot see it. */
import { count } from "./formats.js";

const WIDTH = 560;
const HEIGHT = 120;
const FOOT = 24;

/** @param {string} tag @param {Record<string, string | number>} attributes @param {...(Node | string)} children */
function svg(tag, attributes, ...children) {
  const made = document.createElementNS("http://www.w3.org/2000/svg", tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, String(value));
  made.append(...children);
  return made;
}

/**
 * @param {string} name
 * @param {{ label: string, short: string, value: number }[]} bars
 */
export function plot(name, bars) {
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
