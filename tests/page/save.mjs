// Saving: what can be chosen, what is made of it, and what is left when a part is missing.
import assert from 'node:assert/strict';
import { copyImage, prepareFile, saveImage, shareImage } from '../../www/actions/save.js';
import { keptIn, lossesIn, notesOn } from '../../www/actions/saved_words.js';
import { History } from '../../www/document/history.js';
import { Photo } from '../../www/document/photo.js';
import { amongst, choicesFor, savedName } from '../../www/document/saving.js';
import { text } from '../../www/strings/index.js';
import { Failure } from '../../www/worker/protocol.js';

const SIZE = { width: 2, height: 2 };

/** @param {string} code */
const failure = (code) => new Failure({ code, message: code, keys: [] });

export function formats_are_offered_as_the_photo_came_first() {
  assert.deepEqual(choicesFor('jpg', SIZE), ['source', 'jpg', 'png', 'webp']);
  assert.deepEqual(choicesFor('png', SIZE), ['source', 'jpg', 'webp']);
  assert.deepEqual(choicesFor('webp', SIZE), ['source', 'jpg', 'png']);
  assert.deepEqual(choicesFor(undefined, SIZE), ['png', 'jpg', 'webp']);
  assert.deepEqual(choicesFor('jpg', { width: 16384, height: 2 }), ['source', 'jpg', 'png'], 'a WebP has no room for it');
  assert.equal(amongst('source', choicesFor(undefined, SIZE)), 'png');
  assert.equal(amongst('webp', choicesFor('jpg', SIZE)), 'webp');
}

export function a_saved_file_keeps_its_name_and_gets_one_suffix() {
  assert.equal(savedName('holiday.jpeg', 'jpg'), 'holiday-infill.jpg');
  assert.equal(savedName('日本.v2.png', 'webp'), '日本.v2-infill.webp');
  assert.equal(savedName('holiday-infill.jpg', 'jpg'), 'holiday-infill.jpg');
  assert.equal(savedName('.png', 'png'), 'photo-infill.png');
}

/**
 * A page with a photo and workers that answer as they are told.
 * @param {{saver?: (request: any, photo: Photo) => any, encoder?: (request: any) => any, isRunning?: boolean}} [answers]
 */
function setUp({ saver = () => ({ bytes: new Uint8Array([1]), format: 'jpg', kept: ['blocks'], notes: [] }), encoder = () => new Uint8Array([2]), isRunning = false } = {}) {
  const source = new Blob(['source']);
  const photo = new Photo({ name: 'a.jpg', ...SIZE, rgba: new Uint8ClampedArray(16), hasAlpha: false, isGray: false, source });
  const asked = /** @type {any[]} */ ([]);
  const said = /** @type {string[]} */ ([]);
  const downloads = /** @type {string[]} */ ([]);
  const history = new History(() => {});
  /** @param {string} to @param {(request: any, photo: Photo) => any} answer */
  const client = (to, answer) => ({
    request: async (/** @type {any} */ request, /** @type {any} */ options) => {
      asked.push({ to, ...request, pixels: options.pixels.bytes });
      return answer(request, photo);
    },
  });
  const app = /** @type {any} */ ({
    document: { photo, history }, saver: client('saver', saver), encoder: client('encoder', encoder), state: { isRunning },
    settings: { quality: 80, withoutPlace: true }, say() {}, touch() {}, begin: () => (/** @type {string} */ words) => said.push(words), fail: (/** @type {string} */ words) => said.push(words),
    download: (/** @type {Blob} */ _, /** @type {string} */ name) => downloads.push(name),
  });
  return { app, photo, asked, said, downloads, history, source };
}

export async function a_photo_is_saved_as_its_file_unless_another_format_is_chosen() {
  const { app, photo, asked, source } = setUp();
  const { file, saved } = await prepareFile(app, photo);
  assert.deepEqual([file.name, file.type, file.size, saved.kept.join()], ['a-infill.jpg', 'image/jpeg', 1, 'blocks']);
  photo.saveAs = 'jpg';
  await prepareFile(app, photo);
  photo.saveAs = 'webp';
  await prepareFile(app, photo);
  assert.deepEqual(asked.map(({ format, quality, withoutPlace }) => [format, quality, withoutPlace]), [[undefined, undefined, true], ['jpg', 80, true], ['webp', undefined, true]]);
  assert.ok(asked.every((request) => request.source === source), 'the file itself, not a copy');
}

export async function pixels_that_change_on_their_way_are_sent_again_as_a_copy() {
  let count = 0;
  const { app, photo, asked } = setUp({ saver: (_, changing) => {
    if (count++ === 0) changing.swap({ x: 0, y: 0, width: 1, height: 1, rgba: new Uint8Array([9, 9, 9, 255]) });
    return { bytes: new Uint8Array(1), format: 'png', kept: [], notes: [] };
  } });
  const { version } = await prepareFile(app, photo);
  assert.deepEqual([asked.length, version, photo.version], [2, 1, 1]);
  assert.equal(asked[0].pixels, photo.rgba);
  assert.notEqual(asked[1].pixels, photo.rgba);
  assert.equal(asked[1].pixels[0], 9);
  const running = setUp({ isRunning: true });
  await prepareFile(running.app, running.photo);
  assert.notEqual(running.asked[0].pixels, running.photo.rgba, 'a run may end meanwhile');
}

