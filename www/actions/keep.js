/**
 * Work that outlives the page: kept as it changes, offered again after a reload, a crash or a closed tab, forgotten when
 * the person says so.
 * @module
 */
import { notKept } from '../app.js';
import { Document } from '../document/document.js';
import { Reader } from '../document/reader.js';
import { TYPES } from '../document/saving.js';
import { crc32, entries } from '../storage/frames.js';
import { recall, remember } from '../storage/preference.js';
import { text } from '../strings/index.js';
import { Failure } from '../worker/protocol.js';
import { decode, photoOf } from './decode.js';
import { listRecent } from './copies.js';
import { modelToKeep, selectKept } from './recent.js';

/** @typedef {import('../app.js').App} App */
/** @typedef {import('../worker/protocol.js').KeptWork} KeptWork */

/** Whether work was left, as far as the page knows before it has looked: the place for its line is kept free. */
const HINT_KEY = 'infill-work-left';
/** Other tabs hear by its change that everything is to be forgotten. */
export const FORGET_KEY = 'infill-forgotten';

/**
 * What continuing needs of the page around it.
 * @typedef {object} Page
 * @property {(document: Document) => void} showDocument makes it the open one
 * @property {() => void} choosePhoto opens the browser's dialog
 */

/** Whether the line is likely to come. */
export function isWorkExpected() {
  return recall(HINT_KEY, ['yes', 'no'], 'no') === 'yes';
}

/** At the start: looks for what closed tabs left. @param {App} app */
export async function findWork(app) {
  if (app.settings.isKeeping) {
    try {
      app.works = await app.store.request({ kind: 'work-list' });
      app.storeFault = '';
    } catch (error) {
      app.works = [];
      app.storeFault = error instanceof Failure ? error.code : 'store-failed';
    }
  }
  remember(HINT_KEY, app.works.length ? 'yes' : 'no');
  app.keptChanged();
  await listRecent(app);
}

/** A photo was opened: it is kept from now on. @param {App} app */
export function keepOpen(app) {
  const { document } = app;
  const source = document?.photo.source;
  if (!document || !source || !app.settings.isKeeping || app.storeFault) return;
  app.keeper.keep(document, { photo: source, extra: () => extraOf(app) });
  remember(HINT_KEY, 'yes');
}

/** Whether it was said in this visit that nothing is kept. @type {WeakSet<App>} */
const told = new WeakSet();

/** What is said of a photo that cannot be kept, once a visit. @param {App} app @returns {string[]} */
export function notesOnKeeping(app) {
  if (!app.settings.isKeeping || !app.storeFault || told.has(app)) return [];
  told.add(app);
  return [notKept(app.storeFault)];
}

/** What belongs to the work beside the document. @param {App} app */
function extraOf(app) {
  return { saveAs: app.document?.photo.saveAs, sharpen: app.settings.sharpen, seed: app.seed, isFilled: app.state.isFilled, model: modelToKeep(app) };
}

/**
 * Brings back what a closed tab left.
 * @param {App} app
 * @param {Page} page
 * @param {KeptWork} work
 */
