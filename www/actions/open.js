/**
 * Opening: a photo from a file, and files that were dropped or pasted.
 * @module
 */
import { bundled } from '../document/bundle.js';
import { looksLikeMask } from '../document/mask_file.js';
import { SNIFF_BYTES, sniff } from '../document/sniff.js';
import { text } from '../strings/index.js';
import { decode, photoOf } from './decode.js';
import { notesOnKeeping } from './keep.js';
import { loadMask, offerTransparency } from './mask_file.js';
import { loadClass, takeOwnWeights } from './own_network.js';
import { loadWeights } from './weights.js';

/** @typedef {import('../app.js').App} App */
/** @typedef {import('../document/photo.js').Photo} Photo */
/** @typedef {import('./decode.js').Picture} Picture */

/**
 * What opening needs of the page around it.
 * @typedef {import('./mask_file.js').Page & OpeningPage} Page
 */

/**
 * @typedef {object} OpeningPage
 * @property {(photo: Photo) => void} show makes the photo the open one
 * @property {(colorSpace: PredefinedColorSpace) => boolean} canDraw whether this browser shows a colour space
 * @property {(question: {text: string, yes: string, no: string}) => Promise<boolean>} ask
 * @property {(question: {text: string, yes: string, no: string}) => Promise<'yes' | 'no' | 'none'>} choose the same where closing the question is no answer
 * @property {() => boolean} isClassOpen whether a pasted class is in view
 * @property {() => void} choosePhoto opens the browser's dialog
 */

/**
 * @param {App} app
 * @param {Page} page
 * @param {Blob} blob
 * @param {string} name
 */
export async function openPhoto(app, page, blob, name) {
  const decoded = await decode(app, page, blob, name);
  if (decoded) await show(app, page, decoded, name);
}

/**
 * Makes a picture the open photo, unless that would lose work and is not wanted.
 * @param {App} app
 * @param {Page} page
 * @param {Picture} decoded
 * @param {string} name
 */
async function show(app, page, decoded, name) {
  if (app.document?.history.isUnsaved) {
    const isSure = await page.ask({ text: text.replaceQuestion, yes: text.replaceYes, no: text.replaceNo });
    if (!isSure) return app.say(text.kept);
  }
  app.run?.abort();
  const photo = photoOf(decoded, name);
  page.show(photo);
  app.state.opened();
  const known = /** @type {Record<string, string>} */ (text.notes);
  const codes = page.canDraw(photo.colorSpace) ? decoded.notes : [...decoded.notes, 'shown-as-srgb'];
  const notes = codes.map((note) => known[note] ?? note);
  app.say([text.opened(name, decoded.width, decoded.height), ...notes, ...notesOnKeeping(app)].join(' '), offerTransparency(app));
}

/**
 * Files that were dropped or pasted: the bytes say which are pictures and which are weights.
 * @param {App} app
 * @param {Page} page
 * @param {File[]} files
 */
export async function openAny(app, page, files) {
  const weights = [];
  const pictures = [];
  const classes = [];
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
    else if (kind === 'photo') pictures.push(file);
    else if (kind === 'class') classes.push(file);
    else app.fail(text.neither(file.name), { label: text.openAnother, run: page.choosePhoto });
  }
  if (pictures.length === 1) await openOrMask(app, page, pictures[0]);
  else if (pictures.length) await openFirst(app, page, pictures);
  // Of several classes the last one counts, as with weights.
  const file = classes.at(-1);
  if (file) {
    app.showOwn();
    await loadClass(app, file);
  }
  // Beside a class, or where one is being looked at, they are its weights.
  const own = bundled(weights).at(-1);
  if (own && (file || page.isClassOpen())) await takeOwnWeights(app, own.blob, own.name);
  else if (own) await loadWeights(app, weights);
}

/**
 * One picture: it may be the mask of the photo that is open.
 * @param {App} app
 * @param {Page} page
 * @param {File} file
 */
async function openOrMask(app, page, file) {
  const decoded = await decode(app, page, file, file.name);
  if (!decoded) return;
  const photo = app.document?.photo;
  if (photo && isMaskOf(decoded, photo)) {
    const answer = await page.choose({ text: text.maskOrPhoto(file.name), yes: text.asMask, no: text.asPhoto });
    if (answer === 'none') return app.say(text.kept);
    if (answer === 'yes') return loadMask(app, page, file);
  }
  await show(app, page, decoded, file.name);
}

/**
 * Several pictures: the first is opened, unless it is the mask of the second; and whatever does not happen is said.
 * @param {App} app
 * @param {Page} page
 * @param {File[]} files
 */
async function openFirst(app, page, files) {
  const [a, b] = files;
  const first = await decode(app, page, a, a.name);
  if (!first) return;
  const second = files.length === 2 ? await decode(app, page, b, b.name) : null;
  const swapped = second !== null && isMaskOf(first, second);
  const [photo, photoFile, maskFile] = swapped && second ? [second, b, a] : [first, a, b];
  const hasMask = second !== null && (swapped || isMaskOf(second, first));
  const isMask = hasMask && (await page.ask({ text: text.maskBeside(maskFile.name, photoFile.name), yes: text.asItsMask, no: text.onlyPhoto }));
  const before = app.document;
  await show(app, page, photo, photoFile.name);
  if (app.document === before) return;
  if (isMask) return loadMask(app, page, maskFile);
  if (!hasMask) app.mention(text.onlyFirst(files.length, photoFile.name));
}

/**
 * Whether a picture may be a photo's mask.
 * @param {import('../worker/protocol.js').DecodedPhoto} picture
 * @param {{width: number, height: number, rgba: Uint8Array | Uint8ClampedArray}} photo
 */
function isMaskOf(picture, photo) {
  return picture.width === photo.width && picture.height === photo.height && looksLikeMask(picture.rgba) && !looksLikeMask(photo.rgba);
}
