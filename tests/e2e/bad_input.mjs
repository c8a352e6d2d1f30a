// Whatever is given: one clear sentence, nothing lost, and the next run works.
import { readFile, rm, writeFile } from 'node:fs/promises';
import { check, decode, file, KEEP_WORKERS, OUT, photo, ROOT, safetensors, defaultShapes } from './page.mjs';
import { serve } from './server.mjs';

/** @typedef {import('./page.mjs').Visitor} Visitor */

const png = (width = 300, height = 200) => file('photo.png', photo(width, height), 'image/png');

/** The work is still there, and a fill succeeds. @param {Visitor} v @param {Buffer} mask */
async function stillWorks(v, mask) {
  const again = (await v.save('Save mask')).bytes;
  check(Buffer.compare(decode(mask).data, decode(again).data) === 0, 'the mask was lost');
  await v.inpaint();
}

/** @param {Visitor} v @param {() => Promise<void>} fault @param {RegExp} words */
async function survives(v, fault, words) {
  await v.openPhoto(png());
  await v.paint([[-30, 0], [30, 10]]);
  const mask = (await v.save('Save mask')).bytes;
  await fault();
  await v.says(words);
  await stillWorks(v, mask);
}

/** @param {Visitor} v */
export async function not_an_image(v) {
  await survives(v, () => v.give('Open photo', file('letter.jpg', Buffer.from('Dear Sir'), 'image/jpeg')), /letter\.jpg/);
}

/** @param {Visitor} v */
export async function not_a_checkpoint(v) {
  await survives(v, () => v.give('Load weights', file('gen.pth', Buffer.from('<!doctype html><title>Sign in</title>'))), /gen\.pth.*web page/);
}

/** @param {Visitor} v */
export async function a_truncated_checkpoint(v) {
  const bytes = await readFile(`${ROOT}tests/reference/networks/context-encoder.pth`);
  await survives(v, () => v.give('Load weights', file('gen.pth', bytes.subarray(0, 90_000))), /gen\.pth.*cut off/);
}

/** @param {Visitor} v */
export async function a_missing_and_a_misshaped_key_are_named(v) {
  const shapes = await defaultShapes();
  const keys = Object.keys(shapes);
  const misshaped = keys.find((key) => key.startsWith('body.2') && key.endsWith('weight')) ?? '';
  delete shapes[keys[3]];
  shapes[misshaped] = [7, ...shapes[misshaped].slice(1)];
  await v.openPhoto(png());
  await v.paint([[-30, 0], [30, 10]]);
  const mask = (await v.save('Save mask')).bytes;
  await v.give('Load weights', file('mine.safetensors', safetensors(shapes)));
  await v.reaches(['error']);
  await v.says(/mine\.safetensors/);
  const all = v.page.getByRole('button', { name: /^Show all/ }).first();
  if (await all.isVisible()) await all.click();
  const words = await v.page.locator('main').innerText();
  for (const key of [keys[3], misshaped]) check(words.includes(key), `${key} is not named on the page`);
  await stillWorks(v, mask);
}

/** @param {Visitor} v */
export async function an_unknown_architecture(v) {
  const unknown = safetensors({ 'stem.conv.weight': [8, 3, 3, 3], 'blocks.0.attn.qkv.weight': [24, 8] });
  await survives(v, () => v.give('Load weights', file('vit.safetensors', unknown)), /vit\.safetensors/);
}

/** @param {Visitor} v */
export async function a_mask_of_another_size(v) {
  await survives(v, () => v.give('Load mask', file('mask.png', photo(10, 10), 'image/png')), /10 .* 10.*300 .* 200/s);
}

/** @param {Visitor} v */
export async function an_empty_mask_cannot_be_run(v) {
  await v.openPhoto(png());
  check(await v.button('Inpaint').isDisabled(), 'Inpaint is enabled without a mask');
  await v.says(/paint over/i);
  await v.quiet();
}

/** @param {Visitor} v */
export async function a_worker_that_dies_in_the_middle(v) {
  const glue = '**/pkg/{simd128,relaxed}*/infill.js';
  await v.page.route(glue, async (route) => {
    const response = await route.fetch();
    const trap = 'Models.prototype.inpaint = () => { throw new WebAssembly.RuntimeError("unreachable"); };';
    await route.fulfill({ response, body: `${await response.text()}\n${trap}` });
  });
  await v.open();
  await v.openPhoto(png(900, 700));
  await v.paint([[-150, -50], [150, 50], [-150, 80]]);
  const mask = (await v.save('Save mask')).bytes;
  await v.button('Inpaint').click();
  await v.reaches(['error'], 20_000);
  await v.says(/crashed/);
  await v.page.unroute(glue);
  await stillWorks(v, mask);
  await v.quiet();
}

