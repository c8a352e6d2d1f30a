// Work that outlives the page: reloads, kills, damage, full disks, two tabs, and what is forgotten.
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { chromium } from 'playwright-core';
import { ChromiumDriver } from './engines/chromium.mjs';
import { start } from './engines/remote.mjs';
import { check, file, hand, pause, photo, ROOT, Visitor } from './page.mjs';
import { BLANK, serve } from './server.mjs';

const png = (name = 'beach.png', width = 640, height = 480) => file(name, photo(width, height), 'image/png');
const WEIGHTS = `${ROOT}tests/reference/networks/context-encoder.pth`;

/** How the open work stands: `none`, `behind`, `kept` or `off`. @param {Visitor} v */
const standing = (v) => v.evaluate(() => document.querySelector('main')?.dataset.kept ?? '');

/** Until everything that was done is on the disk. @param {Visitor} v @param {number} [timeout] */
const isKept = (v, timeout = 20_000) => v.until(() => document.querySelector('main')?.dataset.kept === 'kept', undefined, timeout);

/** Whether this browser keeps work at all, which it says of a photo where it does not. @param {Visitor} v */
async function keepsWork(v) {
  await v.until(() => document.querySelector('main')?.dataset.kept !== 'behind', undefined, 20_000);
  return (await standing(v)) === 'kept';
}

/** Photo and mask as they would be saved. @param {Visitor} v */
async function looks(v) {
  const image = await v.save('Save image');
  const hasMask = !(await v.button('Save mask').isDisabled());
  return { name: image.name, image: image.bytes.toString('base64'), mask: hasMask ? (await v.save('Save mask')).bytes.toString('base64') : '' };
}

/** @param {Awaited<ReturnType<typeof looks>>} found @param {Awaited<ReturnType<typeof looks>>} expected @param {string} when */
function same(found, expected, when) {
  for (const key of /** @type {const} */ (['name', 'image', 'mask'])) check(found[key] === expected[key], `${when}: the ${key} is another`);
}

/** Comes back and takes up what was left. @param {Visitor} v */
async function comesBack(v) {
  await v.open();
  await v.button('Continue').click();
  await v.says(/is back/);
  await isKept(v);
}

/** Every file that this origin keeps for work and weights, with its size. @param {Visitor} v @returns {Promise<Record<string, number>>} */
function filesOf(v) {
  return v.evaluate(async () => {
    const found = /** @type {Record<string, number>} */ ({});
    const walk = async (/** @type {any} */ folder, /** @type {string} */ path) => {
      for await (const [name, handle] of folder.entries()) {
        if (handle.kind === 'directory') await walk(handle, `${path}/${name}`);
        else found[`${path}/${name}`] = (await handle.getFile()).size;
      }
    };
    await walk(await navigator.storage.getDirectory(), '');
    return found;
  });
}

/** In every engine: where work is kept it is back after a reload, and elsewhere the page says so and works. @param {Visitor} v */
export async function work_is_back_after_a_reload(v) {
  await v.openPhoto(png());
  if (!(await keepsWork(v))) {
    await v.says(/save the image before you close the page/);
    await v.paint([[-30, 0], [30, 10]]);
    await v.inpaint();
    console.log(`  ${await v.status()}`);
    return v.quiet();
  }
  await v.paint([[-60, -20], [40, 10]]);
  await v.inpaint();
  await v.paint([[-20, 60], [80, 70]]);
  const before = await looks(v);
  await isKept(v);
  await comesBack(v);
  check((await v.state()) === 'done', `the state is ${await v.state()}`);
  same(await looks(v), before, 'after the reload');
  // The history, too: the stroke and the fill are undone, and made again.
  await v.button('Undo').click();
  await v.button('Undo').click();
  check((await v.button('Compare').isDisabled()) === false, 'the photo as it was opened is not there');
  const undone = await looks(v);
  check(undone.mask !== before.mask && undone.image !== before.image, 'nothing was undone');
  await isKept(v);
  await comesBack(v);
  same(await looks(v), undone, 'after undoing and another reload');
  await v.button('Redo').click();
  await v.button('Redo').click();
  same(await looks(v), before, 'made again');
  await v.inpaint();
  await v.quiet();
}

