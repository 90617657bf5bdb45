/** Writes on their way. One without an answer is sent again with the same key, also after a reload, until it has one. */
import { ask, isFinal, NoAnswer, Problem, unique } from "./client.js";

const PREFIX = "backroom:write:";
const SHORTEST_S = 0.3;
const LONGEST_S = 10;
/** @type {Write[]} */
const queue = stored();
/** @type {Map<string, { resolve: (body: any) => void, reject: (error: unknown) => void }>} */
const callers = new Map();
/** @type {(write: Write, entity: any, problem: Problem | null) => void} */
let answered = () => {};
let changed = () => {};
let running = false;
/**
 * The versions that our own changes made, by the entity and the version before: no conflict with what was typed on that.
 * @type {Map<string, number>}
 */
const ours = new Map();
/** @type {number | null} the key of whoever uses this browser */
let sender = null;
let isKnown = false;
let wake = () => {};

let pause = 0;

addEventListener("online", hurry);

/**
 * @param {{ answered: typeof answered, changed: () => void }} watcher is told of each answer, and of what waits
 */
export function watch(watcher) {
  ({ answered, changed } = watcher);
  changed();
  void run();
}

/**
 * Say whose key this browser uses. Nothing is sent before that is known for certain.
 * @param {number | null} key
 * @param {boolean} isCertain
 */
export function sendAs(key, isCertain) {
  sender = key;
  isKnown = isCertain;
  changed();
  void run();
}

/** What waits for an answer, in order. Nobody sees what others could not send; without a key it is anybody's. */
export const waiting = () => queue.filter(({ by }) => by == null || by === sender);

/**
 * Tell whether something waits for an entity.
 * @param {string} path
 */
export const waits = (path) => waiting().some((each) => each.path === path || each.path.startsWith(`${path}/`));

/**
 * Send a write, after those before it. What waits longer stays in the outbox.
 * @param {Omit<Write, "key" | "at" | "by">} write
 * @returns {Promise<any>} the answer's body; it rejects with a `Problem`
 */
export function submit(write) {
  const version = ours.get(`${entityOf(write.path)}@${write.version}`) ?? write.version;
  const whole = { ...write, version, key: unique(), at: Date.now(), by: sender };
  queue.push(whole);
  localStorage.setItem(PREFIX + whole.key, JSON.stringify(whole));
  changed();
  return new Promise((resolve, reject) => {
    callers.set(whole.key, { resolve, reject });
    void run();
  });
}

/**
 * Give a write up. The service may have done it.
 * @param {Write} write
 */
export function forget(write) {
  queue.splice(queue.indexOf(write), 1);
  localStorage.removeItem(PREFIX + write.key);
  changed();
}

/** Try again soon. */
export function hurry() {
  pause = SHORTEST_S;
  wake();
}

async function run() {
  if (running) return;
  running = true;
  pause = SHORTEST_S;
  try {
    for (let write = next(); write; write = next()) await send(write);
  } finally {
    running = false;
  }
}

const next = () => (isKnown ? waiting()[0] : undefined);

/** @param {Write} write */
async function send(write) {
  /** @type {any} */
  let body = null;
  let problem = null;
  try {
    const headers = { "Idempotency-Key": write.key, ...(write.version && { "If-Match": matching(write.version) }) };
    ({ body } = await ask(write.method, write.path, { body: write.body, headers }));
  } catch (error) {
    if (isFinal(error)) problem = error;
    else {
      if (error instanceof Problem) isKnown = false;
      changed();
      await sleep(Math.max(pause, error instanceof NoAnswer ? error.wait || 0 : 0));
      pause = Math.min(2 * pause, LONGEST_S);
      return;
    }
  }
  pause = SHORTEST_S;
  settle(write, body, problem);
}

/** @param {string} path */
const entityOf = (path) => path.split("/", 2).join("/");

/** @param {Write} write @param {any} body @param {Problem | null} problem */
function settle(write, body, problem) {
  if (!queue.includes(write)) return;
  if (body?.version) ours.set(`${entityOf(write.path)}@${body.version - 1}`, body.version);
  for (const later of queue)
    // Our own earlier change of the same entity is no conflict.
    if (later !== write && body?.version && later.version === body.version - 1 && entityOf(later.path) === entityOf(write.path)) {
      later.version = body.version;
      localStorage.setItem(PREFIX + later.key, JSON.stringify(later));
    }
  forget(write);
  answered(write, body, problem);
  const caller = callers.get(write.key);
  callers.delete(write.key);
  if (problem) caller?.reject(problem);
  else caller?.resolve(body);
}

/** @param {number | "*"} version */
const matching = (version) => (version === "*" ? "*" : `"${version}"`);

/** @param {number} seconds */
const sleep = (seconds) =>
  new Promise((done) => {
    const timer = setTimeout(done, 1000 * seconds);
    wake = () => (clearTimeout(timer), done(undefined));
  });

/**
 * What an earlier page did not finish.
 * @returns {Write[]}
 */
function stored() {
  const names = Object.keys(localStorage).filter((each) => each.startsWith(PREFIX));
  const writes = names.map((each) => JSON.parse(localStorage.getItem(each) ?? ""));
  return writes.sort((one, other) => one.at - other.at);
}
