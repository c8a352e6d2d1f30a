/**
 * "Explain this layer": the size formula with its numbers, and for convolutions a drawing of where each output
 * pixel comes from.
 * @module
 */
import { text } from '../strings/en.js';
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
 * @param {Geometry} g
 * @returns {HTMLElement[]}
 */
function convolution(g) {
  // At least as many pixels as the kernel needs, so that there is an output to point at.
  const side = (/** @type {number} */ axis) => {
    const reach = g.dilation[axis] * (g.kernel_size[axis] - 1) + 1 - 2 * g.padding[axis];
    return Math.min(g.input[axis], g.transposed ? SIDE : Math.max(SIDE + 2, reach + g.stride[axis]));
  };
  const size = [side(0), side(1)];
  const out = [outputSize(g, 0, size[0]), outputSize(g, 1, size[1])];
  const note = make('p', { class: 'help taps' }, text.pointAtOutput);
  const input = cells(size, text.columns.input);
  /** @param {number} y @param {number} x */
  const point = (y, x) => {
    const rows = taps(g, 0, size[0], y);
    const columns = taps(g, 1, size[1], x);
    input.marks.forEach((cell, i) => {
      const row = rows.find((tap) => tap.input === Math.floor(i / size[1]));
      const column = columns.find((tap) => tap.input === i % size[1]);
      cell.classList.toggle('tap', !!row && !!column);
    });
    const isEdge = y >= out[0] - g.output_padding[0] || x >= out[1] - g.output_padding[1];
    note.textContent = text.taps(y, x, rows.length * columns.length, g.kernel_size[0] * g.kernel_size[1], isEdge && g.transposed);
  };
  const output = cells(out, text.columns.output, (y, x) => point(y, x), (y, x) => g.transposed && (y >= out[0] - g.output_padding[0] || x >= out[1] - g.output_padding[1]));
  const words = [
    g.transposed ? text.transposedExplained(g.stride, g.padding) : text.convExplained(g.stride, g.padding, g.padding_mode),
    g.transposed && (g.output_padding[0] || g.output_padding[1]) ? text.outputPaddingExplained : '',
    g.transposed && (g.kernel_size[0] % g.stride[0] || g.kernel_size[1] % g.stride[1]) ? text.checkerboard : '',
  ].filter(Boolean);
  return [
    make('div', { class: 'drawing' }, input.figure, output.figure),
    note,
    ...words.map((sentence) => make('p', { class: 'help' }, sentence)),
  ];
}

/**
 * A grid of pixels.
 * @param {number[]} size height, width
 * @param {string} title
 * @param {(y: number, x: number) => void} [point]
 * @param {(y: number, x: number) => boolean} [isStrip]
 */
function cells([height, width], title, point, isStrip) {
  const marks = /** @type {SVGElement[]} */ ([]);
  const view = draw('svg', { class: 'cells', viewBox: `0 0 ${width * CELL + 1} ${height * CELL + 1}`, width: width * CELL + 1, height: height * CELL + 1 });
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const cell = draw('rect', { x: x * CELL + 0.5, y: y * CELL + 0.5, width: CELL, height: CELL, class: isStrip?.(y, x) ? 'strip' : '' });
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