/** At several points of a session, and with nothing done yet. @param {Visitor} v */
export async function every_point_of_a_session_survives_a_reload(v) {
  const acts = [
    () => v.openPhoto(png()),
    () => v.paint([[-60, -20], [40, 10]]),
    () => v.inpaint(),
    () => v.button('Try another').click().then(() => v.reaches(['running'])).then(() => v.reaches(['done'])),
    () => v.page.keyboard.press('i'),
    () => v.button('Clear mask').click(),
    () => v.button('Undo').click(),
  ];
  for (const [index, act] of acts.entries()) {
    await act();
    await isKept(v);
    const before = await looks(v);
    await isKept(v);
    await comesBack(v);
    same(await looks(v), before, `after act ${index}`);
  }
  await v.quiet();
}

/** A Chromium of its own whose files outlive it. @param {string} folder @param {string} url */
async function launch(folder, url) {
  await rm(`${folder}/DevToolsActivePort`, { force: true });
  const browser = start(process.env.CHROMIUM ?? 'chromium', [`--user-data-dir=${folder}`, '--remote-debugging-port=0', '--headless=new', '--no-sandbox', '--disable-gpu', '--no-first-run', '--disable-background-networking', '--disable-component-update', '--disable-sync', '--window-size=1280,900', 'about:blank'], { stdio: 'ignore' });
  let port = '';
  for (const end = Date.now() + 30_000; !port && Date.now() < end; await pause(50)) port = (await readFile(`${folder}/DevToolsActivePort`, 'utf8').catch(() => '')).split('\n')[0];
  check(port, 'Chromium did not start');
  const connection = await chromium.connectOverCDP(`http://127.0.0.1:${port}`);
  const [context] = connection.contexts();
  context.setDefaultTimeout(15_000);
  const page = context.pages()[0] ?? (await context.newPage());
  // What is saved stays in the page, where it is looked at.
  await page.addInitScript(() => {
    const plain = URL.createObjectURL;
    URL.createObjectURL = (/** @type {any} */ blob) => {
      if (blob.type === 'image/png') /** @type {any} */ (window).savedForTest = blob;
      return plain.call(URL, blob);
    };
    HTMLAnchorElement.prototype.click = () => {};
  });
  const visitor = new Visitor(new ChromiumDriver(page, url), url);
  const kill = async () => {
    const over = new Promise((resolve) => browser.once('exit', resolve));
    browser.kill('SIGKILL');
    await over;
    await connection.close().catch(() => {});
  };
  return { visitor, kill };
}

/** The bytes that a button would save, as a number. @param {Visitor} v @param {string} name @returns {Promise<string>} */
async function saved(v, name) {
  if (await v.button(name).isDisabled()) return 'nothing';
  await v.evaluate(() => { /** @type {any} */ (window).savedForTest = null; });
  await v.button(name).click();
  await v.until(() => /** @type {any} */ (window).savedForTest);
  return v.evaluate(async () => {
    const digest = await crypto.subtle.digest('SHA-256', await /** @type {any} */ (window).savedForTest.arrayBuffer());
    return Array.from(new Uint8Array(digest).slice(0, 12)).join();
  });
}

/** @param {Visitor} v */
const marks = async (v) => ({ image: await saved(v, 'Save image'), mask: await saved(v, 'Save mask'), undo: !(await v.button('Undo').isDisabled()), redo: !(await v.button('Redo').isDisabled()), model: await v.model() });

