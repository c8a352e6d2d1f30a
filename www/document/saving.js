/**
 * The formats a photo can be saved in, and the names of its files.
 * @module
 */

/** @typedef {import('./photo.js').Photo} Photo */

/**
 * A format that the crate writes.
 * @typedef {'png' | 'jpg' | 'webp'} Format
 */

/**
 * `source`: as the file that the photo was opened from, a JPEG with its blocks kept. `jpg` is encoded anew as a whole.
 * @typedef {'source' | Format} Choice
 */

/** Media types of the formats. @type {Record<Format, string>} */
export const TYPES = { png: 'image/png', jpg: 'image/jpeg', webp: 'image/webp' };

/** Longest side of a WebP. */
const MAX_WEBP_SIDE = 16383;

/**
 * What can be chosen for a photo, as it came first.
 * @param {string | undefined} format of its file, where that is one that infill writes
 * @param {{width: number, height: number}} size
 * @returns {Choice[]}
 */
export function choicesFor(format, { width, height }) {
  const others = /** @type {Format[]} */ (['jpg', 'png', 'webp']).filter((each) => {
    // A JPEG can also be encoded anew; of the others, there is one way to write each.
    if (each === format) return each === 'jpg';
    return each !== 'webp' || Math.max(width, height) <= MAX_WEBP_SIDE;
  });
  if (format && Object.hasOwn(TYPES, format)) return ['source', ...others];
  return ['png', ...others.filter((each) => each !== 'png')];
}

/**
 * The choice as a choice of this list: what is saved as its source, and has none of a known format, is a PNG.
 * @param {Choice} choice
 * @param {Choice[]} choices
 * @returns {Choice}
 */
export function amongst(choice, choices) {
  return choices.includes(choice) ? choice : choices[0];
}

/** What tells a saved file from the one that was opened. */
const SUFFIX = '-infill';

/** @param {string} photo its file's name @param {string} format of the file to be written */
export function savedName(photo, format) {
  const base = baseName(photo);
  return `${base.endsWith(SUFFIX) ? base : base + SUFFIX}.${format}`;
}

/** A file's name without its ending. @param {string} name */
export function baseName(name) {
  return name.replace(/\.[^.]{1,5}$/, '') || 'photo';
}
