/**
 * Decoding a picture for the page.
 * @module
 */
import { isCancelled, wordsFor } from '../app.js';
import { Photo } from '../document/photo.js';
import { text } from '../strings/index.js';

/** @typedef {import('../app.js').App} App */
/** @typedef {import('../worker/protocol.js').DecodedPhoto} DecodedPhoto */
/** @typedef {DecodedPhoto & {source: Blob}} Picture decoded, and the file that it came from */

/**
 * Decodes a picture; what goes wrong is said. Null if it failed, or if another one is wanted by now.
 * @param {App} app
 * @param {{choosePhoto: () => void}} page
 * @param {Blob} blob
 * @param {string} name
 * @returns {Promise<Picture | null>}
 */
export async function decode(app, page, blob, name) {
  // Whoever opens another photo no longer waits for the one before, however long that takes.
  app.opening?.abort();
  const { signal } = (app.opening = new AbortController());
  app.say(text.opening(name));
  try {
    return { ...(await app.decoder.request({ kind: 'decode-photo', blob, tryBrowser: true }, { signal })), source: blob };
  } catch (error) {
    if (!isCancelled(error)) app.fail(wordsFor(error, name), { label: text.openAnother, run: page.choosePhoto });
    return null;
  }
}

/**
 * @param {Picture} picture
 * @param {string} name
 */
export function photoOf(picture, name) {
  const { buffer, byteOffset, length } = picture.rgba;
  return new Photo({ ...picture, rgba: new Uint8ClampedArray(/** @type {ArrayBuffer} */ (buffer), byteOffset, length), name });
}
