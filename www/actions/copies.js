/**
 * The copies of dropped weights on this device: made in the background.
 * @module
 */

/** @typedef {import('../app.js').App} App */
/** @typedef {import('../document/models.js').Entry} Entry */
/** @typedef {import('../worker/protocol.js').KeptModel} KeptModel */

/** Which copy a file is. @type {WeakMap<Blob, string>} */
const copies = new WeakMap();

/** A file is this copy, or has one. @param {Blob} blob @param {string} id */
export function isCopy(blob, id) {
  copies.set(blob, id);
}

/** @param {App} app */
export async function listRecent(app) {
  if (!app.settings.isKeeping || app.storeFault) return;
  app.recent = await app.shelf.request({ kind: 'model-list' }).catch(() => []);
  app.keptChanged();
}

/** Those that are not loaded. @param {App} app @returns {KeptModel[]} */
export function recentOnes(app) {
  const loaded = new Set(app.models.entries.flatMap(copiesOf));
  return app.recent.filter(({ id }) => !loaded.has(id));
}

/** The copies of an entry's files. @param {Entry} entry @returns {string[]} */
export function copiesOf({ blob, partners }) {
  return [blob, ...partners.map((each) => each.blob)].flatMap((each) => (each && copies.get(each)) ?? []);
}

/**
 * Copies a file that was just read to this device. Where there is no room, it is not kept, and nothing is lost by that.
 * @param {App} app
 * @param {Blob} blob
 * @param {Omit<import('../worker/protocol.js').AboutModel, 'modified'>} about
 */
export async function keepModel(app, blob, about) {
  if (!app.settings.isKeeping || app.storeFault || copies.has(blob)) return;
  try {
    const modified = blob instanceof File ? blob.lastModified : 0;
    copies.set(blob, await app.shelf.request({ kind: 'model-keep', blob, about: { ...about, modified } }));
    app.keeper.touch();
    await listRecent(app);
  } catch {
    // It serves this visit and can be dropped again.
  }
}