export async function without_its_file_a_photo_is_saved_and_that_is_said() {
  const { app, photo, asked, said, downloads, history } = setUp({ saver: ({ source }) => {
    if (source) throw failure('source-gone');
    return { bytes: new Uint8Array(1), format: 'png', kept: [], notes: ['flattened'] };
  } });
  assert.deepEqual((await prepareFile(app, photo)).saved.notes, ['source-gone', 'flattened']);
  history.push(/** @type {any} */ ({ bytes: 1 }));
  assert.ok(history.isUnsaved && !history.wasSaved);
  await saveImage(app);
  assert.deepEqual(downloads, ['a-infill.png']);
  assert.match(said.join(), /Saved as a-infill\.png\. The file that it was opened from was moved or changed/);
  assert.ok(!history.isUnsaved && history.wasSaved);
  assert.equal(asked.filter(({ to }) => to === 'encoder').length, 0);
}

export async function without_what_saves_a_photo_becomes_a_png() {
  for (const code of ['wasm-missing', 'worker-start', 'wasm-compile', 'worker-gone', 'worker-crash', 'worker-memory', 'worker-wait', 'internal']) {
    const { app, photo, asked, said, downloads } = setUp({ saver: () => { throw failure(code); } });
    photo.saveAs = 'webp';
    await saveImage(app);
    assert.deepEqual(downloads, ['a-infill.png'], code);
    assert.match(said.join(), /this is a PNG of the picture alone/);
    assert.equal(asked.at(-1).to, 'encoder');
  }
  const all = setUp({ saver: () => { throw failure('worker-gone'); }, encoder: () => { throw failure('worker-gone'); } });
  await saveImage(all.app);
  assert.deepEqual([all.downloads.length, all.said.length], [0, 1], 'the failure is said');
  const large = setUp({ saver: () => { throw failure('image-limit'); } });
  await assert.rejects(prepareFile(large.app, large.photo), { code: 'image-limit' });
}

/** A file that was made for options or pixels of before is not the one that is saved. */
export async function a_file_that_is_ready_is_saved_unless_the_photo_has_changed() {
  const { app, photo, asked, downloads } = setUp();
  const prepared = await prepareFile(app, photo);
  await saveImage(app, prepared);
  assert.deepEqual([asked.length, downloads.length], [1, 1]);
  photo.swap({ x: 0, y: 0, width: 1, height: 1, rgba: new Uint8Array(4) });
  await saveImage(app, prepared);
  assert.deepEqual([asked.length, downloads.length], [2, 2]);
}

export async function what_is_shared_is_saved_unless_the_person_thinks_better_of_it() {
  const { app, photo, said, history } = setUp();
  history.push(/** @type {any} */ ({ bytes: 1 }));
  const prepared = await prepareFile(app, photo);
  const refuse = (/** @type {string} */ name) => async () => { throw new DOMException('', name); };
  assert.equal(await shareImage(app, prepared, refuse('AbortError')), false);
  assert.deepEqual(said, []);
  assert.equal(await shareImage(app, prepared, refuse('NotAllowedError')), true);
  assert.deepEqual(said, [text.shareFailed]);
  assert.ok(history.isUnsaved);
  const taken = /** @type {File[]} */ ([]);
  await shareImage(app, prepared, async (file) => void taken.push(file));
  assert.deepEqual([taken[0].name, said.at(-1), history.isUnsaved], ['a-infill.jpg', 'a-infill.jpg was handed over.', false]);
}

export async function the_picture_as_it_is_now_is_copied_and_a_refusal_said() {
  const { app, asked, said } = setUp();
  let isBegun = false;
  const copying = copyImage(app, async (png) => {
    isBegun = true;
    assert.equal((await png).type, 'image/png');
  });
  assert.ok(isBegun, 'the browser must hear of it while a person asks for it');
  await copying;
  assert.deepEqual([asked.map(({ to, kind }) => `${to} ${kind}`).join(), said.join()], ['encoder encode-photo', text.copiedImage]);
  await copyImage(app, async () => { throw new DOMException('', 'NotAllowedError'); });
  assert.equal(said.at(-1), text.copyFailed);
}

/** @param {string[]} kept @param {string[]} notes @param {{format?: string, quality?: number}} [more] */
const file = (kept, notes, { format = 'jpg', quality } = {}) => ({ bytes: new Uint8Array(0), format, quality, kept, notes });

export function what_is_kept_and_lost_is_said_as_it_is() {
  const { photo } = setUp();
  const blocks = file(['blocks', 'profile', 'exif', 'xmp', 'place'], []);
  assert.deepEqual(keptIn(blocks, photo), [text.keptBlocks, text.keptProfile, 'EXIF and XMP are kept.', text.tellsPlace]);
  assert.deepEqual(lossesIn(blocks, photo), []);
  const anew = file(['exif'], ['place-left-out', 'anew-arithmetic'], { quality: 83 });
  assert.deepEqual(keptIn(anew, photo), ['EXIF is kept.', text.saveNotes['place-left-out']()]);
  assert.deepEqual(lossesIn(anew, photo), ['The whole photo is encoded anew, at quality 83, because it is a JPEG with arithmetic coding.']);
  assert.deepEqual(lossesIn(file([], [], { quality: 60 }), photo), ['The whole photo is encoded anew, at quality 60.']);
  assert.deepEqual(notesOn(anew)[0], text.saveNotes['place-left-out'](), 'a save without the dialog says it, too');
  photo.notes = ['sixteen-bit'];
  assert.deepEqual(keptIn(file(['sixteen-bit'], [], { format: 'png' }), photo), [text.keptExactly, text.keptSixteen]);
  assert.deepEqual(lossesIn(file([], [], { format: 'webp' }), photo), [text.onlyEight]);
  photo.notes = ['browser-p3'];
  assert.deepEqual(keptIn(file(['profile'], [], { format: 'png' }), photo), [text.keptExactly]);
  assert.deepEqual(lossesIn(file(['profile'], ['metadata-unread'], { format: 'png' }), photo), [text.convertedColoursP3, text.saveNotes['metadata-unread']()]);
}
