/**
 * Fills pictures for pages that are not infill's, by the same workers.
 * @module
 */
import { imageData } from '../canvas/color_space.js';
import { Photo } from '../document/photo.js';
import { TYPES } from '../document/saving.js';
import { fetchShipped } from '../storage/shipped.js';
import { fetchOwn, fetchSite, partsOf } from '../storage/site.js';
import { BuildChoice, classBuilds, PICTURES, SAVING } from '../worker/builds.js';
import { WorkerClient } from '../worker/client.js';
import { Failure } from '../worker/protocol.js';
import { spawnWorker } from '../worker/spawn.js';
import { Threads } from '../worker/threads.js';

/** @typedef {import('../../infill.js').Picture} Picture */
/** @typedef {import('../../infill.js').Options<any>} Options */
/** @typedef {import('../worker/protocol.js').Paste} Paste */
/** @typedef {import('../worker/protocol.js').FillOptions} FillOptions */
/** @typedef {import('../worker/protocol.js').Request} Request */
/** @typedef {import('../worker/client.js').Options} RequestOptions */

/**
 * A network as it is given to a worker.
 * @typedef {object} Model
 * @property {string} handle empty for the photo alone
 * @property {Blob} blob
 * @property {string} file
 * @property {Paste | null} paste the class that its weights are run with
 * @property {FillOptions} feed
 * @property {number} generation of the worker that holds it; 0 if none does
 */

/**
 * A network, and what was asked for when it came.
 * @typedef {{weights: Blob | string | null | undefined, words: string, model: Model}} Known
 */

/** Workers end when nothing was asked of them for this long, and give their memory back. */
const IDLE_MS = 60_000;
/** Networks that are kept for the next call. */
const MOST_MODELS = 2;

export class Filler {
  #decoder = new WorkerClient(spawnWorker('pictures'), { builds: new BuildChoice([PICTURES]), idleMs: IDLE_MS });
  #saver = new WorkerClient(spawnWorker('saving'), { builds: new BuildChoice([SAVING]), idleMs: IDLE_MS });
  #inference = new WorkerClient(spawnWorker('inference'), { threads: new Threads(), idleMs: IDLE_MS });
  #classes = new WorkerClient(spawnWorker('inference'), { builds: new BuildChoice(classBuilds()), threads: new Threads(), idleMs: IDLE_MS });
  /** Those of the calls before, the last one last. */
  #known = /** @type {Known[]} */ ([]);
  /** Ends when the call before has ended. */
  #before = Promise.resolve();
  #count = 0;

  /**
   * @param {Options} options
   * @returns {Promise<Blob | ImageData>}
   */
  async fill(options) {
    const { signal } = options;
    const before = this.#before;
    const filling = before.then(() => {
      signal?.throwIfAborted();
      return this.#fill(options);
    });
    this.#before = filling.then(() => {}, () => {});
    return unlessAborted(filling, signal);
  }

  /** @param {Options} options @returns {Promise<Blob | ImageData>} */
  async #fill(options) {
    const { image, mask, signal, output = 'image-data' } = options;
    if (!['image-data', 'blob'].includes(output)) throw new TypeError('output must be "image-data" or "blob".');
    if (output === 'blob' && colorSpaceOf(image) === 'display-p3') throw new TypeError('Pixels in Display P3 cannot be made a file here: take "image-data", and draw it on a canvas of Display P3.');
    const photo = await this.#photoOf(image, signal);
    const holes = await this.#holesOf(mask, photo, signal);
    const model = await this.#modelOf(options);
    for (const patch of await this.#run(model, photo, holes, options)) photo.swap(patch);
    if (output === 'blob') return this.#fileOf(photo, signal);
    const pixels = imageData(photo.width, photo.height, colorSpaceOf(image) ?? photo.colorSpace);
    pixels.data.set(photo.rgba);
    return pixels;
  }

