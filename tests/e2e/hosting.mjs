// Sites of other people's: infill.json, addresses with ?image=, ?mask= and ?model=, packed checkpoints, and the module for
// other pages.
import { execFileSync } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { PNG } from 'pngjs';
import { isKept, visitorOf } from './offline_visitor.mjs';
import { check, compare, decode, file, hand, OUT, photo, ROOT, write } from './page.mjs';
import { serve } from './server.mjs';

/** @typedef {import('./page.mjs').Visitor} Visitor */

const BASE = '/some/where/';
const WEIGHTS = `${ROOT}tests/reference/networks/context-encoder.pth`;
const CLASS = `${ROOT}tests/reference/classes/context_encoder.py`;
const TITLE = 'Holes of <img src=x onerror=alert(1)>';
const [WIDTH, HEIGHT] = [500, 400];

/** A mask with a hole in its middle. */
function middle() {
  const png = new PNG({ width: WIDTH, height: HEIGHT });
  for (let at = 0; at < WIDTH * HEIGHT; at++) {
    const [x, y] = [at % WIDTH, Math.floor(at / WIDTH)];
    const value = x > 200 && x < 290 && y > 160 && y < 230 ? 255 : 0;
    png.data.set([value, value, value, 255], at * 4);
  }
  return PNG.sync.write(png);
}

/** Photo and mask as files. */
async function pictures() {
  const [image, mask] = ['hosting-photo.png', 'hosting-mask.png'].map((name) => `${OUT}${name}`);
  await write(image, photo(WIDTH, HEIGHT));
  await write(mask, middle());
  return { image, mask };
}

/** @param {...string} words */
const infill = (...words) => execFileSync(/** @type {string} */ (process.env.INFILL), words, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });

/**
 * Packs the small context encoder with its class, and serves it; the folder is deleted afterwards.
 * @param {string[]} more
 * @param {(site: {url: string, close: () => Promise<unknown>}, folder: string) => Promise<void>} use
 */
async function packed(more, use) {
  const folder = await mkdtemp(`${tmpdir()}/infill-pack-`);
  const { image, mask } = await pictures();
  try {
    infill('pack', WEIGHTS, '--class', CLASS, '--title', TITLE, '--image', image, '--mask', mask, '--page', `${ROOT}dist`, '--output', folder, ...more);
    const site = await serve(folder, {}, BASE);
    await use(site, folder).finally(() => site.close());
  } finally {
    await rm(folder, { recursive: true });
  }
}

/** The page with this infill.json in place of its own. @param {Visitor} v @param {string} json @param {Record<string, [string, any]>} [files] */
async function visit(v, json, files = {}) {
  const extra = Object.fromEntries(Object.entries({ 'infill.json': ['application/json', json], ...files }).map(([path, file]) => [BASE + path, file]));
  const site = await serve(`${ROOT}dist`, /** @type {any} */ (extra), BASE);
  const visitor = await v.another(site.url);
  await visitor.driver.goto(site.url);
  await visitor.reaches(['empty', 'error']);
  return { visitor, close: async () => { await visitor.driver.close(); await site.close(); } };
}

/** Opens the sample of a packed site, fills its mask, and returns what is saved. @param {Visitor} v */
async function fillSample(v) {
  await v.button('hosting-photo.png').click();
  await v.says(/Mask loaded/);
  const mask = decode((await v.save('Save mask')).bytes);
  await v.inpaint();
  return { mask, saved: decode((await v.save('Save image')).bytes) };
}

