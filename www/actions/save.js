/**
 * Saving, copying and sharing the photo; saving the mask.
 * @module
 */
import { isCancelled, wordsFor } from '../app.js';
import { baseName, savedName, TYPES } from '../document/saving.js';
import { text } from '../strings/index.js';
import { Failure } from '../worker/protocol.js';
import { keyOf } from './fill.js';
import { notesOn } from './saved_words.js';

/** @typedef {import('../app.js').App} App */
/** @typedef {import('../document/photo.js').Photo} Photo */
/** @typedef {import('../worker/protocol.js').SavedFile} SavedFile */

/**
 * A photo's file, ready to be saved or shared.
 * @typedef {object} Prepared
 * @property {File} file
 * @property {SavedFile} saved
 * @property {number} version of the photo that it shows
 */

/** A worker that has not started by then is not waited for: work is saved without it. */
const START_MS = 15_000;
/** The photo itself is at fault, not the worker: another worker would say the same. */
const FINAL = ['image-limit', 'run-cancelled'];

/**
 * Makes the photo's file, as it is to be saved. If what writes it cannot be had, it is a PNG of the pixels.
 * @param {App} app
 * @param {Photo} photo
 * @returns {Promise<Prepared>}
 */
export async function prepareFile(app, photo) {
  // What changes while the pixels are on their way is copied first.
  for (let isCopied = app.state.isRunning; ; isCopied = true) {
    const { version } = photo;
    const pixels = { key: keyOf(photo), bytes: isCopied ? photo.rgba.slice() : photo.rgba };
    const saved = await save(app, photo, pixels, photo.source);
    if (!isCopied && photo.version !== version) continue;
    const format = /** @type {import('../document/saving.js').Format} */ (saved.format);
    const file = new File([saved.bytes], savedName(photo.name, format), { type: TYPES[format] });
    return { file, saved, version };
  }
}

/**
 * @param {App} app
 * @param {Photo} photo
 * @param {{key: string, bytes: Uint8ClampedArray}} pixels
 * @param {Blob | null} source
 * @returns {Promise<SavedFile>}
 */
async function save(app, photo, pixels, source) {
  const { width, height, hasAlpha, isGray, icc, saveAs } = photo;
  const { quality, withoutPlace } = app.settings;
  const picture = { key: pixels.key, width, height, hasAlpha, isGray, icc };
  const format = saveAs === 'source' ? undefined : saveAs;
  try {
    return await app.saver.request(
      { kind: 'save-photo', ...picture, source, format, quality: format === 'jpg' ? quality : undefined, withoutPlace },
      { pixels, startMs: START_MS },
    );
  } catch (error) {
    const code = error instanceof Failure ? error.code : '';
    if (FINAL.includes(code)) throw error;
    if (code === 'source-gone' && source) {
      const saved = await save(app, photo, pixels, null);
      return { ...saved, notes: ['source-gone', ...saved.notes] };
    }
    const bytes = await app.encoder.request({ kind: 'encode-photo', ...picture }, { pixels });
    return { bytes, format: 'png', kept: icc ? ['profile'] : [], notes: ['png-instead'] };
  }
}

/**
 * Saves the photo as it is chosen for it.
 * @param {App} app
 * @param {Prepared} [prepared] if it is made already
 */
export async function saveImage(app, prepared) {
  const { document } = app;
  if (!document) return;
  const { photo, history } = document;
  const succeed = app.begin();
  if (!app.state.isRunning) app.say(text.encoding);
  try {
    const { top } = history;
    const { file, saved } = prepared?.version === photo.version ? prepared : await prepareFile(app, photo);
    app.download(file, file.name);
    markSaved(app, history, top);
    succeed([text.saved(file.name), ...notesOn(saved)].join(' '));
  } catch (error) {
    app.fail(wordsFor(error), { label: text.retry, run: () => void saveImage(app) });
  }
}

/**
 * @param {App} app
 * @param {import('../document/history.js').History} history
 * @param {unknown} top the last step when the file was made
 */
function markSaved(app, history, top) {
  if (history.top !== top) return;
  history.markSaved();
  app.touch();
}

/**
 * Hands the photo's file to another app.
 * @param {App} app
 * @param {Prepared} prepared
 * @param {(file: File) => Promise<void>} share the browser's way
 * @returns {Promise<boolean>} false if the person thought better of it
 */
export async function shareImage(app, { file, version }, share) {
  const { document } = app;
  if (!document) return false;
  const { top } = document.history;
  const succeed = app.begin();
  try {
    await share(file);
    if (document.photo.version === version) markSaved(app, document.history, top);
    succeed(text.shared(file.name));
    return true;
  } catch (error) {
    if (error instanceof DOMException && error.name === 'AbortError') return false;
    app.fail(text.shareFailed, { label: text.saveInstead, run: () => void saveImage(app) });
    return true;
  }
}

/**
 * Copies the photo as it is now.
 * @param {App} app
 * @param {(png: Promise<Blob>) => Promise<void>} write the browser's way, which is begun at once: later it may be refused
 */
export async function copyImage(app, write) {
  const photo = app.document?.photo;
  if (!photo) return;
  const succeed = app.begin();
  if (!app.state.isRunning) app.say(text.encoding);
  try {
    await write(pngOf(app, photo));
    succeed(text.copiedImage);
  } catch (error) {
    if (!isCancelled(error)) app.fail(error instanceof Failure ? wordsFor(error) : text.copyFailed, { label: text.saveInstead, run: () => void saveImage(app) });
  }
}

/** @param {App} app @param {Photo} photo */
async function pngOf(app, photo) {
  const { width, height, hasAlpha, isGray, icc } = photo;
  const bytes = app.state.isRunning ? photo.rgba.slice() : photo.rgba;
  const key = keyOf(photo);
  const png = await app.encoder.request({ kind: 'encode-photo', key, width, height, hasAlpha, isGray, icc }, { pixels: { key, bytes } });
  return new Blob([png], { type: TYPES.png });
}

/** @param {App} app */
export async function saveMask(app) {
  app.document?.endStroke();
  await savePlane(app, app.document?.mask.shown.toBytes(), 'mask', () => saveMask(app));
}

/** What was drawn and erased of the edges, as the command line reads it. @param {App} app */
export async function saveEdges(app) {
  app.document?.endStroke();
  await savePlane(app, app.document?.edges.toBytes(), 'edges', () => saveEdges(app));
}

/**
 * @param {App} app
 * @param {Uint8Array<ArrayBuffer> | undefined} holes a gray value a pixel
 * @param {string} what
 * @param {() => Promise<void>} again
 */
async function savePlane(app, holes, what, again) {
  if (!app.document || !holes) return;
  const { width, height, name: photo } = app.document.photo;
  const name = `${baseName(photo)}-${what}.png`;
  const succeed = app.begin();
  try {
    const file = await app.encoder.request({ kind: 'encode-mask', holes, width, height }, { transfer: [holes.buffer] });
    app.download(new Blob([file], { type: TYPES.png }), name);
    succeed(text.saved(name));
  } catch (error) {
    app.fail(wordsFor(error), { label: text.retry, run: () => void again() });
  }
}
