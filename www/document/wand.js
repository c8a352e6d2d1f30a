/**
 * The magic wand: pixels that are alike. It works in slices, so that nothing waits for it on large photos.
 * @module
 */
import { Plane } from './plane.js';

/** @typedef {import('./photo.js').Photo} Photo */

/** Pixels between two looks at the clock. */
const SLICE_PIXELS = 65_536;

/**
 * @typedef {object} Alike
 * @property {number} x the pixel that was chosen
 * @property {number} y
 * @property {number} tolerance greatest difference of a channel, 0 to 255
 * @property {boolean} isContiguous whether alike pixels must hang together, side by side, with the one that was chosen
 */

/**
 * The pixels that are like the chosen one; every `yield` is a good moment to do something else.
 * @param {Photo} photo
 * @param {Alike} alike
 * @returns {Generator<void, Plane>}
 */
export function* findAlike(photo, alike) {
  const isAlike = comparison(photo, alike);
  return yield* alike.isContiguous ? connected(photo, alike, isAlike) : everywhere(photo, isAlike);
}

/**
 * Whether a pixel, by its index, is like the chosen one: like the mean of its nearest neighbours, because of the grain.
 * @param {Photo} photo
 * @param {Alike} alike
 * @returns {(at: number) => boolean}
 */
function comparison({ rgba, width, height }, { x, y, tolerance }) {
  const sum = [0, 0, 0];
  let count = 0;
  for (let py = Math.max(0, y - 1); py <= Math.min(height - 1, y + 1); py++) {
    for (let px = Math.max(0, x - 1); px <= Math.min(width - 1, x + 1); px++, count++) {
      for (let c = 0; c < 3; c++) sum[c] += rgba[(py * width + px) * 4 + c];
    }
  }
  const [low, high] = [-1, 1].map((sign) => sum.map((value) => value / count + sign * tolerance));
  const chosen = y * width + x;
  return (at) => {
    const i = at * 4;
    const isNear = rgba[i] >= low[0] && rgba[i] <= high[0] && rgba[i + 1] >= low[1] && rgba[i + 1] <= high[1] && rgba[i + 2] >= low[2] && rgba[i + 2] <= high[2];
    return isNear || at === chosen;
  };
}

/**
 * @param {Photo} photo
 * @param {(at: number) => boolean} isAlike
 * @returns {Generator<void, Plane>}
 */
function* everywhere({ width, height }, isAlike) {
  const found = new Plane(width, height);
  for (let y = 0, done = 0; y < height; y++) {
    const row = y * width;
    for (let x = 0; x < width; x++) {
      if (!isAlike(row + x)) continue;
      const start = x;
      while (x < width && isAlike(row + x)) x++;
      found.span(y, start, x);
    }
    done += width;
    if (done < SLICE_PIXELS) continue;
    done = 0;
    yield;
  }
  return found;
}

/**
 * Fills row by row: each run of alike pixels looks for others above and below it.
 * @param {Photo} photo
 * @param {Alike} alike
 * @param {(at: number) => boolean} isAlike
 * @returns {Generator<void, Plane>}
 */
function* connected({ width, height }, { x, y }, isAlike) {
  const found = new Plane(width, height);
  /** Places to begin from: x and y in turn. */
  const starts = [x, y];
  let done = 0;
  while (starts.length) {
    const sy = /** @type {number} */ (starts.pop());
    const sx = /** @type {number} */ (starts.pop());
    if (found.has(sx, sy)) continue;
    const row = sy * width;
    let [left, right] = [sx, sx + 1];
    while (left > 0 && isAlike(row + left - 1)) left--;
    while (right < width && isAlike(row + right)) right++;
    found.span(sy, left, right);
    for (const ny of [sy - 1, sy + 1]) {
      if (ny < 0 || ny >= height) continue;
      for (let nx = left; nx < right; nx++) {
        if (!isAlike(ny * width + nx)) continue;
        if (!found.has(nx, ny)) starts.push(nx, ny);
        while (nx < right && isAlike(ny * width + nx)) nx++;
      }
    }
    done += 3 * (right - left);
    if (done < SLICE_PIXELS) continue;
    done = 0;
    yield;
  }
  return found;
}
