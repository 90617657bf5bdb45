/** What keys do on a row that has the focus. */

/**
 * @param {string} key
 * @param {number} all how many rows there are
 * @param {number} page how many of them fill the window
 * @returns {number} by how many rows the focus moves
 */
export function stepOf(key, all, page) {
  const steps = { ArrowDown: 1, j: 1, ArrowUp: -1, k: -1, PageDown: page, PageUp: -page, Home: -all, End: all };
  return /** @type {Record<string, number>} */ (steps)[key] ?? 0;
}

/**
 * @param {string} key
 * @param {import("./collections.js").Entity} entity
 * @param {import("./cells.js").Actions & { open: (id: number) => void }} actions
 * @param {boolean} mayWrite
 * @returns {(() => void) | undefined}
 */
export function verbOf(key, entity, actions, mayWrite) {
  const edit = () => actions.edit(entity);
  /** @type {Record<string, () => void>} */
  const verbs = { Enter: () => actions.open(entity.id) };
  if (mayWrite) Object.assign(verbs, { e: edit, F2: edit, Delete: () => actions.remove(entity) });
  if (mayWrite && "status" in entity) verbs[" "] = verbs.x = () => actions.tick(entity);
  if (mayWrite && entity.stock >= 0 && entity.stock !== null)
    Object.assign(verbs, { "+": () => actions.move(entity, 1), "-": () => actions.move(entity, -1) });
  return verbs[key];
}
