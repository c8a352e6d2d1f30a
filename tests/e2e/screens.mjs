// One screenshot of every state, to be looked at, wide and narrow.
import { readFile } from 'node:fs/promises';
import { PNG } from 'pngjs';
import { check, file, ROOT } from './page.mjs';

/** @typedef {import('./page.mjs').Visitor} Visitor */

/** @param {Visitor} v @param {string} name @param {{width: number, height: number}} viewport */
async function states(v, name, viewport) {
  await v.page.setViewportSize(viewport);
  await v.open();
  await v.screenshot(`${name}-empty`);
  const pig = await readFile(`${ROOT}www/samples/pig.jpg`);
  await v.openPhoto(file('pig.jpg', pig, 'image/jpeg'));
  await v.screenshot(`${name}-ready`);
  await v.paint([[-40, -20], [50, 20], [-20, 40], [60, -30]]);
  await v.screenshot(`${name}-painted`);
  await v.button('Inpaint').click();
  await v.page.waitForTimeout(300);
  await v.screenshot(`${name}-running`);
  await v.reaches(['done'], 120_000);
  await v.page.waitForTimeout(400);
  await v.screenshot(`${name}-done`);
  await v.button('Settings and details').click();
  await v.page.getByRole('tab', { name: 'Speed' }).click();
  await v.screenshot(`${name}-speed`);
  await v.button('Close').click();
  await v.give('Load weights', `${ROOT}tests/reference/networks/edgeconnect-inpaint.pth`);
  await v.says(/EdgeConnect/);
  await v.screenshot(`${name}-model`);
  await v.give('Load weights', file('vit.pth', Buffer.from('nothing')));
  await v.says(/vit\.pth/);
  await v.screenshot(`${name}-error`);
  check((await v.state()) === 'error', `the state is ${await v.state()}`);
}

/** @param {Visitor} v */
export async function screens_wide(v) {
  await states(v, 'wide', { width: 1280, height: 800 });
}

/** @param {Visitor} v */
export async function screens_narrow(v) {
  await states(v, 'narrow', { width: 390, height: 844 });
}

/** @param {Visitor} v */
export async function screens_dark(v) {
  await v.page.emulateMedia({ colorScheme: 'dark' });
  await states(v, 'dark', { width: 1280, height: 800 });
}

/** The panel's tabs on networks of one's own. @param {Visitor} v @param {string} name @param {{width: number, height: number}} viewport */
async function tabs(v, name, viewport) {
  const networks = `${ROOT}tests/reference/networks/`;
  await v.page.setViewportSize(viewport);
  await v.open();
  await v.openPhoto(file('pig.jpg', await readFile(`${ROOT}www/samples/pig.jpg`), 'image/jpeg'));
  await v.give('Load weights', `${networks}edgeconnect-inpaint.pth`);
  await v.says(/EdgeConnect/);
  const toggle = v.button('Settings and details');
  const close = async () => (await toggle.getAttribute('aria-expanded')) === 'true' && v.page.locator('#panel').getByRole('button', { name: 'Close' }).click();
  const show = async (/** @type {string} */ tab) => {
    const wanted = v.page.getByRole('tab', { name: tab, exact: true });
    // Dropped weights open the panel by themselves, perhaps just now: a click then would close it.
    for (let tries = 0; tries < 5 && !(await wanted.isVisible()); tries++) {
      if ((await toggle.getAttribute('aria-expanded')) !== 'true') await toggle.click();
      await v.page.waitForTimeout(300);
    }
    await wanted.click();
  };
  await close();
  await v.paint([[-60, -20], [50, 20], [-40, 30]]);
  await v.button('Draw edges').click();
  await v.paint([[-50, 0], [0, 20], [50, 0]]);
  await v.page.waitForTimeout(1500);
  await v.screenshot(`${name}-edges-drawn`);
  await show('Edges');
  await v.page.waitForTimeout(800);
  await v.screenshot(`${name}-edges`);
  await show('Details');
  await v.page.locator('.channels canvas').first().waitFor();
  await v.screenshot(`${name}-details`);
  await v.page.locator('.channels').first().scrollIntoViewIfNeeded();
  await v.screenshot(`${name}-goes-in`);
  await show('Layers');
  await v.screenshot(`${name}-layers`);
  await v.page.getByRole('cell', { name: 'decoder.0', exact: true }).click();
  await v.page.locator('.explained .hist').first().waitFor();
  await v.page.locator('.drawing').scrollIntoViewIfNeeded();
  await v.screenshot(`${name}-explain`);
  await v.give('Load weights', `${networks}image-pair-both.pth`);
  await v.says(/image-pair/);
  await show('Scores');
  await v.button('Score the photo').click();
  await v.says(/Scored/);
  await v.screenshot(`${name}-scores`);
}

