/**
 * Filling the mask: run, cancel, and another variant of the last fill.
 * @module
 */
import { isCancelled, wordsFor } from '../app.js';
import { NONE, takesEdges } from '../document/models.js';
import { runStage } from '../document/run_stage.js';
import { text } from '../strings/index.js';
import { Failure } from '../worker/protocol.js';
import { askModel, ensure } from './weights.js';

/** @typedef {import('../app.js').App} App */

/** The words of a run change at most this often, so that they can be read (and spoken). */
const WORDS_MS = 300;
/** Before this share is done, the layer is the input. */
const WORDS_FROM = 0.005;
/** No estimate before this share is done. */
const ESTIMATE_FROM = 0.1;

/**
 * @param {App} app
 * @param {{fade: () => void}} stage
 * @param {number} [seed]
 * @returns {Promise<boolean>} whether it was filled
 */
export async function inpaint(app, stage, seed = 0) {
  const { document } = app;
  if (!document) return false;
  if (app.state.isRunning) {
    app.isQueued = true;
    app.say(text.queued);
    return false;
  }
  app.isQueued = false;
  document.endStroke();
  const { mask, photo } = document;
  if (mask.isEmpty) {
    app.say(text.paintFirst);
    return false;
  }
  if (mask.isFull) {
    app.fail(text.maskFull);
    return false;
  }
  const began = performance.now();
  const control = new AbortController();
  let isFilled = false;
  const { signal } = control;
  app.run = control;
  app.state.started();
  app.progress(0);
  app.say(text.starting);
  try {
    await breath();
    // The mask as it is now: what is painted during the run is for the next one.
    const holes = mask.shown.clone();
    const model = app.models.selected;
    const options = optionsFor(app, model, seed);
    const { second } = model;
    if (second && (second.width !== photo.width || second.height !== photo.height)) {
      throw new Error(text.secondSize(second.name, second.width, second.height, photo.width, photo.height));
    }
    const { patches, speed, note } = await run(app, model, document, holes, options, signal);
    if (app.document !== document) return false;
    document.endStroke();
    stage.fade();
    document.fill(patches, holes);
    app.seed = seed;
    const ms = performance.now() - began;
    app.speed = { ...speed, ms };
    isFilled = true;
    app.state.filled();
    app.say(note + text.done(ms));
    return true;
  } catch (error) {
    app.state.stopped();
    if (app.document !== document) return false;
    if (isCancelled(error)) {
      app.say(text.cancelled);
      // The worker is gone with its models: bring the selected one back before it is needed. A fault shows then.
      void ensure(app, app.models.selected).catch(() => {});
    } else {
      app.fail(wordsFor(error), { label: text.retry, run: () => void inpaint(app, stage, seed) });
    }
    return false;
  } finally {
    if (app.run === control) app.run = null;
    app.progress(null);
    app.touch();
    const isNext = isFilled && app.isQueued && app.document === document && !document.mask.isEmpty;
    app.isQueued = false;
    if (isNext) void inpaint(app, stage);
  }
}

/**
 * Runs a model; where a thread is lost on the way, once more with one, which cannot be lost.
 * @param {App} app
 * @param {import('../document/models.js').Entry} model
 * @param {import('../document/document.js').Document} document
 * @param {import('../document/plane.js').Plane} holes
 * @param {string} options
 * @param {AbortSignal} signal
 * @returns {Promise<{patches: import('../document/photo.js').Patch[], speed: import('../worker/protocol.js').Speed, note: string}>}
 */
async function run(app, model, { photo, edges: strokes }, holes, options, signal) {
  const { width, height, isGray } = photo;
  const edges = takesEdges(model) ? strokes.toBytes() : undefined;
  const pixels = { key: keyOf(photo), bytes: photo.rgba };
  /** @param {string} handle @returns {import('../worker/protocol.js').Request} */
  const question = (handle) => ({ kind: 'inpaint', handle, key: pixels.key, width, height, isGray, mask: holes.toBytes(), options, second: model.second?.rgba, edges });
  const attempt = () => race(askModel(app, model, question, { signal, pixels, progress: teller(app, model) }), signal);
  try {
    return { ...(await attempt()), note: '' };
  } catch (error) {
    if (!(error instanceof Failure) || error.code !== 'threads-lost') throw error;
    return { ...(await attempt()), note: `${text.errors['threads-lost']} ` };
  }
}

/**
 * The crate's `FillOptions` of this model, as JSON.
 * @param {App} app
 * @param {import('../document/models.js').Entry} model
 * @param {number} [seed]
 */
export function optionsFor(app, model, seed = 0) {
  return JSON.stringify({ seed, sharpen: app.settings.sharpen, ...(model.handle === NONE ? {} : model.options) });
}

/** Lets the browser draw and listen between two pieces of work. */
function breath() {
  return new Promise((resume) => setTimeout(resume));
}

/** @param {App} app */
export function cancel(app) {
  app.isQueued = false;
  app.run?.abort();
}

/**
 * Takes the last fill back and makes it again with the next seed; a run that does not end well brings it back.
 * @param {App} app
 * @param {{fade: () => void}} stage
 */
export async function tryAnother(app, stage) {
  const { document } = app;
  const last = document?.history.top;
  if (!document || !last?.isFill || app.state.isRunning) return;
  document.undo();
  if (await inpaint(app, stage, app.seed + 1)) return;
  if (app.document !== document) return;
  if (document.history.canRedo) document.redo();
  else document.fillAgain(last);
}

/**
 * @param {App} app
 * @param {import('../document/models.js').Entry} model
 * @returns {(done: number, layer: string) => void}
 */
function teller(app, model) {
  const began = performance.now();
  let told = 0;
  return (done, layer) => {
    app.progress(done);
    const now = performance.now();
    if (done < WORDS_FROM || now - told < WORDS_MS) return;
    told = now;
    const left = done > ESTIMATE_FROM && done < 1 ? ((now - began) / done) * (1 - done) : null;
    app.say(text.running(text.stages[runStage(model, layer)], done, left));
  };
}

/**
 * The promise, or the signal's end, whichever comes first.
 * @template T
 * @param {Promise<T>} promise
 * @param {AbortSignal} signal
 * @returns {Promise<T>}
 */
function race(promise, signal) {
  return new Promise((resolve, reject) => {
    signal.addEventListener('abort', () => reject(cancelledBy()), { once: true });
    promise.then(resolve, reject);
  });
}

function cancelledBy() {
  return new Failure({ code: 'run-cancelled', message: text.cancelled, keys: [] });
}

/** @type {WeakMap<import('../document/photo.js').Photo, number>} */
const numbers = new WeakMap();
let nextNumber = 1;

/**
 * Names the pixels of a photo as they are now, so that they are sent to a worker only once.
 * @param {import('../document/photo.js').Photo} photo
 * @returns {string}
 */
export function keyOf(photo) {
  if (!numbers.has(photo)) numbers.set(photo, nextNumber++);
  return `${numbers.get(photo)}.${photo.version}`;
}