  /** @param {Picture} image @param {AbortSignal} [signal] */
  async #photoOf(image, signal) {
    if (!(image instanceof Blob)) return photoOf(image);
    const decoded = await this.#decoder.request({ kind: 'decode-photo', blob: image, tryBrowser: true }, { signal });
    const { buffer, byteOffset, length } = decoded.rgba;
    return new Photo({ ...decoded, rgba: new Uint8ClampedArray(buffer, byteOffset, length), name: '', source: image });
  }

  /**
   * What is to be filled: 255 for each pixel of a hole. A mask that is no file is read as its PNG would be.
   * @param {Picture} mask
   * @param {Photo} photo
   * @param {AbortSignal} [signal]
   * @returns {Promise<Uint8Array>}
   */
  async #holesOf(mask, { width, height }, signal) {
    let blob = mask;
    if (!(blob instanceof Blob)) {
      const { about, pixels } = this.#pixels(photoOf(blob));
      const bytes = await this.#decoder.request({ kind: 'encode-photo', ...about }, { signal, pixels });
      blob = new Blob([bytes]);
    }
    return (await this.#decoder.request({ kind: 'read-mask', blob, width, height, isInverted: false }, { signal })).holes;
  }

  /** The pixels for a worker, under a name that they alone have. @param {Photo} photo */
  #pixels(photo) {
    const { width, height, hasAlpha, isGray, icc, rgba } = photo;
    const key = `embed.${(this.#count += 1)}`;
    return { about: { key, width, height, hasAlpha, isGray, icc }, pixels: { key, bytes: rgba } };
  }

  /** @param {Photo} photo @param {AbortSignal} [signal] @returns {Promise<Blob>} */
  async #fileOf(photo, signal) {
    const { about, pixels } = this.#pixels(photo);
    const { source } = photo;
    const saved = await this.#saver.request({ kind: 'save-photo', ...about, source, format: source ? undefined : 'png', withoutPlace: false }, { signal, pixels });
    return new Blob([saved.bytes], { type: TYPES[/** @type {keyof typeof TYPES} */ (saved.format)] });
  }

  /**
   * The network that is asked for, from the call before if it is the same.
   * @param {Options} options
   * @returns {Promise<Model>}
   */
  async #modelOf(options) {
    const { weights, pythonClass = '', classArgs = '', feed } = options;
    const asked = weights instanceof URL ? weights.href : weights;
    const words = JSON.stringify([pythonClass, classArgs, feed?.side]);
    const kept = this.#known.find((each) => each.weights === asked && each.words === words);
    const known = kept ?? { weights: asked, words, model: await this.#fetchModel(options) };
    this.#known = [...this.#known.filter((each) => each !== known), known];
    while (this.#known.length > MOST_MODELS) {
      const { handle, paste } = /** @type {Known} */ (this.#known.shift()).model;
      void this.#workerOf(paste).request({ kind: 'unload', handle }).catch(() => {});
    }
    return known.model;
  }

  /** @param {Options} options @returns {Promise<Model>} */
  async #fetchModel({ weights, pythonClass, classArgs = '', feed, signal, progress = () => {} }) {
    const handle = `embed-${(this.#count += 1)}`;
    const told = (/** @type {number} */ done) => progress(done, 'model');
    const side = typeof feed?.side === 'number' ? feed.side : null;
    const paste = pythonClass ? { source: pythonClass, classArgs, returned: null, side, leavesOut: false } : null;
    if (weights === undefined) return { ...(await sitesModel(told)), ...(paste ? { paste } : {}), handle, generation: 0 };
    const file = weights instanceof File ? weights.name : 'weights';
    if (weights === null) return { handle: '', blob: new Blob(), file, paste: null, feed: {}, generation: 0 };
    const blob = weights instanceof Blob ? weights : await fetchWeights(weights, told, signal);
    return { handle, blob, file, paste, feed: {}, generation: 0 };
  }

  /** @param {Paste | null} paste */
  #workerOf(paste) {
    return paste ? this.#classes : this.#inference;
  }

  /**
   * Runs a network; where the worker was replaced, its weights are loaded again.
   * @param {Model} model
   * @param {Photo} photo
   * @param {Uint8Array} mask
   * @param {Options} options
   * @returns {Promise<import('../worker/protocol.js').Patch[]>}
   */
  async #run(model, photo, mask, { signal, progress, feed, seed = 0, sharpen = 'auto' }) {
    const { handle, blob, file, paste } = model;
    const worker = this.#workerOf(paste);
    const { about: { key, width, height, isGray }, pixels } = this.#pixels(photo);
    const options = JSON.stringify({ seed, sharpen, ...model.feed, ...feed });
    let isAlone = false;
    for (;;) {
      try {
        if (handle && model.generation !== worker.generation) {
          await worker.request(paste ? { kind: 'load-class', handle, paste, blob, name: file } : { kind: 'load', handle, blob, name: file }, { signal });
          model.generation = worker.generation;
        }
        const how = /** @type {RequestOptions} */ ({ signal, pixels, progress, ...(handle ? { generation: model.generation } : {}) });
        return (await worker.request({ kind: 'inpaint', handle, key, width, height, isGray, mask, options }, how)).patches;
      } catch (error) {
        const code = error instanceof Failure ? error.code : '';
        // A worker that keeps crashing is not started again, and one without other threads cannot lose one.
        if (code !== 'worker-replaced' && (code !== 'threads-lost' || isAlone)) throw error;
        isAlone ||= code === 'threads-lost';
      }
    }
  }
}