/** @param {Visitor} v */
export async function screens_of_the_tabs_wide(v) {
  await tabs(v, 'wide', { width: 1280, height: 800 });
}

/** @param {Visitor} v */
export async function screens_of_the_tabs_narrow_and_dark(v) {
  await v.page.emulateMedia({ colorScheme: 'dark' });
  await tabs(v, 'narrow-dark', { width: 390, height: 844 });
}

/** A picture of one colour. @param {number[]} colour */
function plain(colour) {
  const png = new PNG({ width: 900, height: 600 });
  for (let i = 0; i < 900 * 600; i++) png.data.set([...colour, 255], i * 4);
  return PNG.sync.write(png);
}

/** What every tool leaves and shows, on photos that hide things. @param {Visitor} v @param {string} name @param {{width: number, height: number}} viewport */
async function tools(v, name, viewport) {
  await v.page.setViewportSize(viewport);
  const k = viewport.width < 600 ? 0.4 : 1;
  const scaled = (/** @type {number[][]} */ places) => places.map(([x, y]) => /** @type {[number, number]} */ ([x * k, y * k]));
  const photos = { red: plain([214, 30, 40]), orange: plain([240, 130, 20]), white: plain([255, 255, 255]), black: plain([0, 0, 0]), busy: await readFile(`${ROOT}www/samples/sheep.jpg`) };
  for (const [colour, bytes] of Object.entries(photos)) {
    await v.open();
    await v.openPhoto(file(`${colour}.png`, bytes, 'image/png'));
    await v.paint(scaled([[-300, -150], [-200, -100], [-280, -40]]));
    await v.button('Ellipse').click();
    await v.paint(scaled([[-50, -150], [100, -60]]));
    await v.button('Lasso').click();
    await v.paint(scaled([[150, -150], [250, -170], [280, -60], [200, -40], [160, -100]]));
    await v.button('Polygon').click();
    for (const place of [[-250, 60], [-120, 40], [-80, 140], [-220, 170], [-250, 60]]) await v.paint(scaled([place]));
    await v.page.waitForTimeout(150);
    await v.screenshot(`${name}-tools-${colour}`);
    await v.button('Rectangle').click();
    const box = await v.page.getByRole('application').boundingBox();
    check(box, 'the canvas has no box');
    const [x, y] = [box.x + box.width / 2, box.y + box.height / 2];
    await v.page.mouse.move(x + 60 * k, y + 40 * k);
    await v.page.mouse.down();
    await v.page.mouse.move(x + 220 * k, y + 140 * k, { steps: 3 });
    await v.page.waitForTimeout(100);
    await v.screenshot(`${name}-rectangle-${colour}`);
    await v.page.mouse.up();
  }
  await v.button('Magic wand').click();
  await v.screenshot(`${name}-wand`);
  await v.button('Change the mask').click();
  await v.screenshot(`${name}-mask-menu`);
}

/** @param {Visitor} v */
export async function screens_of_the_tools_wide(v) {
  await tools(v, 'wide', { width: 1280, height: 800 });
}

/** @param {Visitor} v */
export async function screens_of_the_tools_narrow_and_dark(v) {
  await v.page.emulateMedia({ colorScheme: 'dark' });
  await tools(v, 'narrow-dark', { width: 390, height: 844 });
}
