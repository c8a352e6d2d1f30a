/**
 * A tensor's values in numbers and as a small histogram.
 * @module
 */
import { text } from '../strings/index.js';
import { draw } from './dom.js';

/** @typedef {import('../worker/protocol.js').TensorStats} TensorStats */

const BAR = 3;
const HEIGHT = 18;

/** Least, greatest, mean, deviation, what is not finite, and the histogram. @param {TensorStats} stats @returns {(string | Node)[]} */
export function statCells(stats) {
  const number = (/** @type {number | null} */ value) => (value === null ? '' : text.value(value));
  return [number(stats.min), number(stats.max), number(stats.mean), number(stats.std), text.notFinite(stats.nan, stats.infinite), histogram(stats)];
}

/** @param {TensorStats} stats */
function histogram({ histogram: bins, min, max }) {
  const most = Math.max(1, ...bins);
  const words = min === null || max === null ? '' : text.histogram(min, max);
  const bars = bins.map((count, at) => {
    const height = count ? Math.max(1, (HEIGHT * count) / most) : 0;
    return draw('rect', { x: at * BAR, y: HEIGHT - height, width: BAR - 0.5, height });
  });
  return draw('svg', { class: 'hist', viewBox: `0 0 ${Math.max(1, bins.length) * BAR} ${HEIGHT}`, role: 'img', 'aria-label': words, preserveAspectRatio: 'none' }, ...bars);
}
