/**
 * What the person works on: photo, mask, edges and history. It lives on the page; the worker only gets copies.
 * @module
 */
import { command, isNothing, perform, PLANES } from './commands.js';
import { EdgeStrokes } from './edges.js';
import { History } from './history.js';
import { Mask } from './mask.js';
import { Plane } from './plane.js';
import { union } from './raster.js';

/** @typedef {import('./raster.js').Rect} Rect */
/** @typedef {import('./photo.js').Photo} Photo */
/** @typedef {import('./photo.js').Patch} Patch */
/** @typedef {import('./plane.js').Tile} Tile */
/** @typedef {import('./commands.js').Command} Command */
/** @typedef {import('./commands.js').PlaneName} PlaneName */
/** @typedef {Record<PlaneName, Tile[]>} Snapshot */

/**
 * Told what changed, to draw it again.
 * @typedef {{photo: (rect: Rect) => void, mask: (rect: Rect) => void, edges: (rect: Rect) => void, history: () => void}} Listener
 */

/**
 * @typedef {object} Stroke
 * @property {string} label of the step that it becomes
 * @property {boolean} erase
 * @property {boolean} isEdge on the edges, not on the mask
 * @property {number} radius
 * @property {number} x
 * @property {number} y
 * @property {Rect | null} rect
 * @property {Snapshot} before
 * @property {Tile[]} shown the mask as it was shown before
 */

export class Document {
  #listener;
  #stroke = /** @type {Stroke | null} */ (null);
  /** What each fill's holes were, for making it again. */
  #filled = /** @type {WeakMap<Command, Plane>} */ (new WeakMap());

  /**
   * @param {Photo} photo
   * @param {number} grow photo pixels
   * @param {Listener} listener
   */
  constructor(photo, grow, listener) {
    this.photo = photo;
    this.mask = new Mask(photo.width, photo.height, grow);
    this.edges = new EdgeStrokes(this.mask.shown);
    /** Counts the changes of the mask. */
    this.maskVersion = 0;
    this.history = new History((step, forwards) => perform(this, step, forwards));
    this.#listener = listener;
  }

  /** From now on somebody else is told. @param {Listener} listener */
  listen(listener) {
    this.#listener = listener;
  }

  get isStroking() {
    return this.#stroke !== null;
  }

  /** @param {PlaneName} name */
  plane(name) {
    return name === 'painted' || name === 'exact' ? this.mask[name] : this.edges[name];
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
    this.endStroke();
    this.maskChanged(this.mask.setGrow(pixels));
    this.#listener.history();
  }

  /**
   * Changes the mask in one step of the history.
   * @param {string} label
   * @param {(mask: Mask) => Rect | null} run says where the mask may have changed
   * @returns {Command | null} the step; null where nothing changed
   */
  change(label, run) {
    this.endStroke();
    const before = this.#snapshot();
    this.maskChanged(run(this.mask));
    return this.#keep(label, before);
  }

  /**
   * Starts a stroke with a dot; coordinates in photo pixels.
   * @param {number} x
   * @param {number} y
   * @param {number} radius
   * @param {{erase?: boolean, isEdge?: boolean, label?: string}} [kind] `isEdge`: draws or erases edges instead of the mask
   */
  beginStroke(x, y, radius, { erase = false, isEdge = false, label = 'brush' } = {}) {
    this.endStroke();
    this.#stroke = { label, erase, isEdge, radius, x, y, rect: null, before: this.#snapshot(), shown: this.mask.shown.snapshot() };
    this.extendStroke(x, y);
  }

  /**
   * @param {number} x
   * @param {number} y
   * @param {number} [radius] from here on
   */
  extendStroke(x, y, radius) {
    const stroke = this.#stroke;
    if (!stroke) return;
    stroke.radius = radius ?? stroke.radius;
    const rect = (stroke.isEdge ? this.edges : this.mask).stroke(stroke.x, stroke.y, x, y, stroke.radius, stroke.erase);
    stroke.x = x;
    stroke.y = y;
    stroke.rect = union(stroke.rect, rect);
    if (stroke.isEdge) this.edgesChanged(rect);
    else this.maskChanged(rect);
  }

