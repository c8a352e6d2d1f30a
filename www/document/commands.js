/**
 * The steps of the history: changes of the mask, and fills.
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
  const size = rect.width * rect.height;
  const old = encode(before);
  const now = encode(after);
  /** @param {Uint32Array} runs */
  const write = (runs) => document.maskChanged(document.mask.write(rect, decode(runs, size)));
  return {
    label,
    isFill: false,
    bytes: old.byteLength + now.byteLength,
    apply: () => write(now),
    revert: () => write(old),
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
  const cleared = maskChange(document, 'fill', rect, before, after);
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
    bytes: cleared.bytes + patches.reduce((sum, patch) => sum + patch.rgba.byteLength, 0),
    apply: () => {
      swap(patches);
      cleared.apply();
    },
    revert: () => {
      swap(patches.toReversed());
      cleared.revert();
    },
  };
}
