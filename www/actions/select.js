/**
 * Selecting objects, and moving a rough mask to the edges of what it covers. A worker looks at the photo once and then
 * answers prompts; a network that encodes a picture and decodes clicks can take its place behind the same requests.
 * @module
 */
import { isCancelled, wordsFor } from '../app.js';
import { regionOf } from '../document/selection.js';
import { text } from '../strings/index.js';
import { Failure } from '../worker/protocol.js';
import { keyOf } from './fill.js';

/** @typedef {import('../app.js').App} App */
/** @typedef {import('../document/document.js').Document} Document */
/** @typedef {import('../document/selection.js').Prompt} Prompt */
/** @typedef {import('../worker/protocol.js').Selected} Selected */
/** @typedef {import('../worker/protocol.js').SelectionPreview} SelectionPreview */

/** An answer that takes longer than this is said to be on its way. */
const WAIT_MS = 400;
/** What selects could not be fetched, or does not start here. */
const MISSING = ['wasm-missing', 'worker-start', 'wasm-compile'];

/** The masks that are being snapped; another request takes the place of the one before. @type {WeakMap<Document, AbortController>} */
const snapping = new WeakMap();

/**
 * Fetches what selects, and looks at the open photo where it will be asked for soon. What goes wrong is said once
 * somebody selects.
 * @param {App} app
 * @param {boolean} isSoon
 */
export function prepareSelecting(app, isSoon) {
  if (!isSoon || !app.document) return app.selector.warmUp();
  void ask(app, app.document, { kind: 'select-encode' }).catch(() => {});
}

/**
 * What prompts would select, at the size of the worker's copy of the photo.
 * @param {App} app
 * @param {readonly Prompt[]} prompts
 * @param {AbortSignal} signal
 * @returns {Promise<SelectionPreview>}
 */
export async function previewSelection(app, prompts, signal) {
  if (!app.document) throw new Error(text.paintFirst);
  return ask(app, app.document, { kind: 'select-preview', ...flat(prompts) }, signal);
}

/**
 * What prompts select. What goes wrong is said.
 * @param {App} app
 * @param {readonly Prompt[]} prompts
 * @param {AbortSignal} signal
 * @returns {Promise<Selected | null>} null if there is no answer
 */
export async function selectObject(app, prompts, signal) {
  const { document } = app;
  if (!document) return null;
  const timer = setTimeout(() => app.hint(text.selecting.looking), WAIT_MS);
  try {
    return await ask(app, document, { kind: 'select', ...flat(prompts) }, signal);
  } catch (error) {
    if (!isCancelled(error)) app.fail(words(error));
    return null;
  } finally {
    clearTimeout(timer);
  }
}

/**
 * Moves the mask to the edges of what it covers, in one step of the history.
 * @param {App} app
 */
export async function snapMask(app) {
  const { document } = app;
  if (!document) return;
  document.endStroke();
  if (document.mask.isEmpty) return;
  snapping.get(document)?.abort();
  const stop = new AbortController();
  snapping.set(document, stop);
  const { maskVersion } = document;
  const succeed = app.begin();
  const timer = setTimeout(() => app.hint(text.selecting.looking), WAIT_MS);
  try {
    const found = /** @type {Selected} */ (await ask(app, document, { kind: 'snap', holes: document.mask.shown.toBytes() }, stop.signal));
    if (app.document !== document) return;
    if (document.maskVersion !== maskVersion) return app.hint(text.selecting.changedMeanwhile);
    const step = found.width > 0 ? document.change('snap', (mask) => mask.redraw(regionOf(found))) : null;
    succeed(step ? text.snap.done : text.selecting.nothingToSnap);
  } catch (error) {
    if (!isCancelled(error)) app.fail(words(error), { label: text.retry, run: () => void snapMask(app) });
  } finally {
    clearTimeout(timer);
  }
}

/**
 * Asks the worker about a photo, which it is sent if it has not seen it as it is now.
 * @param {App} app
 * @param {Document} document
 * @param {{kind: 'select-encode'} | ({kind: 'select' | 'select-preview'} & import('../worker/protocol.js').FlatPrompts) | {kind: 'snap', holes: Uint8Array}} question
 * @param {AbortSignal} [signal]
 * @returns {Promise<any>}
 */
async function ask(app, { photo }, question, signal) {
  for (;;) {
    const key = keyOf(photo);
    const { width, height } = photo;
    const answer = await app.selector.request({ ...question, key, width, height }, { pixels: { key, bytes: photo.rgba }, isBrief: true, signal });
    // What was filled meanwhile may have been seen in part.
    if (keyOf(photo) === key) return answer;
  }
}

/** Prompts as they cross to the worker. @param {readonly Prompt[]} prompts */
function flat(prompts) {
  return {
    points: Float32Array.from(prompts.flatMap(({ points }) => points.flatMap(({ x, y }) => [x, y]))),
    counts: Uint32Array.from(prompts, ({ points }) => points.length),
    adds: Uint8Array.from(prompts, ({ adds }) => Number(adds)),
  };
}

/** @param {unknown} error */
function words(error) {
  return error instanceof Failure && MISSING.includes(error.code) ? text.selecting.missing : wordsFor(error);
}
