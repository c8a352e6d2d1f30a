/**
 * Checking the fast engine against the reference, on the hole at hand: a build of its own, fetched when asked for.
 * @module
 */
import { text } from '../strings/index.js';
import { Failure } from '../worker/protocol.js';
import { keyOf, optionsFor } from './fill.js';

/** @typedef {import('../app.js').App} App */
/** @typedef {import('../worker/protocol.js').Check} Check */

/**
 * Why nothing can be checked now; empty if it can.
 * @param {App} app
 * @returns {string}
 */
export function cannotCheck({ document, models }) {
  if (!models.selected.blob) return text.checkNeedsModel;
  if (models.selected.paste || models.selected.isGraph) return text.checkNoClass;
  return !document || document.mask.isEmpty ? text.checkNeedsHole : '';
}

/**
 * Runs the selected model on both engines.
 * @param {App} app
 * @param {AbortSignal} signal
 * @param {(done: number, layer: string) => void} progress
 * @returns {Promise<Check>}
 */
export async function checkEngines(app, signal, progress) {
  const { document, models } = app;
  const model = models.selected;
  const reason = cannotCheck(app);
  if (!document || !model.blob || reason) throw new Error(reason);
  const { photo, mask, edges } = document;
  const key = keyOf(photo);
  const files = [{ file: model.file, blob: model.blob }, ...model.partners];
  try {
    return await app.reference.request(
      {
        kind: 'check', blobs: files.map(({ blob }) => blob), names: files.map(({ file }) => file), byPosition: model.byPosition,
        key, width: photo.width, height: photo.height, mask: mask.shown.toBytes(), options: optionsFor(app, model), second: model.second?.rgba, edges: edges.toBytes(),
      },
      { signal, progress, pixels: { key, bytes: photo.rgba } },
    );
  } catch (error) {
    // Its build is the only one that is not always there.
    if (error instanceof Failure && error.code === 'wasm-missing') throw new Failure({ code: 'reference-missing', message: error.message, keys: [] });
    throw error;
  }
}
