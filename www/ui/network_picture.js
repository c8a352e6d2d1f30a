/**
 * A network as a picture: one bar for each layer with weights, as high as its output is large, as wide as it has
 * channels; lines for what skips.
 * @module
 */
import { text } from '../strings/index.js';
import { draw } from './dom.js';

/** @typedef {import('../worker/protocol.js').Layer} Layer */

const WIDTH = 640;
const HEIGHT = 150;
const GAP = 2;
const MOST = 104;
/** Room that a label takes. */
const LABEL = 22;
/** Layers that get a bar. */
const DRAWN = new Set(['input', 'Conv2d', 'ConvTranspose2d']);

/**
 * @param {Layer[]} rows
 * @param {(index: number) => void} choose
 * @returns {SVGElement}
 */
export function networkPicture(rows, choose) {
  const bars = rows.map((row, index) => ({ row, index })).filter(({ row }) => DRAWN.has(row.kind));
  const weigh = (/** @type {Layer} */ row) => 3 + Math.sqrt(row.shape[0]);
  const all = bars.reduce((sum, { row }) => sum + weigh(row), 0);
  const scale = (WIDTH - GAP * bars.length) / all;
  const tallest = Math.max(...rows.map(({ shape }) => shape[1]));
  const least = Math.min(...rows.map(({ shape }) => shape[1]));
  const first = rows.findIndex(({ shape }) => shape[1] === least);
  const last = rows.findLastIndex(({ shape }) => shape[1] === least);
  const picture = draw('svg', { class: 'picture', viewBox: `0 0 ${WIDTH} ${HEIGHT}`, role: 'img', 'aria-label': text.picture });
  /** Middle of the bar that stands for each row, or for what it came from. */
  const places = /** @type {number[]} */ ([]);
  let x = 0;
  let at = 0;
  let labelled = -LABEL - 1;
  rows.forEach((row, index) => {
    if (bars[at]?.index !== index) {
      places[index] = places[Math.max(...row.inputs, 0)] ?? 0;
      return;
    }
    const width = weigh(row) * scale;
    // The logarithm keeps a bottleneck of one pixel visible beside 512.
    const height = Math.max(4, (MOST * Math.log2(1 + row.shape[1])) / Math.log2(1 + tallest));
    const kind = index <= first ? 'enc' : index <= last ? 'mid' : 'dec';
    const bar = draw('rect', { class: kind, x, y: 22 + (MOST - height) / 2, width, height, rx: 1.5, onclick: () => choose(index) });
    bar.append(draw('title', {}, `${row.path}: ${row.call}, ${row.shape.join(' × ')}`));
    picture.append(bar);
    const isEnd = at === bars.length - 1;
    if (at === 0 || isEnd || row.shape[1] !== bars[at - 1].row.shape[1]) {
      const place = at === 0 ? 0 : isEnd ? WIDTH - GAP : x + width / 2;
      const hasRoom = place - labelled > LABEL && (isEnd || WIDTH - place > 1.5 * LABEL || at === 0);
      if (hasRoom) {
        labelled = place;
        picture.append(draw('text', { x: place, y: 22 + (MOST + height) / 2 + 11, 'text-anchor': at === 0 ? 'start' : isEnd ? 'end' : 'middle' }, `${row.shape[1]}`));
      }
    }
    places[index] = x + width / 2;
    x += width + GAP;
    at++;
  });
  rows.forEach((row, index) => {
    if (row.inputs.length < 2 || !['add', 'cat'].includes(row.kind)) return;
    const [from, to] = [places[Math.min(...row.inputs)], places[index]];
    if (to - from < 1) return;
    const rise = Math.min(20, 5 + (to - from) / 16);
    picture.append(draw('path', { class: 'skip', fill: 'none', d: `M${from} 22C${from} ${22 - rise} ${to} ${22 - rise} ${to} 22` }));
  });
  return picture;
}
