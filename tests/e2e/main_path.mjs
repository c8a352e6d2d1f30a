// The one job of the product: paint, fill, save; and the same with one's own network.
import { execFileSync } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { PNG } from 'pngjs';
import { check, compare, decode, file, OUT, photo, ROOT, write } from './page.mjs';

/** @typedef {import('./page.mjs').Visitor} Visitor */

const WEIGHTS = `${ROOT}tests/reference/networks/context-encoder.pth`;

/** What the native command line makes of the same photo and mask. @param {Buffer} image @param {Buffer} mask @param {string[]} more */
async function native(image, mask, ...more) {
  const [a, b, c] = ['photo.png', 'mask.png', 'native.png'].map((name) => `${OUT}${name}`);
  await write(a, image);
  await write(b, mask);
  execFileSync(/** @type {string} */ (process.env.INFILL), ['inpaint', '--image', a, '--mask', b, '--output', c, ...more]);
  return decode(await readFile(c));
}

/**
 * What a network paints differs by a level here and there between builds, and one level can send a patch of the
 * sharpening elsewhere: pictures are compared before it.
 * @param {Visitor} v
 */
async function neverSharpen(v) {
  await v.tab('Fill');
  await v.control('combobox', 'Sharpen from the photo').selectOption('off');
}

/** @param {Visitor} v @param {Buffer} image @param {string[]} more */
async function fillAndHold(v, image, ...more) {
  await v.paint([[-60, -20], [40, 30], [60, -10]]);
  const mask = (await v.save('Save mask')).bytes;
  await v.inpaint();
  const saved = (await v.save('Save image')).bytes;
  const [before, after, holes] = [decode(image), decode(saved), decode(mask)];
  const change = compare(before, after, holes);
  check(change.holes > 100, `only ${change.holes} pixels were masked`);
  check(change.outside === 0, `${change.outside} values outside the mask changed`);
  check(change.inside > change.holes / 4, 'nothing changed inside the mask');
  const same = compare(await native(image, mask, ...more), after, holes);
  check(same.outside === 0 && same.most <= 1, `page and command line differ: ${JSON.stringify(same)}`);
}

/** @param {Visitor} v */
export async function default_model_fills_like_the_command_line(v) {
  const image = photo(640, 420);
  await v.openPhoto(file('photo.png', image, 'image/png'));
  await neverSharpen(v);
  await fillAndHold(v, image, '--sharpen', 'off');
  await v.quiet();
}

/** Both decode JPEG with the same decoder, so no pixel may differ anywhere outside. @param {Visitor} v */
export async function a_jpeg_is_filled_like_the_command_line(v) {
  const image = await readFile(`${ROOT}www/samples/sheep.jpg`);
  await v.openPhoto(file('sheep.jpg', image, 'image/jpeg'));
  await neverSharpen(v);
  await v.paint([[-40, -20], [30, 20]]);
  const mask = (await v.save('Save mask')).bytes;
  await v.inpaint();
  const saved = decode((await v.saveAs('png')).bytes);
  const same = compare(await native(image, mask, '--sharpen', 'off'), saved, decode(mask));
  check(same.holes > 100, `only ${same.holes} pixels were masked`);
  check(same.outside === 0 && same.most <= 1, `page and command line differ: ${JSON.stringify(same)}`);
  await v.quiet();
}

/** @param {Visitor} v */
export async function own_context_encoder_is_dropped_and_run(v) {
  const image = photo(700, 600);
  await v.openPhoto(file('photo.png', image, 'image/png'));
  await v.give('Load weights', WEIGHTS);
  await v.says(/ContextEncoder/);
  check((await v.model()).includes('ContextEncoder'), `the model is ${await v.model()}`);
  check((await v.state()) === 'ready', 'loading weights changed the state');
  await fillAndHold(v, image, '--weights', WEIGHTS);
  await v.quiet();
}

/** As TorchScript, which big-lama.pt is. @param {Visitor} v */
export async function own_lama_is_dropped_and_run(v) {
  const weights = `${ROOT}tests/reference/networks/lama-scripted.pt`;
  const image = photo(400, 300);
  await v.openPhoto(file('photo.png', image, 'image/png'));
  await neverSharpen(v);
  await v.give('Load weights', weights);
  await v.says(/LaMa/);
  check((await v.model()).includes('LaMa'), `the model is ${await v.model()}`);
  await fillAndHold(v, image, '--sharpen', 'off', '--weights', weights);
  await v.quiet();
}

