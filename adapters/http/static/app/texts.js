/** What the page says, in the reader's language. A translation is one more file in `texts/`, and its name here. */
const LANGUAGES = ["en", "de"];

const wanted = navigator.languages.find((each) => LANGUAGES.includes(each.split("-")[0])) ?? "en";
/** How numbers and dates are written. */
export const locale = navigator.languages[0] ?? wanted;
/** @type {{ TEXTS: Record<string, any>, WORDS: Record<string, string[]> }} */
const { TEXTS, WORDS } = await import(`./texts/${wanted.split("-")[0]}.js`);
const plural = new Intl.PluralRules(wanted);

document.documentElement.lang = wanted;
document.documentElement.dir = TEXTS.direction;

/** The words that quick add understands, by what they mean. */
export const words = WORDS;

/**
 * @param {string} key
 * @param {Record<string, any>} [values] for the names in braces; `n` also chooses the plural
 * @returns {string}
 */
export function text(key, values = {}) {
  const found = TEXTS[key] ?? key;
  const chosen = typeof found === "string" ? found : found[plural.select(values.n)] ?? found.other;
  return chosen.replace(/\{(\w+)\}/g, (/** @type {string} */ _, /** @type {string} */ name) => values[name]);
}