/** The whole browser is killed at ten points of one session. @param {Visitor} v */
export async function a_browser_that_is_killed_ten_times_brings_everything_back(v) {
  const folder = await mkdtemp(`${tmpdir()}/infill-killed-`);
  const site = await serve(`${ROOT}dist`, {}, '/some/where/');
  /** @type {((v: Visitor) => Promise<unknown>)[]} */
  const acts = [
    (v) => v.openPhoto(png()),
    (v) => v.paint([[-60, -20], [40, 10]]),
    (v) => v.paint([[-60, 40], [-20, 60], [30, 50]]),
    (v) => v.inpaint(),
    (v) => v.paint([[50, -60], [90, -40]]),
    (v) => v.button('Undo').click(),
    (v) => v.button('Redo').click(),
    (v) => v.give('Load weights', WEIGHTS).then(() => v.says(/ContextEncoder/)).then(() => v.until(() => document.querySelector('main')?.dataset.kept === 'kept')).then(() => pause(1000)),
    (v) => v.inpaint(),
    (v) => v.page.keyboard.press('i'),
  ];
  let expected = /** @type {Awaited<ReturnType<typeof marks>> | null} */ (null);
  try {
    for (const [index, act] of acts.entries()) {
      const { visitor, kill } = await launch(folder, site.url);
      try {
        await visitor.open();
        if (expected) {
          await visitor.button('Continue').click();
          await visitor.says(/is back/, 40_000);
          const found = await marks(visitor);
          check(JSON.stringify(found) === JSON.stringify(expected), `after kill ${index}: ${JSON.stringify(found)} instead of ${JSON.stringify(expected)}`);
        }
        await act(visitor);
        await isKept(visitor);
        expected = await marks(visitor);
        await isKept(visitor);
      } finally {
        await kill();
      }
    }
    const { visitor, kill } = await launch(folder, site.url);
    await visitor.open();
    await visitor.button('Continue').click();
    await visitor.says(/is back/, 40_000);
    check(JSON.stringify(await marks(visitor)) === JSON.stringify(expected), 'after the tenth kill it is not all back');
    await kill();
  } finally {
    await site.close();
    await rm(folder, { recursive: true, force: true, maxRetries: 10, retryDelay: 100 });
  }
  await v.quiet();
}

/** Killed without waiting for anything: what comes back is a state that was, and the page works. @param {Visitor} v */
export async function a_browser_that_is_killed_in_the_middle_brings_a_whole_state_back(v) {
  const folder = await mkdtemp(`${tmpdir()}/infill-killed-`);
  const site = await serve(`${ROOT}dist`, {}, '/some/where/');
  try {
    const first = await launch(folder, site.url);
    await first.visitor.open();
    await first.visitor.openPhoto(png('large.png', 1600, 1200));
    await isKept(first.visitor);
    await first.visitor.paint([[-60, -20], [40, 10]]);
    void first.visitor.paint([[-60, 60], [40, 80]]).catch(() => {});
    await pause(120);
    await first.kill();
    const second = await launch(folder, site.url);
    await second.visitor.open();
    await second.visitor.button('Continue').click();
    await second.visitor.says(/is back/);
    await second.visitor.paint([[-100, -100], [40, -90]]);
    await second.visitor.inpaint();
    await second.kill();
  } finally {
    await site.close();
    await rm(folder, { recursive: true, force: true, maxRetries: 10, retryDelay: 100 });
  }
  await v.quiet();
}

/**
 * Changes a kept file, as a failing disk would.
 * @param {Visitor} v @param {string} ending of its path @param {number} share where, 0 to 1 @param {'flip' | 'cut'} how
 */
async function damage(v, ending, share, how) {
  await v.driver.goto(v.url + BLANK);
  // The tab before lets it go within a moment.
  await pause(500);
  await v.evaluate(async ({ ending, share, how }) => {
    let isDone = false;
    const walk = async (/** @type {any} */ folder) => {
      for await (const handle of folder.values()) {
        if (handle.kind === 'directory') await walk(handle);
        else if (handle.name.startsWith(ending)) {
          const bytes = new Uint8Array(await (await handle.getFile()).arrayBuffer());
          const at = Math.floor(bytes.length * share);
          bytes[at] ^= 16;
          const writing = await handle.createWritable();
          await writing.write(how === 'cut' ? bytes.slice(0, at) : bytes);
          await writing.close();
          isDone = true;
        }
      }
    };
    await walk(await navigator.storage.getDirectory());
    if (!isDone) throw new Error(`there is no ${ending}`);
  }, { ending, share, how });
}

