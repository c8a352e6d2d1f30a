/**
 * The steps of the history, as plain data: tiles of the planes before and after, and for a fill the pixels that change
 * places with the photo's. Each can be made, turned back, and written as JSON with bytes beside it.
 * @module
 */
import { FULL, MARK, SIDE } from './plane.js';
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
  return { label, isFill: patches.length > 0, changes, patches, bytes: bytesOf(changes, patches) };
}

/**
 * What a step keeps alive.
 * @param {Command['changes']} changes
 * @param {readonly Patch[]} patches
 */
export function bytesOf(changes, patches) {
  // The tiles after a step are the planes' own, or those before the next one.
  const kept = PLANES.reduce((sum, name) => sum + changes[name].filter(({ before }) => before && before !== FULL).length, 0);
  return kept * TILE_BYTES + patches.reduce((sum, patch) => sum + patch.rgba.byteLength, 0);
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
    return bytes.push(writeTile(tile)) - 1;
  };
  const written = /** @type {WrittenCommand['changes']} */ ({});
  for (const name of PLANES) written[name] = changes[name].map(({ index, before, after }) => ({ index, before: place(before), after: place(after) }));
  return { label, changes: written, patches: patches.map(({ x, y, width, height, rgba }) => ({ x, y, width, height, bytes: bytes.push(new Uint8Array(rgba)) - 1 })) };
}

/**
 * Reads a step that was written.
 * @param {WrittenCommand} json
 * @param {readonly Uint8Array[]} bytes
 * @returns {Command}
 */
export function read({ label, changes, patches }, bytes) {
  /** @param {WrittenTile} tile @returns {Tile} */
  const tile = (tile) => (typeof tile === 'number' ? readTile(bytes[tile]) : tile === 'all' ? FULL : null);
  const read = /** @type {Command['changes']} */ ({});
  for (const name of PLANES) read[name] = changes[name].map(({ index, before, after }) => ({ index, before: tile(before), after: tile(after) }));
  return command(label, read, patches.map(({ x, y, width, height, bytes: at }) => ({ x, y, width, height, rgba: bytes[at].slice() })));
}

/** A tile as bytes. @param {Uint8Array} tile */
export function writeTile(tile) {
  return new Uint8Array(encode(tile).buffer);
}

/** A tile that was written; whatever the bytes are, it has its size and holds marks only. @param {Uint8Array} bytes */
export function readTile(bytes) {
  const runs = new Uint32Array(bytes.slice(0, bytes.length - (bytes.length % 4)).buffer);
  return decode(runs.map((value, i) => (i % 2 || !value ? value : MARK)), TILE_BYTES);
}

/**
 * Whether a step that was read belongs to this document: whatever file it came from, it writes nowhere else.
 * @param {Document} document
 * @param {Command} step
 */
export function fits({ photo, mask }, { label, changes, patches }) {
  const { shown } = mask;
  return typeof label === 'string' && patches.every((patch) => isInside(photo, patch)) && PLANES.every((name) => changes[name].every(({ index }) => Number.isSafeInteger(index) && index >= 0 && index < shown.length));
}

/** Whether a patch lies inside a photo and has all its pixels. @param {{width: number, height: number}} photo @param {Patch} patch */
export function isInside(photo, { x, y, width, height, rgba }) {
  return [x, y, width, height].every(Number.isSafeInteger) && x >= 0 && y >= 0 && width > 0 && height > 0 && x + width <= photo.width && y + height <= photo.height && rgba.length === width * height * 4;
}
