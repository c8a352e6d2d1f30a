/**
 * What the page's address asks for: a photo, its mask and a model, all of this site.
 * @module
 */
import { wordsFor } from '../app.js';
import { modelNamed } from '../document/site.js';
import { fetchOwn } from '../storage/site.js';
import { text } from '../strings/index.js';
import { Failure } from '../worker/protocol.js';
import { loadMask } from './mask_file.js';
import { openPhoto } from './open.js';
import { loadFile } from './weights.js';

/** @typedef {import('../app.js').App} App */
/** @typedef {import('./open.js').Page} Page */

/**
 * A photo of the site with its mask, if it has one.
 * @typedef {{file: string, mask: string | null, line: number}} Wanted
 */

/**
 * Opens a photo of the site, and its mask.
 * @param {App} app
 * @param {Page} page
 * @param {Wanted} wanted paths from the page; the line of `infill.json` that names them, or 0
 */
export async function openOwn(app, page, { file, mask, line }) {
  const before = app.document;
  app.say(text.opening(file.slice(file.lastIndexOf('/') + 1)));
  const photo = await fetched(app, page, file, line);
  if (!photo) return;
  await openPhoto(app, page, photo, photo.name);
  if (!mask || app.document === before) return;
  const opened = app.document;
  const found = await fetched(app, page, mask, line);
  // Whoever opened another photo meanwhile has that.
  if (found && app.document === opened) await loadMask(app, page, found);
}

/** The file, or null, and it is said why. @param {App} app @param {Page} page @param {string} path @param {number} line */
async function fetched(app, page, path, line) {
  try {
    return await fetchOwn(path);
  } catch (error) {
    const words = wordsFor(error, path);
    app.fail(line ? text.siteFaultAt(line, words) : words, { label: text.openAnother, run: page.choosePhoto });
    return null;
  }
}

/**
 * Does what the address says.
 * @param {App} app
 * @param {Page} page
 * @param {URLSearchParams} asked
 */
export async function followLink(app, page, asked) {
  const [image, mask, model] = ['image', 'mask', 'model'].map((name) => asked.get(name));
  // The photo can be opened while the model is on its way.
  const opening = image ? openOwn(app, page, { file: image, mask, line: 0 }) : Promise.resolve();
  if (model) await useModel(app, model);
  await opening;
  if (mask && !image) app.fail(text.maskNeedsPhoto);
}

/**
 * Reads weights of the site that no entry of the list of models names.
 * @param {App} app
 * @param {string} wanted
 */
async function useModel(app, wanted) {
  // It is the one that the page began with.
  if (modelNamed(app.site, wanted)) return;
  try {
    const name = wanted.slice(wanted.lastIndexOf('/') + 1);
    const file = await fetchOwn(wanted, (done) => app.hint(text.fetching(name, done)));
    await loadFile(app, file, file.name, false);
  } catch (error) {
    const isNoFile = error instanceof Failure && ['site-missing', 'site-outside'].includes(error.code);
    app.fail(isNoFile ? text.noSuchModel(wanted, error.message) : wordsFor(error, wanted));
  }
}