/** @param {Visitor} v */
export async function damaged_work_ends_in_a_sentence_and_a_working_page(v) {
  const begin = async () => {
    await v.open();
    await v.openPhoto(png());
    for (const y of [-60, -20, 20, 60]) {
      await v.paint([[-60, y], [40, y]]);
      await isKept(v);
    }
  };
  const works = async () => {
    await v.paint([[-90, 0], [90, 10]]);
    await v.inpaint();
    await isKept(v);
  };
  // The last record is damaged: all before it is back.
  await begin();
  await damage(v, 'journal', 0.97, 'flip');
  await v.open();
  await v.button('Continue').click();
  await v.says(/is damaged: what you did after \d\d:\d\d:\d\d is lost/);
  check(!(await v.button('Undo').isDisabled()), 'everything is lost');
  await works();
  // Nothing of the journal can be read: the photo is back.
  await begin();
  await damage(v, 'journal', 0.001, 'flip');
  await v.open();
  await v.button('Continue').click();
  await v.says(/back as it was opened/);
  check(await v.button('Undo').isDisabled(), 'there is something to undo');
  await works();
  // The photo itself is damaged.
  await begin();
  await damage(v, 'photo', 0.5, 'flip');
  await v.open();
  await v.button('Continue').click();
  await v.says(/damaged and cannot be opened/);
  const photos = async () => Object.keys(await filesOf(v)).filter((path) => path.endsWith('/photo')).length;
  const before = await photos();
  await v.button('Forget').click();
  await v.says(/is deleted/);
  check((await photos()) === before - 1, 'the damaged work is still there');
  await v.until(() => document.activeElement !== document.body);
  await v.openPhoto(png());
  await works();
  await v.quiet();
}

/** A real quota, smaller than the photo. @param {Visitor} v */
export async function a_full_disk_ends_in_a_sentence_and_a_working_page(v) {
  const cdp = await v.page.context().newCDPSession(v.page);
  await cdp.send('Storage.overrideQuotaForOrigin', { origin: new URL(v.url).origin, quotaSize: 200_000 });
  await v.open();
  await v.openPhoto(png('large.png', 900, 700));
  await v.says(/no room left on this device to keep your work/);
  check((await standing(v)) === 'off', `the standing is ${await standing(v)}`);
  await v.paint([[-30, 0], [30, 10]]);
  await v.inpaint();
  await v.save('Save image');
  await v.tab('Fill');
  check(/no room left/.test(await v.evaluate(() => document.querySelector('#standing')?.textContent ?? '')), 'the panel does not say so');
  await v.quiet();
}

/** Browsers without the file system, and those that refuse it. @param {Visitor} v */
export async function without_a_place_to_keep_work_the_page_says_so_and_works(v) {
  const worker = await readFile(`${ROOT}dist/www/worker/store.js`, 'utf8');
  const cases = /** @type {[string, RegExp][]} */ ([
    ['delete StorageManager.prototype.getDirectory;', /has no place to keep work in/],
    ["StorageManager.prototype.getDirectory = () => Promise.reject(new DOMException('Denied.', 'SecurityError'));", /perhaps because the window is private/],
    ["throw new Error('broken');", /can no longer be kept/],
  ]);
  for (const [before, words] of cases) {
    const site = await serve(`${ROOT}dist`, { '/some/where/www/worker/store.js': ['text/javascript', `${before}\n${worker}`] }, '/some/where/');
    const visitor = await v.another(site.url);
    try {
      await visitor.open();
      await visitor.openPhoto(png());
      await visitor.says(words);
      await visitor.paint([[-30, 0], [30, 10]]);
      await visitor.inpaint();
      // It is said once.
      await visitor.give('Open photo', png('other.png'));
      await visitor.button('Open it').click();
      await visitor.says(/other\.png/);
      check(!words.test(await visitor.status()), 'it is said again');
      await visitor.quiet();
    } finally {
      await visitor.driver.close();
      await site.close();
    }
  }
}

