/** The address: which view is shown, with which query, and which entity is open. The query is the one of the list. */

/** @type {(route: Route) => void} */
let shown = () => {};

/** @returns {Route} */
export const route = () => ({
  view: location.pathname.split("/").pop() || "tasks",
  query: new URLSearchParams(location.search),
  id: /^#[1-9]\d*$/.test(location.hash) ? Number(location.hash.slice(1)) : null,
});

/** @param {string} view @param {URLSearchParams | string} [query] @param {number | null} [id] */
export function address(view, query = "", id = null) {
  const readable = String(query).replaceAll("%5B", "[").replaceAll("%5D", "]").replaceAll("%2C", ",");
  return view + (readable && `?${readable}`) + (id ? `#${id}` : "");
}

/** @param {string} url @param {boolean} [replace] whether "back" skips the present address */
export function go(url, replace = false) {
  history[replace ? "replaceState" : "pushState"](null, "", url);
  shown(route());
}

/** @param {(route: Route) => void} show */
export function start(show) {
  shown = show;
  addEventListener("popstate", () => shown(route()));
  addEventListener("click", (event) => {
    const link = event.target instanceof Element ? event.target.closest("a") : null;
    if (!link || link.target || link.download || event.button || event.ctrlKey || event.metaKey || event.shiftKey) return;
    const inside = new URL(".", location.href).href;
    if (!link.href.startsWith(inside) || event.defaultPrevented) return;
    event.preventDefault();
    if (link.href !== location.href) go(link.href);
  });
  shown(route());
}