/** @param {Visitor} v */
export async function a_packed_site_opens_with_its_title_sample_and_model_and_fills(v) {
  await packed(['--store', 'as-is', '--description', 'trained on holes', '--hide', 'weights', '--hide', 'speed'], async (site, folder) => {
    const visitor = await v.another(site.url);
    await visitor.open();
    check((await visitor.evaluate(() => document.title)) === TITLE, `the title is ${await visitor.evaluate(() => document.title)}`);
    check((await visitor.evaluate(() => document.querySelectorAll('main img').length)) === 1, 'the title became an element, or there is another sample');
    check(/^ContextEncoder(, 190 KB)? . trained on holes$/u.test(await visitor.model()), `the model is ${await visitor.model()}`);
    await visitor.screenshot('hosting-packed-wide');
    await visitor.page.setViewportSize({ width: 390, height: 844 });
    await visitor.screenshot('hosting-packed-narrow');
    await visitor.page.emulateMedia({ colorScheme: 'dark' });
    await visitor.screenshot('hosting-packed-narrow-dark');
    await visitor.page.setViewportSize({ width: 1280, height: 800 });
    await visitor.tab('Fill');
    // What sharpening draws depends on the last digits.
    await visitor.control('combobox', 'Sharpen from the photo').selectOption('off');
    const { mask, saved } = await fillSample(visitor);
    await visitor.screenshot('hosting-packed-filled');
    const { image, mask: file } = await pictures();
    infill('inpaint', '--image', image, '--mask', file, '--weights', WEIGHTS, '--class', CLASS, '--sharpen', 'off', '--output', `${OUT}hosting-native.png`);
    const same = compare(decode(await readFile(`${OUT}hosting-native.png`)), saved, mask);
    check(same.holes > 1000 && same.outside === 0 && same.most <= 1, `page and command line differ: ${JSON.stringify(same)}`);
    check((await visitor.page.getByLabel('Load weights').isHidden()) && !(await visitor.page.getByText('Trained your own?').isVisible()), 'weights are still offered');
    await visitor.tab('Details');
    check((await visitor.page.getByRole('tab', { name: 'Speed' }).count()) === 0, 'the tab Speed is still there');
    const { samples, models: [model] } = JSON.parse(await readFile(`${folder}/infill.json`, 'utf8'));
    check(model.file === 'site/models/context-encoder.pth' && model.class === 'site/class.py' && samples.length === 1, JSON.stringify(model));
    await visitor.quiet();
    await visitor.driver.close();
  });
}

/** At the second visit the host is gone: page, title, photo, mask, class and weights are there. @param {Visitor} v */
export async function a_packed_site_works_offline_at_the_second_visit(v) {
  await packed(['--store', 'f16'], async (site) => {
    const visitor = await visitorOf(v, site.url);
    await visitor.open();
    await isKept(visitor);
    await visitor.driver.goto('about:blank');
    await site.close();
    await visitor.open();
    check((await visitor.evaluate(() => document.title)) === TITLE, 'offline the title is gone');
    await visitor.until(() => /** @type {HTMLImageElement} */ (document.querySelector('#samples img')).naturalWidth > 0);
    const { mask, saved } = await fillSample(visitor);
    const same = compare(decode(photo(WIDTH, HEIGHT)), saved, mask);
    check(same.inside > 1000 && same.outside === 0, `nothing was filled: ${JSON.stringify(same)}`);
    await visitor.quiet();
    await visitor.driver.close();
  });
}

/** A host may change infill.json and what it names without building anything again. @param {Visitor} v */
export async function an_edited_infill_json_is_seen_at_the_next_visit(v) {
  let title = 'First';
  const extra = /** @type {Record<string, [string, string]>} */ ({});
  Object.defineProperty(extra, `${BASE}infill.json`, { get: () => ['application/json', JSON.stringify({ title })] });
  const site = await serve(`${ROOT}dist`, extra, BASE);
  const visitor = await visitorOf(v, site.url);
  await visitor.open();
  await isKept(visitor);
  title = 'Second';
  await visitor.open();
  check((await visitor.evaluate(() => document.title)) === 'Second', `the title is still ${await visitor.evaluate(() => document.title)}`);
  await visitor.driver.goto('about:blank');
  await site.close();
  await visitor.open();
  check((await visitor.evaluate(() => document.title)) === 'Second', 'offline the title is another');
  await visitor.quiet();
  await visitor.driver.close();
}

/** @param {Visitor} v */
export async function a_typo_in_infill_json_is_named_and_the_page_works_as_without_it(v) {
  const { visitor, close } = await visit(v, '{\n  "titel": "Mine",\n  "models": []\n}');
  await visitor.says(/^infill\.json, line 2: there is no key "titel" here\. .*The page runs as if there were no such file\.$/);
  check((await visitor.state()) === 'error' && (await visitor.evaluate(() => document.title)) === 'infill', 'the rest of the file was used');
  await visitor.screenshot('hosting-typo-wide');
  await visitor.page.setViewportSize({ width: 390, height: 844 });
  await visitor.screenshot('hosting-typo-narrow');
  await visitor.page.setViewportSize({ width: 1280, height: 800 });
  await visitor.button('Sample: sheep').click();
  await visitor.reaches(['ready']);
  await visitor.paint([[-30, 0], [30, 10]]);
  await visitor.inpaint();
  await visitor.quiet();
  await close();
}

