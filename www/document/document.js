/**
 * What the person works on: photo, mask and history. It lives on the page; the worker only gets copies.
 * @module
 */
import { edgeChange, maskChange } from './commands.js';
import { EdgeStrokes } from './edges.js';
import { History } from './history.js';
import { EXACT, Mask } from './mask.js';
import { union } from './raster.js';

/** @typedef {import('./raster.js').Rect} Rect */
/** @typedef {import('./photo.js').Photo} Photo */

/**
 * Told what changed, to draw it again.
 * @typedef {{photo: (rect: Rect) => void, mask: (rect: Rect) => void, edges: (rect: Rect) => void, history: () => void}} Listener
 */

/**
 * @typedef {object} Stroke
 * @property {boolean} erase
 * @property {boolean} isEdge on the edges, not on the mask
 * @property {number} radius
 * @property {number} x
 * @property {number} y
 * @property {Rect | null} rect
 * @property {Uint8Array} before
 */

export class Document {
  #listener;
  #stroke = /** @type {Stroke | null} */ (null);

  /**
   * @param {Photo} photo
   * @param {number} grow photo pixels
   * @param {Listener} listener
   */
  constructor(photo, grow, listener) {
    this.photo = photo;
    this.mask = new Mask(photo.width, photo.height, grow);
    this.edges = new EdgeStrokes(photo.width, photo.height, this.mask.shown);
    /** Counts the changes of the mask. */
    this.maskVersion = 0;
    this.history = new History();
    this.#listener = listener;
  }

  get isStroking() {
    return this.#stroke !== null;
  }

  /** @param {Rect | null} rect */
  maskChanged(rect) {
    if (!rect) return;
    this.maskVersion++;
    this.#listener.mask(rect);
  }

  /** @param {Rect | null} rect */
  edgesChanged(rect) {
    if (rect) this.#listener.edges(rect);
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
   * @param {boolean} [isEdge] draws or erases edges instead of the mask
   */
  beginStroke(x, y, radius, erase, isEdge = false) {
    this.endStroke();
    if (isEdge) this.edges.begin();
    const before = (isEdge ? this.edges : this.mask).source.slice();
    this.#stroke = { erase, isEdge, radius, x, y, rect: null, before };
    this.extendStroke(x, y);
  }

  /**
   * @param {number} x
   * @param {number} y
   */
  extendStroke(x, y) {
    const stroke = this.#stroke;
    if (!stroke) return;
    const rect = (stroke.isEdge ? this.edges : this.mask).stroke(stroke.x, stroke.y, x, y, stroke.radius, stroke.erase);
    stroke.x = x;
    stroke.y = y;
    if (!rect) return;
    stroke.rect = union(stroke.rect, rect);
    if (stroke.isEdge) this.edgesChanged(rect);
    else this.maskChanged(this.mask.derive(rect));
  }

  /** Keeps the stroke in the history. */
  endStroke() {
    const stroke = this.#stroke;
    this.#stroke = null;
    if (!stroke?.rect) return;
    const rect = stroke.rect;
    const before = cut(stroke.before, this.mask.width, rect);
    const after = (stroke.isEdge ? this.edges : this.mask).read(rect);
    if (before.every((value, i) => value === after[i])) return;
    if (stroke.isEdge) return this.#push(edgeChange(this, stroke.erase ? 'edgeErasing' : 'edge', rect, before, after), true);
    this.#push(maskChange(this, stroke.erase ? 'erasing' : 'stroke', rect, before, after), true);
  }

  /** Takes a stroke back that turned out to be the start of a pinch. */
  dropStroke() {
    const stroke = this.#stroke;
    this.#stroke = null;
    if (!stroke?.rect) return;
    const before = cut(stroke.before, this.mask.width, stroke.rect);
    if (!stroke.isEdge) return this.maskChanged(this.mask.write(stroke.rect, before));
    this.edges.write(stroke.rect, before);
    this.edgesChanged(stroke.rect);
  }

  /** Lets every edge be as it is found. */
  clearEdges() {
    this.endStroke();
    const rect = this.edges.bounds();
    if (rect) this.#push(edgeChange(this, 'edgeClearing', rect, this.edges.read(rect), new Uint8Array(rect.width * rect.height)), false);
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