/** @param {Visitor} v */
export async function holes_are_given_to_the_network_as_its_settings_say(v) {
  const image = photo(400, 300);
  await v.openPhoto(file('photo.png', image, 'image/png'));
  await neverSharpen(v);
  await v.page.getByRole('tab', { name: 'Details', exact: true }).click();
  const smooth = v.page.getByLabel('Holes are continued smoothly');
  check(await smooth.isChecked(), 'the default model does not get its holes continued');
  await smooth.uncheck();
  await fillAndHold(v, image, '--sharpen', 'off', '--hole-value', '0');
  await v.quiet();
}

/** @param {Visitor} v */
export async function a_fill_is_undone_and_redone(v) {
  await v.openPhoto(file('photo.png', photo(300, 200), 'image/png'));
  await v.paint([[-30, 0], [30, 0]]);
  await v.inpaint();
  const filled = decode((await v.save('Save image')).bytes);
  await v.button('Undo').click();
  const undone = decode((await v.save('Save image')).bytes);
  check(Buffer.compare(undone.data, decode(photo(300, 200)).data) === 0, 'undo does not give the photo back');
  await v.button('Redo').click();
  const redone = decode((await v.save('Save image')).bytes);
  check(Buffer.compare(redone.data, filled.data) === 0, 'redo does not give the fill back');
  await v.paint([[-60, 40], [60, 40]]);
  await v.inpaint();
  await v.quiet();
}

/** @param {Visitor} v */
export async function a_mask_is_loaded_and_saved_as_it_is(v) {
  await v.openPhoto(file('photo.png', photo(200, 150), 'image/png'));
  await v.paint([[-20, 0], [20, 10]]);
  const mask = (await v.save('Save mask')).bytes;
  await v.button('Clear mask').click();
  await v.give('Load mask', file('mask.png', mask, 'image/png'));
  await v.until(() => !document.querySelector('#save-mask')?.hasAttribute('disabled'));
  const again = (await v.save('Save mask')).bytes;
  check(Buffer.compare(decode(mask).data, decode(again).data) === 0, 'the mask came back different');
  await v.quiet();
}

/** @param {Visitor} v */
export async function a_run_is_cancelled_and_the_next_one_works(v) {
  await v.openPhoto(file('photo.png', photo(900, 700), 'image/png'));
  await v.paint([[-150, -50], [150, 50], [-150, 80]]);
  await v.button('Inpaint').click();
  await v.reaches(['running'], 5000);
  const start = Date.now();
  await v.button('Cancel').click();
  await v.reaches(['ready', 'done'], 2000);
  console.log(`  idle ${Date.now() - start} ms after Cancel`);
  await v.inpaint();
  await v.quiet();
}

/** @param {Visitor} v */
export async function the_page_stays_responsive_during_a_run(v) {
  await v.page.evaluate(() => {
    const tasks = /** @type {number[]} */ ([]);
    Object.assign(window, { tasks });
    new PerformanceObserver((list) => list.getEntries().forEach((entry) => tasks.push(entry.duration))).observe({ entryTypes: ['longtask'] });
  });
  await v.openPhoto(file('photo.png', photo(1600, 1200), 'image/png'));
  await v.paint([[-100, -50], [100, 50]]);
  await v.page.evaluate(() => { /** @type {any} */ (window).tasks.length = 0; });
  await v.inpaint();
  const tasks = await v.page.evaluate(() => /** @type {any} */ (window).tasks);
  console.log(`  long tasks while running: ${tasks.length ? tasks.map((/** @type {number} */ t) => `${t.toFixed(0)} ms`).join(', ') : 'none'}`);
  await v.quiet();
}

/** @param {Visitor} v */
export async function tiny_and_odd_photos_come_out_at_their_size(v) {
  for (const [width, height] of [[2, 1], [1, 5000], [37, 23]]) {
    await v.openPhoto(file('photo.png', photo(width, height), 'image/png'));
    await v.give('Load mask', file('mask.png', maskOf(width, height, (x, y) => x === 0 && y === 0), 'image/png'));
    await v.says(/Mask loaded/);
    await v.inpaint();
    const saved = decode((await v.save('Save image')).bytes);
    check(saved.width === width && saved.height === height, `${width}x${height} came out as ${saved.width}x${saved.height}`);
    await v.open();
  }
}

