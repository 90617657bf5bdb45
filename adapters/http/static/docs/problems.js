/** Problems with their explanations. */

import { make, prose } from "./element.js";

/**
 * @param {import("./openapi.js").Problem[]} problems
 * @param {string} [prefix] of the ids of the entries; without one they have none
 */
export function problemList(problems, prefix) {
  const entries = problems.map(({ code, status, title, explanation }) =>
    make(
      "li",
      { id: prefix && `${prefix}${code}` },
      make("strong", {}, status),
      " ",
      make("a", { href: `problems/${code}` }, make("code", {}, code)),
      make("p", {}, `${title}: `, ...prose(explanation)),
    ),
  );
  return make("ul", { class: "problems" }, ...entries);
}
