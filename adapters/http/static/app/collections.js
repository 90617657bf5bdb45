/** @type {Field[]} */
const TIMES = [
  { name: "created_at", kind: "time", fixed: true },
  { name: "updated_at", kind: "time", fixed: true },
];

/** @type {Record<string, Collection>} */
export const COLLECTIONS = {
  tasks: {
    name: "tasks",
    type: "task",
    title: "title",
    columns: ["title", "priority", "due", "status"],
    fields: [
      { name: "title", kind: "text", required: true },
      { name: "status", kind: "choice", choices: ["pending", "in_progress", "done", "cancelled"] },
      { name: "priority", kind: "choice", choices: ["low", "normal", "high"] },
      { name: "due", kind: "date" },
      { name: "notes", kind: "lines", unsorted: true },
      { name: "completed_at", kind: "time", fixed: true },
      ...TIMES,
    ],
  },
  products: {
    name: "products",
    type: "product",
    title: "name",
    columns: ["name", "category", "sku", "price", "stock"],
    fields: [
      { name: "name", kind: "text", required: true },
      { name: "price", kind: "price", required: true },
      { name: "category", kind: "text" },
      { name: "sku", kind: "text" },
      { name: "stock", kind: "count" },
      { name: "description", kind: "lines", unsorted: true },
      ...TIMES,
    ],
  },
};

/** @param {Collection} collection */
export const writable = (collection) => collection.fields.filter((each) => !each.fixed);

/** @param {Collection} collection @param {string} name */
export const fieldOf = (collection, name) => /** @type {Field} */ (collection.fields.find((each) => each.name === name));

/**
 * The entities of a list's answer, in order.
 * @param {Collection} collection @param {any} answer @returns {Entity[]}
 */
export const entitiesOf = ({ name }, answer) =>
  answer.ids ? answer.ids.map((/** @type {number} */ id) => answer[name][id]) : answer[name];
