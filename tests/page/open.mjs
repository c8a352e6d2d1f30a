// Opening one photo while another is still being decoded.
import assert from 'node:assert/strict';
import { openPhoto } from '../../www/actions/open.js';
import { Failure } from '../../www/worker/protocol.js';

export async function another_photo_is_opened_although_the_first_is_never_decoded() {
  const shown = /** @type {string[]} */ ([]);
  const failed = /** @type {string[]} */ ([]);
  const decoder = {
    /** @param {{blob: Blob}} request @param {{signal?: AbortSignal}} [options] */
    request: ({ blob }, { signal } = {}) => new Promise((resolve, reject) => {
      signal?.addEventListener('abort', () => reject(new Failure({ code: 'run-cancelled', message: '', keys: [] })));
      if (blob.size > 1) resolve({ width: 1, height: 1, rgba: new Uint8Array(4), hasAlpha: false, isGray: false, notes: [] });
    }),
  };
  const app = { decoder, settings: { isKeeping: false }, document: null, run: null, opening: null, state: { opened() {} }, say() {}, fail: (/** @type {string} */ words) => failed.push(words) };
  const page = { show: (/** @type {any} */ photo) => shown.push(photo.name), canDraw: () => true, ask: async () => true, choosePhoto() {}, isClassOpen: () => false };
  const first = openPhoto(/** @type {any} */ (app), page, new Blob(['1']), 'endless.png');
  await openPhoto(/** @type {any} */ (app), page, new Blob(['22']), 'second.png');
  await first;
  assert.deepEqual(shown, ['second.png']);
  assert.deepEqual(failed, []);
}
