/**
 * What the person works on: photo, mask and history. It lives on the page; the worker only gets copies.
 * @module
 */
import { maskChange } from './commands.js';
import { History } from './history.js';
import { EXACT, Mask } from './mask.js';
import { union } from './raster.js';

/** @typedef {import('./raster.js').Rect} Rect */
/** @typedef {import('./photo.js').Photo} Photo */

/**
 * Told what changed, to draw it again.
 * @typedef {{photo: (rect: Rect) => void, mask: (rect: Rect) => void, history: () => void}} Listener
 */

export class Document {
  #listener;
  #stroke = /** @type {{erase: boolean, radius: number, x: number, y: number, rect: Rect | null, before: Uint8Array} | null} */ (null);

  /**
   * @param {Photo} photo
   * @param {number} grow photo pixels
   * @param {Listener} listener
   */
  constructor(photo, grow, listener) {
    this.photo = photo;
    this.mask = new Mask(photo.width, photo.height, grow);
    this.history = new History();
    this.#listener = listener;
  }

  get isStroking() {
    return this.#stroke !== null;
  }

  /** @param {Rect | null} rect */
  maskChanged(rect) {
    if (rect) this.#listener.mask(rect);
  }

  /** @param {Rect} rect */
  photoChanged(rect) {
    this.#listener.photo(rect);
  }

  /** @param {number} pixels */
  setGrow(pixels) {
    this.maskChanged(this.mask.setGrow(pixels));
    this.#listener.history();
  }

  /**
   * Starts a stroke with a dot; coordinates in photo pixels.
   * @param {number} x
   * @param {number} y
   * @param {number} radius
   * @param {boolean} erase
   */
  beginStroke(x, y, radius, erase) {
    this.endStroke();
    this.#stroke = { erase, radius, x, y, rect: null, before: this.mask.source.slice() };
    this.extendStroke(x, y);
  }

  /**
   * @param {number} x
   * @param {number} y
   */
  extendStroke(x, y) {
    const stroke = this.#stroke;
    if (!stroke) return;
    const rect = this.mask.stroke(stroke.x, stroke.y, x, y, stroke.radius, stroke.erase);
    stroke.x = x;
    stroke.y = y;
    if (!rect) return;
    stroke.rect = union(stroke.rect, rect);
    this.maskChanged(this.mask.derive(rect));
  }

  /** Keeps the stroke in the history. */
  endStroke() {
    const stroke = this.#stroke;
    this.#stroke = null;
    if (!stroke?.rect) return;
    const rect = stroke.rect;
    const before = cut(stroke.before, this.mask.width, rect);
    const after = this.mask.read(rect);
    if (before.every((value, i) => value === after[i])) return;
    this.#push(maskChange(this, stroke.erase ? 'erasing' : 'stroke', rect, before, after), true);
  }

  /** Takes a stroke back that turned out to be the start of a pinch. */
  dropStroke() {
    const stroke = this.#stroke;
    this.#stroke = null;
    if (stroke?.rect) this.maskChanged(this.mask.write(stroke.rect, cut(stroke.before, this.mask.width, stroke.rect)));
  }

  clearMask() {
    this.endStroke();
    const rect = this.mask.bounds();
    if (!rect) return;
    this.#push(maskChange(this, 'clearing', rect, this.mask.read(rect), new Uint8Array(rect.width * rect.height)), false);
  }

  /**
   * Replaces the mask by one from a file, taken exactly.
   * @param {Uint8Array} holes 0 or 255, one byte a pixel
   */
  loadMask(holes) {
    this.endStroke();
    const rect = { x: 0, y: 0, width: this.mask.width, height: this.mask.height };
    const after = holes.map((value) => (value > 127 ? EXACT : 0));
    this.#push(maskChange(this, 'mask', rect, this.mask.read(rect), after), false);
  }

  /**
   * @param {import('./history.js').Command} command
   * @param {boolean} [applied]
   */
  push(command, applied = false) {
    this.endStroke();
    this.#push(command, applied);
  }

  /**
   * @param {import('./history.js').Command} command
   * @param {boolean} applied
   */
  #push(command, applied) {
    this.history.push(command, { applied });
    this.#listener.history();
  }

  /** @returns {import('./history.js').Command | null} */
  undo() {
    this.endStroke();
    const command = this.history.undo();
    this.#listener.history();
    return command;
  }

  /** @returns {import('./history.js').Command | null} */
  redo() {
    this.endStroke();
    const command = this.history.redo();
    this.#listener.history();
    return command;
  }
}

/**
 * @param {Uint8Array} plane
 * @param {number} width
 * @param {Rect} rect
 */
function cut(plane, width, rect) {
  const out = new Uint8Array(rect.width * rect.height);
  for (let y = 0; y < rect.height; y++) {
    const from = (rect.y + y) * width + rect.x;
    out.set(plane.subarray(from, from + rect.width), y * rect.width);
  }
  return out;
}