  /**
   * Makes the stroke a straight line from one place to another, whatever it was before.
   * @param {{x: number, y: number}} from
   * @param {{x: number, y: number}} to
   */
  straightenStroke(from, to) {
    const stroke = this.#stroke;
    if (!stroke) return;
    this.#takeBack(stroke);
    Object.assign(stroke, { x: from.x, y: from.y, rect: null });
    this.extendStroke(to.x, to.y);
  }

  /** Keeps the stroke in the history. @returns {Command | null} */
  endStroke() {
    const stroke = this.#stroke;
    this.#stroke = null;
    if (!stroke?.rect) return null;
    const { label, erase, isEdge, rect, before } = stroke;
    if (erase && !isEdge) this.mask.settle(rect);
    return this.#keep(label, before);
  }

  /** Takes a stroke back that turned out to be the start of a pinch. */
  dropStroke() {
    const stroke = this.#stroke;
    this.#stroke = null;
    if (stroke) this.#takeBack(stroke);
  }

  /** @param {Stroke} stroke */
  #takeBack({ rect, before, shown, isEdge }) {
    if (!rect) return;
    for (const name of PLANES) this.plane(name).restore(before[name]);
    this.mask.shown.restore(shown);
    if (isEdge) this.edgesChanged(rect);
    else this.maskChanged(rect);
  }

  /** Lets every edge be as it is found. */
  clearEdges() {
    this.endStroke();
    const before = this.#snapshot();
    const rect = union(this.edges.drawn.bounds(), this.edges.erased.bounds());
    this.edges.clear();
    this.edgesChanged(rect);
    this.#keep('edgeClearing', before);
  }

  clearMask() {
    this.change('clearing', (mask) => mask.clear());
  }

  /**
   * Replaces the mask by one from a file, taken exactly.
   * @param {Uint8Array} holes 0 or 255, one byte a pixel
   */
  loadMask(holes) {
    const { width, height } = this.mask;
    this.change('mask', (mask) => mask.replace(Plane.from(width, height, holes)));
  }

  /**
   * A fill: new pixels, and the holes that are no longer to be filled. What was painted since the run began stays, where
   * it is a hole of its own.
   * @param {Patch[]} patches owned by the step from now on
   * @param {Plane} filled the mask as it was when the run began
   */
  fill(patches, filled) {
    this.endStroke();
    const before = this.#snapshot();
    for (const patch of patches) {
      this.photo.swap(patch);
      this.photoChanged(patch);
    }
    const { mask, edges } = this;
    filled.eachSpan((y, x0, x1) => {
      mask.painted.span(y, x0, x1, 0);
      mask.exact.span(y, x0, x1, 0);
    });
    const rect = filled.bounds();
    if (rect) this.maskChanged(mask.derive(rect));
    // Edges were drawn for this fill.
    this.edgesChanged(union(edges.drawn.bounds(), edges.erased.bounds()));
    edges.clear();
    const step = this.#keep('fill', before, patches);
    if (step) this.#filled.set(step, filled);
  }

  /** Makes a fill again that was turned back, although something else may have been done since. @param {Command} step */
  fillAgain(step) {
    const filled = this.#filled.get(step);
    if (filled) this.fill(step.patches, filled);
  }

  /** @returns {Snapshot} */
  #snapshot() {
    return /** @type {Snapshot} */ (Object.fromEntries(PLANES.map((name) => [name, this.plane(name).snapshot()])));
  }

  /**
   * Keeps what has changed as a step of the history.
   * @param {string} label
   * @param {Snapshot} before
   * @param {Patch[]} [patches]
   * @returns {Command | null}
   */
  #keep(label, before, patches) {
    const changes = /** @type {Command['changes']} */ ({});
    for (const name of PLANES) changes[name] = this.plane(name).changesSince(before[name]);
    const step = command(label, changes, patches);
    if (isNothing(step)) return null;
    this.history.push(step);
    this.#listener.history();
    return step;
  }

  /** @returns {Command | null} */
  undo() {
    this.endStroke();
    const step = this.history.undo();
    this.#listener.history();
    return step;
  }

  /** @returns {Command | null} */
  redo() {
    this.endStroke();
    const step = this.history.redo();
    this.#listener.history();
    return step;
  }
}
