// Every tool by mouse, by finger and by keyboard; what is done to the mask as a whole; filling as soon as it is drawn.
import { readFile } from 'node:fs/promises';
import { PNG } from 'pngjs';
import { check, decode, file, photo, ROOT } from './page.mjs';

/** @typedef {import('./page.mjs').Visitor} Visitor */
/** @typedef {(places: [number, number][]) => Promise<void>} Press presses at the first place and lets go at the last, CSS pixels from the middle of the canvas */

/** Gray, with a red square of 80 by 60 in the middle. */
function redSquare() {
  const png = new PNG({ width: 400, height: 300 });
  for (let y = 0; y < 300; y++) {
    for (let x = 0; x < 400; x++) png.data.set(Math.abs(x - 199.5) < 40 && Math.abs(y - 149.5) < 30 ? [200, 30 + (y % 3), 30, 255] : [90 + (x % 4), 90, 90, 255], (y * 400 + x) * 4);
  }
  return file('square.png', PNG.sync.write(png), 'image/png');
}

/** Pixels that are masked. @param {Visitor} v */
async function masked(v) {
  if (await v.button('Save mask').isDisabled()) return 0;
  return decode((await v.save('Save mask')).bytes).data.reduce((sum, value, i) => sum + Number(i % 4 === 0 && value > 127), 0);
}

/** CSS pixels of a photo pixel. @param {Visitor} v */
const scaleOf = (v) => v.evaluate(() => Number.parseFloat(document.querySelector('#zoom-fit')?.textContent ?? '') / 100);

/** @param {Visitor} v @param {string} what @param {number} least @param {number} most */
async function expectMask(v, what, least, most) {
  const count = await masked(v);
  check(count >= least && count <= most, `${what}: ${count} pixels are masked, not ${least} to ${most}`);
}

/** Draws with every tool, and takes each step back. @param {Visitor} v @param {(name: string) => Promise<void>} choose @param {Press} press */
async function drawWithAll(v, choose, press) {
  await v.openPhoto(redSquare());
  const scale = await scaleOf(v);
  const area = (60 / scale) * (40 / scale);
  const undone = async () => {
    await v.button('Undo').click();
    check((await masked(v)) === 0, 'undo left something');
  };
  await choose('Brush');
  await press([[-20, 0], [0, 5], [20, 0]]);
  await expectMask(v, 'brush', 300, 40_000);
  const before = await masked(v);
  await choose('Eraser');
  await press([[-20, 0], [20, 0]]);
  check((await masked(v)) < before, 'the eraser erased nothing');
  await v.button('Undo').click();
  await undone();
  await choose('Rectangle');
  await press([[-30, -20], [0, 0], [30, 20]]);
  await expectMask(v, 'rectangle', area * 0.9, area * 1.1);
  await v.button('Take away').click();
  await press([[-30, -20], [0, 0]]);
  await expectMask(v, 'a quarter less', area * 0.67, area * 0.83);
  await v.button('Add').click();
  await v.button('Undo').click();
  await undone();
  await choose('Ellipse');
  await press([[-30, -20], [30, 20]]);
  await expectMask(v, 'ellipse', area * 0.7, area * 0.87);
  await undone();
  await choose('Lasso');
  await press([[-30, -20], [30, -20], [30, 20], [-30, 20], [-30, -10]]);
  await expectMask(v, 'lasso', area * 0.85, area * 1.1);
  await undone();
  await choose('Polygon');
  for (const place of /** @type {[number, number][]} */ ([[-40, -30], [40, -30], [40, 30], [-40, 30], [-40, -30]])) await press([place]);
  const whole = (80 / scale) * (60 / scale);
  await expectMask(v, 'polygon', whole * 0.9, whole * 1.1);
  await press([[40, 30], [20, 10], [0, -29]]);
  await expectMask(v, 'a point of the polygon was moved', whole * 0.2, whole * 0.32);
  await undone();
  await choose('Magic wand');
  await press([[0, 0]]);
  await v.until(() => !document.querySelector('#save-mask')?.hasAttribute('disabled'));
  // Grown by 4 on every side.
  await expectMask(v, 'wand', 80 * 60, 88 * 68);
  await undone();
  await choose('Select object');
  await press([[0, 0]]);
  await v.until(() => !document.querySelector('#save-mask')?.hasAttribute('disabled'));
  await expectMask(v, 'selected object', 80 * 60, 90 * 70);
  await undone();
  await v.quiet();
}

