/**
 * Weights that are kept on this device: chosen again without dropping them.
 * @module
 */
import { NONE } from '../document/models.js';
import { text } from '../strings/index.js';
import { copiesOf, isCopy, listRecent } from './copies.js';
import { chooseModel } from './shipped.js';
import { takeKept } from './own_network.js';
import { loadFile } from './weights.js';

/** @typedef {import('../app.js').App} App */
/** @typedef {import('../worker/protocol.js').KeptModel} KeptModel */

/**
 * Reads a kept file again.
 * @param {App} app
 * @param {string} id
 * @returns {Promise<boolean>} whether it is loaded
 */
export async function chooseRecent(app, id) {
  const known = app.recent.find((each) => each.id === id);
  if (!known) return false;
  app.say(text.reading(known.file));
  /** @type {{file: File, about: KeptModel} | null} */
  const kept = await app.shelf.request({ kind: 'model-open', model: id }).catch(() => null);
  if (!kept) {
    app.fail(text.recentGone(known.file));
    await listRecent(app);
    return false;
  }
  isCopy(kept.file, id);
  const { file, byPosition, paste } = kept.about;
  if (paste) await takeKept(app, kept.file, file, paste);
  else await loadFile(app, kept.file, file, byPosition);
  await listRecent(app);
  return app.models.entries.some((entry) => copiesOf(entry).includes(id));
}

/** @param {App} app @param {KeptModel} model */
export async function removeRecent(app, { id, file }) {
  const succeed = app.begin();
  app.recent = app.recent.filter((each) => each.id !== id);
  await app.shelf.request({ kind: 'model-forget', model: id }).catch(() => {});
  succeed(text.recentRemoved(file));
  await listRecent(app);
}

/** How the selected model is found again in another visit. @param {App} app */
export function modelToKeep(app) {
  const { selected } = app.models;
  const isOwn = !selected.shipped && selected.handle !== NONE;
  return isOwn ? { copies: copiesOf(selected), options: selected.options } : { handle: selected.handle, options: selected.options };
}

/**
 * Selects the model that a work was left with, as far as it is still there.
 * @param {App} app
 * @param {any} kept what `modelToKeep` gave
 * @returns {Promise<boolean>} whether something was said
 */
export async function selectKept(app, kept) {
  const { models } = app;
  const before = models.selected;
  if (Array.isArray(kept?.copies)) {
    // Its weights are not kept: a pasted class has them, or there was no room.
    if (!kept.copies.length) return false;
    if (!app.recent.length) await listRecent(app);
    for (const id of kept.copies) if (!(await chooseRecent(app, String(id)))) return models.selected !== before;
  } else if (typeof kept?.handle === 'string' && models.find(kept.handle)) {
    if (kept.handle !== before.handle) await chooseModel(app, kept.handle);
  } else {
    return false;
  }
  if (kept.options && typeof kept.options === 'object') models.selected.options = { ...kept.options };
  models.touch();
  return models.selected !== before;
}
