/**
 * A picture of marks, one byte a pixel: 0, or MARK where something is marked. It is kept in tiles that are copied only
 * when they are written to while something else still holds them. So a copy of a whole plane costs a list of tiles, and
 * a step of the history keeps just the tiles that it changed.
 * @module
 */
import { clip } from './raster.js';

/** @typedef {import('./raster.js').Rect} Rect */

/** Side of a tile in pixels. */
export const SIDE = 128;
/** The value of a marked pixel. */
export const MARK = 255;

const AREA = SIDE * SIDE;

/**
 * `SIDE` by `SIDE` bytes, or null where nothing is marked. Bytes beyond the plane's edges are 0.
 * @typedef {Uint8Array | null} Tile
 */

/**
 * How one tile differs.
 * @typedef {{index: number, before: Tile, after: Tile}} TileChange
 */

/** The one tile in which everything is marked; nobody writes to it. */
export const FULL = new Uint8Array(AREA).fill(MARK);

export class Plane {
  #columns;
  #tiles = /** @type {Tile[]} */ ([]);
  /** Whether nobody else holds a tile. */
  #isOwn = /** @type {boolean[]} */ ([]);
  /** Marked pixels of each tile; -1 where they have to be counted anew. */
  #counts;

  /**
   * @param {number} width pixels
   * @param {number} height pixels
   */
  constructor(width, height) {
    this.width = width;
    this.height = height;
    this.#columns = Math.ceil(width / SIDE);
    const length = this.#columns * Math.ceil(height / SIDE);
    this.#tiles = new Array(length).fill(null);
    this.#isOwn = new Array(length).fill(false);
    this.#counts = new Int32Array(length);
  }

  /**
   * A plane of whole bytes.
   * @param {number} width
   * @param {number} height
   * @param {Uint8Array} bytes one a pixel, marked where it is above 127
   */
  static from(width, height, bytes) {
    const plane = new Plane(width, height);
    for (let y = 0; y < height; y++) {
      for (let x = 0, at = y * width; x < width; ) {
        while (x < width && bytes[at + x] <= 127) x++;
        const start = x;
        while (x < width && bytes[at + x] > 127) x++;
        if (x > start) plane.span(y, start, x);
      }
    }
    plane.tidy();
    return plane;
  }

  /** A plane that shares all tiles until one of the two is written to. */
  clone() {
    const copy = new Plane(this.width, this.height);
    copy.restore(this.snapshot());
    return copy;
  }

  /** The number of its tiles. */
  get length() {
    return this.#tiles.length;
  }

  /** Marked pixels. */
  get count() {
    return this.#tiles.reduce((sum, _, index) => sum + this.#countOf(index), 0);
  }

  get isEmpty() {
    return this.#tiles.every((_, index) => this.#countOf(index) === 0);
  }

  /** Every tile as it is; what is written later does not change it. @returns {Tile[]} */
  snapshot() {
    this.#isOwn.fill(false);
    return this.#tiles.slice();
  }