/** @param {Visitor} v */
export async function a_worker_that_dies_without_a_word(v) {
  const site = await serve(`${ROOT}dist`, {}, '/', {}, KEEP_WORKERS);
  const visitor = await v.another(site.url);
  try {
    await visitor.open();
    await visitor.openPhoto(png());
    await visitor.paint([[-30, 0], [30, 10]]);
    const mask = (await visitor.save('Save mask')).bytes;
    // The death of a worker that still starts is known only once its time is up.
    await visitor.until(() => /\d/.test(document.querySelector('#model-size')?.textContent ?? ''), undefined, 60_000);
    const ended = await visitor.evaluate(() => /** @type {any} */ (window).workersForTest.splice(0).map((/** @type {Worker} */ worker) => worker.terminate()).length);
    check(ended >= 2, `only ${ended} workers were there to end`);
    await stillWorks(visitor, mask);
    await visitor.quiet();
  } finally {
    await visitor.driver.close();
    await site.close();
  }
}

/** A worker that is replaced reads the weights again: their file is gone by then. @param {Visitor} v */
export async function weights_whose_file_vanishes_are_named(v) {
  const path = `${OUT}vanishing.pth`;
  await writeFile(path, await readFile(`${ROOT}tests/reference/networks/context-encoder.pth`));
  await v.openPhoto(png());
  await v.give('Load weights', path);
  await v.says(/ContextEncoder/);
  await v.paint([[-30, 0], [30, 10]]);
  const mask = (await v.save('Save mask')).bytes;
  await rm(path);
  for (const worker of v.page.workers()) await worker.evaluate(() => self.close()).catch(() => {});
  await v.button('Inpaint').click();
  await v.reaches(['error']);
  await v.says(/no longer read this file|no longer be read/);
  await v.page.getByRole('combobox', { name: 'Model', exact: true }).selectOption('none');
  await stillWorks(v, mask);
  await v.quiet();
}

/** A Windows icon that holds one PNG. @param {number} side */
function icon(side) {
  const picture = photo(side, side);
  const head = Buffer.alloc(22);
  // Type 1 is an icon; one picture, of 32 bits, behind the head.
  head.writeUInt16LE(1, 2);
  head.writeUInt16LE(1, 4);
  head.set([side, side], 6);
  head.writeUInt16LE(1, 10);
  head.writeUInt16LE(32, 12);
  head.writeUInt32LE(picture.length, 14);
  head.writeUInt32LE(head.length, 18);
  return Buffer.concat([head, picture]);
}

/** @param {Visitor} v */
export async function an_icon_is_opened_and_blocks_nothing(v) {
  await v.openPhoto(file('icon.ico', icon(48), 'image/x-icon'));
  await v.says(/48 .* 48/, 10_000);
  await v.openPhoto(png());
  await v.says(/300 .* 200/, 10_000);
  await v.paint([[-30, 0], [30, 10]]);
  await v.save('Save mask');
  await v.quiet();
}

/** @param {Visitor} v */
export async function three_crashes_of_the_decoder_do_not_block_saving(v) {
  await v.openPhoto(png());
  await v.paint([[-30, 0], [30, 10]]);
  await v.inpaint();
  await v.page.route('**/pkg/pictures/infill.js', async (route) => {
    const response = await route.fetch();
    const trap = 'decode_photo = () => { throw new WebAssembly.RuntimeError("unreachable"); };';
    await route.fulfill({ response, body: `${await response.text()}\n${trap}` });
  });
  // The decoder that is there does not know the trap: it is ended, so that the next one does.
  for (const worker of v.page.workers()) await worker.evaluate(() => self.close()).catch(() => {});
  for (let crash = 0; crash < 3; crash++) {
    await v.openPhoto(file('broken.png', photo(10, 10), 'image/png'));
    await v.says(/crashed/);
  }
  await v.openPhoto(file('broken.png', photo(10, 10), 'image/png'));
  await v.says(/three times within a minute/);
  const { bytes } = await v.save('Save image');
  check(decode(bytes).width === 300, 'another picture was saved');
  await v.paint([[-30, 0], [30, 10]]);
  await v.save('Save mask');
}

/** @param {Visitor} v */
export async function an_error_stays_when_the_default_model_arrives(v) {
  let arrive = () => {};
  const late = new Promise((resolve) => { arrive = () => resolve(undefined); });
  await v.page.route('**/default.safetensors*', async (route) => {
    await late;
    await route.continue();
  });
  await v.evaluate((name) => caches.delete(name), `infill-models ${v.url}`);
  await v.open();
  await v.openPhoto(file('letter.jpg', Buffer.from('Dear Sir'), 'image/jpeg'));
  await v.says(/letter\.jpg/);
  arrive();
  await v.until(() => /\d/.test(document.querySelector('#model-size')?.textContent ?? ''));
  check(/letter\.jpg/.test(await v.status()), `the error is gone: "${await v.status()}"`);
  check((await v.state()) === 'error', 'the state is no error');
}
