/**
 * The canvas on which the tool at hand draws, above photo, mask and edges.
 * @module
 */
import { Pen } from './pen.js';

/** @typedef {import('./viewport.js').Viewport} Viewport */

export class ToolLayer {
  #canvas = document.createElement('canvas');
  #element;
  #view;
  #draws;
  #frame = 0;

  /**
   * @param {HTMLElement} element the stage
   * @param {Viewport} view
   * @param {(pen: Pen) => void} draws
   */
  constructor(element, view, draws) {
    this.#element = element;
    this.#view = view;
    this.#draws = draws;
    this.#canvas.className = 'layer tool-layer';
    this.#canvas.setAttribute('aria-hidden', 'true');
    element.querySelector('.cursor')?.before(this.#canvas);
  }

  /** The photo moved on the stage, or what the tool shows has changed. */
  refresh() {
    this.#frame ||= requestAnimationFrame(() => this.#draw());
  }

  #draw() {
    this.#frame = 0;
    const context = this.#canvas.getContext('2d');
    if (!context) return;
    const ratio = window.devicePixelRatio || 1;
    const [width, height] = [this.#element.clientWidth, this.#element.clientHeight].map((side) => Math.max(1, Math.round(side * ratio)));
    if (this.#canvas.width !== width) this.#canvas.width = width;
    if (this.#canvas.height !== height) this.#canvas.height = height;
    context.clearRect(0, 0, width, height);
    this.#draws(new Pen(context, this.#view, ratio));
  }
}