/** @param {Visitor} v */
export async function files_that_infill_json_names_and_are_not_there_are_named(v) {
  const json = JSON.stringify({
    models: [{ name: 'Gone', file: 'site/models/gone.pth' }, { name: 'Empty', file: 'site/models/empty.pth' }, { name: 'No class', file: 'site/models/gen.pth', class: 'site/gone.py' }],
    default: 'none',
    samples: [{ file: 'site/gone.jpg', thumbnail: 'www/samples/thumb-pig.jpg', name: 'A photo' }],
  }, null, 1);
  const { visitor, close } = await visit(v, json, { 'site/models/empty.pth': ['application/octet-stream', ''], 'site/models/gen.pth': ['application/octet-stream', await readFile(WEIGHTS)] });
  const line = (/** @type {string} */ what) => json.split('\n').findIndex((each) => each.includes(what)) + 1;
  for (const [name, file, what] of [['Gone', 'site/models/gone.pth', 'site/models/gone.pth is not there'], ['Empty', 'site/models/empty.pth', 'site/models/empty.pth: .*(empty|0 bytes)'], ['No class', 'site/models/gen.pth', 'site/models/gen.pth: site/gone.py is not there']]) {
    await visitor.control('combobox', 'Model').selectOption({ label: `${name} · comes with this page` });
    await visitor.says(new RegExp(`^infill\\.json, line ${line(file)}: ${what}`));
    check(/^Photo alone/.test(await visitor.model()), `the model is ${await visitor.model()}`);
  }
  await visitor.button('A photo').click();
  await visitor.says(new RegExp(`^infill\\.json, line ${line('site/gone.jpg')}: site/gone\\.jpg is not there\\.`));
  check(visitor.complaints.every((complaint) => /404|gone/.test(complaint)), visitor.complaints.join('; '));
  await close();
}

/** @param {Visitor} v */
export async function a_link_opens_a_photo_with_its_mask_and_model(v) {
  const files = /** @type {Record<string, [string, any]>} */ ({ 'site/a b.png': ['image/png', photo(WIDTH, HEIGHT)], 'site/mask.png': ['image/png', middle()], 'site/gen.pth': ['application/octet-stream', await readFile(`${ROOT}tests/reference/networks/edgeconnect-inpaint.pth`)] });
  const { visitor, close } = await visit(v, '{}', files);
  const follow = async (/** @type {string} */ query, /** @type {string[]} */ states) => {
    await visitor.driver.goto(`${visitor.url}?${query}`);
    await visitor.reaches(states);
  };
  await follow('image=site/a%20b.png&mask=site/mask.png&model=migan-512', ['ready']);
  await visitor.until(() => !(/** @type {HTMLButtonElement} */ (document.querySelector('#inpaint')).disabled));
  await visitor.until(() => document.querySelector('#model-name')?.textContent === 'MI-GAN');
  check((await visitor.save('Save image')).name.startsWith('a b'), 'the name is another');
  await follow('model=site/gen.pth', ['empty']);
  await visitor.says(/This is an EdgeConnect/);
  for (const [query, words] of /** @type {[string, RegExp][]} */ ([
    ['model=site/none.pth', /The address asks for the model site\/none\.pth, which this page does not have: site\/none\.pth is not there\./],
    ['model=https://example.com/gen.pth', /which this page does not have: https:\/\/example\.com\/gen\.pth is not a file of this site/],
    ['image=https://example.com/a.png', /https:\/\/example\.com\/a\.png is not a file of this site/],
    ['image=../../secret.png', /\.\.\/\.\.\/secret\.png is not a file of this site/],
    ['image=%2e%2e/secret.png', /secret\.png is not a file of this site/],
    ['image=site/none.png', /site\/none\.png is not there/],
    ['image=www/main.js', /main\.js/],
    ['mask=site/mask.png', /Open a photo first/],
    ['model=%3Cimg%20src=x%20onerror=alert(1)%3E', /<img src=x onerror=alert\(1\)> is not/],
  ])) {
    await follow(query, ['error']);
    await visitor.says(words);
  }
  check((await visitor.evaluate(() => document.querySelectorAll('.say img').length)) === 0, 'an address became an element');
  check(visitor.complaints.every((complaint) => /404|none/.test(complaint)), visitor.complaints.join('; '));
  await close();
}

