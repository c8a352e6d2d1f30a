/**
 * "Explain this layer": the size formula with its numbers, and for convolutions a drawing of where each output
 * pixel comes from.
 * @module
 */
import { text } from '../strings/index.js';
import { draw, make } from './dom.js';

/** @typedef {import('../worker/protocol.js').Layer} Layer */
/** @typedef {import('../worker/protocol.js').Geometry} Geometry */

/** The drawing shows this many input pixels a side, or all if there are fewer. */
const SIDE = 4;
const CELL = 15;

/**
 * @param {Layer} layer
 * @param {Layer[]} rows
 * @returns {HTMLElement}
 */
export function explain(layer, rows) {
  const source = rows[layer.inputs[0]];
  /** @type {(Node | string | null | undefined | false)[]} */
  const parts = [
    make('h3', {}, layer.path),
    make('p', {}, make('code', {}, layer.call)),
    layer.formula && make('p', {}, text.side, ' ', make('code', {}, layer.formula)),
    source && make('p', { class: 'help' }, `${source.shape.join(' × ')} → ${layer.shape.join(' × ')}`),
  ];
  if (layer.geometry) parts.push(...convolution(layer.geometry));
  return make('section', { class: 'group' }, ...parts);
}

/**
 * The taps of one output position along one axis, as PyTorch computes them.
 * @param {Geometry} g
 * @param {number} axis 0 height, 1 width
 * @param {number} size of the input along the axis
 * @param {number} out position in the output
 * @returns {{input: number, kernel: number}[]}
 */
export function taps(g, axis, size, out) {
  const [k, s, p, d] = [g.kernel_size[axis], g.stride[axis], g.padding[axis], g.dilation[axis]];
  const list = [];
  for (let kernel = 0; kernel < k; kernel++) {
    const at = g.transposed ? out + p - kernel * d : out * s - p + kernel * d;
    const input = g.transposed ? at / s : at;
    if (Number.isInteger(input) && input >= 0 && input < size) list.push({ input, kernel });
  }
  return list;
}

/**
 * Size of the output along one axis.
 * @param {Geometry} g
 * @param {number} axis
 * @param {number} size
 */
export function outputSize(g, axis, size) {
  const [k, s, p, d] = [g.kernel_size[axis], g.stride[axis], g.padding[axis], g.dilation[axis]];
  return g.transposed ? (size - 1) * s - 2 * p + d * (k - 1) + g.output_padding[axis] + 1 : Math.floor((size + 2 * p - d * (k - 1) - 1) / s) + 1;
}

/**
 * What lies at position `at` of the inside view along one axis: zeros between the inputs, then padding all around, so
 * that an ordinary convolution with the kernel turned round gives the output.
 * @param {Geometry} g
 * @param {number} axis
 * @param {number} size of the input along the axis
 * @param {number} at
 * @returns {number | 'zero' | 'pad'} the input pixel that lies there
 */
export function inside(g, axis, size, at) {
  const [k, s, p, d] = [g.kernel_size[axis], g.stride[axis], g.padding[axis], g.dilation[axis]];
  const place = at - (d * (k - 1) - p);
  if (place < 0 || place > (size - 1) * s) return 'pad';
  return place % s === 0 ? place / s : 'zero';
}

/** Size of the inside view along one axis. @param {Geometry} g @param {number} axis @param {number} size */
export function insideSize(g, axis, size) {
  return outputSize(g, axis, size) + g.dilation[axis] * (g.kernel_size[axis] - 1);
}

/**
 * @param {Geometry} g
 * @returns {HTMLElement[]}
 */
function convolution(g) {
  // At least as many pixels as the kernel needs, so that there is an output to point at.
  const side = (/** @type {number} */ axis) => {
    const reach = g.dilation[axis] * (g.kernel_size[axis] - 1) + 1 - 2 * g.padding[axis];
    return Math.min(g.input[axis], g.transposed ? Math.max(SIDE, Math.ceil((g.padding[axis] + 1) / g.stride[axis])) : Math.max(SIDE + 2, reach + g.stride[axis]));
  };
  const size = [side(0), side(1)];
  const out = [outputSize(g, 0, size[0]), outputSize(g, 1, size[1])];
  const note = make('p', { class: 'help taps' }, text.pointAtOutput);
  const input = cells(size, text.columns.input);
  const stuffed = g.transposed ? insideView(g, size) : null;
  const isStrip = (/** @type {number} */ y, /** @type {number} */ x) => g.transposed && (y >= out[0] - g.output_padding[0] || x >= out[1] - g.output_padding[1]);
  /** @param {number} y @param {number} x */
  const point = (y, x) => {
    const rows = taps(g, 0, size[0], y);
    const columns = taps(g, 1, size[1], x);
    mark(input, size[1], 'tap', (row, column) => rows.some((tap) => tap.input === row) && columns.some((tap) => tap.input === column));
    if (stuffed) {
      const [dy, dx] = g.dilation;
      const reads = (/** @type {number} */ at, /** @type {number} */ from, /** @type {number} */ d, /** @type {number} */ k) => at >= from && (at - from) % d === 0 && (at - from) / d < k;
      mark(stuffed, stuffed.width, 'window', (row, column) => reads(row, y, dy, g.kernel_size[0]) && reads(column, x, dx, g.kernel_size[1]));
    }
    note.textContent = text.taps(y, x, rows.length * columns.length, g.kernel_size[0] * g.kernel_size[1], isStrip(y, x));
  };
  const output = g.transposed ? croppedOutput(g, size, out, point, isStrip) : cells(out, text.columns.output, point);
  return [
    make('div', { class: 'drawing' }, input.figure, stuffed?.figure, output.figure),
    note,
    ...sentences(g, size).map((sentence) => make('p', { class: 'help' }, sentence)),
  ];
}

