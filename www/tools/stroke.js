/**
 * What brush, eraser and the pens for edges have in common: a round tip that follows the pointer.
 * @module
 */
import { Handler } from './tool.js';

/** @typedef {import('./tool.js').Editor} Editor */
/** @typedef {import('./tool.js').Point} Point */

/** A pen that hardly touches still draws this share of the width. */
const LIGHTEST = 0.15;
/** A press that moves less than this is a click, in CSS pixels. */
const CLICK = 4;

/**
 * @typedef {object} Kind
 * @property {string} label of the step in the history
 * @property {string} otherLabel of a step that erased because Alt was held
 * @property {boolean} erases
 * @property {boolean} [isEdge]
 */

export class StrokeHandler extends Handler {
  #kind;
  #pressure = 1;
  #isErasing = false;
  /** Where the stroke began. */
  #start = /** @type {Point | null} */ (null);
  #hasMoved = false;
  /** Where the last stroke on this photo ended: with Shift, a click draws a straight line from there. */
  #last = /** @type {{document: object, x: number, y: number} | null} */ (null);

  /** @param {Editor} editor @param {Kind} kind */
  constructor(editor, kind) {
    super(editor);
    this.#kind = kind;
  }

  /** @override */
  get isBusy() {
    return this.#start !== null;
  }

  get #width() {
    const { editor } = this;
    return this.#kind.isEdge && !this.#kind.erases ? editor.penWidth : editor.diameter;
  }

  /** What is painted is grown; what is erased is not. @override */
  get reach() {
    const isErasing = this.#start ? this.#isErasing : this.#kind.erases;
    return this.#width * this.#pressure + (isErasing || this.#kind.isEdge ? 0 : 2 * this.editor.grow);
  }

  /** @param {Point} point */
  #radius({ pressure }) {
    this.#pressure = Math.max(LIGHTEST, pressure);
    return (this.#width * this.#pressure) / 2;
  }

  /** @override @param {Point} point */
  down(point) {
    const { document } = this.editor;
    if (!document) return;
    const { erases, isEdge = false, label, otherLabel } = this.#kind;
    this.#isErasing = erases || point.isOther;
    this.#start = point;
    this.#hasMoved = false;
    document.beginStroke(point.x, point.y, this.#radius(point), { erase: this.#isErasing, isEdge, label: this.#isErasing ? otherLabel : label });
    if (point.isStraight && this.#last?.document === document) document.straightenStroke(this.#last, point);
  }

  /** @override @param {Point} point */
  move(point) {
    const { document } = this.editor;
    const start = this.#start;
    if (!document || !start) return;
    this.#hasMoved ||= Math.hypot(point.stageX - start.stageX, point.stageY - start.stageY) > CLICK;
    const radius = this.#radius(point);
    if (!point.isStraight) document.extendStroke(point.x, point.y, radius);
    else if (this.#hasMoved) document.straightenStroke(start, point);
  }

  /** @override @param {Point} point */
  up(point) {
    const { document } = this.editor;
    if (!document || !this.#start) return;
    this.#start = null;
    this.#pressure = 1;
    this.#last = { document, x: point.x, y: point.y };
    const step = document.endStroke();
    this.editor.done(step !== null && !this.#isErasing && !this.#kind.isEdge);
  }

  /** @override */
  drop() {
    if (this.#start) this.editor.document?.dropStroke();
    this.#start = null;
    this.#pressure = 1;
  }

  /** @override @param {boolean} isEarly @param {Point} point */
  pinched(isEarly, point) {
    if (isEarly || !this.#hasMoved) this.drop();
    else this.up(point);
  }
}
