/** What happened, said once: seen at the foot of the page, and read aloud. */
import { isFinal, Problem } from "./client.js";
import { button, element } from "./element.js";
import { text } from "./texts.js";

const shown = element("div", { className: "notice", role: "status", hidden: true });
document.body.append(shown);
let undo = () => {};

/** @param {string} message @param {{ action?: string, run?: () => void, isError?: boolean }} [options] */
export function say(message, options = {}) {
  const { action, run = () => {}, isError = false } = options;
  const once = () => (hush(), run());
  undo = action === text("undo") ? once : () => {};
  shown.setAttribute("role", isError ? "alert" : "status");
  shown.classList.toggle("error", isError);
  shown.replaceChildren(
    element("span", {}, message),
    ...(action ? [button(action, once)] : []),
    button("✕", hush, { className: "quiet", "aria-label": text("dismiss") }),
  );
  shown.hidden = false;
}

/**
 * Do something that the service may refuse, and say why it does.
 * @template T
 * @param {() => Promise<T>} action
 * @returns {Promise<T | undefined>}
 */
export async function attempt(action) {
  try {
    return await action();
  } catch (error) {
    if (isFinal(error) || !(error instanceof Problem)) say(/** @type {Error} */ (error).message, { isError: true });
    return undefined;
  }
}

/** Undo what the notice that is shown is about. */
export const undoLast = () => undo();

function hush() {
  shown.hidden = true;
  undo = () => {};
}