/** @param {Visitor} v */
export async function two_tabs_keep_their_own_work(v) {
  const tab = async () => new Visitor(new ChromiumDriver(await v.page.context().newPage(), v.url), v.url);
  const [a, b] = [v, await tab()];
  await a.openPhoto(png('first.png'));
  await a.paint([[-60, -20], [40, 10]]);
  await isKept(a);
  const first = await looks(a);
  await b.open();
  check(!(await b.page.getByRole('button', { name: 'Continue' }).isVisible()), 'work is offered that another tab has open');
  await b.openPhoto(png('second.png'));
  await b.paint([[0, 40], [40, 60]]);
  await isKept(b);
  const second = await looks(b);
  await isKept(a);
  await isKept(b);
  for (const each of [a, b]) await each.driver.goto('about:blank');
  const [c, d] = [await tab(), await tab()];
  for (const each of [c, d]) {
    await each.open();
    await each.page.getByText('You were working on first.png').waitFor();
    await each.page.getByText('You were working on second.png').waitFor();
  }
  await c.page.getByRole('button', { name: 'Continue with first.png' }).click();
  await c.says(/first\.png is back/);
  // The other tab still shows it.
  await d.page.getByRole('button', { name: 'Continue with first.png' }).click();
  await d.says(/open in another tab/);
  await d.button('Continue').click();
  await d.says(/second\.png is back/);
  same(await looks(c), first, 'the first tab');
  same(await looks(d), second, 'the second tab');
  for (const each of [b, c, d]) await each.quiet();
}

/** @param {Visitor} v */
export async function what_is_forgotten_is_gone_from_the_disk(v) {
  await v.openPhoto(png());
  await v.paint([[-60, -20], [40, 10]]);
  await v.give('Load weights', WEIGHTS);
  await v.says(/ContextEncoder/);
  await isKept(v);
  for (const end = Date.now() + 15_000; !Object.keys(await filesOf(v)).some((path) => path.endsWith('/about')); await pause(100)) check(Date.now() < end, 'the weights are not kept');
  check(Object.keys(await filesOf(v)).length >= 5, JSON.stringify(await filesOf(v)));
  await v.tab('Fill');
  await v.button('Forget everything kept').click();
  await v.says(/is deleted/);
  check(Object.keys(await filesOf(v)).length === 0, `left: ${JSON.stringify(await filesOf(v))}`);
  await v.paint([[-60, 40], [40, 50]]);
  await v.page.waitForTimeout(600);
  check(Object.keys(await filesOf(v)).length === 0, 'what was forgotten is kept again');
  // Switched off, the next photo leaves nothing either; switched on, it does.
  await v.page.getByLabel('Keep my work on this device').uncheck();
  await v.says(/Nothing is kept/);
  await v.open();
  check(!(await v.page.getByRole('button', { name: 'Continue' }).isVisible()), 'forgotten work is offered');
  await v.openPhoto(png());
  await v.paint([[-60, 40], [40, 50]]);
  await v.page.waitForTimeout(600);
  check(Object.keys(await filesOf(v)).length === 0, 'work is kept although that is switched off');
  await v.tab('Fill');
  await v.page.getByLabel('Keep my work on this device').check();
  await isKept(v);
  check(Object.keys(await filesOf(v)).length === 3, JSON.stringify(await filesOf(v)));
  // Another tab that forgets everything means this one, too.
  const other = await v.page.context().newPage();
  await other.goto(v.url);
  await other.getByRole('button', { name: 'Settings and details' }).click();
  await other.getByRole('button', { name: 'Forget everything kept' }).click();
  await v.until(() => document.querySelector('main')?.dataset.kept === 'off');
  for (const end = Date.now() + 5000; Object.keys(await filesOf(v)).length; await pause(50)) check(Date.now() < end, 'another tab forgot it, and it is still there');
  await v.quiet();
}