/** @param {Visitor} v */
export async function every_tool_draws_by_mouse(v) {
  await drawWithAll(v, (name) => v.button(name).click(), (places) => v.paint(places));
}

/** By the fingers of a phone. @param {Visitor} v */
export async function every_tool_draws_by_touch(v) {
  await v.page.setViewportSize({ width: 390, height: 844 });
  await v.open();
  const client = await v.page.context().newCDPSession(v.page);
  await client.send('Emulation.setTouchEmulationEnabled', { enabled: true });
  await drawWithAll(v, (name) => v.button(name).click(), async (places) => {
    const box = await v.page.getByRole('application').boundingBox();
    check(box, 'the canvas has no box');
    const [x, y] = [box.x + box.width / 2, box.y + box.height / 2];
    const all = places.flatMap(([px, py], i) => (i ? [0.25, 0.5, 0.75, 1].map((t) => [places[i - 1][0] * (1 - t) + px * t, places[i - 1][1] * (1 - t) + py * t]) : [[px, py]]));
    await client.send('Input.dispatchTouchEvent', { type: 'touchStart', touchPoints: [{ x: x + all[0][0], y: y + all[0][1] }] });
    for (const [px, py] of all.slice(1)) await client.send('Input.dispatchTouchEvent', { type: 'touchMove', touchPoints: [{ x: x + px, y: y + py }] });
    await client.send('Input.dispatchTouchEvent', { type: 'touchEnd', touchPoints: [] });
  });
  // Two fingers zoom, and leave nothing.
  const finger = (/** @type {number} */ dx) => [{ x: 195 - dx, y: 300, id: 0 }, { x: 195 + dx, y: 300, id: 1 }];
  await v.button('Brush').click();
  const before = await scaleOf(v);
  await client.send('Input.dispatchTouchEvent', { type: 'touchStart', touchPoints: finger(30).slice(0, 1) });
  await v.page.waitForTimeout(400);
  await client.send('Input.dispatchTouchEvent', { type: 'touchStart', touchPoints: finger(30) });
  for (const dx of [40, 60, 80]) await client.send('Input.dispatchTouchEvent', { type: 'touchMove', touchPoints: finger(dx) });
  await client.send('Input.dispatchTouchEvent', { type: 'touchEnd', touchPoints: [] });
  check((await scaleOf(v)) > before * 1.5, 'two fingers did not zoom');
  check((await masked(v)) === 0, 'two fingers left a dab');
}

/** @param {Visitor} v */
export async function every_tool_draws_by_keyboard(v) {
  await v.openPhoto(redSquare());
  const { keyboard } = v.page;
  await v.page.getByRole('application').focus();
  /** @param {string} key @param {number} times */
  const press = async (key, times = 1) => {
    for (let i = 0; i < times; i++) await keyboard.press(key);
  };
  const drawn = async (/** @type {string} */ what) => {
    check((await masked(v)) > 20, `${what} masked nothing`);
    await v.page.getByRole('application').focus();
    await press('Control+z');
    check((await masked(v)) === 0, `undo left something of ${what}`);
    await v.page.getByRole('application').focus();
  };
  /** With Shift as if the pointer were pressed. @param {string[]} keys */
  const drag = async (...keys) => {
    await keyboard.down('Shift');
    for (const key of keys) await press(key, 3);
    await keyboard.up('Shift');
  };
  await press('b');
  await drag('ArrowRight');
  await drawn('the brush');
  for (const [key, what] of [['r', 'the rectangle'], ['o', 'the ellipse']]) {
    await press(key);
    await drag('ArrowRight', 'ArrowDown');
    await drawn(what);
  }
  await press('l');
  await drag('ArrowRight', 'ArrowDown', 'ArrowLeft');
  await drawn('the lasso');
  await press('p');
  await press(' ');
  for (const key of ['ArrowRight', 'ArrowDown']) {
    await press(key, 3);
    await press(' ');
  }
  await press('Enter');
  await drawn('the polygon');
  // Back to the middle of the photo, where it is red.
  await v.page.mouse.move(640, 300);
  await v.page.mouse.move(641, 300);
  await press('w');
  await press('ArrowRight');
  await press(' ');
  await v.until(() => !document.querySelector('#save-mask')?.hasAttribute('disabled'));
  await drawn('the wand');
  await press('a');
  await press('ArrowLeft');
  await press(' ');
  await v.until(() => !document.querySelector('#save-mask')?.hasAttribute('disabled'));
  await drawn('the selection');
  await press('r');
  await press('x');
  check((await v.button('Take away').getAttribute('aria-pressed')) === 'true', 'X does not swap adding and taking away');
  await press('x');
  await drag('ArrowRight', 'ArrowDown');
  const plain = await masked(v);
  await v.page.getByRole('application').focus();
  await press('g');
  check((await masked(v)) > plain, 'G does not grow the mask');
  await v.page.getByRole('application').focus();
  await press('i');
  check((await masked(v)) > 400 * 300 - 3 * plain, 'I does not invert the mask');
  await v.quiet();
}