/** A mask as a PNG, white where it is to be filled. @param {number} width @param {number} height @param {(x: number, y: number) => boolean} isHole */
function maskOf(width, height, isHole) {
  const png = new PNG({ width, height });
  for (let y = 0; y < height; y++) for (let x = 0; x < width; x++) png.data.set(isHole(x, y) ? [255, 255, 255, 255] : [0, 0, 0, 255], (y * width + x) * 4);
  return PNG.sync.write(png);
}

/** Nothing would be left to fill from. @param {Visitor} v */
export async function a_mask_of_everything_is_refused(v) {
  await v.openPhoto(file('photo.png', photo(60, 40), 'image/png'));
  await v.give('Load mask', file('all.png', maskOf(60, 40, () => true), 'image/png'));
  await v.says(/all\.png masks the whole photo/);
  check((await v.state()) === 'error', `the state is ${await v.state()}`);
  check(await v.button('Inpaint').isDisabled(), 'the mask was loaded all the same');
  // White, and the hole in its transparency: the reading that once turned whole photos black.
  const clear = decode(maskOf(60, 40, () => true));
  for (let i = 0; i < 60 * 40; i++) clear.data[i * 4 + 3] = i < 600 ? 255 : 0;
  await v.give('Load mask', file('alpha.png', PNG.sync.write(clear), 'image/png'));
  await v.reaches(['error', 'ready']);
  await v.until(() => !/all\.png/.test(document.querySelector('[role=status]')?.textContent ?? ''));
  if ((await v.state()) === 'ready') {
    const holes = decode((await v.save('Save mask')).bytes).data.filter((value, i) => i % 4 === 0 && value > 127).length;
    check(holes === 600, `${holes} pixels are masked, not the 600 that are opaque`);
  } else {
    check(/alpha\.png/.test(await v.status()), `the status says ${await v.status()}`);
  }
}

/** Painted by hand, too; what is there is still saved. @param {Visitor} v */
export async function a_photo_painted_over_wholly_is_not_filled(v) {
  await v.openPhoto(file('photo.png', photo(1, 1), 'image/png'));
  await v.paint([[0, 0], [3, 3]]);
  await v.button('Inpaint').click();
  await v.reaches(['error']);
  await v.says(/Everything is painted over/);
  const saved = decode((await v.save('Save image')).bytes);
  check(saved.width === 1 && saved.height === 1, `1x1 came out as ${saved.width}x${saved.height}`);
  await v.quiet();
}

/** Whatever opens as a photo is read as a mask. @param {Visitor} v */
export async function a_bmp_is_loaded_as_a_mask(v) {
  const [width, height] = [60, 40];
  const row = width * 3;
  const bmp = Buffer.alloc(54 + row * height);
  bmp.write('BM');
  bmp.writeUInt32LE(bmp.length, 2);
  bmp.writeUInt32LE(54, 10);
  bmp.writeUInt32LE(40, 14);
  bmp.writeInt32LE(width, 18);
  // From the top.
  bmp.writeInt32LE(-height, 22);
  bmp.writeUInt16LE(1, 26);
  bmp.writeUInt16LE(24, 28);
  bmp.fill(255, 54, 54 + row * 10);
  await v.openPhoto(file('photo.png', photo(width, height), 'image/png'));
  await v.give('Load mask', file('mask.bmp', bmp, 'image/bmp'));
  await v.says(/Mask loaded/);
  const mask = decode((await v.save('Save mask')).bytes);
  const wrong = mask.data.filter((value, i) => i % 4 === 0 && (value > 127) !== (i / 4 < width * 10)).length;
  check(wrong === 0, `${wrong} pixels of the mask are not the picture's`);
  await v.quiet();
}

/** @param {Visitor} v */
export async function a_sample_is_one_click_away(v) {
  await v.button('Sample: kingfisher on a branch').click();
  await v.reaches(['ready']);
  await v.quiet();
}

