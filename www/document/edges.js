/**
 * What the person says of the edges inside the holes, at the photo's resolution: drawn, erased, or as they are found.
 * @module
 */
import { capsuleRows, clip, readRect, writeRect } from './raster.js';

/** @typedef {import('./raster.js').Rect} Rect */

export const FOUND = 0;
export const DRAWN = 1;
export const ERASED = 2;
/** The same in the bytes that the crate reads (see its `FillOptions::edges`). */
const BYTES = [128, 255, 0];

export class EdgeStrokes {
  #shown;

  /**
   * @param {number} width photo pixels
   * @param {number} height photo pixels
   * @param {Uint8Array} shown the mask as it is shown: only inside it edges can be drawn
   */
  constructor(width, height, shown) {
    this.width = width;
    this.height = height;
    this.#shown = shown;
    /** FOUND, DRAWN or ERASED, one byte a pixel; empty until something is drawn. */
    this.source = new Uint8Array(0);
  }

  get isEmpty() {
    return this.source.length === 0 || this.source.every((value) => value === FOUND);
  }

  /** Makes room for strokes. */
  begin() {
    if (this.source.length === 0) this.source = new Uint8Array(this.width * this.height);
  }

  /**
   * Draws or erases along a segment; coordinates in photo pixels, pixel centres at .5.
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
    const value = erase ? ERASED : DRAWN;
    capsuleRows(ax, ay, bx, by, radius, width, height, (y, x0, x1) => {
      for (let i = y * width + x0, end = y * width + x1; i < end; i++) if (this.#shown[i]) source[i] = value;
    });
    const reach = radius + 1;
    const box = { x: Math.min(ax, bx) - reach, y: Math.min(ay, by) - reach, width: Math.abs(ax - bx) + 2 * reach, height: Math.abs(ay - by) + 2 * reach };
    return clip(box, width, height);
  }

  /**
   * Where anything is drawn or erased, or null.
   * @returns {Rect | null}
   */
  bounds() {
    const { width, source } = this;
    const [first, last] = [source.findIndex(Boolean), source.findLastIndex(Boolean)];
    if (first < 0) return null;
    const [top, bottom] = [Math.floor(first / width), Math.floor(last / width)];
    return { x: 0, y: top, width, height: bottom - top + 1 };
  }

  /**
   * A copy of a rectangle of `source`.
   * @param {Rect} rect
   * @returns {Uint8Array}
   */
  read(rect) {
    this.begin();
    return readRect(this.source, this.width, rect);
  }

  /**
   * @param {Rect} rect
   * @param {Uint8Array} bytes
   */
  write(rect, bytes) {
    this.begin();
    writeRect(this.source, this.width, rect, bytes);
  }

  /** As the crate reads it; nothing where nothing was drawn. @returns {Uint8Array<ArrayBuffer> | undefined} */
  toBytes() {
    return this.isEmpty ? undefined : this.source.map((value) => BYTES[value]);
  }
}
