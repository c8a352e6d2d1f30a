/**
 * Masks what is drawn around by hand.
 * @module
 */
import { polygonRows } from '../document/raster.js';
import { text } from '../strings/index.js';
import { Handler, takesAway } from './tool.js';

/** @typedef {import('./tool.js').Point} Point */
/** @typedef {import('../canvas/pen.js').Pen} Pen */

/** Points nearer to each other than this tell nothing, in CSS pixels. */
const NEAREST = 1;

class LassoHandler extends Handler {
  #points = /** @type {Point[]} */ ([]);

  /** @override */
  get isBusy() {
    return this.#points.length > 0;
  }

  /** @override @param {Point} point */
  down(point) {
    this.#points = [point];
  }

  /** @override @param {Point} point */
  move(point) {
    const last = this.#points.at(-1);
    if (!last || Math.hypot(point.stageX - last.stageX, point.stageY - last.stageY) < NEAREST) return;
    this.#points.push(point);
    this.editor.redraw();
  }

  /** @override @param {Point} point */
  up(point) {
    this.move(point);
    const points = this.#points;
    this.drop();
    const { document } = this.editor;
    if (!document || points.length < 3) return;
    const takes = takesAway(this.editor, points[0]);
    const { width, height } = document.mask;
    /** @type {import('../document/mask.js').Region} */
    const region = (row) => polygonRows(points, width, height, row);
    const step = document.change('lasso', (mask) => (takes ? mask.remove(region) : mask.add(region, false)));
    this.editor.done(step !== null && !takes);
  }

  /** @override */
  drop() {
    this.#points = [];
    this.editor.redraw();
  }

  /** @override @param {Pen} pen */
  draw(pen) {
    if (this.#points.length > 1) pen.line(this.#points, true);
  }
}

/** @type {import('./tool.js').Tool} */
export const lasso = {
  id: 'lasso',
  icon: 'M6.5 13.2c-2.4-.8-4-2.3-4-4.2C2.5 5.8 5.8 3.5 10 3.5s7.5 2.3 7.5 5.5-3.3 5.3-7.5 5.3c-.7 0-1.3 0-1.9-.2M6.2 12.2a1.7 1.7 0 1 0 .1 3.4 1.7 1.7 0 0 0 0-3.4zM6 15.5c.2 1 .1 1.8-1 2.5',
  key: 'l',
  cursor: 'cross',
  isRough: true,
  options: ['mode'],
  get words() {
    return text.toolWords.lasso;
  },
  create: (editor) => new LassoHandler(editor),
};
