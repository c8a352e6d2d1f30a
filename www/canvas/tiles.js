/**
 * A picture of any size as small canvases, at the resolution the screen needs. No canvas is ever larger than a
 * tile, so the browser's limits on canvas sizes do not matter.
 * @module
 */
import { FULL, MARK, SIDE as PLANE_SIDE } from '../document/plane.js';
import { clip, union } from '../document/raster.js';
import { context2d, imageData } from './color_space.js';

/** @typedef {import('../document/raster.js').Rect} Rect */
/** @typedef {import('../document/plane.js').Plane} Plane */
/** @typedef {import('./viewport.js').Viewport} Viewport */

/**
 * Writes one tile: RGBA of `width * height` pixels at 1 / `step` of the picture's resolution.
 * @typedef {(target: Uint8ClampedArray, x: number, y: number, width: number, height: number, step: number) => void} Painter
 */

/** Side of a tile in its own pixels. */
const SIDE = 256;
/** Tiles kept at once: 400 of 256 KB. */
const KEPT = 400;

/** @typedef {{canvas: HTMLCanvasElement, old: Rect | null, level: number, tx: number, ty: number}} Tile `old` has to be painted again, in its own pixels */

export class Tiles {
  #tiles = /** @type {Map<string, Tile>} */ (new Map());
  #paint;
  #colorSpace;

  /**
   * @param {number} width photo pixels
   * @param {number} height photo pixels
   * @param {Painter} paint
   * @param {PredefinedColorSpace} [colorSpace] of the painted values
   */
  constructor(width, height, paint, colorSpace = 'srgb') {
    this.width = width;
    this.height = height;
    this.#paint = paint;
    this.#colorSpace = colorSpace;
  }

  /**
   * Tells that a part of the picture changed.
   * @param {Rect} rect photo pixels
   */
  invalidate(rect) {
    for (const tile of this.#tiles.values()) {
      const side = SIDE * 2 ** tile.level;
      const x = tile.tx * side;
      const y = tile.ty * side;
      if (x >= rect.x + rect.width || x + side <= rect.x || y >= rect.y + rect.height || y + side <= rect.y) continue;
      const step = 2 ** tile.level;
      const left = Math.floor((rect.x - x) / step);
      const top = Math.floor((rect.y - y) / step);
      const part = { x: left, y: top, width: Math.ceil((rect.x + rect.width - x) / step) - left, height: Math.ceil((rect.y + rect.height - y) / step) - top };
      tile.old = union(tile.old, clip(part, tile.canvas.width, tile.canvas.height));
    }
  }

  /**
   * Draws the visible part. Stops making new tiles after `budgetMs` and leaves gaps.
   * @param {CanvasRenderingContext2D} context in device pixels
   * @param {Viewport} view
   * @param {number} ratio device pixels per CSS pixel
   * @param {Rect} area device pixels
   * @param {number} [budgetMs]
   * @returns {boolean} whether everything was drawn
   */
  draw(context, view, ratio, area, budgetMs = Infinity) {
    const scale = view.scale * ratio;
    const level = Math.max(0, Math.floor(Math.log2(1 / scale)));
    const side = SIDE * 2 ** level * scale;
    const left = view.x * ratio;
    const top = view.y * ratio;
    const columns = Math.ceil(this.width / (SIDE * 2 ** level));
    const rows = Math.ceil(this.height / (SIDE * 2 ** level));
    const x0 = Math.max(0, Math.floor((area.x - left) / side));
    const y0 = Math.max(0, Math.floor((area.y - top) / side));
    const x1 = Math.min(columns - 1, Math.floor((area.x + area.width - left) / side));
    const y1 = Math.min(rows - 1, Math.floor((area.y + area.height - top) / side));
    const start = performance.now();
    let isWhole = true;
    for (let ty = y0; ty <= y1; ty++) {
      for (let tx = x0; tx <= x1; tx++) {
        const late = performance.now() - start > budgetMs;
        const tile = this.#tile(level, tx, ty, late);
        if (!tile) {
          isWhole = false;
          continue;
        }
        if (tile.old) isWhole = false;
        const step = 2 ** level * scale;
        const x = Math.round(left + tx * side);
        const y = Math.round(top + ty * side);
        const right = Math.round(left + tx * side + tile.canvas.width * step);
        const bottom = Math.round(top + ty * side + tile.canvas.height * step);
        context.drawImage(tile.canvas, x, y, Math.max(1, right - x), Math.max(1, bottom - y));
      }
    }
    return isWhole;
  }

