/**
 * The mask at the photo's resolution.
 *
 * Three planes: what was `painted`, which is grown by `grow` pixels; what is `exact`, such as a loaded mask; and what is
 * `shown`, saved and filled, which always follows from the other two.
 * @module
 */
import { eachRun, FULL, Plane, SIDE } from './plane.js';
import { capsuleRows, clip, dilate, expand, growRows, rowsOf, union } from './raster.js';

/** @typedef {import('./raster.js').Rect} Rect */
/** @typedef {import('./plane.js').Tile} Tile */

/** The mask is grown by this many photo pixels at most. */
export const MOST_GROW = 32;

/**
 * A set of pixels: calls its argument with runs of rows inside the photo.
 * @typedef {(row: (y: number, x0: number, x1: number) => void) => void} Region
 */

/** @typedef {{painted: readonly Tile[], exact: readonly Tile[]}} MaskSnapshot */

export class Mask {
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
    this.painted = new Plane(width, height);
    this.exact = new Plane(width, height);
    this.shown = new Plane(width, height);
  }

  /** Pixels to be filled. */
  get count() {
    return this.shown.count;
  }

  get isEmpty() {
    return this.shown.isEmpty;
  }

  /** Whether no pixel of the photo is left to fill from. */
  get isFull() {
    return this.count === this.width * this.height;
  }

  get grow() {
    return this.#grow;
  }

  /**
   * @param {number} pixels
   * @returns {Rect | null} where the shown mask may have changed
   */
  setGrow(pixels) {
    const reach = Math.max(pixels, this.#grow);
    this.#grow = pixels;
    const box = this.painted.bounds();
    return box && this.derive(expand(box, reach));
  }

  /**
   * Paints or erases along a segment; coordinates in photo pixels, pixel centres at .5. An erasing stroke ends with
   * `settle`.
   * @param {number} ax
   * @param {number} ay
   * @param {number} bx
   * @param {number} by
   * @param {number} radius
   * @param {boolean} erase
   * @returns {Rect | null} where the mask may have changed
   */
  stroke(ax, ay, bx, by, radius, erase) {
    const { width, height, painted, exact, shown } = this;
    const grow = this.#grow;
    const rows = rowsOf((row) => capsuleRows(ax, ay, bx, by, radius, width, height, row));
    /** @type {Region} */
    const plain = (row) => rows.from.forEach((from, i) => row(rows.top + i, from, rows.to[i]));
    /** @type {Region} */
    const grown = (row) => growRows(rows, grow, width, height, row);
    if (erase) {
      exact.write(plain, 0);
      shown.write(plain, 0);
      // Growing would close the erased path again: as much more of what was painted is taken away.
      painted.write(grown, 0);
    } else {
      painted.write(plain);
      shown.write(grown);
    }
    const reach = radius + 1 + grow;
    return clip({ x: Math.min(ax, bx) - reach, y: Math.min(ay, by) - reach, width: Math.abs(ax - bx) + 2 * reach, height: Math.abs(ay - by) + 2 * reach }, width, height);
  }

  /** What `shown` follows from, as it is. @returns {MaskSnapshot} */
  snapshot() {
    return { painted: this.painted.snapshot(), exact: this.exact.snapshot() };
  }

  /**
   * Makes the mask what it was.
   * @param {MaskSnapshot} snapshot
   * @returns {Rect | null} where the mask may have changed
   */
  restore({ painted, exact }) {
    const before = union(this.painted.bounds(), this.exact.bounds());
    this.painted.restore(painted);
    this.exact.restore(exact);
    const box = union(before, union(this.painted.bounds(), this.exact.bounds()));
    return box && this.derive(box);
  }

  /**
   * Adds pixels.
   * @param {Region} region
   * @param {boolean} isGrown as painted ones are; else taken exactly
   * @returns {Rect | null} where the mask may have changed
   */
  add(region, isGrown) {
    const box = this.#write(region, (y, x0, x1) => (isGrown ? this.painted : this.exact).span(y, x0, x1));
    if (!box) return null;
    (isGrown ? this.painted : this.exact).tidy(this.shown.indices(box));
    return this.derive(box);
  }

  /**
   * Takes pixels away, exactly these.
   * @param {Region} region
   * @returns {Rect | null} where the mask may have changed
   */
  remove(region) {
    const gone = new Plane(this.width, this.height);
    const box = this.#write(region, (y, x0, x1) => {
      gone.span(y, x0, x1);
      this.exact.span(y, x0, x1, 0);
      this.shown.span(y, x0, x1, 0);
    });
    if (!box) return null;
    const area = clip(expand(box, this.#grow), this.width, this.height);
    for (const index of gone.indices(area)) {
      const grown = grownTile(gone, index, this.#grow);
      if (grown) eachRowOf(gone, index, grown, (y, x0, x1) => this.painted.span(y, x0, x1, 0));
    }
    return this.settle(area);
  }

  /**
   * Takes pixels away, and what they alone had grown.
   * @param {Region} region
   * @returns {Rect | null} where the mask may have changed
   */
  withdraw(region) {
    const box = this.#write(region, (y, x0, x1) => this.painted.span(y, x0, x1, 0));
    if (!box) return null;
    this.painted.tidy(this.shown.indices(box));
    return union(this.derive(box), this.remove(region));
  }

  /**
   * After erasing: what is still shown although nothing painted reaches there any more is kept as it is.
   * @param {Rect | null} rect
   * @returns {Rect | null} where the mask may have changed
   */
  settle(rect) {
    const area = rect && clip(expand(rect, 2 * this.#grow), this.width, this.height);
    for (const index of this.shown.indices(area)) {
      if (!this.shown.tile(index)) continue;
      const derived = this.#derived(index);
      if (derived === FULL) continue;
      eachRowOf(this.shown, index, this.shown.tile(index), (y, x0, x1) => {
        const row = (y % SIDE) * SIDE;
        for (let x = x0; x < x1; x++) if (!derived?.[row + (x % SIDE)]) this.exact.span(y, x, x + 1);
      });
    }
    return area;
  }

  /**
   * Replaces the mask by a plane, taken exactly.
   * @param {Plane} plane
   * @returns {Rect | null} where the mask may have changed
   */
  replace(plane) {
    const before = union(this.painted.bounds(), this.exact.bounds());
    this.painted.restore(new Plane(this.width, this.height).snapshot());
    this.exact.restore(plane.snapshot());
    const box = union(before, plane.bounds());
    return box && this.derive(box);
  }

  /**
   * Replaces the mask by pixels that are grown as painted ones are.
   * @param {Region} region
   * @returns {Rect | null} where the mask may have changed
   */
  redraw(region) {
    return union(this.clear(), this.add(region, true));
  }

  /** Nothing is masked any more. @returns {Rect | null} where the mask may have changed */
  clear() {
    return this.replace(new Plane(this.width, this.height));
  }

  /**
   * Brings `shown` up to date where the other planes changed inside `rect`.
   * @param {Rect} rect
   * @returns {Rect | null} where `shown` may have changed
   */
  derive(rect) {
    const area = clip(expand(rect, this.#grow), this.width, this.height);
    for (const index of this.shown.indices(area)) this.shown.put(index, this.#derived(index));
    return area;
  }

  /** What a tile of `shown` has to be. @param {number} index @returns {Tile} */
  #derived(index) {
    const grown = grownTile(this.painted, index, this.#grow);
    const exact = this.exact.tile(index);
    if (!exact || grown === FULL) return grown;
    if (!grown) return exact === FULL ? FULL : exact.slice();
    for (let i = 0; i < exact.length; i++) grown[i] |= exact[i];
    return grown;
  }

  /**
   * @param {Region} region
   * @param {(y: number, x0: number, x1: number) => void} write
   * @returns {Rect | null} the box around what was written
   */
  #write(region, write) {
    let [left, top, right, bottom] = [Infinity, Infinity, 0, 0];
    region((y, x0, x1) => {
      if (x1 <= x0) return;
      write(y, x0, x1);
      left = Math.min(left, x0);
      right = Math.max(right, x1);
      top = Math.min(top, y);
      bottom = Math.max(bottom, y + 1);
    });
    return right > left ? { x: left, y: top, width: right - left, height: bottom - top } : null;
  }
}

/**
 * One tile of a plane that is dilated by a disc.
 * @param {Plane} plane
 * @param {number} index
 * @param {number} radius whole pixels
 * @returns {Tile} a fresh one, FULL or null
 */
export function grownTile(plane, index, radius) {
  const own = plane.tile(index);
  if (own === FULL) return FULL;
  if (radius === 0) return own && own.slice();
  const rect = plane.rectOf(index);
  const reach = /** @type {Rect} */ (clip(expand(rect, radius), plane.width, plane.height));
  let isNear = false;
  for (const near of plane.indices(reach)) isNear ||= plane.tile(near) !== null;
  if (!isNear) return null;
  const grown = dilate(plane.read(reach), reach, rect, radius);
  if (!grown.includes(255)) return null;
  if (grown.length === FULL.length) return grown.includes(0) ? grown : FULL;
  const tile = new Uint8Array(FULL.length);
  for (let y = 0; y < rect.height; y++) tile.set(grown.subarray(y * rect.width, (y + 1) * rect.width), y * SIDE);
  return tile;
}

/**
 * Calls `row(y, x0, x1)` for all that is marked in a tile.
 * @param {Plane} plane where the tile lies
 * @param {number} index
 * @param {Tile} tile
 * @param {(y: number, x0: number, x1: number) => void} row
 */
function eachRowOf(plane, index, tile, row) {
  if (!tile) return;
  const box = plane.rectOf(index);
  for (let y = 0; y < box.height; y++) {
    eachRun(tile, y * SIDE, y * SIDE + box.width, (from, to) => row(box.y + y, box.x + from - y * SIDE, box.x + to - y * SIDE));
  }
}
