/**
 * Looking before a run: the edges, what goes into the networks, a discriminator's scores, a tensor's values.
 * @module
 */
import { text } from '../strings/index.js';
import { keyOf, optionsFor } from './fill.js';
import { askModel } from './weights.js';

/** @typedef {import('../app.js').App} App */
/** @typedef {import('../document/models.js').Entry} Entry */
/** @typedef {import('../worker/protocol.js').EdgeMap} EdgeMap */
/** @typedef {import('../worker/protocol.js').Channel} Channel */
/** @typedef {import('../worker/protocol.js').Scores} Scores */
/** @typedef {import('../worker/protocol.js').TensorStats} TensorStats */

/**
 * The edges around every hole; `propose` lets the edge generator complete them.
 * @param {App} app
 * @param {boolean} propose
 * @returns {Promise<EdgeMap[]>}
 */
export async function findEdges(app, propose) {
  const { document, model } = atHand(app);
  const { photo, mask } = document;
  return askModel(
    app,
    model,
    (handle) => ({ kind: 'edges', handle, key: keyOf(photo), width: photo.width, height: photo.height, mask: mask.shown.toBytes(), options: optionsFor(app, model), propose }),
    { pixels: { key: keyOf(photo), bytes: photo.rgba }, progress: (done) => app.hint(text.running(text.stages.edges, done, null)) },
  );
}

/**
 * Exactly what goes into the networks for the largest hole.
 * @param {App} app
 * @returns {Promise<Channel[]>}
 */
export async function previewInputs(app) {
  const { document, model } = atHand(app);
  const { photo, mask, edges } = document;
  return askModel(
    app,
    model,
    (handle) => ({ kind: 'preview', handle, key: keyOf(photo), width: photo.width, height: photo.height, mask: mask.shown.toBytes(), options: optionsFor(app, model), second: model.second?.rgba, edges: edges.toBytes() }),
    { pixels: { key: keyOf(photo), bytes: photo.rgba } },
  );
}

/**
 * The discriminator's scores of the photo as it is, or as it was opened.
 * @param {App} app
 * @param {boolean} isOpened
 * @returns {Promise<Scores>}
 */
export async function scorePhoto(app, isOpened) {
  const { document, model } = atHand(app);
  const { photo } = document;
  const pixels = isOpened ? { key: `${keyOf(photo)} opened`, bytes: photo.opened() } : { key: keyOf(photo), bytes: photo.rgba };
  return askModel(
    app,
    model,
    (handle) => ({ kind: 'score', handle, key: pixels.key, width: photo.width, height: photo.height, options: optionsFor(app, model) }),
    { pixels, progress: (done) => app.hint(text.running(text.stages.scores, done, null)) },
  );
}

/**
 * @param {App} app
 * @returns {{document: import('../document/document.js').Document, model: Entry}}
 */
function atHand(app) {
  const { document } = app;
  if (!document) throw new Error(text.paintFirst);
  return { document, model: app.models.selected };
}

/**
 * A file that can be read again for its values.
 * @typedef {{file: string, blob: Blob}} Readable
 */

/**
 * What the values of a file's tensors are: of those with these keys, or of all.
 * @param {App} app
 * @param {Readable} from
 * @param {string[]} [keys]
 * @returns {Promise<TensorStats[]>}
 */
export function readStats(app, { file, blob }, keys) {
  return app.inference.request({ kind: 'stats', blob, name: file, keys });
}

/** @type {Promise<{id: string, name: string}[]> | null} */
let known = null;

/**
 * Every network that the crate knows.
 * @param {App} app
 * @returns {Promise<{id: string, name: string}[]>}
 */
export function knownNetworks(app) {
  known ??= app.inference.request({ kind: 'models' }).catch((/** @type {unknown} */ error) => {
    known = null;
    throw error;
  });
  return /** @type {Promise<{id: string, name: string}[]>} */ (known);
}

/**
 * A file's keys beside those of one network.
 * @param {App} app
 * @param {Readable} from
 * @param {string} modelId
 * @returns {Promise<import('../worker/protocol.js').Aligned[]>}
 */
export function alignKeys(app, { file, blob }, modelId) {
  return app.inference.request({ kind: 'align', blob, name: file, modelId });
}
