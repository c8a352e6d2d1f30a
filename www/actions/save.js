/**
 * Saving the photo and the mask.
 * @module
 */
import { wordsFor } from '../app.js';
import { text } from '../strings/en.js';
import { keyOf } from './fill.js';

/** @typedef {import('../app.js').App} App */

/** @param {App} app */
export async function saveImage(app) {
  const photo = app.document?.photo;
  const history = app.document?.history;
  if (!photo || !history) return;
  const { width, height, hasAlpha, isGray, icc } = photo;
  const name = `${baseName(photo.name)}-infill.png`;
  const succeed = app.begin();
  if (!app.state.isRunning) app.say(text.encoding);
  try {
    // A run may end while the pixels are on their way: then they are copied first.
    const bytes = app.state.isRunning ? photo.rgba.slice() : photo.rgba;
    const pixels = { key: keyOf(photo), bytes };
    const top = history.top;
    const file = await app.encoder.request({ kind: 'encode-photo', key: pixels.key, width, height, hasAlpha, isGray, icc }, { pixels });
    app.download(file, name);
    if (history.top === top) {
      history.markSaved();
      app.touch();
    }
    succeed(text.saved(name));
  } catch (error) {
    app.fail(wordsFor(error), { label: text.retry, run: () => void saveImage(app) });
  }
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
    app.download(file, name);
    succeed(text.saved(name));
  } catch (error) {
    app.fail(wordsFor(error), { label: text.retry, run: () => void again() });
  }
}

/** @param {string} name */
function baseName(name) {
  return name.replace(/\.[^.]{1,5}$/, '') || 'photo';
}
