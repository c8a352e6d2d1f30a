/**
 * What the person says of the edges inside the holes, at the photo's resolution: drawn, erased, or as they are found.
 * @module
 */
import { Plane } from './plane.js';
import { capsuleRows, clip } from './raster.js';

/** @typedef {import('./raster.js').Rect} Rect */

/** The bytes that the crate reads (see its `FillOptions::edges`). */
const [FOUND, DRAWN, ERASED] = [128, 255, 0];

export class EdgeStrokes {
  #shown;

  /** @param {Plane} shown the mask as it is shown: only inside it edges can be drawn */
  constructor(shown) {
    this.width = shown.width;
    this.height = shown.height;
    this.#shown = shown;
    this.drawn = new Plane(shown.width, shown.height);
    this.erased = new Plane(shown.width, shown.height);
  }

  get isEmpty() {
    return this.drawn.isEmpty && this.erased.isEmpty;
  }

  /**
   * Draws or erases along a segment; coordinates in photo pixels, pixel centres at .5.
   * @param {number} ax
   * @param {number} ay
   * @param {number} bx
   * @param {number} by
   * @param {number} radius
   * @param {boolean} erase
   * @returns {Rect | null} where edges may have changed
   */
  stroke(ax, ay, bx, by, radius, erase) {
    const { width, height } = this;
    const [marked, cleared] = erase ? [this.erased, this.drawn] : [this.drawn, this.erased];
    capsuleRows(ax, ay, bx, by, radius, width, height, (y, x0, x1) => {
      this.#shown.eachSpan((y, from, to) => {
        marked.span(y, from, to);
        cleared.span(y, from, to, 0);
      }, { x: x0, y, width: x1 - x0, height: 1 });
    });
    const reach = radius + 1;
    const box = { x: Math.min(ax, bx) - reach, y: Math.min(ay, by) - reach, width: Math.abs(ax - bx) + 2 * reach, height: Math.abs(ay - by) + 2 * reach };
    return clip(box, width, height);
  }

  /** Lets every edge be as it is found. */
  clear() {
    const none = new Plane(this.width, this.height).snapshot();
    this.drawn.restore(none);
    this.erased.restore(none);
  }

  /** As the crate reads it; nothing where nothing was drawn. @returns {Uint8Array<ArrayBuffer> | undefined} */
  toBytes() {
    if (this.isEmpty) return undefined;
    const bytes = new Uint8Array(this.width * this.height).fill(FOUND);
    this.drawn.eachSpan((y, x0, x1) => bytes.fill(DRAWN, y * this.width + x0, y * this.width + x1));
    this.erased.eachSpan((y, x0, x1) => bytes.fill(ERASED, y * this.width + x0, y * this.width + x1));
    return bytes;
  }
}
