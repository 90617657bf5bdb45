/** The page: its frame, and the view that its address names. */
import { onUnauthorized } from "./client.js";
import { collectionView } from "./collection_view.js";
import { typedBy } from "./drafts.js";
import { button, element, renew } from "./element.js";
import { onState, retry } from "./feed.js";
import { help, onKey } from "./keyboard.js";
import { say, undoLast } from "./notices.js";
import { forget, hurry, sendAs, waiting, watch } from "./outbox.js";
import { go, route, start } from "./router.js";
import { logIn, logOut, who } from "./session.js";
import { text } from "./texts.js";
import { settled } from "./writes.js";

const FOR_ADMINS = ["access", "webhooks"];
const mayWrite = (/** @type {Grant} */ { scope }) => scope !== "read";

/**
 * The views by the names in their addresses. Those that are seldom opened are loaded then.
 * @type {Record<string, Opener>}
 */
const VIEWS = {
  tasks: (main, grant) => collectionView("tasks", main, mayWrite(grant)),
  products: (main, grant) => collectionView("products", main, mayWrite(grant)),
  overview: async (main) => (await import("./overview.js")).overview(main),
  csv: async (main, grant) => (await import("./csv_view.js")).csvView(main, mayWrite(grant)),
  access: async (main, { by }) => (await import("./access_view.js")).accessView(main, by === null, () => enter(false)),
  webhooks: async (main) => (await import("./webhooks_view.js")).webhooksView(main),
};

/** @type {View | null} */
let view = null;
let name = "";
const GRANT = "backroom:grant";
/**
 * What one might do the last time, so that the view need not wait until that is known again.
 * @type {Grant}
 */
let grant = JSON.parse(localStorage.getItem(GRANT) ?? '{"key":null,"scope":"admin","by":null}');

sendAs(grant.key?.id ?? null, false);
typedBy(grant.key?.id);

const main = element("main", { id: "main", tabIndex: -1 });
const links = Object.keys(VIEWS).map((each) => element("a", { href: each }, text(each)));
const state = element("span", { className: "connection", role: "status" });
const outbox = element("details", { className: "outbox", hidden: true });
const me = element("span", { className: "me" });
document.body.prepend(
  element("a", { className: "skip", href: "#main", onclick: skip }, text("skip")),
  element("header", { className: "top" }, element("nav", { "aria-label": text("views") }, links), outbox, state, me, button("?", help, { className: "quiet", "aria-label": text("keys") })),
  main,
);

/** @param {Event} event */
function skip(event) {
  event.preventDefault();
  main.focus();
}

async function show(/** @type {Route} */ now) {
  const wanted = now.view in VIEWS ? now.view : "tasks";
  for (const link of links) link.ariaCurrent = link.getAttribute("href") === wanted ? "page" : null;
  if (wanted !== name) {
    name = wanted;
    links[Object.keys(VIEWS).indexOf(name)].scrollIntoView({ block: "nearest", inline: "nearest" });
    document.title = `${text(name)} · backroom`;
    view?.leave();
    view = null;
    main.className = "";
    const opened = await VIEWS[name](main, grant);
    if (name !== wanted) return opened.leave();
    view = opened;
  }
  view?.show(now);
}

/**
 * Find out who one is.
 * @param {boolean} anew whether to begin anew if that is somebody else; the view of a new key goes on showing it
 */
async function enter(anew = true) {
  const before = JSON.stringify(grant);
  try {
    const { key, scope, by } = await who();
    grant = { key, scope, by };
  } catch {
    return; // a key is asked for, or the connection's state says what is wrong
  }
  typedBy(grant.key?.id);
  sendAs(grant.key?.id ?? null, true);
  main.hidden = false;
  localStorage.setItem(GRANT, JSON.stringify(grant));
  if (anew && JSON.stringify(grant) !== before) {
    name = "";
    void show(route());
  }
  for (const link of links) link.hidden = FOR_ADMINS.includes(link.getAttribute("href") ?? "") && grant.scope !== "admin";
  renew(me, grant.key?.name ?? "", ...(grant.by === "session" ? [" ", button(text("logout"), leave, { className: "quiet" })] : []));
}

async function leave() {
  await logOut();
  localStorage.removeItem(GRANT);
  location.reload();
}

function showWaiting() {
  const writes = waiting();
  outbox.hidden = !writes.length;
  const items = writes.map((each) => element("li", { id: each.key }, each.label, " ", button(text("forget"), () => forget(each), { className: "quiet" })));
  renew(outbox, element("summary", {}, text("waiting", { n: writes.length })), element("ul", {}, items));
  view?.waiting?.();
}

onState((now) => {
  state.textContent = text(`state.${now}`);
  state.dataset.state = now;
  if (now === "live") void enter().then(hurry); // another person may have logged in meanwhile
});
onUnauthorized(() => {
  main.hidden = true; // whoever comes next may be somebody else
  logIn(async () => {
    await enter();
    retry();
    hurry();
    view?.show(route());
    showWaiting();
  });
});
onKey("1", "tasks", () => go("tasks"));
onKey("2", "products", () => go("products"));
onKey("u", "undo", undoLast);
watch({
  answered(write, body, problem) {
    retry(); // the service is there again
    const changes = settled(write, body, problem); // also while no view is open
    view?.apply?.(changes);
  },
  changed: showWaiting,
});
addEventListener("unhandledrejection", ({ reason }) => say(String(reason?.message ?? reason), { isError: true }));
void enter();
start((now) => void show(now));
