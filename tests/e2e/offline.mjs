// The service worker: offline once visited, isolated without the host's help, and an update that waits.
import { createHash } from 'node:crypto';
import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { ChromiumDriver } from './engines/chromium.mjs';
import { check, file, KEEP_WORKERS, pause, photo, ROOT, Visitor } from './page.mjs';
import { isKept, visitorOf } from './offline_visitor.mjs';
import { serve } from './server.mjs';

/** @param {Visitor} v */
export async function the_site_works_offline_once_visited(v) {
  const site = await serve(`${ROOT}dist`, {}, '/some/where/');
  const visitor = await visitorOf(v, site.url);
  await visitor.open();
  check(!(await visitor.evaluate(() => crossOriginIsolated)), 'isolated without a service worker: this test shows nothing');
  await isKept(visitor);
  // The first visit ends, with whatever it still asks for, before the host goes away.
  await visitor.driver.goto('about:blank');
  await site.close();
  await visitor.open();
  check(await visitor.evaluate(() => crossOriginIsolated), 'the page is not cross-origin isolated at the second visit');
  await visitor.openPhoto(file('photo.png', photo(300, 200), 'image/png'));
  await visitor.paint([[-30, 0], [30, 10]]);
  await visitor.inpaint();
  await visitor.save('Save image');
  await visitor.quiet();
  await visitor.driver.close();
}

/** @param {Visitor} v */
export async function a_model_is_fetched_when_it_is_chosen_and_works_offline_from_then_on(v) {
  const site = await serve(`${ROOT}dist`, {}, '/some/where/');
  const visitor = await visitorOf(v, site.url);
  const option = () => visitor.evaluate(() => [.../** @type {HTMLSelectElement} */ (document.querySelector('#model')).options].map(({ text }) => text).find((text) => text.startsWith('MI-GAN')) ?? '');
  const isAsked = () => visitor.evaluate(() => performance.getEntriesByType('resource').some(({ name }) => name.includes('migan-512')));
  await visitor.open();
  await isKept(visitor);
  check(/^MI-GAN, 13 MB/.test(await option()), `the option says "${await option()}"`);
  check(!(await isAsked()), 'it was fetched unasked');
  await visitor.control('combobox', 'Model').selectOption('migan-512');
  await visitor.says(/MI-GAN is selected/, 60_000);
  check(await isAsked(), 'it came from nowhere: this test shows nothing');
  check(/^MI-GAN \u00b7/.test(await option()), `the option still says "${await option()}"`);
  await visitor.driver.goto('about:blank');
  await site.close();
  await visitor.open();
  await visitor.openPhoto(file('photo.png', photo(300, 200), 'image/png'));
  check(/^MI-GAN \u00b7/.test(await option()), `at the next visit the option says "${await option()}"`);
  await visitor.control('combobox', 'Model').selectOption('migan-512');
  await visitor.says(/MI-GAN is selected/);
  await visitor.paint([[-30, 0], [30, 10]]);
  await visitor.inpaint();
  await visitor.quiet();
  await visitor.driver.close();
}

const sheep = async () => file('sheep.jpg', await readFile(`${ROOT}www/samples/sheep.jpg`), 'image/jpeg');

/** With what its file told: a PNG would mean that only the pixels could be saved. @param {Visitor} v */
async function savesJpeg(v) {
  const { name, bytes } = await v.save('Save image');
  check(name === 'sheep-infill.jpg' && bytes[0] === 0xff, `saved as ${name}: ${await v.status()}`);
}

/** @param {Visitor} v */
export async function work_of_the_first_visit_is_saved_when_the_host_is_gone(v) {
  const site = await serve(`${ROOT}dist`, {}, '/some/where/');
  const visitor = await visitorOf(v, site.url);
  await visitor.page.addInitScript(KEEP_WORKERS);
  await visitor.open();
  await isKept(visitor);
  await visitor.openPhoto(await sheep());
  await visitor.paint([[-30, 0], [30, 10]]);
  await visitor.inpaint();
  await site.close();
  await savesJpeg(visitor);
  // Even a new worker starts, from what the service worker kept.
  await visitor.evaluate(() => /** @type {any} */ (window).workersForTest.forEach((/** @type {Worker} */ worker) => worker.terminate()));
  await visitor.paint([[-60, 40], [30, 50]]);
  await visitor.inpaint();
  await savesJpeg(visitor);
  await visitor.quiet();
  await visitor.driver.close();
}

/** Where there is no service worker, what saves is ready before the host goes. @param {Visitor} v */
export async function without_a_service_worker_work_is_saved_when_the_host_is_gone(v) {
  const site = await serve(`${ROOT}dist`, {}, '/some/where/');
  const visitor = await v.another(site.url);
  await visitor.open();
  await visitor.openPhoto(await sheep());
  await visitor.paint([[-30, 0], [30, 10]]);
  await visitor.inpaint();
  // The browser's own cache would hide that the host is gone.
  await visitor.page.route('**', (route) => route.abort());
  await site.close();
  // Longer than a worker without work lives.
  await pause(25_000);
  await savesJpeg(visitor);
  await visitor.driver.close();
}

