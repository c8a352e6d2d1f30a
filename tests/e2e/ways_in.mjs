// Ways in other than the buttons, unsaved work, and a site whose own model cannot be had.
import { readFile } from 'node:fs/promises';
import { check, file, hand, photo, ROOT } from './page.mjs';

/** @typedef {import('./page.mjs').Visitor} Visitor */

const WEIGHTS = `${ROOT}tests/reference/networks/context-encoder.pth`;

/** The bytes decide, whatever a file is called. @param {Visitor} v */
export async function photo_and_weights_are_dropped_together(v) {
  const misnamed = file('holiday.bin', photo(320, 240));
  await hand(v, 'drop', [file('gen', await readFile(WEIGHTS)), misnamed]);
  await v.reaches(['ready']);
  await v.says(/ContextEncoder/);
  check((await v.model()).includes('ContextEncoder'), `the model is ${await v.model()}`);
  await v.paint([[-30, 0], [30, 10]]);
  await v.inpaint();
  await v.quiet();
}

/** @param {Visitor} v */
export async function a_photo_is_pasted(v) {
  await hand(v, 'paste', [file('image.png', photo(320, 240), 'image/png')]);
  await v.reaches(['ready']);
  await v.says(/320 .* 240/);
  await v.quiet();
}

/** @param {Visitor} v */
export async function a_dropped_letter_is_refused_and_the_work_kept(v) {
  await v.openPhoto(file('photo.png', photo(320, 240), 'image/png'));
  await v.paint([[-30, 0], [30, 10]]);
  await hand(v, 'drop', [file('letter.txt', Buffer.from('Dear Sir'), 'text/plain')]);
  await v.says(/letter\.txt/);
  await v.inpaint();
  await v.quiet();
}

/** @param {Visitor} v */
export async function leaving_with_unsaved_work_asks(v) {
  const asked = /** @type {string[]} */ ([]);
  v.page.on('dialog', (dialog) => {
    asked.push(dialog.type());
    void dialog.dismiss();
  });
  await v.openPhoto(file('photo.png', photo(320, 240), 'image/png'));
  await v.paint([[-30, 0], [30, 10]]);
  await v.inpaint();
  await v.page.reload({ timeout: 3000 }).catch(() => {});
  check(asked.join() === 'beforeunload', `leaving asked: ${asked.join() || 'nothing'}`);
  check((await v.state()) === 'done', 'the work is gone');
  await v.save('Save image');
  await v.open();
  check(asked.length === 1, 'leaving asks although everything is saved');
  await v.quiet();
}

/** @param {Visitor} v */
export async function without_its_own_model_the_page_says_so_and_runs_dropped_weights(v) {
  // The first visit keeps the model: let it finish, then take it away.
  const name = `infill-models ${v.url}`;
  await v.until(async (name) => (await caches.has(name)) && (await (await caches.open(name)).keys()).length === 1, name);
  await v.evaluate((name) => caches.delete(name), name);
  await v.page.route('**/default.safetensors*', (route) => route.abort());
  await v.open();
  await v.says(/could not be fetched/);
  await v.openPhoto(file('photo.png', photo(320, 240), 'image/png'));
  await v.paint([[-30, 0], [30, 10]]);
  await v.inpaint();
  await v.give('Load weights', WEIGHTS);
  await v.says(/ContextEncoder/);
  await v.paint([[-60, 40], [30, 50]]);
  await v.inpaint();
}