export async function continueWork(app, page, { id, name }) {
  app.say(text.bringingBack(name));
  /** @type {import('../worker/protocol.js').TakenWork | null} */
  let taken;
  try {
    taken = await app.store.request({ kind: 'work-take', work: id });
  } catch (error) {
    return app.fail(notKept(error instanceof Failure ? error.code : ''));
  }
  if (!taken) {
    app.say(text.workElsewhere);
    return dropLine(app, id);
  }
  const leave = () => app.store.request({ kind: 'work-leave' }).catch(() => {});
  const bytes = await taken.photo.arrayBuffer().catch(() => new ArrayBuffer(0));
  if (bytes.byteLength === 0 || (taken.crc !== undefined && crc32(new Uint8Array(bytes)) !== taken.crc)) {
    await leave();
    return app.fail(text.photoDamaged(name), { label: text.openAnother, run: page.choosePhoto });
  }
  // In memory: the copy on the disk may be forgotten while the photo is open.
  const picture = await decode(app, page, new Blob([bytes], { type: taken.type }), name);
  const signal = app.opening?.signal;
  if (!picture) return void leave();
  const photo = photoOf(picture, name);
  const reader = new Reader(photo);
  const isWhole = await readAll(reader, taken.journal);
  // Another photo was opened meanwhile.
  if (signal?.aborted || app.document) return void leave();
  const document = reader.finish();
  const words = !document ? text.onlyPhotoBack(name) : isWhole ? text.broughtBack(name, reader.at) : text.broughtBackUntil(name, reader.at);
  page.showDocument(document ?? new Document(photoOf({ ...picture, rgba: new Uint8Array(photo.opened().buffer) }, name), app.settings.grow, NOBODY));
  app.state.opened();
  app.works = app.works.filter((each) => each.id !== id);
  if (document) useSettings(app, document, reader.extra);
  // From here on what is done is kept in the same place.
  if (app.document) app.keeper.keep(app.document, { photo: null, extra: () => extraOf(app) });
  app.say(words);
  const isSaid = document && (await selectKept(app, reader.extra?.model));
  // What was said of the model meanwhile is less than this.
  if (isSaid && app.document === document && !app.state.isRunning) app.mention(words);
}

/** @type {import('../document/document.js').Listener} */
const NOBODY = { photo() {}, mask() {}, edges() {}, history() {} };

/** @param {App} app @param {Document} document @param {any} extra */
function useSettings(app, document, extra) {
  app.settings.grow = document.mask.grow;
  if (Object.hasOwn(text.sharpenChoices, extra?.sharpen)) app.settings.sharpen = extra.sharpen;
  if (Number.isSafeInteger(extra?.seed) && extra.seed >= 0) app.seed = extra.seed;
  if (['source', ...Object.keys(TYPES)].includes(extra?.saveAs)) document.photo.saveAs = extra.saveAs;
  if (extra?.isFilled === true) app.state.filled();
}

/**
 * Reads records as far as they go, a piece at a time.
 * @param {Reader} reader
 * @param {Blob} journal
 * @returns {Promise<boolean>} whether all of them could be read
 */
async function readAll(reader, journal) {
  try {
    const all = entries(journal);
    for (;;) {
      const { value, done } = await all.next();
      if (done) return value.why === 'end';
      if (!reader.take(value)) return false;
    }
  } catch {
    return false;
  }
}

/** Deletes what a closed tab left. @param {App} app @param {KeptWork} work */
export async function forgetWork(app, { id, name }) {
  const succeed = app.begin();
  await app.store.request({ kind: 'work-forget', work: id }).catch(() => {});
  succeed(text.forgottenWork(name));
  dropLine(app, id);
}

/** Offers a work no more, and looks what there is by now. @param {App} app @param {string} id */
function dropLine(app, id) {
  app.works = app.works.filter((each) => each.id !== id);
  app.keptChanged();
  void findWork(app);
}

/** Deletes all that is kept, here and in other tabs. @param {App} app */
export async function forgetAll(app) {
  const succeed = app.begin();
  remember(FORGET_KEY, String(Date.now()));
  await forgetHere(app);
  succeed(text.forgotten);
}

/** What was kept in this tab, and in those that are closed. @param {App} app */
export async function forgetHere(app) {
  app.works = [];
  app.recent = [];
  remember(HINT_KEY, 'no');
  const gone = [app.keeper.forget(), app.store.request({ kind: 'work-forget-all' }), app.shelf.request({ kind: 'model-forget' })];
  await Promise.allSettled(gone);
  app.keptChanged();
}

/** @param {App} app @param {boolean} isOn */
export async function switchKeeping(app, isOn) {
  const succeed = app.begin();
  app.chooseKeeping(isOn);
  if (!isOn) await forgetHere(app);
  else {
    await findWork(app);
    if (app.document && app.keeper.standing !== 'kept') keepOpen(app);
  }
  succeed(isOn ? (app.storeFault ? notKept(app.storeFault) : text.keepingOn) : text.keepingOff);
}