/** @param {Visitor} v */
export async function the_mask_is_changed_as_a_whole(v) {
  await v.openPhoto(redSquare());
  await v.button('Rectangle').click();
  const scale = await scaleOf(v);
  await v.paint([[-50, -40], [50, 40]]);
  const rectangle = await masked(v);
  await v.button('Take away').click();
  await v.paint([[-10, -10], [10, 10]]);
  const frame = await masked(v);
  check(frame < rectangle, 'nothing was taken away');
  await v.button('Change the mask').click();
  await v.page.getByLabel('By how many pixels').fill('3');
  const run = async (/** @type {string} */ name, /** @type {RegExp} */ says) => {
    if ((await v.button('Change the mask').getAttribute('aria-expanded')) !== 'true') await v.button('Change the mask').click();
    await v.button(name).click();
    await v.says(says);
    return masked(v);
  };
  check((await run('Fill holes in mask', /Holes/)) === rectangle, 'the hole is not filled');
  const grown = await run('Grow mask', /grown/);
  const rim = 3 * 2 * ((100 + 80) / scale);
  check(Math.abs(grown - rectangle - rim) < rim * 0.2, `growing by 3 added ${grown - rectangle}, not about ${rim}`);
  check(Math.abs((await run('Shrink mask', /shrunk/)) - rectangle) < 12, 'shrinking does not take back what growing added');
  const smooth = await run('Smooth mask', /smoothed/);
  check(smooth < rectangle && smooth > rectangle * 0.98, `smoothing made ${smooth} of ${rectangle}`);
  check((await run('Invert mask', /inverted/)) === 400 * 300 - smooth, 'the mask is not inverted');
  for (let i = 0; i < 5; i++) await v.button('Undo').click();
  check((await masked(v)) === frame, 'undo does not lead back');
  await v.quiet();
}

/** @param {Visitor} v */
export async function holes_are_filled_on_release_one_after_the_other(v) {
  await v.openPhoto(file('photo.png', photo(600, 400), 'image/png'));
  const toggle = v.page.getByRole('switch', { name: 'Fill on release' });
  check((await toggle.getAttribute('aria-checked')) === 'false', 'it is on from the beginning');
  await v.paint([[-100, 0], [-80, 0]]);
  check((await v.state()) === 'ready', 'it was filled without being asked for');
  await v.button('Undo').click();
  await toggle.click();
  await v.paint([[-100, 0], [-80, 0]]);
  await v.reaches(['running'], 5000);
  // Painted during the run: filled next.
  await v.paint([[80, 0], [100, 0]]);
  await v.until(() => document.querySelector('main')?.dataset.state === 'done' && document.querySelector('#save-mask')?.hasAttribute('disabled'), undefined, 120_000);
  await v.button('Undo').click();
  await v.says(/Fill undone/);
  check((await masked(v)) > 0, 'the second hole was not a fill of its own');
  await v.button('Undo').click();
  await v.says(/Fill undone/);
  await v.button('Undo').click();
  await v.says(/Stroke undone/);
  // Erasing fills nothing; the choice is remembered.
  await v.button('Eraser').click();
  await v.paint([[-100, 0], [-90, 0]]);
  await v.page.waitForTimeout(300);
  check((await v.state()) !== 'running', 'erasing began a fill');
  await v.quiet();
}

/** @param {Visitor} v */
export async function a_hole_waits_for_enter_while_another_is_filled(v) {
  await v.openPhoto(file('photo.png', photo(600, 400), 'image/png'));
  await v.paint([[-100, 0], [-80, 0]]);
  await v.button('Inpaint').click();
  await v.reaches(['running'], 5000);
  await v.paint([[80, 0], [100, 0]]);
  await v.page.keyboard.press('Enter');
  await v.says(/filled next|Done/);
  await v.until(() => document.querySelector('main')?.dataset.state === 'done' && document.querySelector('#save-mask')?.hasAttribute('disabled'), undefined, 120_000);
  await v.quiet();
}

