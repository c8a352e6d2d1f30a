/**
 * What rectangle and ellipse have in common: they are drawn from corner to corner.
 * @module
 */
import { Handler, takesAway } from './tool.js';

/** @typedef {import('./tool.js').Editor} Editor */
/** @typedef {import('./tool.js').Point} Point */
/** @typedef {import('../canvas/pen.js').Pen} Pen */
/** @typedef {import('../document/mask.js').Region} Region */
/** @typedef {import('../document/raster.js').Rect} Rect */

/** A press that moves less than this is a click, which draws nothing, in CSS pixels. */
const CLICK = 3;

/**
 * @typedef {object} Shape
 * @property {string} label of the step in the history
 * @property {(box: Rect, width: number, height: number) => Region} region the pixels in a box; the sizes are the photo's
 * @property {(pen: Pen, box: Rect) => void} draw
 */

export class ShapeHandler extends Handler {
  #shape;
  #corners = /** @type {[Point, Point] | null} */ (null);

  /** @param {Editor} editor @param {Shape} shape */
  constructor(editor, shape) {
    super(editor);
    this.#shape = shape;
  }

  /** @override */
  get isBusy() {
    return this.#corners !== null;
  }

  /** @override @param {Point} point */
  down(point) {
    this.#corners = [point, point];
  }

  /** @override @param {Point} point */
  move(point) {
    if (!this.#corners) return;
    this.#corners[1] = point;
    this.editor.redraw();
  }

  /** @override @param {Point} point */
  up(point) {
    if (!this.#corners) return;
    this.move(point);
    const [start] = this.#corners;
    const box = this.#box();
    this.drop();
    const { document } = this.editor;
    if (!document || Math.hypot(point.stageX - start.stageX, point.stageY - start.stageY) < CLICK) return;
    const takes = takesAway(this.editor, start);
    const region = this.#shape.region(box, document.mask.width, document.mask.height);
    const step = document.change(this.#shape.label, (mask) => (takes ? mask.remove(region) : mask.add(region, false)));
    this.editor.done(step !== null && !takes);
  }

  /** @override */
  drop() {
    this.#corners = null;
    this.editor.redraw();
  }

  /** @override @param {Pen} pen */
  draw(pen) {
    if (this.#corners) this.#shape.draw(pen, this.#box());
  }

  /** Whole pixels between the corners; with Shift as wide as high. @returns {Rect} */
  #box() {
    const [start, end] = /** @type {[Point, Point]} */ (this.#corners);
    let [dx, dy] = [end.x - start.x, end.y - start.y];
    if (end.isStraight) {
      const side = Math.max(Math.abs(dx), Math.abs(dy));
      [dx, dy] = [Math.sign(dx || 1) * side, Math.sign(dy || 1) * side];
    }
    const [x, y] = [Math.round(Math.min(start.x, start.x + dx)), Math.round(Math.min(start.y, start.y + dy))];
    return { x, y, width: Math.max(1, Math.round(Math.abs(dx))), height: Math.max(1, Math.round(Math.abs(dy))) };
  }
}
