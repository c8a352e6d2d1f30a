// Cases of the table in tests/README.md that no other test holds, by their numbers.
import { PNG } from 'pngjs';
import { readFile } from 'node:fs/promises';
import { check, decode, file, photo, ROOT } from './page.mjs';

/** @typedef {import('./page.mjs').Visitor} Guest */

const png = (width = 300, height = 200) => file('photo.png', photo(width, height), 'image/png');

/** @param {Guest} v */
export async function case_26_a_cmyk_jpeg_is_opened_by_the_browser_and_told(v) {
  await v.openPhoto(file('print.jpg', await readFile(`${ROOT}tests/hostile/pictures/jpeg-cmyk.jpg`), 'image/jpeg'));
  await v.says(/16 .* 12/);
  await v.says(/the browser decoded it/);
  await v.paint([[-30, 0], [30, 10]]);
  await v.save('Save mask');
  await v.quiet();
}

/** @param {Guest} v */
export async function case_29_a_photo_at_the_limit_of_a_side_is_seen(v) {
  const long = new PNG({ width: 32_767, height: 3 });
  long.data.fill(200);
  for (let i = 3; i < long.data.length; i += 4) long.data[i] = 255;
  await v.openPhoto(file('long.png', PNG.sync.write(long), 'image/png'));
  await v.says(/32,?767/);
  // Where it is enlarged it fills the middle of the window: a canvas that is too large goes blank without a word.
  for (let press = 0; press < 12; press++) await v.page.keyboard.press('+');
  await v.until(() => document.querySelector('#zoom-fit')?.textContent !== '');
  await v.page.waitForTimeout(300);
  const shot = decode(await v.page.screenshot({ clip: { x: 639, y: 300, width: 2, height: 200 } }));
  const isPhoto = (/** @type {number} */ at) => [0, 1, 2].every((c) => Math.abs(shot.data[at + c] - 200) < 3);
  const seen = Array.from({ length: 400 }, (_, i) => i * 4).filter(isPhoto).length;
  check(seen >= 2, 'the photo is not seen');
  await v.quiet();
}

/** @param {Guest} v */
export async function case_31_a_run_is_cancelled_twice_and_nothing_comes_late(v) {
  await v.openPhoto(png(900, 700));
  await v.paint([[-150, -50], [150, 50], [-150, 80]]);
  for (const share of [0.05, 0.5]) {
    await v.button('Inpaint').click();
    await v.until((share) => {
      const state = document.querySelector('main')?.dataset.state;
      const done = Number(/\((.*)\)/.exec(/** @type {HTMLElement} */ (document.querySelector('#progress > i')).style.transform)?.[1] ?? 0);
      return state !== 'running' || done >= share;
    }, share, 60_000);
    check((await v.state()) === 'running', `the run was over before ${share}: this test shows nothing`);
    // Escape twice: the second finds nothing to cancel.
    await v.page.keyboard.press('Escape');
    await v.page.keyboard.press('Escape');
    await v.until(() => document.querySelector('main')?.dataset.state !== 'running', undefined, 2000);
    await v.page.waitForTimeout(1500);
    check(await v.button('Compare with the original').isDisabled().catch(() => true), 'a late result was taken');
    check((await v.state()) !== 'done', 'a late result was taken');
  }
  await v.inpaint();
  await v.quiet();
}

/** @param {Guest} v */
export async function case_36_a_host_without_the_type_of_wasm_does_no_harm(v) {
  await v.page.route('**/*.wasm', async (route) => route.fulfill({ response: await route.fetch(), contentType: 'application/octet-stream' }));
  await v.open();
  await v.openPhoto(png());
  await v.paint([[-30, 0], [30, 10]]);
  await v.inpaint();
  await v.quiet();
}

/** @param {Guest} v */
export async function case_36_a_web_page_in_place_of_the_program_is_told_as_missing(v) {
  await v.page.route('**/*.wasm', (route) => route.fulfill({ status: 200, contentType: 'text/html', body: '<!doctype html><title>Not here</title>' }));
  await v.open();
  await v.give('Open photo', png());
  await v.says(/missing on this server/);
}

/** @param {Guest} v */
export async function case_36_a_page_from_a_file_says_so(v) {
  const page = await v.page.context().newPage();
  await page.goto(`file://${ROOT}dist/index.html`);
  await page.getByText('This page cannot run from a file').waitFor();
  await page.close();
}

/** A photo is opened, filled and saved, without a word on the console. @param {Guest} v */
async function worksAsEver(v) {
  await v.open();
  await v.openPhoto(png());
  await v.paint([[-30, 0], [30, 10]]);
  await v.inpaint();
  await v.save('Save image');
  await v.quiet();
}

/** Storage that refuses everything, as in some private windows and on a full disk. @param {Guest} v */
export async function case_37_without_storage_everything_works_for_this_session(v) {
  await v.page.addInitScript(() => {
    const refuse = () => Promise.reject(new DOMException('The quota has been exceeded.', 'QuotaExceededError'));
    for (const name of ['open', 'has', 'match', 'delete', 'keys']) Object.defineProperty(CacheStorage.prototype, name, { value: refuse });
    Object.defineProperty(window, 'localStorage', { get: () => { throw new DOMException('Access is denied.', 'SecurityError'); } });
  });
  await worksAsEver(v);
}

/** Storage that takes nothing more. @param {Guest} v */
export async function case_37_a_full_disk_costs_no_work(v) {
  await v.page.addInitScript(() => {
    Object.defineProperty(Cache.prototype, 'put', { value: () => Promise.reject(new DOMException('The quota has been exceeded.', 'QuotaExceededError')) });
  });
  await worksAsEver(v);
}