  /**
   * @param {number} level
   * @param {number} tx
   * @param {number} ty
   * @param {boolean} late take what is there
   * @returns {Tile | null}
   */
  #tile(level, tx, ty, late) {
    const key = `${level}/${tx}/${ty}`;
    let tile = this.#tiles.get(key);
    if (late) return tile ?? null;
    if (tile) {
      // The least recently drawn stands first.
      this.#tiles.delete(key);
      this.#tiles.set(key, tile);
      if (!tile.old) return tile;
    } else {
      const canvas = document.createElement('canvas');
      const step = 2 ** level;
      canvas.width = Math.min(SIDE, Math.ceil((this.width - tx * SIDE * step) / step));
      canvas.height = Math.min(SIDE, Math.ceil((this.height - ty * SIDE * step) / step));
      tile = { canvas, old: { x: 0, y: 0, width: canvas.width, height: canvas.height }, level, tx, ty };
      this.#tiles.set(key, tile);
      for (const old of this.#tiles.keys()) {
        if (this.#tiles.size <= KEPT) break;
        this.#tiles.delete(old);
      }
    }
    if (tile.old) {
      const { x, y, width, height } = tile.old;
      const context = context2d(tile.canvas, this.#colorSpace, { willReadFrequently: true });
      const pixels = imageData(width, height, this.#colorSpace);
      this.#paint(pixels.data, tx * SIDE + x, ty * SIDE + y, width, height, 2 ** level);
      context?.putImageData(pixels, x, y);
      tile.old = null;
    }
    return tile;
  }
}

/**
 * The offsets inside one `step` by `step` block that stand for it: at most `most` a side.
 * @param {number} step
 * @param {number} most
 * @returns {number[]}
 */
function samples(step, most) {
  const count = Math.min(step, most);
  return Array.from({ length: count }, (_, i) => Math.floor(((i + 0.5) * step) / count));
}

/**
 * A painter that averages a photo's pixels.
 * @param {number} width
 * @param {number} height
 * @param {(x: number, y: number) => {bytes: Uint8ClampedArray, at: number}} pixel
 * @returns {Painter}
 */
export function photoPainter(width, height, pixel) {
  return (target, x0, y0, w, h, step) => {
    const offsets = samples(step, 4);
    for (let y = 0, i = 0; y < h; y++) {
      for (let x = 0; x < w; x++, i += 4) {
        let r = 0;
        let g = 0;
        let b = 0;
        let a = 0;
        for (const dy of offsets) {
          const py = Math.min(height - 1, (y0 + y) * step + dy);
          for (const dx of offsets) {
            const { bytes, at } = pixel(Math.min(width - 1, (x0 + x) * step + dx), py);
            r += bytes[at];
            g += bytes[at + 1];
            b += bytes[at + 2];
            a += bytes[at + 3];
          }
        }
        const count = offsets.length * offsets.length;
        target[i] = r / count;
        target[i + 1] = g / count;
        target[i + 2] = b / count;
        target[i + 3] = a / count;
      }
    }
  };
}

/**
 * The same for plain RGBA, without a call for every pixel.
 * @param {number} width
 * @param {number} height
 * @param {Uint8ClampedArray} rgba
 * @returns {Painter}
 */
export function rgbaPainter(width, height, rgba) {
  return (target, x0, y0, w, h, step) => {
    const offsets = samples(step, 4);
    const count = offsets.length * offsets.length;
    for (let y = 0, i = 0; y < h; y++) {
      for (let x = 0; x < w; x++, i += 4) {
        let r = 0;
        let g = 0;
        let b = 0;
        let a = 0;
        for (const dy of offsets) {
          const row = Math.min(height - 1, (y0 + y) * step + dy) * width;
          for (const dx of offsets) {
            const at = (row + Math.min(width - 1, (x0 + x) * step + dx)) * 4;
            r += rgba[at];
            g += rgba[at + 1];
            b += rgba[at + 2];
            a += rgba[at + 3];
          }
        }
        target[i] = r / count;
        target[i + 1] = g / count;
        target[i + 2] = b / count;
        target[i + 3] = a / count;
      }
    }
  };
}

/**
 * A painter for a plane: a pixel is set where anything in its block is marked, so that thin strokes stay visible.
 * @param {Plane} plane
 * @param {[number, number, number]} colour
 * @returns {Painter}
 */
export function planePainter(plane, [r, g, b]) {
  const colour = new Uint32Array(Uint8Array.of(r, g, b, 255).buffer)[0];
  return (target, x0, y0, w, h, step) => {
    const pixels = new Uint32Array(target.buffer, target.byteOffset, w * h);
    const rect = { x: x0 * step, y: y0 * step, width: w * step, height: h * step };
    for (const index of plane.indices(rect)) {
      const tile = plane.tile(index);
      if (!tile) continue;
      const box = plane.rectOf(index);
      const [left, right] = [Math.max(x0, Math.floor(box.x / step)), Math.min(x0 + w, Math.ceil((box.x + box.width) / step))];
      const [top, bottom] = [Math.max(y0, Math.floor(box.y / step)), Math.min(y0 + h, Math.ceil((box.y + box.height) / step))];
      if (tile === FULL) {
        for (let y = top, at = (top - y0) * w - x0; y < bottom; y++, at += w) pixels.fill(colour, at + left, at + right);
        continue;
      }
      const marked = blocks(tile, step);
      for (let y = top; y < bottom; y++) {
        for (let x = left, i = (y - y0) * w + left - x0; x < right; x++, i++) if (marked(x * step - box.x, y * step - box.y)) pixels[i] = colour;
      }
    }
  };
}

/**
 * Whether anything is marked in a block of a plane's tile.
 * @param {Uint8Array} tile
 * @param {number} step side of a block: a power of two
 * @returns {(x: number, y: number) => boolean} of the block that begins there
 */
function blocks(tile, step) {
  if (step === 1) return (x, y) => tile[y * PLANE_SIDE + x] !== 0;
  if (step >= PLANE_SIDE) {
    const isAny = tile.includes(MARK);
    return () => isAny;
  }
  // As many pixels as fit are looked at together.
  const words = step === 2 ? new Uint16Array(tile.buffer) : new Uint32Array(tile.buffer);
  const [wide, across] = [tile.length / words.length, step / (tile.length / words.length)];
  return (x, y) => {
    for (let row = y; row < y + step; row++) {
      for (let at = (row * PLANE_SIDE + x) / wide, end = at + across; at < end; at++) if (words[at]) return true;
    }
    return false;
  };
}