  /** @param {readonly Tile[]} tiles a snapshot of a plane of this size */
  restore(tiles) {
    for (let i = 0; i < tiles.length; i++) if (tiles[i] !== this.#tiles[i]) this.put(i, tiles[i]);
  }

  /** @param {number} index @returns {Tile} not to be written to */
  tile(index) {
    return this.#tiles[index];
  }

  /** @param {number} index @param {Tile} tile from now on shared */
  put(index, tile) {
    this.#tiles[index] = tile;
    this.#isOwn[index] = false;
    this.#counts[index] = tile ? (tile === FULL ? AREA : -1) : 0;
  }

  /**
   * The tile of a pixel.
   * @param {number} x
   * @param {number} y
   */
  indexAt(x, y) {
    return Math.floor(y / SIDE) * this.#columns + Math.floor(x / SIDE);
  }

  /** Where a tile lies, without what is beyond the edges. @param {number} index @returns {Rect} */
  rectOf(index) {
    const [x, y] = [(index % this.#columns) * SIDE, Math.floor(index / this.#columns) * SIDE];
    return { x, y, width: Math.min(SIDE, this.width - x), height: Math.min(SIDE, this.height - y) };
  }

  /**
   * The tiles that a rectangle meets.
   * @param {Rect | null} rect
   * @returns {Generator<number>}
   */
  *indices(rect) {
    const part = rect && clip(rect, this.width, this.height);
    if (!part) return;
    for (let ty = Math.floor(part.y / SIDE); ty * SIDE < part.y + part.height; ty++) {
      for (let tx = Math.floor(part.x / SIDE); tx * SIDE < part.x + part.width; tx++) yield ty * this.#columns + tx;
    }
  }

  /**
   * @param {number} x
   * @param {number} y
   * @returns {boolean} whether the pixel is marked; none beyond the edges is
   */
  has(x, y) {
    if (x < 0 || y < 0 || x >= this.width || y >= this.height) return false;
    const tile = this.#tiles[this.indexAt(x, y)];
    return tile !== null && tile[(y % SIDE) * SIDE + (x % SIDE)] !== 0;
  }

  /**
   * Marks, or clears, a part of a row inside the plane.
   * @param {number} y
   * @param {number} x0
   * @param {number} x1 exclusive
   * @param {number} [value] MARK or 0
   */
  span(y, x0, x1, value = MARK) {
    const nothing = value ? FULL : null;
    const row = (y % SIDE) * SIDE;
    for (let x = x0, index = this.indexAt(x0, y); x < x1; index++) {
      const left = x - (x % SIDE);
      const end = Math.min(x1, left + SIDE);
      if (this.#tiles[index] !== nothing) {
        this.#writable(index).fill(value, row + x - left, row + end - left);
        this.#counts[index] = -1;
      }
      x = end;
    }
  }

  /**
   * Marks, or clears, a shape that comes from the top down. Tiles that it covers as a whole are exchanged instead of
   * written to, so that a broad stroke costs about its rim.
   * @param {(row: (y: number, x0: number, x1: number) => void) => void} shape calls its argument with runs of rows inside the plane
   * @param {number} [value] MARK or 0
   */
  write(shape, value = MARK) {
    const runs = /** @type {number[]} */ ([]);
    shape((y, x0, x1) => {
      if (x1 <= x0) return;
      if (runs.length && Math.floor(runs[0] / SIDE) !== Math.floor(y / SIDE)) this.#writeBand(runs.splice(0), value);
      runs.push(y, x0, x1);
    });
    this.#writeBand(runs, value);
  }

  /**
   * Writes runs that lie in one row of tiles.
   * @param {readonly number[]} runs row, start and end of each
   * @param {number} value
   */
  #writeBand(runs, value) {
    let [left, right] = [0, this.width];
    // One run after the other, one in every row.
    let isWhole = runs.length === 3 * SIDE;
    for (let i = 0; i < runs.length; i += 3) {
      left = Math.max(left, runs[i + 1]);
      right = Math.min(right, runs[i + 2]);
      isWhole &&= runs[i] === runs[0] + i / 3;
    }
    const [from, to] = [Math.ceil(left / SIDE) * SIDE, Math.floor(right / SIDE) * SIDE];
    isWhole &&= to > from;
    for (let x = from; isWhole && x < to; x += SIDE) {
      const index = this.indexAt(x, runs[0]);
      if (this.#tiles[index] !== (value ? FULL : null)) this.put(index, value ? FULL : null);
    }
    for (let i = 0; i < runs.length; i += 3) {
      this.span(runs[i], runs[i + 1], isWhole ? from : runs[i + 2], value);
      if (isWhole) this.span(runs[i], to, runs[i + 2], value);
    }
  }

  /**
   * Calls `row(y, x0, x1)` (x1 exclusive) for all that is marked inside a rectangle, tile by tile.
   * @param {(y: number, x0: number, x1: number) => void} row
   * @param {Rect} [rect]
   */
  eachSpan(row, rect = { x: 0, y: 0, width: this.width, height: this.height }) {
    for (const index of this.indices(rect)) {
      const tile = this.#tiles[index];
      if (!tile) continue;
      const box = this.rectOf(index);
      const [left, right] = [Math.max(box.x, rect.x) - box.x, Math.min(box.x + box.width, rect.x + rect.width) - box.x];
      const [top, bottom] = [Math.max(box.y, rect.y) - box.y, Math.min(box.y + box.height, rect.y + rect.height) - box.y];
      for (let y = top; y < bottom; y++) eachRun(tile, y * SIDE + left, y * SIDE + right, (from, to) => row(box.y + y, box.x + from - y * SIDE, box.x + to - y * SIDE));
    }
  }

  /**
   * A copy of a rectangle inside the plane.
   * @param {Rect} rect
   * @returns {Uint8Array<ArrayBuffer>}
   */
  read(rect) {
    const out = new Uint8Array(rect.width * rect.height);
    for (const index of this.indices(rect)) {
      const tile = this.#tiles[index];
      if (!tile) continue;
      const box = this.rectOf(index);
      const [left, right] = [Math.max(box.x, rect.x), Math.min(box.x + box.width, rect.x + rect.width)];
      for (let y = Math.max(box.y, rect.y), end = Math.min(box.y + box.height, rect.y + rect.height); y < end; y++) {
        const from = (y - box.y) * SIDE - box.x;
        out.set(tile.subarray(from + left, from + right), (y - rect.y) * rect.width + left - rect.x);
      }
    }
    return out;
  }

  /** The whole plane, as workers and files want it. */
  toBytes() {
    return this.read({ x: 0, y: 0, width: this.width, height: this.height });
  }

  /** The smallest rectangle around what is marked, or null. @returns {Rect | null} */
  bounds() {
    let [left, top, right, bottom] = [this.width, this.height, 0, 0];
    this.#tiles.forEach((tile, index) => {
      if (!tile) return;
      const box = this.rectOf(index);
      // What lies inside of what is known changes nothing.
      if (box.x >= left && box.y >= top && box.x + box.width <= right && box.y + box.height <= bottom) return;
      this.eachSpan((y, x0, x1) => {
        left = Math.min(left, x0);
        right = Math.max(right, x1);
        top = Math.min(top, y);
        bottom = Math.max(bottom, y + 1);
      }, box);
    });
    return right > left ? { x: left, y: top, width: right - left, height: bottom - top } : null;
  }

  /**
   * Lets go of tiles in which nothing is marked, or everything.
   * @param {Iterable<number>} [indices] where that may have come about
   */
  tidy(indices = this.#tiles.keys()) {
    for (const index of indices) this.put(index, this.#tidied(index));
  }

  /**
   * What has changed since a snapshot. From now on the tiles are shared with the answer.
   * @param {readonly Tile[]} before
   * @returns {TileChange[]}
   */
  changesSince(before) {
    const changes = [];
    for (let index = 0; index < before.length; index++) {
      if (this.#tiles[index] === before[index]) continue;
      const after = this.#tidied(index);
      const isSame = after === before[index] || (after && before[index]?.every((value, i) => value === after[i]));
      this.put(index, isSame ? before[index] : after);
      if (!isSame) changes.push({ index, before: before[index], after });
    }
    return changes;
  }

  /** @param {number} index */
  #tidied(index) {
    const tile = this.#tiles[index];
    if (!tile || tile === FULL) return tile;
    const count = this.#countOf(index);
    return count === 0 ? null : count === AREA ? FULL : tile;
  }

  /** Marked pixels of a tile. @param {number} index */
  #countOf(index) {
    if (this.#counts[index] < 0) this.#counts[index] = countOf(this.#tiles[index]);
    return this.#counts[index];
  }

  /** A tile of our own. @param {number} index @returns {Uint8Array} */
  #writable(index) {
    const tile = this.#tiles[index];
    if (tile && this.#isOwn[index]) return tile;
    const own = tile ? tile.slice() : new Uint8Array(AREA);
    this.#tiles[index] = own;
    this.#isOwn[index] = true;
    return own;
  }
}

/**
 * Calls `run(from, to)` for all runs of marks between two places of some bytes.
 * @param {Uint8Array} bytes
 * @param {number} start
 * @param {number} end exclusive
 * @param {(from: number, to: number) => void} run
 */
export function eachRun(bytes, start, end, run) {
  for (let at = start; at < end; ) {
    while (at < end && bytes[at] === 0) at++;
    const from = at;
    while (at < end && bytes[at] !== 0) at++;
    if (at > from) run(from, at);
  }
}

/** @param {Tile} tile */
function countOf(tile) {
  let count = 0;
  // A mark is -1 as a signed byte: its lowest bit counts.
  if (tile) for (let i = 0; i < AREA; i++) count += tile[i] & 1;
  return count;
}
