/**
 * The steps of the history: changes of the mask and of the edges, and fills.
 * @module
 */
import { union } from './raster.js';
import { decode, encode } from './runs.js';

/** @typedef {import('./history.js').Command} Command */
/** @typedef {import('./raster.js').Rect} Rect */
/** @typedef {import('./document.js').Document} Document */
/** @typedef {import('./photo.js').Patch} Patch */

const NOWHERE = { x: 0, y: 0, width: 0, height: 0 };

/**
 * A change of the mask inside one rectangle.
 * @param {Document} document
 * @param {string} label
 * @param {Rect} rect
 * @param {Uint8Array} before the rectangle of `mask.source`
 * @param {Uint8Array} after
 * @returns {Command}
 */
export function maskChange(document, label, rect, before, after) {
  return planeChange(label, before, after, (bytes) => document.maskChanged(document.mask.write(rect, bytes)));
}

/**
 * A change of the edges inside one rectangle.
 * @param {Document} document
 * @param {string} label
 * @param {Rect} rect
 * @param {Uint8Array} before the rectangle of `edges.source`
 * @param {Uint8Array} after
 * @returns {Command}
 */
export function edgeChange(document, label, rect, before, after) {
  return planeChange(label, before, after, (bytes) => {
    document.edges.write(rect, bytes);
    document.edgesChanged(rect);
  });
}

/**
 * @param {string} label
 * @param {Uint8Array} before
 * @param {Uint8Array} after
 * @param {(bytes: Uint8Array) => void} write
 * @returns {Command}
 */
function planeChange(label, before, after, write) {
  const [old, now] = [encode(before), encode(after)];
  return {
    label,
    isFill: false,
    bytes: old.byteLength + now.byteLength,
    apply: () => write(decode(now, after.length)),
    revert: () => write(decode(old, before.length)),
  };
}

/**
 * A fill: new pixels, and the holes that are no longer to be filled.
 * @param {Document} document
 * @param {Patch[]} patches owned by the command from now on
 * @param {Uint8Array} filled the mask as it was when the run began, 0 or 255
 * @returns {Command}
 */
export function fill(document, patches, filled) {
  const { mask, photo } = document;
  // Every hole lies in a patch.
  const rect = patches.reduce((all, patch) => union(all, patch) ?? all, /** @type {Rect} */ ({ ...NOWHERE, ...patches[0] }));
  const before = mask.read(rect);
  const after = before.slice();
  for (let y = 0, i = 0; y < rect.height; y++) {
    for (let x = 0; x < rect.width; x++, i++) {
      // What was painted during the run stays, where it is a hole of its own.
      if (filled[(rect.y + y) * mask.width + rect.x + x]) after[i] = 0;
    }
  }
  const cleared = [maskChange(document, 'fill', rect, before, after)];
  // Edges were drawn for this fill.
  if (!document.edges.isEmpty) cleared.push(edgeChange(document, 'fill', rect, document.edges.read(rect), new Uint8Array(rect.width * rect.height)));
  /** @param {Patch[]} inOrder patches may overlap: they are taken back in the opposite order */
  const swap = (inOrder) => {
    for (const patch of inOrder) {
      photo.swap(patch);
      document.photoChanged(patch);
    }
  };
  return {
    label: 'fill',
    isFill: true,
    bytes: cleared.reduce((sum, step) => sum + step.bytes, 0) + patches.reduce((sum, patch) => sum + patch.rgba.byteLength, 0),
    apply: () => {
      swap(patches);
      for (const step of cleared) step.apply();
    },
    revert: () => {
      swap(patches.toReversed());
      for (const step of cleared) step.revert();
    },
  };
}
