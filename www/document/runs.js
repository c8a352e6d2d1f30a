/**
 * Run lengths: how a mask's rectangle is kept in the history. Masks are long runs, so this is small.
 * @module
 */

/**
 * @param {Uint8Array} bytes
 * @returns {Uint32Array} pairs of value and count
 */
export function encode(bytes) {
  const runs = [];
  for (let i = 0; i < bytes.length; ) {
    let end = i + 1;
    while (end < bytes.length && bytes[end] === bytes[i]) end++;
    runs.push(bytes[i], end - i);
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
