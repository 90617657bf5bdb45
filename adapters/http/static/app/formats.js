/** Values as people read and type them. */
import { locale, text } from "./texts.js";

/**
 * A formatter is made when it is first needed: each takes some milliseconds, and the first view needs few.
 * @template T @param {() => T} make @returns {() => T}
 */
function once(make) {
  /** @type {T | undefined} */
  let made;
  return () => (made ??= make());
}

const latin = String(new Intl.Locale(locale, { numberingSystem: "latn" }));
const money = once(() => new Intl.NumberFormat(latin, { minimumFractionDigits: 2, maximumFractionDigits: 2 }));
const whole = once(() => new Intl.NumberFormat(latin));
const day = once(() => new Intl.DateTimeFormat(locale, { dateStyle: "medium", timeZone: "UTC" }));
const dayOfYear = once(() => new Intl.DateTimeFormat(locale, { day: "numeric", month: "short", timeZone: "UTC" }));
const moment = once(() => new Intl.DateTimeFormat(locale, { dateStyle: "medium", timeStyle: "short" }));
const near = once(() => new Intl.RelativeTimeFormat(locale, { numeric: "auto" }));
const part = (/** @type {string} */ type) => money().formatToParts(1234567.5).find((each) => each.type === type)?.value ?? "";

/** @param {number} n */
export const count = (n) => whole().format(n);

/**
 * The reader's date, some days from today.
 * @param {number} [days]
 */
export function today(days = 0) {
  const now = new Date();
  now.setDate(now.getDate() + days);
  return [now.getFullYear(), now.getMonth() + 1, now.getDate()].map((each) => String(each).padStart(2, "0")).join("-");
}

/** @param {string} date */
function readableDate(date) {
  const days = Math.round((Date.parse(date) - Date.parse(today())) / 86_400_000);
  if (Math.abs(days) <= 1) return near().format(days, "day");
  return (date.slice(0, 4) === today().slice(0, 4) ? dayOfYear : day)().format(new Date(date));
}

/** @param {string | null} at */
export const time = (at) => (at ? moment().format(new Date(at)) : "–");

/**
 * A value to read.
 * @param {Field} field @param {any} value @returns {string}
 */
export function shown(field, value) {
  if (value === null || value === undefined || value === "") return "–";
  if (field.kind === "choice") return text(`choice.${value}`);
  if (field.kind === "date") return readableDate(value);
  if (field.kind === "time") return time(value);
  if (field.kind === "price") return money().format(value);
  return field.kind === "count" ? whole().format(value) : String(value);
}

/**
 * A value to edit.
 * @param {Field} field @param {any} value @returns {string}
 */
export function typed(field, value) {
  if (value === null || value === undefined) return "";
  return field.kind === "price" ? money().format(value).replaceAll(part("group"), "") : String(value);
}

/**
 * What was typed, as the service takes it. What cannot be read is sent as it is, and the service says what is wrong.
 * @param {Field} field
 * @param {string} input
 * @returns {any}
 */
export function meant(field, input) {
  if (field.kind === "price") return price(input) ?? input;
  if (input.trim() === "" && !field.required && field.kind !== "lines") return null;
  if (field.kind === "count") return /^\d{1,15}$/.test(input.trim()) ? Number(input) : input;
  return input;
}

/**
 * The exact decimal of a price as the reader writes it; null if it is none. It never becomes a floating-point number.
 * @param {string} input
 * @returns {string | null}
 */
export function price(input) {
  const digits = input.replace(/[\s'’]/g, "");
  const group = part("group");
  const parts = digits.split(part("decimal"));
  if (group.trim() && parts.length <= 2 && new RegExp(`^\\d{1,3}(\\${group}\\d{3})+$`).test(parts[0]))
    return price(digits.replaceAll(group, ""));
  return /^\d+([.,]\d{1,2})?$/.test(digits) ? digits.replace(",", ".") : null;
}