/** @param {Visitor} v */
export async function dropped_weights_are_chosen_again_without_dropping(v) {
  await v.openPhoto(png());
  await v.give('Load weights', WEIGHTS);
  await v.says(/ContextEncoder/);
  for (const end = Date.now() + 15_000; !Object.keys(await filesOf(v)).some((path) => path.endsWith('/about')); await pause(100)) check(Date.now() < end, 'the weights are not kept');
  await v.paint([[-60, -20], [40, 10]]);
  await isKept(v);
  await v.open();
  check(!/ContextEncoder/.test(await v.model()), 'it is loaded unasked');
  await v.tab('Details');
  await v.page.getByRole('heading', { name: 'Recent models on this device' }).waitFor();
  await v.page.getByRole('button', { name: /context-encoder\.pth · .* · / }).click();
  await v.says(/ContextEncoder/);
  check(/ContextEncoder/.test(await v.model()), `the model is ${await v.model()}`);
  await v.openPhoto(png());
  await v.paint([[-60, -20], [40, 10]]);
  await v.inpaint();
  // From the picker as well; and once removed it is gone.
  await v.open();
  const value = await v.page.locator('#model option', { hasText: 'context-encoder.pth' }).getAttribute('value');
  await v.control('combobox', 'Model').selectOption(value ?? '');
  await v.says(/ContextEncoder/);
  await v.open();
  await v.tab('Details');
  await v.button('Remove context-encoder.pth from this device').click();
  await v.says(/removed from this device/);
  check(!Object.keys(await filesOf(v)).some((path) => path.includes('/models/')), JSON.stringify(await filesOf(v)));
  await v.quiet();
}

/** A class of one's own comes back with the work that it painted. @param {Visitor} v */
export async function a_pasted_class_is_back_with_its_weights(v) {
  await v.openPhoto(png());
  await v.paint([[-60, -20], [40, 10]]);
  await v.tab('Class');
  await v.page.getByLabel('Python of your network').fill(await readFile(`${ROOT}tests/reference/classes/edgeconnect.py`, 'utf8'));
  await v.page.locator('[data-own-state="waits"]').waitFor({ timeout: 60_000 });
  await hand(v, 'drop', [file('gen.pth', await readFile(`${ROOT}tests/reference/networks/edgeconnect-inpaint.pth`))]);
  await v.page.locator('[data-own-state="fits"]').waitFor({ timeout: 60_000 });
  for (const end = Date.now() + 15_000; !Object.keys(await filesOf(v)).some((path) => path.endsWith('/about')); await pause(100)) check(Date.now() < end, 'the weights are not kept');
  await isKept(v);
  const model = await v.model();
  check(model.includes('InpaintGenerator'), `the model is ${model}`);
  await v.open();
  check((await v.model()) !== model, 'it is loaded unasked');
  await v.button('Continue').click();
  await v.says(/is back/, 60_000);
  check((await v.model()) === model, `the model is ${await v.model()} instead of ${model}`);
  await v.quiet();
}

/** @param {Visitor} v */
export async function choices_are_remembered(v) {
  await v.openPhoto(png());
  await v.page.getByLabel('Diameter in pixels').fill('77');
  await v.page.getByLabel('Diameter in pixels').press('Enter');
  await v.tab('Fill');
  await v.page.getByLabel('Grow the mask').fill('9');
  await v.page.getByLabel('Sharpen from the photo').selectOption('off');
  await v.open();
  await v.openPhoto(png());
  await v.tab('Fill');
  const found = await v.evaluate(() => ['brush-size', 'grow', 'sharpen'].map((id) => /** @type {HTMLInputElement} */ (document.getElementById(id)).value).join());
  check(found === '77,9,off', found);
  await v.quiet();
}

/** How the line looks, wide and narrow, light and dark. @param {Visitor} v */
export async function screens_of_work_that_was_left(v) {
  await v.openPhoto(png('holiday at the sea with everybody.png'));
  await v.paint([[-60, -20], [40, 10]]);
  await isKept(v);
  for (const colorScheme of /** @type {const} */ (['light', 'dark'])) {
    await v.page.emulateMedia({ colorScheme });
    for (const [name, viewport] of Object.entries({ wide: { width: 1280, height: 800 }, narrow: { width: 390, height: 844 }, landscape: { width: 844, height: 390 } })) {
      await v.page.setViewportSize(viewport);
      await v.open();
      await v.button('Continue').isVisible();
      await v.until(() => document.querySelector('.left'));
      await v.screenshot(`left-${name}-${colorScheme}`);
    }
  }
  await v.quiet();
}
