/**
 * Masks from elsewhere: from a file, read in the way that makes most sense or in another, and from the photo's own
 * transparency.
 * @module
 */
import { wordsFor } from '../app.js';
import { transparency } from '../document/mask_file.js';
import { Plane } from '../document/plane.js';
import { text } from '../strings/index.js';

/** @typedef {import('../app.js').App} App */
/** @typedef {import('../document/document.js').Document} Document */
/** @typedef {import('../worker/protocol.js').FoundMask} FoundMask */

/**
 * One way to read a mask's file.
 * @typedef {object} Reading
 * @property {string | undefined} channel the crate looks for it where none is given
 * @property {boolean} isInverted
 * @property {Plane} plane
 * @property {number} share of the photo that is masked, 0 to 1
 * @property {string} words
 */

/**
 * What masks need of the page around them.
 * @typedef {object} Page
 * @property {(readings: Reading[], photo: import('../document/photo.js').Photo) => Promise<Reading | null>} chooseReading shows readings and lets one be chosen
 */

/** A mask of more than this share is more likely meant the other way round. */
const MOST_LIKELY = 0.5;
const CHANNELS = /** @type {const} */ (['luma', 'alpha', 'red', 'green', 'blue']);

/**
 * @param {App} app
 * @param {Page} page
 * @param {File} file
 */
export async function loadMask(app, page, file) {
  const { document } = app;
  if (!document) return app.say(text.maskNeedsPhoto);
  const succeed = app.begin();
  const otherwise = { label: text.readOtherwise, run: () => void readOtherwise(app, page, file) };
  try {
    const found = await read(app, document, file);
    if (app.document !== document) return;
    if (found.share === 1) return app.fail(text.maskFileFull(file.name), otherwise);
    if (found.share > MOST_LIKELY) return void readOtherwise(app, page, file);
    document.loadMask(found.holes);
    succeed([text.maskLoaded, ...notes(found)].join(' '), otherwise);
  } catch (error) {
    app.fail(wordsFor(error, file.name));
  }
}

/**
 * Shows every way to read a mask's file that makes a difference, and takes the one that is chosen.
 * @param {App} app
 * @param {Page} page
 * @param {File} file
 */
async function readOtherwise(app, page, file) {
  const { document } = app;
  if (!document) return;
  const succeed = app.begin();
  app.hint(text.reading(file.name));
  try {
    const readings = await allReadings(app, document, file);
    if (app.document !== document) return;
    if (readings.length === 0) return app.fail(text.maskFileFull(file.name));
    const chosen = await page.chooseReading(readings, document.photo);
    if (!chosen || app.document !== document) return app.hint(text.maskKept);
    document.change('mask', (mask) => mask.replace(chosen.plane));
    succeed(`${text.maskLoaded} ${chosen.words}`);
  } catch (error) {
    app.fail(wordsFor(error, file.name));
  }
}

/**
 * Readings that differ and mask neither nothing nor everything, the likeliest first.
 * @param {App} app
 * @param {Document} document
 * @param {Blob} blob
 * @returns {Promise<Reading[]>}
 */
async function allReadings(app, document, blob) {
  const { width, height } = document.mask;
  const readings = /** @type {Reading[]} */ ([]);
  for (const channel of [undefined, ...CHANNELS]) {
    for (const isInverted of [false, true]) {
      const { holes, share, channel: where } = await read(app, document, blob, channel, isInverted).catch((error) => {
        // Where the crate finds no mask by itself, a channel may still be one.
        if (channel === undefined) return { holes: new Uint8Array(0), share: 0, channel: '' };
        throw error;
      });
      if (share === 0 || share === 1) continue;
      const plane = Plane.from(width, height, holes);
      if (readings.some((other) => isSame(other.plane, plane))) continue;
      readings.push({ channel, isInverted, plane, share, words: text.readingOf(where, isInverted, share) });
    }
  }
  return readings.sort((a, b) => Number(a.share > MOST_LIKELY) - Number(b.share > MOST_LIKELY));
}

/** @param {Plane} a @param {Plane} b */
function isSame(a, b) {
  return a.count === b.count && a.clone().changesSince(b.snapshot()).length === 0;
}

/**
 * @param {App} app
 * @param {Document} document
 * @param {Blob} blob
 * @param {string} [channel]
 * @param {boolean} [isInverted]
 * @returns {Promise<FoundMask>}
 */
function read(app, { mask }, blob, channel, isInverted = false) {
  return app.decoder.request({ kind: 'read-mask', blob, width: mask.width, height: mask.height, channel, isInverted });
}

/** What people may not expect of a mask's file. @param {FoundMask} found @returns {string[]} */
function notes({ channel, isPlain, softPixels, isTurned }) {
  return [!isPlain && text.maskFoundIn(channel), softPixels > 0 && text.maskSoft, isTurned && text.notes.turned].filter((note) => typeof note === 'string');
}

/**
 * Offers the photo's own transparency as the mask, where there is any.
 * @param {App} app
 * @returns {import('../app.js').Action | null}
 */
export function offerTransparency(app) {
  const { document } = app;
  if (!document?.photo.hasAlpha) return null;
  const plane = transparency(document.photo);
  if (!plane) return null;
  const run = () => {
    if (app.document !== document) return;
    document.change('mask', (mask) => mask.replace(plane));
    app.say(text.transparencyTaken);
  };
  return { label: text.takeTransparency, run };
}
