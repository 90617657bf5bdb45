/** Who one is. A key is shown once; from then on the browser has a cookie. */
import { ask, onEntered, Problem } from "./client.js";
import { element } from "./element.js";
import { text } from "./texts.js";

/** @returns {Promise<Grant>} */
export const who = async () => (await ask("GET", "session")).body;

export const logOut = () => ask("DELETE", "session");

/** @param {string} key to log in with; none is asked for then */
export async function letIn(key) {
  await ask("POST", "session", { body: { key } });
  onEntered();
  document.getElementById("log-in")?.remove();
}

/** @param {() => void} entered */
export function logIn(entered) {
  if (document.getElementById("log-in")) return;
  const key = element("input", { id: "key", type: "password", autocomplete: "current-password", required: true });
  const wrong = element("p", { className: "wrong", role: "alert" });
  const form = element(
    "form",
    {
      onsubmit: async (event) => {
        event.preventDefault();
        try {
          await letIn(key.value.trim());
        } catch (error) {
          wrong.textContent = error instanceof Problem ? error.message : text("state.broken");
          return key.focus();
        }
        entered();
      },
    },
    element("h2", { id: "log-in-title" }, text("login")),
    element("p", {}, text("login.hint")),
    element("label", { htmlFor: "key" }, text("key")),
    key,
    wrong,
    element("button", { className: "primary" }, text("login")),
  );
  const dialog = element("dialog", { id: "log-in", "aria-labelledby": "log-in-title", oncancel: (event) => event.preventDefault() }, form);
  document.body.append(dialog);
  dialog.showModal();
}
