/**
 * Opening: a photo from a file, a sample, and files that were dropped or pasted.
 * @module
 */
import { isCancelled, wordsFor } from '../app.js';
import { Photo } from '../document/photo.js';
import { SNIFF_BYTES, sniff } from '../document/sniff.js';
import { text } from '../strings/en.js';
import { loadWeights } from './weights.js';

/** @typedef {import('../app.js').App} App */
/** @typedef {import('../worker/protocol.js').DecodedPhoto} DecodedPhoto */

/**
 * What opening needs of the page around it.
 * @typedef {object} Page
 * @property {(photo: Photo) => void} show makes the photo the open one
 * @property {(colorSpace: PredefinedColorSpace) => boolean} canDraw whether this browser shows a colour space
 * @property {(question: {text: string, yes: string, no: string}) => Promise<boolean>} ask
 * @property {() => void} choosePhoto opens the browser's dialog
 */

/**
 * @param {App} app
 * @param {Page} page
 * @param {Blob} blob
 * @param {string} name
 */
export async function openPhoto(app, page, blob, name) {
  // Whoever opens another photo no longer waits for the one before, however long that takes.
  app.opening?.abort();
  const { signal } = (app.opening = new AbortController());
  app.say(text.opening(name));
  try {
    /** @type {DecodedPhoto} */
    const decoded = await app.decoder.request({ kind: 'decode-photo', blob, tryBrowser: true }, { signal });
    const { buffer, byteOffset, length } = decoded.rgba;
    const rgba = new Uint8ClampedArray(buffer, byteOffset, length);
    if (app.document?.history.isUnsaved) {
      const isSure = await page.ask({ text: text.replaceQuestion, yes: text.replaceYes, no: text.replaceNo });
      if (!isSure) return app.say(text.kept);
    }
    app.run?.abort();
    const photo = new Photo({ ...decoded, rgba, name });
    page.show(photo);
    app.state.opened();
    const known = /** @type {Record<string, string>} */ (text.notes);
    const codes = page.canDraw(photo.colorSpace) ? decoded.notes : [...decoded.notes, 'shown-as-srgb'];
    const notes = codes.map((note) => known[note] ?? note);
    app.say([text.opened(name, decoded.width, decoded.height), ...notes].join(' '));
  } catch (error) {
    if (isCancelled(error)) return;
    app.fail(wordsFor(error, name), { label: text.openAnother, run: page.choosePhoto });
  }
}

/**
 * @param {App} app
 * @param {Page} page
 * @param {string} url
 * @param {string} name
 */
export async function openSample(app, page, url, name) {
  app.say(text.opening(name));
  let blob;
  try {
    const response = await fetch(url);
    if (!response.ok) throw new Error(`HTTP ${response.status}`);
    blob = await response.blob();
  } catch {
    return app.fail(text.sampleFailed, { label: text.openAnother, run: page.choosePhoto });
  }
  await openPhoto(app, page, blob, name);
}

/**
 * Files that were dropped or pasted: the bytes say which is a photo and which are weights.
 * @param {App} app
 * @param {Page} page
 * @param {File[]} files
 */
export async function openAny(app, page, files) {
  const weights = [];
  let photo = null;
  for (const file of files) {
    let head;
    try {
      head = new Uint8Array(await file.slice(0, SNIFF_BYTES).arrayBuffer());
    } catch {
      app.fail(text.unreadable(file.name));
      continue;
    }
    const { kind } = sniff(head, file);
    if (kind === 'weights') weights.push(file);
    else if (kind === 'photo') photo ??= file;
    else app.fail(text.neither(file.name), { label: text.openAnother, run: page.choosePhoto });
  }
  if (photo) await openPhoto(app, page, photo, photo.name);
  if (weights.length) await loadWeights(app, weights);
}
