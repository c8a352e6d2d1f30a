/**
 * What is to be said of a saved file.
 * @module
 */
import { text } from '../strings/index.js';

/** @typedef {import('../document/photo.js').Photo} Photo */
/** @typedef {import('../worker/protocol.js').SavedFile} SavedFile */

/** Left out because somebody asked for it: no loss. */
const PLACE = 'place-left-out';

/**
 * What its user may not expect.
 * @param {SavedFile} saved
 * @returns {string[]}
 */
export function notesOn({ notes, quality }) {
  return notes.map((note) => text.saveNotes[note]?.(quality) ?? note);
}

/**
 * What stays as it was.
 * @param {SavedFile} saved
 * @param {Photo} photo
 * @returns {string[]}
 */
export function keptIn({ format, kept, notes }, photo) {
  const has = (/** @type {string} */ word) => kept.includes(word);
  const names = /** @type {Record<string, string>} */ (text.metadataNames);
  const metadata = Object.keys(names).filter(has).map((word) => names[word]);
  const isConverted = photo.notes.some((note) => note.startsWith('browser'));
  return [
    has('blocks') && text.keptBlocks,
    format !== 'jpg' && text.keptExactly,
    has('sixteen-bit') && text.keptSixteen,
    has('profile') && !isConverted && text.keptProfile,
    metadata.length > 0 && text.keptMetadata(metadata),
    has('place') && text.tellsPlace,
    notes.includes(PLACE) && text.saveNotes[PLACE](),
  ].filter((words) => words !== false);
}

/**
 * What does not.
 * @param {SavedFile} saved
 * @param {Photo} photo
 * @returns {string[]}
 */
export function lossesIn(saved, photo) {
  const { format, kept, notes, quality } = saved;
  const isSaid = notes.some((note) => note.startsWith('anew-'));
  const has = (/** @type {string} */ note) => photo.notes.includes(note);
  return [
    format === 'jpg' && quality !== undefined && !isSaid && text.allAnew(quality),
    has('sixteen-bit') && !kept.includes('sixteen-bit') && text.onlyEight,
    has('browser') && text.convertedColours,
    has('browser-p3') && text.convertedColoursP3,
    ...notesOn({ ...saved, notes: notes.filter((note) => note !== PLACE) }),
  ].filter((words) => words !== false);
}