/** Other pages of the origin can write to the site's cache: what they put there is not run. @param {Visitor} v */
export async function a_kept_file_that_was_rewritten_is_fetched_anew(v) {
  const site = await serve(`${ROOT}dist`, {}, '/some/where/');
  const visitor = await visitorOf(v, site.url);
  await visitor.open();
  await isKept(visitor);
  await visitor.evaluate(async () => {
    const name = (await caches.keys()).find((each) => each.startsWith('infill-site')) ?? '';
    const poison = new Response('document.title = "poisoned";', { headers: { 'Content-Type': 'text/javascript' } });
    await (await caches.open(name)).put('www/main.js', poison);
  });
  await visitor.driver.goto('about:blank');
  await visitor.open();
  check((await visitor.evaluate(() => document.title)) !== 'poisoned', 'the rewritten file was run');
  await visitor.openPhoto(file('photo.png', photo(300, 200), 'image/png'));
  await visitor.says(/300 .* 200/);
  // And the right one is kept again.
  await visitor.driver.goto('about:blank');
  await site.close();
  await visitor.open();
  await visitor.openPhoto(file('photo.png', photo(300, 200), 'image/png'));
  await visitor.says(/300 .* 200/);
  await visitor.driver.close();
}

/** Builds of the crate that are kept. @param {Visitor} v */
function builds(v) {
  return v.evaluate(async () => {
    const names = (await caches.keys()).filter((name) => name.startsWith('infill-site'));
    const requests = (await Promise.all(names.map(async (name) => (await caches.open(name)).keys()))).flat();
    return requests.flatMap(({ url }) => /\/pkg\/(.*)\/infill_bg\.wasm$/.exec(url)?.[1] ?? []).sort().join();
  });
}

/** @param {Visitor} v */
export async function only_the_builds_that_are_used_are_kept(v) {
  const site = await serve(`${ROOT}dist`, {}, '/some/where/');
  const visitor = await visitorOf(v, site.url);
  await visitor.open();
  await isKept(visitor);
  check((await builds(visitor)) === 'pictures,relaxed,saving', `the first visit kept ${await builds(visitor)}`);
  await visitor.open();
  await visitor.openPhoto(file('photo.png', photo(300, 200), 'image/png'));
  check((await builds(visitor)) === 'pictures,relaxed,relaxed-threads,saving', `the second visit kept ${await builds(visitor)}`);
  await visitor.page.goto('about:blank');
  await site.close();
  await visitor.open();
  await visitor.openPhoto(file('photo.png', photo(300, 200), 'image/png'));
  await visitor.paint([[-30, 0], [30, 10]]);
  await visitor.inpaint();
  await visitor.quiet();
  await visitor.page.context().close();
}

/** Publishes a new version of a page that lies in a folder. @param {string} folder @param {string} title */
async function publish(folder, title) {
  const page = (await readFile(`${folder}/index.html`, 'utf8')).replace(/<title>.*<\/title>/, `<title>${title}</title>`);
  const hash = createHash('sha256').update(page).digest('hex');
  const script = (await readFile(`${folder}/sw.js`, 'utf8')).replace(/("version":")[^"]*/, `$1${hash.slice(0, 16)}`).replace(/("index\.html":")[^"]*/, `$1${hash}`);
  check(script.includes(hash), 'sw.js has no list');
  await writeFile(`${folder}/index.html`, page);
  await writeFile(`${folder}/sw.js`, script);
}

/** @param {Visitor} v */
export async function an_update_waits_until_the_last_tab_is_closed(v) {
  const folder = await mkdtemp(`${tmpdir()}/infill-`);
  await cp(`${ROOT}dist`, folder, { recursive: true });
  const site = await serve(folder, {}, '/');
  try {
    await publish(folder, 'first');
    const visitor = await visitorOf(v, site.url);
    await visitor.open();
    await isKept(visitor);
    await visitor.open();
    await visitor.openPhoto(file('photo.png', photo(300, 200), 'image/png'));
    await visitor.paint([[-30, 0], [30, 10]]);
    await publish(folder, 'second');
    await visitor.page.evaluate(async () => (await navigator.serviceWorker.ready).update());
    await visitor.page.waitForFunction(async () => (await navigator.serviceWorker.ready).waiting);
    // The new version is there, and the work goes on in the old one.
    check((await visitor.state()) === 'ready', 'the page was reloaded under unsaved work');
    await visitor.inpaint();
    const other = await visitor.page.context().newPage();
    await other.goto(site.url);
    check((await other.title()) === 'first', `a second tab got "${await other.title()}" while the first was open`);
    await visitor.page.close({ runBeforeUnload: false });
    await other.goto('about:blank');
    const end = Date.now() + 10_000;
    do {
      check(Date.now() < end, 'the new version never came');
      await other.goto('about:blank');
      await other.waitForTimeout(200);
      await other.goto(site.url);
    } while ((await other.title()) !== 'second');
    const caches = await other.evaluate(async () => (await window.caches.keys()).filter((name) => name.startsWith('infill-site')));
    check(caches.length === 1, `old versions are kept: ${caches}`);
    const kept = await builds(new Visitor(new ChromiumDriver(other, site.url), site.url));
    check(kept === 'pictures,relaxed,relaxed-threads,saving', `the new version kept ${kept}, not what the old one used`);
    await visitor.quiet();
    await visitor.page.context().close();
  } finally {
    await site.close();
    await rm(folder, { recursive: true });
  }
}