/** @param {Visitor} v */
export async function the_ring_is_as_wide_as_what_a_dab_fills(v) {
  await v.openPhoto(file('photo.png', photo(400, 300), 'image/png'));
  const slider = v.page.getByRole('slider', { name: 'Brush size' });
  const number = v.page.getByLabel('Diameter in pixels');
  await number.fill('31');
  await number.press('Enter');
  check((await slider.inputValue()) === '31', `the slider says ${await slider.inputValue()}`);
  const ring = async () => {
    const box = await v.page.locator('#cursor').boundingBox();
    const scale = await v.evaluate(() => Number.parseFloat(document.querySelector('#zoom-fit')?.textContent ?? '') / 100);
    check(box, 'there is no ring');
    return box.width / scale;
  };
  for (const grow of ['0', '12']) {
    await v.tab('Fill');
    await v.page.getByLabel('Grow the mask').fill(grow);
    await v.button('Close').click();
    await v.paint([[0, 0]]);
    const wide = await ring();
    const mask = decode((await v.save('Save mask')).bytes);
    let columns = 0;
    for (let x = 0; x < mask.width; x++) columns += Number(mask.data[(150 * mask.width + x) * 4] > 127);
    check(Math.abs(wide - columns) <= 2, `the ring is ${wide} wide, the mask ${columns}`);
    check(Math.abs(columns - 31 - 2 * Number(grow)) <= 2, `the dab is ${columns} wide`);
    await v.button('Undo').click();
  }
  await v.quiet();
}

/** @param {Visitor} v */
export async function the_brush_is_chosen_by_pointer_keys_and_number(v) {
  await v.openPhoto(file('photo.png', photo(1200, 900), 'image/png'));
  const slider = v.page.getByRole('slider', { name: 'Brush size' });
  const box = await slider.boundingBox();
  check(box, 'the slider has no box');
  await v.page.mouse.click(box.x + box.width / 2, box.y + box.height / 2);
  // Half of the way to 300 is its square root.
  check(Math.abs(Number(await slider.inputValue()) - 17) <= 1, `in the middle is ${await slider.inputValue()}`);
  check((await slider.getAttribute('aria-valuetext')) === `${await slider.inputValue()} px`, 'the size is not spoken');
  const before = Number(await slider.inputValue());
  await v.page.keyboard.press('ArrowRight');
  check(Number(await slider.inputValue()) === before + 1, `an arrow key makes ${await slider.inputValue()} of ${before}`);
  await slider.fill('200');
  check((await v.page.getByLabel('Diameter in pixels').inputValue()) === '200', 'the number does not follow');
  await v.quiet();
}

/** Tones of the mask that resemble a photo are in sight beside its other tone, and its outline anywhere. @param {Visitor} v */
export async function the_mask_is_seen_on_every_colour(v) {
  const colours = [[230, 30, 30], [255, 86, 48], [255, 255, 255], [0, 0, 0], [40, 96, 255], [128, 128, 128]];
  const shot = async () => decode(await v.page.screenshot({ clip: { x: 560, y: 320, width: 160, height: 120 } }));
  const plain = async (/** @type {number[]} */ colour) => {
    const png = new PNG({ width: 320, height: 240 });
    for (let i = 0; i < 320 * 240; i++) png.data.set([...colour, 255], i * 4);
    await v.openPhoto(file('plain.png', PNG.sync.write(png), 'image/png'));
    await v.says(/320/);
    await v.page.mouse.move(5, 400);
    await v.page.waitForTimeout(100);
  };
  /** Share of the pixels of a part that the mask changes visibly. @param {{data: Uint8Array, width: number}} a @param {typeof a} b @param {(x: number, y: number) => boolean} isPart */
  const changed = (a, b, isPart) => {
    let [all, visible] = [0, 0];
    for (let i = 0; i < a.data.length; i += 4) {
      if (!isPart((i / 4) % a.width, Math.floor(i / 4 / a.width))) continue;
      all += 1;
      visible += Number([0, 1, 2].some((c) => Math.abs(a.data[i + c] - b.data[i + c]) >= 40));
    }
    return visible / all;
  };
  const paint = async () => {
    await v.paint([[-20, 0], [20, 0]]);
    await v.page.mouse.move(5, 400);
    await v.page.waitForTimeout(100);
  };
  for (const tint of ['auto', 'orange']) {
    await v.tab('Fill');
    await v.page.getByLabel('Colour of the mask').selectOption(tint);
    await v.button('Close').click();
    for (const colour of colours) {
      await plain(colour);
      const before = await shot();
      await paint();
      const share = changed(before, await shot(), (x, y) => x > 60 && x < 100 && y > 30 && y < 42);
      // A quarter of the mask is the second tone.
      check(share > (tint === 'auto' ? 0.7 : 0.2), `${tint} on ${colour}: ${share} of the mask can be seen`);
      await v.button('Undo').click();
    }
  }
  // The choice outlasts the visit.
  await v.open();
  await v.tab('Fill');
  check((await v.page.getByLabel('Colour of the mask').inputValue()) === 'orange', 'the colour is forgotten');
  await v.quiet();
}
