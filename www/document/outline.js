/**
 * Where what is marked ends, as lines.
 * @module
 */

/** @typedef {{x: number, y: number}} Place */

/** Right, down, left, up: what is marked lies on the right hand. */
const STEPS = /** @type {const} */ ([[1, 0], [0, 1], [-1, 0], [0, -1]]);
/** The pixel ahead on the right hand of a corner between pixels, and the one on the left hand. */
const RIGHT = /** @type {const} */ ([[0, 0], [-1, 0], [-1, -1], [0, -1]]);
const LEFT = /** @type {const} */ ([[0, -1], [0, 0], [-1, 0], [-1, -1]]);

/**
 * Closed lines around all that is marked and around the holes in it, through the middles of the pixels' sides: stairs
 * become slopes. Places are in pixels, 0 at the picture's edge.
 * @param {Uint8Array} marks one byte a pixel, 0 where it is not marked
 * @param {number} width
 * @param {number} height
 * @returns {Place[][]}
 */
export function outline(marks, width, height) {
  const isSeen = new Uint8Array(marks.length);
  const lines = [];
  for (let at = 0; at < marks.length; at++) {
    // Every line has a pixel that it passes above.
    if (!marks[at] || isSeen[at] || (at >= width && marks[at - width])) continue;
    lines.push(follow(marks, width, height, at, isSeen));
  }
  return lines;
}

/**
 * @param {Uint8Array} marks
 * @param {number} width
 * @param {number} height
 * @param {number} start index of a pixel whose upper side is on the line
 * @param {Uint8Array} isSeen pixels whose upper side was passed; written to
 */
function follow(marks, width, height, start, isSeen) {
  const has = (/** @type {number} */ x, /** @type {number} */ y) => x >= 0 && y >= 0 && x < width && y < height && marks[y * width + x] !== 0;
  const line = /** @type {Place[]} */ ([]);
  let [x, y, direction, before] = [start % width, Math.floor(start / width), 0, -1];
  do {
    const [dx, dy] = STEPS[direction];
    if (direction === 0) isSeen[y * width + x] = 1;
    const [nextX, nextY] = [x + dx, y + dy];
    const [rx, ry] = RIGHT[direction];
    const [lx, ly] = LEFT[direction];
    const next = !has(nextX + rx, nextY + ry) ? (direction + 1) % 4 : has(nextX + lx, nextY + ly) ? (direction + 3) % 4 : direction;
    // What lies on a straight part says nothing.
    if (next !== direction || before !== direction) line.push({ x: x + dx / 2, y: y + dy / 2 });
    [x, y, before, direction] = [nextX, nextY, direction, next];
  } while (direction !== 0 || y * width + x !== start);
  return line;
}
