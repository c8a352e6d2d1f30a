/**
 * Run lengths: how a mask's rectangle is kept in the history. Masks are long runs, so this is small.
 * @module
 */

/**
 * The browser's own search finds where a run ends: a stroke of many tiles is encoded between two frames.
 * @param {Uint8Array} marks 0 or 255 each
 * @returns {Uint32Array} pairs of value and count
 */
export function encode(marks) {
  const runs = [];
  for (let i = 0; i < marks.length; ) {
    const value = marks[i];
    const found = marks.indexOf(255 - value, i);
    const end = found < 0 ? marks.length : found;
    runs.push(value, end - i);
    i = end;
  }
  return Uint32Array.from(runs);
}

/**
 * @param {Uint32Array} runs
 * @param {number} length of the result in bytes
 * @returns {Uint8Array}
 */
export function decode(runs, length) {
  const bytes = new Uint8Array(length);
  let at = 0;
  for (let i = 0; i < runs.length; i += 2) {
    bytes.fill(runs[i], at, at + runs[i + 1]);
    at += runs[i + 1];
  }
  return bytes;
}