/** A page of somebody else's, with the module beside it. */
const MODULE_PAGE = '<!doctype html><title>other</title><link rel="icon" href="data:,"><script type="module">import { inpaint } from "./infill.js"; window.inpaint = inpaint;</script>';

/** The module in a page that is not infill's. @param {Visitor} v */
export async function the_module_fills_in_other_pages(v) {
  const { image, mask } = await pictures();
  infill('inpaint', '--image', image, '--mask', mask, '--sharpen', 'off', '--output', `${OUT}hosting-module.png`);
  const expected = decode(await readFile(`${OUT}hosting-module.png`));
  const site = await serve(`${ROOT}dist`, { [`${BASE}other.html`]: ['text/html', MODULE_PAGE], [`${BASE}gen.pth`]: ['application/octet-stream', /** @type {any} */ (await readFile(WEIGHTS))] }, BASE);
  const visitor = await v.another(site.url);
  await visitor.driver.goto(`${site.url}other.html`);
  await visitor.until(() => 'inpaint' in window);
  const [a, b] = [photo(WIDTH, HEIGHT), middle()].map((bytes) => bytes.toString('base64'));
  const found = await visitor.evaluate(async ({ a, b, source }) => {
    const { inpaint } = /** @type {any} */ (window);
    const blob = (/** @type {string} */ base64) => new Blob([Uint8Array.from(atob(base64), (c) => c.charCodeAt(0))], { type: 'image/png' });
    const [image, mask] = [blob(a), blob(b)];
    const base64 = (/** @type {Uint8Array | Uint8ClampedArray} */ bytes) => btoa(Array.from(bytes, (byte) => String.fromCharCode(byte)).join(''));
    const codeOf = (/** @type {Promise<any>} */ promise) => promise.then(() => 'filled', (error) => (typeof error.code === 'string' ? error.code : error.name));
    const told = new Set();
    const file = await inpaint({ image, mask, sharpen: 'off', output: 'blob', progress: (/** @type {number} */ done, /** @type {string} */ what) => told.add(what) });
    const bitmaps = await Promise.all([createImageBitmap(image), createImageBitmap(mask)]);
    const pixels = await inpaint({ image: bitmaps[0], mask: bitmaps[1], sharpen: 'off' });
    const again = await inpaint({ image: pixels, mask, weights: null, seed: 3 });
    const own = await inpaint({ image, mask, weights: 'gen.pth', pythonClass: source });
    const control = new AbortController();
    const aborted = codeOf(inpaint({ image, mask, signal: control.signal }));
    setTimeout(() => control.abort(), 100);
    const faults = [
      await aborted,
      await codeOf(inpaint({ image, mask: bitmaps[0], weights: new Blob(['nothing']) })),
      await codeOf(inpaint({ image: 7, mask })),
      await codeOf(inpaint({ image, mask: new ImageData(3, 3) })),
      await codeOf(inpaint({ image, mask, weights: 'none.pth' })),
      await codeOf(inpaint({ image, mask, signal: AbortSignal.abort() })),
      await codeOf(inpaint({ image: new Blob(['x']), mask })),
      // And the next one works.
      await codeOf(inpaint({ image, mask })),
    ];
    return { type: file.type, file: base64(new Uint8Array(await file.arrayBuffer())), pixels: base64(pixels.data), again: base64(again.data), own: base64(own.data), told: [...told], faults };
  }, { a, b, source: await readFile(CLASS, 'utf8') });
  const holes = decode(middle());
  const as = (/** @type {string} */ data) => ({ width: WIDTH, height: HEIGHT, data: new Uint8Array(Buffer.from(data, 'base64')) });
  check(found.type === 'image/png', found.type);
  for (const [name, picture] of Object.entries({ file: decode(Buffer.from(found.file, 'base64')), pixels: as(found.pixels) })) {
    const same = compare(expected, picture, holes);
    check(same.holes > 1000 && same.outside === 0 && same.most <= 1, `${name} differs from the command line: ${JSON.stringify(same)}`);
  }
  for (const [name, data] of Object.entries({ again: found.again, own: found.own })) {
    const other = compare(expected, as(data), holes);
    check(other.outside === 0 && other.inside > 1000, `${name} is no other fill: ${JSON.stringify(other)}`);
  }
  check(found.told.includes('model') && found.told.length > 3, `progress told of ${found.told}`);
  const expectedFaults = ['AbortError', 'checkpoint-not-weights', 'TypeError', 'mask-size', 'io', 'AbortError', 'image-format', 'filled'];
  check(JSON.stringify(found.faults) === JSON.stringify(expectedFaults), JSON.stringify(found.faults));
  check(visitor.complaints.every((complaint) => /none\.pth/.test(complaint)), visitor.complaints.join('; '));
  await visitor.driver.close();
  await site.close();
}

