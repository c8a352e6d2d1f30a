/**
 * The mask at the photo's resolution.
 *
 * What the person draws (`source`) and what is shown, saved and filled (`shown`) are two planes: strokes are
 * grown by `grow` pixels, a loaded mask is taken exactly. `shown` is always derived from `source`.
 * @module
 */
import { capsuleRows, clip, dilate, expand, readRect, writeRect } from './raster.js';

/** @typedef {import('./raster.js').Rect} Rect */

/** Painted by hand: grown before it is shown. */
export const PAINTED = 1;
/** Loaded from a file: shown exactly. */
export const EXACT = 2;

export class Mask {
  #count = 0;
  #grow;

  /**
   * @param {number} width photo pixels
   * @param {number} height photo pixels
   * @param {number} grow photo pixels, 0 to 32
   */
  constructor(width, height, grow) {
    this.width = width;
    this.height = height;
    this.#grow = grow;
    /** Bits PAINTED and EXACT, one byte a pixel. */
    this.source = new Uint8Array(width * height);
    /** 0 known, 255 to be filled, one byte a pixel. */
    this.shown = new Uint8Array(width * height);
  }

  /** Pixels to be filled. */
  get count() {
    return this.#count;
  }

  get isEmpty() {
    return this.#count === 0;
  }

  /** Whether no pixel of the photo is left to fill from. */
  get isFull() {
    return this.#count === this.shown.length;
  }

  get grow() {
    return this.#grow;
  }

  /**
   * @param {number} pixels
   * @returns {Rect} where the shown mask may have changed
   */
  setGrow(pixels) {
    const reach = Math.max(pixels, this.#grow);
    this.#grow = pixels;
    const box = this.bounds();
    return this.derive(box ? expand(box, reach) : { x: 0, y: 0, width: 0, height: 0 }) ?? { x: 0, y: 0, width: 0, height: 0 };
  }

  /**
   * Paints or erases along a segment; coordinates in photo pixels, pixel centres at .5.
   * @param {number} ax
   * @param {number} ay
   * @param {number} bx
   * @param {number} by
   * @param {number} radius
   * @param {boolean} erase
   * @returns {Rect | null} the rectangle of `source` that was touched
   */
  stroke(ax, ay, bx, by, radius, erase) {
    const { width, height, source } = this;
    if (!erase) {
      capsuleRows(ax, ay, bx, by, radius, width, height, (y, x0, x1) => {
        for (let i = y * width + x0, end = y * width + x1; i < end; i++) source[i] |= PAINTED;
      });
    } else {
      // Growing would close the erased path again: take as much more of the strokes away.
      capsuleRows(ax, ay, bx, by, radius + this.#grow, width, height, (y, x0, x1) => {
        for (let i = y * width + x0, end = y * width + x1; i < end; i++) source[i] &= ~PAINTED;
      });
      capsuleRows(ax, ay, bx, by, radius, width, height, (y, x0, x1) => {
        for (let i = y * width + x0, end = y * width + x1; i < end; i++) source[i] &= ~EXACT;
      });
    }
    const reach = radius + 1 + (erase ? this.#grow : 0);
    const box = {
      x: Math.min(ax, bx) - reach,
      y: Math.min(ay, by) - reach,
      width: Math.abs(ax - bx) + 2 * reach,
      height: Math.abs(ay - by) + 2 * reach,
    };
    return clip(box, width, height);
  }

  /**
   * Brings `shown` up to date where `source` changed inside `rect`.
   * @param {Rect} rect
   * @returns {Rect | null} where `shown` may have changed
   */
  derive(rect) {
    const area = clip(expand(rect, this.#grow), this.width, this.height);
    if (!area) return null;
    const { width, source, shown } = this;
    const grown = dilate(source, PAINTED, width, this.height, area, this.#grow);
    for (let y = 0, i = 0; y < area.height; y++) {
      let at = (area.y + y) * width + area.x;
      for (let x = 0; x < area.width; x++, i++, at++) {
        const value = grown[i] || source[at] & EXACT ? 255 : 0;
        if (value !== shown[at]) {
          shown[at] = value;
          this.#count += value ? 1 : -1;
        }
      }
    }
    return area;
  }

  /**
   * Bounding box of `source`, or null where nothing is drawn.
   * @returns {Rect | null}
   */
  bounds() {
    const { width, height, source } = this;
    let left = width;
    let right = -1;
    let top = -1;
    let bottom = -1;
    for (let y = 0; y < height; y++) {
      const row = source.subarray(y * width, (y + 1) * width);
      let x = 0;
      while (x < width && row[x] === 0) x++;
      if (x === width) continue;
      let end = width - 1;
      while (row[end] === 0) end--;
      if (top < 0) top = y;
      bottom = y;
      left = Math.min(left, x);
      right = Math.max(right, end);
    }
    return top < 0 ? null : { x: left, y: top, width: right - left + 1, height: bottom - top + 1 };
  }

  /**
   * A copy of a rectangle of `source`.
   * @param {Rect} rect
   * @returns {Uint8Array}
   */
  read(rect) {
    return readRect(this.source, this.width, rect);
  }

  /**
   * Writes a rectangle of `source` and derives what is shown.
   * @param {Rect} rect
   * @param {Uint8Array} bytes
   * @returns {Rect | null} where `shown` may have changed
   */
  write(rect, bytes) {
    writeRect(this.source, this.width, rect, bytes);
    return this.derive(rect);
  }
}
