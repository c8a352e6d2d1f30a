/**
 * What can be done to a mask as a whole. Every operation makes a plane from what is shown; amounts are photo pixels.
 * @module
 */
import { grownTile } from './mask.js';
import { eachRun, FULL, Plane, SIDE } from './plane.js';
import { clip, expand } from './raster.js';

/** @typedef {import('./raster.js').Rect} Rect */
/** @typedef {keyof typeof OPERATIONS} OperationName */

/** What is masked is not, and the other way round. @param {Plane} plane */
function invert(plane) {
  const out = new Plane(plane.width, plane.height);
  const whole = { x: 0, y: 0, width: plane.width, height: plane.height };
  for (const index of plane.indices(whole)) {
    const { x, y, width, height } = plane.rectOf(index);
    const tile = plane.tile(index);
    if (tile === FULL) continue;
    const inverted = new Uint8Array(FULL.length);
    for (let row = 0; row < height; row++) {
      for (let i = row * SIDE, end = i + width; i < end; i++) inverted[i] = tile?.[i] ? 0 : 255;
    }
    out.put(out.indexAt(x, y), inverted);
  }
  out.tidy();
  return out;
}

/** Every pixel within the amount joins. @param {Plane} plane @param {number} amount */
function grow(plane, amount) {
  return tileByTile(plane, amount, (index) => grownTile(plane, index, amount));
}

/** Every pixel within the amount of what is not masked leaves; nothing lies beyond the photo's edges. @param {Plane} plane @param {number} amount */
function shrink(plane, amount) {
  return invert(grow(invert(plane), amount));
}

/** Each pixel goes with the majority around it, by the mean of two boxes. @param {Plane} plane @param {number} amount */
function smooth(plane, amount) {
  return tileByTile(plane, 2 * amount, (index) => {
    const rect = plane.rectOf(index);
    const reach = /** @type {Rect} */ (clip(expand(rect, 2 * amount), plane.width, plane.height));
    const window = Float32Array.from(plane.read(reach));
    for (let pass = 0; pass < 2; pass++) {
      for (let y = 0; y < reach.height; y++) blur(window, y * reach.width, 1, reach.width, amount);
      for (let x = 0; x < reach.width; x++) blur(window, x, reach.width, reach.height, amount);
    }
    const tile = new Uint8Array(FULL.length);
    for (let y = 0; y < rect.height; y++) {
      const from = (rect.y + y - reach.y) * reach.width + rect.x - reach.x;
      for (let x = 0; x < rect.width; x++) tile[y * SIDE + x] = window[from + x] > 127.5 ? 255 : 0;
    }
    return tile;
  });
}

/** What the mask surrounds joins it; what reaches the photo's edge is not surrounded. @param {Plane} plane */
function fillHoles(plane) {
  const out = plane.clone();
  const box = plane.bounds();
  if (box) for (const { y, x0, x1 } of surrounded(plane, box)) out.span(y, x0, x1);
  out.tidy();
  return out;
}

/** By name, with whether an amount matters. */
export const OPERATIONS = /** @type {const} */ ({
  invert: { run: invert, hasAmount: false },
  grow: { run: grow, hasAmount: true },
  shrink: { run: shrink, hasAmount: true },
  smooth: { run: smooth, hasAmount: true },
  fillHoles: { run: fillHoles, hasAmount: false },
});

/**
 * A plane whose tiles follow from what lies within `reach` of them.
 * @param {Plane} plane
 * @param {number} reach
 * @param {(index: number) => import('./plane.js').Tile} make
 */
function tileByTile(plane, reach, make) {
  const out = new Plane(plane.width, plane.height);
  const box = plane.bounds();
  for (const index of out.indices(box && expand(box, reach))) out.put(index, make(index));
  out.tidy();
  return out;
}

/**
 * The mean of `2 * radius + 1` values around each of a line's; the line goes on beyond its ends as it ends.
 * @param {Float32Array} values
 * @param {number} start
 * @param {number} step from one value of the line to the next
 * @param {number} length
 * @param {number} radius
 */
function blur(values, start, step, length, radius) {
  const line = Float32Array.from({ length }, (_, i) => values[start + i * step]);
  const at = (/** @type {number} */ i) => line[Math.min(length - 1, Math.max(0, i))];
  let sum = 0;
  for (let i = -radius; i <= radius; i++) sum += at(i);
  for (let i = 0; i < length; i++) {
    values[start + i * step] = sum / (2 * radius + 1);
    sum += at(i + radius + 1) - at(i - radius);
  }
}

/**
 * Runs of pixels that are not marked and from which no way leads side by side to the edge of the box.
 * @param {Plane} plane
 * @param {Rect} box around all that is marked
 * @returns {Generator<{y: number, x0: number, x1: number}>}
 */
function* surrounded(plane, { x, y, width, height }) {
  const runs = /** @type {{y: number, x0: number, x1: number}[]} */ ([]);
  /** Of each run the one that it hangs together with; 0 is the outside. */
  const parents = [0];
  const root = (/** @type {number} */ run) => {
    while (parents[run] !== run) run = parents[run] = parents[parents[run]];
    return run;
  };
  let above = /** @type {number[]} */ ([]);
  for (let row = 0; row < height; row++) {
    const gaps = plane.read({ x, y: y + row, width, height: 1 }).map((value) => 255 - value);
    const here = /** @type {number[]} */ ([]);
    let first = 0;
    eachRun(gaps, 0, width, (x0, x1) => {
      const run = runs.push({ y: y + row, x0: x + x0, x1: x + x1 });
      parents[run] = run;
      here.push(run);
      if (x0 === 0 || x1 === width || row === 0 || row === height - 1) parents[run] = 0;
      while (first < above.length && runs[above[first] - 1].x1 <= x + x0) first++;
      for (let i = first; i < above.length && runs[above[i] - 1].x0 < x + x1; i++) {
        const [a, b] = [root(run), root(above[i])];
        // The outside stays the root of what it is joined with.
        parents[Math.max(a, b)] = Math.min(a, b);
      }
    });
    above = here;
  }
  for (let run = 1; run <= runs.length; run++) if (root(run) !== 0) yield runs[run - 1];
}