/** With the headers and the policy that `docs/embedding.md` asks for. @param {Visitor} v */
export async function the_module_works_from_an_origin_that_allows_it(v) {
  const host = await serve(`${ROOT}dist`, {}, BASE, { 'Access-Control-Allow-Origin': '*' });
  const { origin } = new URL(host.url);
  const policy = `default-src 'self'; script-src 'self' 'wasm-unsafe-eval' ${origin}; worker-src blob:; connect-src 'self' ${origin}; require-trusted-types-for 'script'; trusted-types infill`;
  const page = `<!doctype html><html lang="fr"><meta http-equiv="Content-Security-Policy" content="${policy}"><title>other</title><link rel="icon" href="favicon.svg"><script type="module" src="other.js"></script>`;
  const script = `import { inpaint } from '${host.url}infill.js'; window.inpaint = inpaint;`;
  const site = await serve(`${ROOT}dist`, { '/other.html': ['text/html', page], '/other.js': ['text/javascript', script], '/favicon.svg': ['image/svg+xml', '<svg xmlns="http://www.w3.org/2000/svg"/>'] }, '/');
  const visitor = await v.another(site.url);
  await visitor.driver.goto(`${site.url}other.html`);
  await visitor.until(() => 'inpaint' in window);
  const [a, b] = [photo(WIDTH, HEIGHT), middle()].map((bytes) => bytes.toString('base64'));
  const data = await visitor.evaluate(async ({ a, b }) => {
    const blob = (/** @type {string} */ base64) => new Blob([Uint8Array.from(atob(base64), (c) => c.charCodeAt(0))], { type: 'image/png' });
    const { data } = await /** @type {any} */ (window).inpaint({ image: blob(a), mask: blob(b) });
    return btoa(Array.from(data, (byte) => String.fromCharCode(/** @type {number} */ (byte))).join(''));
  }, { a, b });
  const filled = compare(decode(photo(WIDTH, HEIGHT)), { width: WIDTH, height: HEIGHT, data: new Uint8Array(Buffer.from(data, 'base64')) }, decode(middle()));
  check(filled.outside === 0 && filled.inside > 1000, `nothing was filled: ${JSON.stringify(filled)}`);
  check((await visitor.evaluate(() => document.documentElement.lang)) === 'fr', 'the language of the page was changed');
  const others = visitor.complaints.filter((complaint) => !complaint.startsWith(`request to ${origin}`));
  check(others.length === 0, others.join('; '));
  await visitor.driver.close();
  await Promise.all([site.close(), host.close()]);
}

/** @param {Visitor} v */
export async function what_is_hidden_is_not_offered(v) {
  const { visitor, close } = await visit(v, '{"hide": ["samples", "class", "weights", "speed"], "language": "en"}');
  check((await visitor.evaluate(() => document.querySelectorAll('#samples img').length)) === 0, 'samples are fetched');
  check(!(await visitor.page.getByText('Or try one of these').isVisible()), 'samples are announced');
  check(await visitor.page.getByLabel('Load weights').isHidden(), 'weights are offered');
  await visitor.tab('Details');
  const tabs = await visitor.page.getByRole('tab').allInnerTexts();
  check(tabs.join() === 'Fill,Details,Layers', `the tabs are ${tabs}`);
  // Hidden is not forbidden.
  await hand(visitor, 'drop', [file('gen.pth', await readFile(WEIGHTS))]);
  await visitor.says(/This is a ContextEncoder/);
  await visitor.quiet();
  await close();
}
