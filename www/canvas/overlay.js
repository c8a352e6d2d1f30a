/**
 * Pictures that lie over the photo, such as edges or scores, on a canvas of their own above photo and mask.
 * @module
 */
import { imageData } from './color_space.js';

/** @typedef {import('./viewport.js').Viewport} Viewport */
/** @typedef {import('./tiles.js').Tiles} Tiles */

/**
 * @typedef {object} Picture
 * @property {number} x photo pixels
 * @property {number} y
 * @property {number} width photo pixels
 * @property {number} height
 * @property {HTMLCanvasElement} image stretched over that rectangle, pixel by pixel
 */

/**
 * What is shown: pictures, then tiles that take away, then tiles that add, then a frame.
 * @typedef {object} Layers
 * @property {Picture[]} pictures
 * @property {Tiles} [erased]
 * @property {Tiles} [drawn]
 * @property {import('../document/raster.js').Rect | null} [frame] photo pixels
 */

export class Overlay {
  #canvas = document.createElement('canvas');
  #element;
  #view;
  #layers = /** @type {Layers | null} */ (null);
  #frame = 0;

  /**
   * @param {HTMLElement} element the stage
   * @param {Viewport} view
   */
  constructor(element, view) {
    this.#element = element;
    this.#view = view;
    this.#canvas.className = 'layer';
    this.#canvas.setAttribute('aria-hidden', 'true');
    this.#canvas.hidden = true;
    element.querySelector('.ghost')?.after(this.#canvas);
  }

  /** @param {Layers | null} layers null hides */
  show(layers) {
    this.#layers = layers;
    this.refresh();
  }

  /** The photo moved on the stage, or what is shown has changed. */
  refresh() {
    this.#canvas.hidden = !this.#layers;
    if (this.#layers && !this.#frame) this.#frame = requestAnimationFrame(() => this.#draw());
  }

  #draw() {
    this.#frame = 0;
    const layers = this.#layers;
    const context = this.#canvas.getContext('2d');
    if (!layers || !context) return;
    const ratio = window.devicePixelRatio || 1;
    const view = this.#view;
    const scale = view.scale * ratio;
    const [width, height] = [this.#element.clientWidth, this.#element.clientHeight].map((side) => Math.max(1, Math.round(side * ratio)));
    // Setting a size clears the canvas.
    [this.#canvas.width, this.#canvas.height] = [width, height];
    const { photo } = view;
    context.save();
    context.beginPath();
    context.rect(view.x * ratio, view.y * ratio, photo.width * scale, photo.height * scale);
    context.clip();
    context.imageSmoothingEnabled = false;
    for (const { image, ...place } of layers.pictures) {
      const { x, y } = view.toStage(place.x, place.y);
      context.drawImage(image, x * ratio, y * ratio, place.width * scale, place.height * scale);
    }
    const whole = { x: 0, y: 0, width, height };
    if (layers.erased) {
      context.globalCompositeOperation = 'destination-out';
      layers.erased.draw(context, view, ratio, whole);
      context.globalCompositeOperation = 'source-over';
    }
    layers.drawn?.draw(context, view, ratio, whole);
    if (layers.frame) {
      const { x, y } = view.toStage(layers.frame.x, layers.frame.y);
      for (const [colour, line] of /** @type {const} */ ([['#161616', 3], ['#fff', 1]])) {
        context.strokeStyle = colour;
        context.lineWidth = line * ratio;
        context.strokeRect(x * ratio, y * ratio, layers.frame.width * scale, layers.frame.height * scale);
      }
    }
    context.restore();
  }
}

/**
 * A picture from one colour for each value.
 * @param {number} columns
 * @param {number} rows
 * @param {(at: number) => number[]} colour red, green, blue, alpha of the value at this index
 * @returns {HTMLCanvasElement}
 */
export function raster(columns, rows, colour) {
  const canvas = document.createElement('canvas');
  [canvas.width, canvas.height] = [columns, rows];
  const pixels = imageData(columns, rows);
  for (let at = 0; at < columns * rows; at++) pixels.data.set(colour(at), at * 4);
  canvas.getContext('2d')?.putImageData(pixels, 0, 0);
  return canvas;
}
