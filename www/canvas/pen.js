/**
 * Lines over the photo that can be seen on any colour, in photo pixels but as thin as the screen allows at any zoom.
 * @module
 */

/** @typedef {import('./viewport.js').Viewport} Viewport */
/** @typedef {{x: number, y: number}} Place photo pixels */

const [LIGHT, DARK] = ['#fff', '#161616'];
/** CSS pixels. */
const DASH = 5;
const HANDLE_SIDE = 9;

export class Pen {
  #context;
  #view;
  #ratio;

  /**
   * @param {CanvasRenderingContext2D} context in device pixels
   * @param {Viewport} view
   * @param {number} ratio device pixels per CSS pixel
   */
  constructor(context, view, ratio) {
    this.#context = context;
    this.#view = view;
    this.#ratio = ratio;
  }

  /** @param {Place} place @returns {[number, number]} device pixels, on a pixel's centre */
  #at({ x, y }) {
    const at = this.#view.toStage(x, y);
    return [Math.round(at.x * this.#ratio - 0.5) + 0.5, Math.round(at.y * this.#ratio - 0.5) + 0.5];
  }

  /** @param {readonly Place[]} places @param {boolean} isClosed */
  line(places, isClosed) {
    this.#stroke((context) => {
      places.forEach((place, i) => (i ? context.lineTo(...this.#at(place)) : context.moveTo(...this.#at(place))));
      if (isClosed) context.closePath();
    });
  }

  /** An ellipse inside a rectangle. @param {import('../document/raster.js').Rect} box photo pixels */
  ellipse({ x, y, width, height }) {
    const [left, top] = this.#at({ x, y });
    const [right, bottom] = this.#at({ x: x + width, y: y + height });
    this.#stroke((context) => context.ellipse((left + right) / 2, (top + bottom) / 2, (right - left) / 2, (bottom - top) / 2, 0, 0, 2 * Math.PI));
  }

  /**
   * What lies inside closed lines, with its border.
   * @param {readonly (readonly Place[])[]} lines
   * @param {boolean} takes whether it is to be taken away: it is darkened instead of lightened
   */
  area(lines, takes) {
    const context = this.#context;
    this.#stroke(() => {
      for (const line of lines) {
        line.forEach((place, i) => (i ? context.lineTo(...this.#at(place)) : context.moveTo(...this.#at(place))));
        context.closePath();
      }
    });
    // The path is still there.
    context.globalAlpha = takes ? 0.4 : 0.3;
    context.fillStyle = takes ? DARK : LIGHT;
    context.fill('evenodd');
    context.globalAlpha = 1;
  }

  /** A point that can be taken hold of. @param {Place} place @param {boolean} isHot whether the pointer is on it */
  handle(place, isHot) {
    const context = this.#context;
    const [x, y] = this.#at(place);
    const side = Math.round(HANDLE_SIDE * this.#ratio * (isHot ? 1.35 : 1));
    context.setLineDash([]);
    context.lineWidth = this.#ratio;
    context.fillStyle = isHot ? DARK : LIGHT;
    context.strokeStyle = isHot ? LIGHT : DARK;
    context.beginPath();
    context.rect(x - side / 2, y - side / 2, side, side);
    context.fill();
    context.stroke();
  }

  /** A light line with dark dashes on it. @param {(context: CanvasRenderingContext2D) => void} path */
  #stroke(path) {
    const context = this.#context;
    const ratio = this.#ratio;
    context.beginPath();
    path(context);
    context.lineJoin = 'round';
    context.setLineDash([]);
    for (const [colour, width, dash] of /** @type {const} */ ([[DARK, 3, 0], [LIGHT, 1.5, 0], [DARK, 1.5, DASH]])) {
      context.strokeStyle = colour;
      context.lineWidth = width * ratio;
      context.globalAlpha = width === 3 ? 0.35 : 1;
      context.setLineDash(dash ? [dash * ratio, dash * ratio] : []);
      context.stroke();
    }
    context.globalAlpha = 1;
  }
}
