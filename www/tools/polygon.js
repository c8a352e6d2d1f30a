/**
 * Masks a polygon, whose points can be moved: while it is open, and after it was closed for as long as nothing else is
 * done.
 * @module
 */
import { polygonRows } from '../document/raster.js';
import { text } from '../strings/index.js';
import { Handler, takesAway } from './tool.js';

/** @typedef {import('./tool.js').Point} Point */
/** @typedef {import('../canvas/pen.js').Pen} Pen */
/** @typedef {import('../document/document.js').Document} Document */
/** @typedef {import('../document/commands.js').Command} Command */
/** @typedef {{x: number, y: number}} Place photo pixels */

class PolygonHandler extends Handler {
  #points = /** @type {Place[]} */ ([]);
  #takes = false;
  /** The point that is being moved, or that the pointer is on; -1 for none. */
  #held = -1;
  #hot = -1;
  /** Where the pointer is, for the line that the next click would draw. */
  #next = /** @type {Place | null} */ (null);
  /** The point that was pressed was there before. */
  #wasThere = false;
  #hasMoved = false;
  /** Once closed: the step, which is made anew whenever a point was moved. */
  #closed = /** @type {{document: Document, step: Command} | null} */ (null);

  /** @override */
  get isBusy() {
    return this.#points.length > 0 && !this.#closed;
  }

  /** Whether the closed polygon is still the last thing that was done. */
  get #isLast() {
    return this.#closed !== null && this.#closed.document === this.editor.document && this.#closed.document.history.top === this.#closed.step;
  }

  /** @param {Point} point @returns {number} the index of the point there, or -1 */
  #find({ x, y, slop }) {
    const far = this.#points.map((place) => Math.hypot(place.x - x, place.y - y));
    const near = far.indexOf(Math.min(...far));
    return near >= 0 && far[near] <= slop ? near : -1;
  }

  /** @override @param {Point} point */
  down(point) {
    if (this.#closed && !this.#isLast) this.drop();
    this.#held = this.#find(point);
    this.#hasMoved = false;
    this.#wasThere = this.#held >= 0;
    if (this.#closed && !this.#wasThere) this.drop();
    if (!this.#wasThere) {
      if (this.#points.length === 0) this.#takes = takesAway(this.editor, point);
      this.#held = this.#points.push({ x: point.x, y: point.y }) - 1;
    }
    this.editor.redraw();
  }

  /** @override @param {Point} point */
  move(point) {
    const place = this.#points[this.#held];
    if (!place) return;
    this.#hasMoved ||= Math.hypot(place.x - point.x, place.y - point.y) > point.slop / 4;
    if (this.#hasMoved || !this.#wasThere) [place.x, place.y] = [point.x, point.y];
    this.#next = null;
    this.editor.redraw();
  }

  /** @override @param {Point} point */
  up(point) {
    this.move(point);
    const held = this.#held;
    this.#held = -1;
    if (this.#closed) return this.#hasMoved ? this.#apply() : undefined;
    const isClick = this.#wasThere && !this.#hasMoved;
    const isEnd = held === 0 || held === this.#points.length - 1;
    // A second click on the first or the last point closes it.
    if (isClick && isEnd && this.#points.length > 2) this.#apply();
    this.editor.redraw();
  }

  /** @override @param {Point} point */
  hover(point) {
    this.#next = point;
    this.#hot = this.#find(point);
    if (this.#points.length) this.editor.redraw();
  }

  /** @override @param {string} key */
  key(key) {
    if (!this.isBusy) return false;
    if (key === 'Enter') {
      if (this.#points.length > 2) this.#apply();
    } else {
      this.#points.pop();
      this.editor.redraw();
    }
    return true;
  }

  /** @override */
  drop() {
    this.#points = [];
    this.#held = this.#hot = -1;
    this.#next = this.#closed = null;
    this.editor.redraw();
  }

  /** Masks what the polygon covers, instead of what it covered before. */
  #apply() {
    const { document } = this.editor;
    if (!document) return this.drop();
    if (this.#isLast) document.undo();
    const points = this.#points.map((place) => ({ ...place }));
    const { width, height } = document.mask;
    /** @type {import('../document/mask.js').Region} */
    const region = (row) => polygonRows(points, width, height, row);
    const step = document.change('polygon', (mask) => (this.#takes ? mask.remove(region) : mask.add(region, false)));
    if (!step) return this.drop();
    this.#closed = { document, step };
    this.editor.done(!this.#takes);
  }

  /** @override @param {Pen} pen */
  draw(pen) {
    if (this.#closed && !this.#isLast) return;
    const isOpen = !this.#closed;
    const next = isOpen && this.#held < 0 && this.#next && this.#hot < 0 ? [this.#next] : [];
    if (this.#points.length) pen.line([...this.#points, ...next], !isOpen);
    this.#points.forEach((place, i) => pen.handle(place, i === this.#held || i === this.#hot));
  }
}

/** @type {import('./tool.js').Tool} */
export const polygon = {
  id: 'polygon',
  icon: 'M4 7.5 11.5 4l5 6.5L12 16H5.5zM2.8 7.5a1.2 1.2 0 1 0 2.4 0a1.2 1.2 0 1 0-2.4 0M15.3 10.5a1.2 1.2 0 1 0 2.4 0a1.2 1.2 0 1 0-2.4 0',
  key: 'p',
  cursor: 'cross',
  options: ['mode'],
  get words() {
    return text.toolWords.polygon;
  },
  create: (editor) => new PolygonHandler(editor),
};
