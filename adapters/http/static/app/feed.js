/** Every change since a list was read, as it happens. After a break it goes on behind the last cursor. */
import { ask, request } from "./client.js";
import { attempt } from "./notices.js";

const SILENCE_MS = 40_000; // the service says something every 15 s
/** How many of the newest changes are told. */
export const LATELY = 8;
const AGAIN_MS = 5000;
const PAUSES_MS = [300, 1000, 2000, 5000];

/** @type {AbortController | null} */
let current = null;
/** @type {(state: State) => void} */
let told = () => {};
let wake = () => {};

/** @param {(state: State) => void} tell */
export const onState = (tell) => void (told = tell);

/** Try again now. */
export const retry = () => wake();

addEventListener("online", retry);
document.addEventListener("visibilitychange", retry);

/**
 * Follow the changes behind a list, instead of those that were followed before.
 * @param {string} changes the list's `changes` URL
 * @param {(changes: Change[]) => void} apply
 * @param {() => void} reset when what happened meanwhile is no longer known
 */
export async function follow(changes, apply, reset) {
  stop();
  const mine = (current = new AbortController());
  const url = changes.replace("/changes?", "/changes/stream?");
  let cursor = "";
  for (let failures = 0; current === mine; failures++) {
    if (document.hidden) {
      // A browser has few connections for one host, and a hidden page needs none.
      told("paused");
      await pause(1 << 30);
      failures = -1;
      continue;
    }
    told(failures ? "broken" : "connecting");
    try {
      for await (const events of stream(url, cursor, mine.signal)) {
        failures = 0;
        told("live");
        cursor = events.at(-1)?.id ?? cursor;
        if (events.some((each) => each.event === "reset")) return reset();
        const news = events.filter((each) => each.data).map((each) => JSON.parse(each.data ?? ""));
        if (news.length && current === mine) apply(news);
      }
    } catch (error) {
      if (error instanceof RangeError) return reset();
    }
    if (current === mine && !document.hidden) {
      told("broken");
      await pause(PAUSES_MS[Math.min(failures, PAUSES_MS.length - 1)]);
    }
  }
}

/**
 * Follow everything from now on.
 * @param {(changes: Change[]) => void} apply what happens
 * @param {(latest: Change[]) => unknown} [begin] is called before, and again when what happened meanwhile is no longer known
 * @returns {Promise<void>}
 */
export async function followAll(apply, begin = () => {}) {
  stop();
  const mine = (current = new AbortController());
  const now = await ask("GET", `changes?last=${LATELY}`).catch(() => null);
  if (current !== mine) return;
  if (now) {
    void begin(now.body.changes);
    return follow(`./changes?after=${now.body.cursor}`, apply, () => void followAll(apply, begin));
  }
  told("broken");
  await pause(PAUSES_MS[1]);
  if (current === mine) return followAll(apply, begin);
}

/**
 * Show something again whenever something happens, and now and then.
 * @param {() => Promise<void>} read
 * @returns {() => void} ends it
 */
export function refreshed(read) {
  const again = () => void read().catch(() => null); // the state of the connection is seen
  void followAll(again, () => attempt(read));
  const timer = setInterval(() => document.hidden || again(), AGAIN_MS);
  return () => (stop(), clearInterval(timer));
}

/** Follow nothing. */
export function stop() {
  current?.abort();
  current = null;
  wake();
}

/** @param {number} ms */
const pause = (ms) =>
  new Promise((done) => {
    const timer = setTimeout(done, ms);
    wake = () => (clearTimeout(timer), done(undefined));
  });

/**
 * @param {string} url @param {string} cursor @param {AbortSignal} signal
 * @returns {AsyncGenerator<Record<string, string>[]>} what came at once
 */
async function* stream(url, cursor, signal) {
  const silence = new AbortController();
  const end = () => silence.abort();
  const once = { signal: silence.signal };
  let timer = setTimeout(end, SILENCE_MS);
  document.addEventListener("visibilitychange", () => document.hidden && end(), once);
  addEventListener("offline", end, once); // a connection that was cut says nothing for a while
  signal.addEventListener("abort", end, once);
  try {
    const headers = { Accept: "text/event-stream", ...(cursor && { "Last-Event-ID": cursor }) };
    const answer = await request(url, { headers, ...once });
    if (answer.status === 400 || answer.status === 410) throw new RangeError("the cursor is not known");
    if (!answer.ok || !answer.body) throw new Error(String(answer.status));
    const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader();
    yield [];
    for (let rest = ""; ; ) {
      const { done, value } = await reader.read();
      if (done) return;
      clearTimeout(timer);
      timer = setTimeout(end, SILENCE_MS);
      const parts = (rest + value).split("\n\n");
      rest = /** @type {string} */ (parts.pop());
      if (parts.length) yield parts.map(parsed);
    }
  } finally {
    clearTimeout(timer);
    end();
  }
}

/** @param {string} event */
const parsed = (event) =>
  Object.fromEntries(
    event
      .split("\n")
      .filter((line) => line && !line.startsWith(":"))
      .map((line) => [line.slice(0, line.indexOf(":")), line.slice(line.indexOf(":") + 2)]),
  );