/** The input with zeros between its pixels and padding around. @param {Geometry} g @param {number[]} size */
function insideView(g, size) {
  const [height, width] = [insideSize(g, 0, size[0]), insideSize(g, 1, size[1])];
  const kind = (/** @type {number} */ y, /** @type {number} */ x) => {
    const [row, column] = [inside(g, 0, size[0], y), inside(g, 1, size[1], x)];
    if (row === 'pad' || column === 'pad') return 'pad';
    return row === 'zero' || column === 'zero' ? 'zero' : '';
  };
  return { ...cells([height, width], text.insideView, undefined, kind), width };
}

/**
 * The output with what padding crops away around it.
 * @param {Geometry} g
 * @param {number[]} size
 * @param {number[]} out
 * @param {(y: number, x: number) => void} point
 * @param {(y: number, x: number) => boolean} isStrip
 */
function croppedOutput(g, size, out, point, isStrip) {
  const [py, px] = g.padding;
  // What the stamps cover before anything is cropped; output_padding may reach beyond it.
  const full = [0, 1].map((axis) => Math.max((size[axis] - 1) * g.stride[axis] + g.dilation[axis] * (g.kernel_size[axis] - 1) + 1, g.padding[axis] + out[axis]));
  const isKept = (/** @type {number} */ y, /** @type {number} */ x) => y >= py && x >= px && y < py + out[0] && x < px + out[1];
  const kind = (/** @type {number} */ y, /** @type {number} */ x) => (!isKept(y, x) ? 'cropped' : isStrip(y - py, x - px) ? 'strip' : '');
  const drawn = cells(full, text.columns.output, (y, x) => isKept(y, x) && point(y - py, x - px), kind);
  drawn.figure.lastElementChild?.replaceChildren(`${text.columns.output} ${out[0]} × ${out[1]}`, py || px ? text.croppedFrom(full) : '');
  return drawn;
}

/** What to say of it; what tutorials get wrong is set right. @param {Geometry} g @param {number[]} size */
function sentences(g, size) {
  if (!g.transposed) return [text.convExplained(g.stride, g.padding, g.padding_mode)];
  const least = [0, 1].map((axis) => outputSize({ ...g, output_padding: [0, 0] }, axis, size[axis]));
  const most = least.map((side, axis) => side + g.stride[axis] - 1);
  return [
    text.transposedExplained(g.stride, g.padding),
    text.insideExplained,
    g.output_padding[0] || g.output_padding[1] ? text.outputPaddingExplained : '',
    text.outputSizeExplained(size, least, most),
    g.kernel_size[0] % g.stride[0] || g.kernel_size[1] % g.stride[1] ? text.checkerboard : '',
    text.tuplesExplained,
    text.paddingModeExplained,
  ].filter(Boolean);
}

/**
 * @param {{marks: SVGElement[]}} grid
 * @param {number} width
 * @param {string} name of the class
 * @param {(y: number, x: number) => boolean} isMarked
 */
function mark({ marks }, width, name, isMarked) {
  marks.forEach((cell, i) => cell.classList.toggle(name, isMarked(Math.floor(i / width), i % width)));
}

/**
 * A grid of pixels.
 * @param {number[]} size height, width
 * @param {string} title
 * @param {(y: number, x: number) => void} [point]
 * @param {(y: number, x: number) => string} [kind] class of a cell
 */
function cells([height, width], title, point, kind) {
  const marks = /** @type {SVGElement[]} */ ([]);
  const view = draw('svg', { class: point ? 'cells point' : 'cells', viewBox: `0 0 ${width * CELL + 1} ${height * CELL + 1}`, width: width * CELL + 1, height: height * CELL + 1 });
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const cell = draw('rect', { x: x * CELL + 0.5, y: y * CELL + 0.5, width: CELL, height: CELL, class: kind?.(y, x) ?? '' });
      if (point) {
        cell.addEventListener('pointerenter', () => point(y, x));
        cell.addEventListener('click', () => point(y, x));
      }
      marks.push(cell);
      view.append(cell);
    }
  }
  return { marks, figure: make('figure', {}, view, make('figcaption', {}, `${title} ${height} × ${width}`)) };
}
