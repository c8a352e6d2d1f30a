/**
 * The photo: straight RGBA as it was decoded, and what it looked like when it was opened.
 * @module
 */
import { clip } from './raster.js';

/** @typedef {import('./raster.js').Rect} Rect */

/**
 * One rectangle of new pixels.
 * @typedef {Rect & {rgba: Uint8Array | Uint8ClampedArray}} Patch
 */

const TILE = 256;
/** The part of an ICC profile that holds its name, in bytes. */
const PROFILE_HEAD = 4096;

export class Photo {
  /** Tiles as they were when opened, kept from the first change on: so a comparison costs only what was filled. */
  #opened = /** @type {Map<number, Uint8ClampedArray>} */ (new Map());
  #columns;

  /** @param {{name: string, width: number, height: number, rgba: Uint8ClampedArray, hasAlpha: boolean, isGray: boolean, icc?: Uint8Array, notes?: string[], source?: Blob | null}} from */
  constructor({ name, width, height, rgba, hasAlpha, isGray, icc, notes = [], source = null }) {
    this.name = name;
    this.width = width;
    this.height = height;
    this.rgba = rgba;
    this.hasAlpha = hasAlpha;
    this.isGray = isGray;
    this.icc = icc;
    /** What a user may not expect of it, in stable words. */
    this.notes = notes;
    /** The file that it was opened from: not its bytes, but a way to them. */
    this.source = source;
    /** How it is to be saved. @type {import('./saving.js').Choice} */
    this.saveAs = 'source';
    /** Counts the changes, so that a worker's copy can be known to be old. */
    this.version = 0;
    this.#columns = Math.ceil(width / TILE);
  }

  /**
   * The colour space to show it in. Pixels are kept as stored; of the wide ones browsers draw only Display P3, which
   * is what phones write. The profile's name is looked for as it is written, in ASCII or UTF-16.
   * @returns {'srgb' | 'display-p3'}
   */
  get colorSpace() {
    const profile = String.fromCharCode(...(this.icc ?? []).slice(0, PROFILE_HEAD)).replaceAll('\0', '');
    return profile.includes('Display P3') ? 'display-p3' : 'srgb';
  }

  /** Whether any pixel was ever changed. */
  get isEdited() {
    return this.#opened.size > 0;
  }

  /**
   * Swaps the patch's pixels with the photo's: applied twice, nothing has changed.
   * @param {Patch} patch
   */
  swap(patch) {
    this.#keep(patch);
    const bytes = patch.width * 4;
    const row = new Uint8ClampedArray(bytes);
    for (let y = 0; y < patch.height; y++) {
      const at = ((patch.y + y) * this.width + patch.x) * 4;
      const target = this.rgba.subarray(at, at + bytes);
      const own = patch.rgba.subarray(y * bytes, (y + 1) * bytes);
      row.set(target);
      target.set(own);
      own.set(row);
    }
    this.version++;
  }

  /** @param {Rect} rect */
  #keep(rect) {
    for (let ty = Math.floor(rect.y / TILE); ty * TILE < rect.y + rect.height; ty++) {
      for (let tx = Math.floor(rect.x / TILE); tx * TILE < rect.x + rect.width; tx++) {
        const key = ty * this.#columns + tx;
        if (this.#opened.has(key)) continue;
        const tile = clip({ x: tx * TILE, y: ty * TILE, width: TILE, height: TILE }, this.width, this.height);
        if (tile) this.#opened.set(key, copyRows(this.rgba, this.width, tile));
      }
    }
  }

  /** A copy of a rectangle inside the photo as it is now. @param {Rect} rect */
  read(rect) {
    return copyRows(this.rgba, this.width, rect);
  }

  /** Rectangles that hold all that was ever changed. @returns {Rect[]} */
  changed() {
    return [...this.#opened.keys()].map((key) => {
      const [x, y] = [(key % this.#columns) * TILE, Math.floor(key / this.#columns) * TILE];
      return { x, y, width: Math.min(TILE, this.width - x), height: Math.min(TILE, this.height - y) };
    });
  }

  /** The whole photo as it was opened. */
  opened() {
    const out = this.rgba.slice();
    for (const [key, bytes] of this.#opened) {
      const [left, top] = [(key % this.#columns) * TILE, Math.floor(key / this.#columns) * TILE];
      const row = Math.min(TILE, this.width - left) * 4;
      for (let y = 0; y * row < bytes.length; y++) out.set(bytes.subarray(y * row, (y + 1) * row), ((top + y) * this.width + left) * 4);
    }
    return out;
  }

  /**
   * One pixel as it was opened, as an index into the returned array.
   * @param {number} x
   * @param {number} y
   * @returns {{bytes: Uint8ClampedArray, at: number}}
   */
  openedAt(x, y) {
    const tx = Math.floor(x / TILE);
    const ty = Math.floor(y / TILE);
    const tile = this.#opened.get(ty * this.#columns + tx);
    if (!tile) return { bytes: this.rgba, at: (y * this.width + x) * 4 };
    const width = Math.min(TILE, this.width - tx * TILE);
    return { bytes: tile, at: ((y - ty * TILE) * width + x - tx * TILE) * 4 };
  }
}

/**
 * @param {Uint8ClampedArray} rgba
 * @param {number} width
 * @param {Rect} rect
 */
function copyRows(rgba, width, rect) {
  const out = new Uint8ClampedArray(rect.width * rect.height * 4);
  for (let y = 0; y < rect.height; y++) {
    const at = ((rect.y + y) * width + rect.x) * 4;
    out.set(rgba.subarray(at, at + rect.width * 4), y * rect.width * 4);
  }
  return out;
}
