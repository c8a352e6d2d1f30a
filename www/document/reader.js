/**
 * A document made of records, as `recorder` writes them. They come from a file: each is checked before it changes
 * anything.
 * @module
 */
import { bytesOf, fits, isInside, perform, PLANES, read, readTile } from './commands.js';
import { Document } from './document.js';
import { MOST_GROW } from './mask.js';
import { FULL } from './plane.js';
import { VERSION } from './recorder.js';

/** @typedef {import('./commands.js').Command} Command */
/** @typedef {import('./photo.js').Photo} Photo */
/** @typedef {import('./recorder.js').KeptRecord} KeptRecord */

/** @type {import('./document.js').Listener} */
const NOBODY = { photo() {}, mask() {}, edges() {}, history() {} };

/** Reads a document. */
export class Reader {
  #photo;
  #document = /** @type {Document | null} */ (null);
  /** Parts of the present state that are still to come. */
  #missing = Infinity;
  /** Whether the steps are in the history. */
  #isResumed = false;
  #kept = { done: /** @type {Command[]} */ ([]), undone: /** @type {Command[]} */ ([]), saved: /** @type {Command | null} */ (null) };
  /** What else belongs to the work. */
  extra = /** @type {any} */ ({});
  /** When the last record was written, in milliseconds. */
  at = 0;

  /** @param {Photo} photo as it was opened */
  constructor(photo) {
    this.#photo = photo;
  }

  /**
   * Takes the next record.
   * @param {KeptRecord} record
   * @returns {boolean} whether it fits; where it does not, nothing has changed and those after it mean nothing
   */
  take({ json, bytes }) {
    try {
      const isTaken = this.#isResumed ? this.#takeChange(json, bytes) : this.#takePart(json, bytes);
      if (isTaken && Number.isFinite(json.at)) this.at = json.at;
      return isTaken;
    } catch {
      // It is none of ours, whatever its checksum says.
      return false;
    }
  }

  /** The document as far as it was read; null where not even its present state was. */
  finish() {
    if (this.#missing > 0) return null;
    // Only steps to turn back are missing.
    if (!this.#isResumed) this.#resume(false);
    return this.#document;
  }

  /** @param {any} json @param {Uint8Array[]} bytes @returns {boolean} */
  #takePart(json, bytes) {
    if (json.kind === 'work') return this.#begin(json);
    const document = this.#document;
    if (!document) return false;
    if (this.#missing > 0) {
      const isTaken = json.kind === 'tiles' ? takeTiles(document, json, bytes) : json.kind === 'pixels' && takePixels(document, json, bytes);
      this.#missing -= Number(isTaken);
      return isTaken;
    }
    if (json.kind === 'whole') {
      this.#resume(json.isSavedBefore === true);
      return true;
    }
    const step = json.kind === 'kept' ? read(json.step, bytes) : null;
    if (!step || !fits(document, step)) return false;
    (json.isDone ? this.#kept.done : this.#kept.undone).push(step);
    if (json.isSaved) this.#kept.saved = step;
    return true;
  }

  /** @param {any} json */
  #begin({ version, parts, width, height, grow, extra }) {
    const photo = this.#photo;
    if (this.#document || version !== VERSION || !Number.isSafeInteger(parts) || width !== photo.width || height !== photo.height || !isGrow(grow)) return false;
    this.#document = new Document(photo, grow, NOBODY);
    this.#missing = parts;
    this.extra = extra;
    return true;
  }

  /**
   * The present state is here: the steps get the tiles that they share with it and with each other.
   * @param {boolean} isSavedBefore whether what was before all steps is in a file
   */
  #resume(isSavedBefore) {
    const document = /** @type {Document} */ (this.#document);
    const { done, undone, saved } = this.#kept;
    for (const [list, known, other] of /** @type {const} */ ([[done, 'after', 'before'], [undone, 'before', 'after']])) {
      const planes = Object.fromEntries(PLANES.map((name) => [name, document.plane(name).clone()]));
      for (const step of list) {
        for (const name of PLANES) {
          for (const change of step.changes[name]) {
            change[known] = planes[name].tile(change.index);
            planes[name].put(change.index, change[other]);
          }
        }
        step.bytes = bytesOf(step.changes, step.patches);
      }
    }
    document.mask.derive({ x: 0, y: 0, width: document.photo.width, height: document.photo.height });
    document.history.resume({ done: done.toReversed(), undone: undone.toReversed(), saved });
    if (!saved && !isSavedBefore) document.history.markUnsaved();
    this.#isResumed = true;
  }

  /** @param {any} json @param {Uint8Array[]} bytes @returns {boolean} */
  #takeChange(json, bytes) {
    const document = /** @type {Document} */ (this.#document);
    const { history } = document;
    switch (json.kind) {
      case 'step':
        return make(document, read(json.step, bytes));
      case 'undo':
      case 'redo': {
        const { done, undone } = history.steps;
        const most = (json.kind === 'undo' ? done : undone).length;
        if (!Number.isSafeInteger(json.count) || json.count < 1 || json.count > most) return false;
        for (let i = 0; i < json.count; i++) history[/** @type {'undo' | 'redo'} */ (json.kind)]();
        return true;
      }
      case 'grow':
        if (!isGrow(json.pixels)) return false;
        document.setGrow(json.pixels);
        return true;
      case 'saved':
        history.markSaved();
        return true;
      case 'extra':
        this.extra = json.extra;
        return true;
      default:
        return false;
    }
  }
}

/** @param {Document} document @param {any} json @param {Uint8Array[]} bytes */
function takeTiles(document, json, bytes) {
  if (!PLANES.includes(json.plane)) return false;
  const plane = document.plane(json.plane);
  const tiles = /** @type {[number, number][]} */ (json.tiles).map(([index, place]) => ({ index, tile: place === -1 ? FULL : readTile(bytes[place]) }));
  if (!tiles.every(({ index }) => Number.isSafeInteger(index) && index >= 0 && index < plane.length)) return false;
  for (const { index, tile } of tiles) plane.put(index, tile);
  return true;
}

/** @param {Document} document @param {any} json @param {Uint8Array[]} bytes */
function takePixels({ photo }, { x, y, width, height }, [rgba]) {
  const patch = { x, y, width, height, rgba };
  if (!isInside(photo, patch)) return false;
  photo.swap(patch);
  return true;
}

/** Makes a step of which only what it leads to is known. @param {Document} document @param {Command} step */
function make(document, step) {
  if (!fits(document, step)) return false;
  for (const name of PLANES) for (const change of step.changes[name]) change.before = document.plane(name).tile(change.index);
  step.bytes = bytesOf(step.changes, step.patches);
  perform(document, step, true);
  document.history.push(step);
  return true;
}

/** @param {unknown} pixels */
function isGrow(pixels) {
  return typeof pixels === 'number' && Number.isInteger(pixels) && pixels >= 0 && pixels <= MOST_GROW;
}