/** What pixels say of their colours; files say it otherwise. @param {Picture} image */
function colorSpaceOf(image) {
  return image instanceof ImageData ? image.colorSpace : undefined;
}

/** Pixels that are at hand. @param {unknown} image */
function photoOf(image) {
  const pixels = image instanceof ImageBitmap ? drawn(image) : image;
  if (!(pixels instanceof ImageData) || !(pixels.data instanceof Uint8ClampedArray)) throw new TypeError('A picture must be a Blob, an ImageBitmap, or ImageData of 8 bits.');
  const { width, height, data } = pixels;
  let hasAlpha = false;
  for (let at = 3; at < data.length && !hasAlpha; at += 4) hasAlpha = data[at] !== 255;
  return new Photo({ name: '', width, height, rgba: new Uint8ClampedArray(data), hasAlpha, isGray: false });
}

/** @param {ImageBitmap} bitmap */
function drawn(bitmap) {
  const canvas = document.createElement('canvas');
  Object.assign(canvas, { width: bitmap.width, height: bitmap.height });
  const context = canvas.getContext('2d', { willReadFrequently: true });
  if (!context) throw new TypeError('This browser gives no canvas of that size.');
  context.drawImage(bitmap, 0, 0);
  return context.getImageData(0, 0, bitmap.width, bitmap.height);
}

/** The default model of the site that this module lies in. @param {(done: number) => void} told */
async function sitesModel(told) {
  const { site, fault } = await fetchSite();
  // Another model in silence would be worse.
  if (fault) throw new Failure({ code: 'usage', message: fault, keys: [] });
  const model = site.models.find(({ handle }) => handle === site.defaultModel);
  if (!model) throw new Failure({ code: 'model-unknown', message: 'This site has no default model: say which weights to use.', keys: [] });
  const { class: own, feed = {}, file } = model;
  const blob = await fetchShipped(model, told, site.models);
  if (!own) return { blob, file, paste: null, feed };
  const { file: path, ...said } = own;
  return { blob, file, paste: { source: await (await fetchOwn(path)).text(), ...said }, feed };
}

/** @param {URL | string} address @param {(done: number) => void} told @param {AbortSignal} [signal] */
async function fetchWeights(address, told, signal) {
  const response = await fetch(new URL(address, document.baseURI), { signal });
  if (!response.ok) throw new Failure({ code: 'io', message: `The server answers ${response.status} for ${address}.`, keys: [] });
  return new Blob(await partsOf(response, 0, told));
}

/**
 * The promise, unless the signal comes first.
 * @template T
 * @param {Promise<T>} promise
 * @param {AbortSignal} [signal]
 * @returns {Promise<T>}
 */
function unlessAborted(promise, signal) {
  if (!signal) return promise;
  return new Promise((resolve, reject) => {
    const end = () => reject(signal.reason);
    signal.addEventListener('abort', end, { once: true });
    promise.then(resolve, (error) => reject(signal.aborted ? signal.reason : error)).finally(() => signal.removeEventListener('abort', end));
  });
}