/** A tool is one file and its lines in the list: the page needs no more to show it, draw with it and undo it. @param {Visitor} v */
export async function a_tool_of_ones_own_takes_two_files(v) {
  const stamp = (await readFile(`${ROOT}tests/page/stamp_tool.mjs`, 'utf8')).replace('../../www/tools/', './');
  await v.page.route('**/www/tools/stamp.js', (route) => route.fulfill({ contentType: 'text/javascript', body: stamp }));
  await v.page.route('**/www/tools/index.js', async (route) => {
    const list = await (await route.fetch()).text();
    await route.fulfill({ contentType: 'text/javascript', body: `import { stamp } from './stamp.js';\n${list.replace('pan];', 'pan, stamp];')}` });
  });
  await v.open();
  await v.openPhoto(file('photo.png', photo(300, 200), 'image/png'));
  await v.button('Stamp').click();
  await v.paint([[0, 0]]);
  check((await masked(v)) === 25, 'the stamp does not stamp');
  await v.button('Undo').click();
  await v.says(/Stamp undone/);
  await v.page.getByRole('application').focus();
  await v.page.keyboard.press('b');
  await v.page.keyboard.press('z');
  check((await v.button('Stamp').getAttribute('aria-pressed')) === 'true', 'its key does not choose it');
  await v.quiet();
}

/** How long a stroke takes to the screen on 24 megapixels with the largest brush. A figure, not a limit. @param {Visitor} v */
export async function a_stroke_on_24_megapixels_reaches_the_screen(v) {
  const png = new PNG({ width: 6000, height: 4000 });
  for (let i = 0; i < 6000 * 4000; i++) png.data.writeUInt32BE(0x6080a0ff + (((i >> 6) & 31) << 8), i * 4);
  await v.openPhoto(file('photo.png', PNG.sync.write(png, { deflateLevel: 1 }), 'image/png'));
  await v.says(/6000/);
  const slider = v.page.getByRole('slider', { name: 'Brush size' });
  for (const size of [300, Number(await slider.getAttribute('max'))]) {
    await slider.fill(String(size));
    await v.evaluate(() => {
      const times = /** @type {any} */ (window).timesForTest = /** @type {number[]} */ ([]);
      // From the event until what the page draws in the next frame is drawn.
      document.querySelector('#stage')?.addEventListener('pointermove', (event) => {
        if (!(/** @type {PointerEvent} */ (event).buttons)) return;
        requestAnimationFrame(() => {
          const channel = new MessageChannel();
          channel.port1.onmessage = () => times.push(performance.now() - event.timeStamp);
          channel.port2.postMessage(0);
        });
      }, { capture: true });
    });
    await v.paint([[-300, -120], [-100, 80], [60, -80], [300, 120], [100, 0], [-200, 100]]);
    const times = /** @type {number[]} */ (await v.evaluate(() => /** @type {any} */ (window).timesForTest)).sort((a, b) => a - b);
    console.log(`  24 MP, brush of ${size}: ${times[times.length >> 1].toFixed(1)} ms at the median, ${times[Math.floor(times.length * 0.9)].toFixed(1)} ms at nine tenths of ${times.length}`);
    await v.button('Undo').click();
  }
  await v.quiet();
}

/** What is painted beside the divider is seen, and Escape takes the divider away. @param {Visitor} v */
export async function the_mask_is_seen_beside_the_divider(v) {
  await v.openPhoto(file('photo.png', photo(400, 300), 'image/png'));
  await v.paint([[-30, 0], [30, 10]]);
  await v.inpaint();
  await v.page.waitForTimeout(300);
  await v.button('Compare').click();
  check(await v.control('slider', 'Before and after').isVisible(), 'there is no divider');
  await v.page.mouse.move(640, 90);
  const shot = async () => decode(await v.page.screenshot({ clip: { x: 680, y: 250, width: 120, height: 60 } })).data;
  const before = await shot();
  await v.paint([[60, -80], [140, -80]]);
  await v.page.mouse.move(640, 90);
  await v.page.waitForTimeout(100);
  const after = await shot();
  const changed = before.reduce((sum, value, i) => sum + Number(Math.abs(value - after[i]) > 30), 0);
  check(changed > 3000, `only ${changed} values of the screen changed`);
  await v.page.getByRole('application').focus();
  await v.page.keyboard.press('Escape');
  check(!(await v.control('slider', 'Before and after').isVisible()), 'Escape leaves the divider');
  await v.quiet();
}
