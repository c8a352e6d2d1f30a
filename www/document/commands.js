/**
 * The steps of the history, as plain data: tiles of the planes before and after, and for a fill the pixels that change
 * places with the photo's. Each can be made, turned back, and written as JSON with bytes beside it.
 * @module
 */
import { FULL, SIDE } from './plane.js';
import { union } from './raster.js';
import { decode, encode } from './runs.js';

/** @typedef {import('./raster.js').Rect} Rect */
/** @typedef {import('./document.js').Document} Document */
/** @typedef {import('./photo.js').Patch} Patch */
/** @typedef {import('./plane.js').Tile} Tile */
/** @typedef {import('./plane.js').TileChange} TileChange */

/** The planes that steps change. */
export const PLANES = /** @type {const} */ (['painted', 'exact', 'drawn', 'erased']);
/** @typedef {typeof PLANES[number]} PlaneName */

/**
 * One step.
 * @typedef {object} Command
 * @property {string} label what was done: a tool's id or a key of the strings table, for "Undo: stroke"
 * @property {boolean} isFill whether photo pixels change
 * @property {Record<PlaneName, TileChange[]>} changes
 * @property {Patch[]} patches owned by the step; they hold what is not in the photo at the moment
 * @property {number} bytes what the step keeps alive
 */

const TILE_BYTES = SIDE * SIDE;

/**
 * @param {string} label
 * @param {Record<PlaneName, TileChange[]>} changes
 * @param {Patch[]} [patches] a fill's
 * @returns {Command}
 */
export function command(label, changes, patches = []) {
  // The tiles after a step are the planes' own, or those before the next one.
  const kept = PLANES.reduce((sum, name) => sum + changes[name].filter(({ before }) => before && before !== FULL).length, 0);
  const bytes = kept * TILE_BYTES + patches.reduce((sum, patch) => sum + patch.rgba.byteLength, 0);
  return { label, isFill: patches.length > 0, changes, patches, bytes };
}

/** Whether a step changes nothing. @param {Command} step */
export function isNothing({ changes, patches }) {
  return patches.length === 0 && PLANES.every((name) => changes[name].length === 0);
}

/**
 * Makes a step, or turns it back.
 * @param {Document} document
 * @param {Command} step
 * @param {boolean} forwards
 */
export function perform(document, { changes, patches }, forwards) {
  // Patches may overlap: they are taken back in the opposite order.
  for (const patch of forwards ? patches : patches.toReversed()) {
    document.photo.swap(patch);
    document.photoChanged(patch);
  }
  for (const name of PLANES) for (const { index, before, after } of changes[name]) document.plane(name).put(index, forwards ? after : before);
  const { mask } = document;
  const rect = around(document, [...changes.painted, ...changes.exact]);
  if (rect) document.maskChanged(mask.derive(rect));
  document.edgesChanged(around(document, [...changes.drawn, ...changes.erased]));
}

/**
 * The rectangle around the tiles that changed.
 * @param {Document} document
 * @param {TileChange[]} changes
 */
function around({ mask }, changes) {
  return changes.reduce((all, { index }) => union(all, mask.shown.rectOf(index)), /** @type {Rect | null} */ (null));
}

/**
 * A tile as it is written: nothing, everything, or the place of its runs among the bytes.
 * @typedef {'none' | 'all' | number} WrittenTile
 */

/**
 * A step as it is written; `bytes` of the patches are places among the bytes.
 * @typedef {object} WrittenCommand
 * @property {string} label
 * @property {Record<PlaneName, {index: number, before: WrittenTile, after: WrittenTile}[]>} changes
 * @property {(Rect & {bytes: number})[]} patches
 */

/**
 * Writes a step as JSON; what JSON cannot hold is appended to `bytes`.
 * @param {Command} step
 * @param {Uint8Array[]} bytes
 * @returns {WrittenCommand}
 */
export function write({ label, changes, patches }, bytes) {
  /** @type {Map<Uint8Array, number>} a tile that stands twice is written once */
  const places = new Map();
  /** @param {Tile} tile @returns {WrittenTile} */
  const place = (tile) => {
    if (tile === null || tile === FULL) return tile ? 'all' : 'none';
    const known = places.get(tile);
    if (known !== undefined) return known;
    places.set(tile, bytes.length);
    return bytes.push(new Uint8Array(encode(tile).buffer)) - 1;
  };
  const written = /** @type {WrittenCommand['changes']} */ ({});
  for (const name of PLANES) written[name] = changes[name].map(({ index, before, after }) => ({ index, before: place(before), after: place(after) }));
  return { label, changes: written, patches: patches.map(({ x, y, width, height, rgba }) => ({ x, y, width, height, bytes: bytes.push(Uint8Array.from(rgba)) - 1 })) };
}

/**
 * Reads a step that was written.
 * @param {WrittenCommand} json
 * @param {readonly Uint8Array[]} bytes
 * @returns {Command}
 */
export function read({ label, changes, patches }, bytes) {
  /** @param {WrittenTile} tile @returns {Tile} */
  const tile = (tile) => {
    if (typeof tile !== 'number') return tile === 'all' ? FULL : null;
    return decode(new Uint32Array(bytes[tile].slice().buffer), TILE_BYTES);
  };
  const read = /** @type {Command['changes']} */ ({});
  for (const name of PLANES) read[name] = changes[name].map(({ index, before, after }) => ({ index, before: tile(before), after: tile(after) }));
  return command(label, read, patches.map(({ x, y, width, height, bytes: at }) => ({ x, y, width, height, rgba: bytes[at].slice() })));
}
