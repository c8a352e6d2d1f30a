// Nothing leaves the page: canaries in the page and in its workers, the headers of later visits, and no HTML from files.
import { readFile } from 'node:fs/promises';
import { attempts, canaryHost, OPEN } from './canaries.mjs';
import { check, file, pause, photo, ROOT, safetensors } from './page.mjs';
import { BLANK, serve } from './server.mjs';

/** @typedef {import('./page.mjs').Visitor} Visitor */

/** Runs a function's body in the page, where `eval` is forbidden: as a function that the driver makes. @param {Visitor} v @param {string} body */
async function run(v, body) {
  const { page } = v.driver;
  // Playwright and the drivers compile what they are given outside the page's policy.
  if (page) return page.evaluate(`(async () => {${body}})()`);
  return v.evaluate(/** @type {any} */ (new Function(`return (async () => {${body}})()`)));
}

/** A worker's module that tries every way and leaves word in a cache of this name. @param {string} base @param {string} done */
function canaryWorker(base, done) {
  return `export async function start() {
    await (async () => {${attempts(base, 'worker')}})();
    await (await caches.open(${JSON.stringify(done)})).put('done', new Response('done'));
  }
  export const join = start;`;
}

/** Until a worker has left word. @param {Visitor} v @param {string} done */
const isDone = (v, done) => v.until((name) => caches.has(name), done, 30_000);

/** Case 39: the page's policy holds in the page, in its workers and in workers of those. @param {Visitor} v */
export async function case_39_nothing_is_asked_of_another_origin(v) {
  const host = await canaryHost();
  const site = await serve(`${ROOT}dist`, {}, '/some/where/');
  const withCanaries = await serve(`${ROOT}dist`, { '/some/where/www/worker/inference.js': ['text/javascript', canaryWorker(`${host.url}worker/`, 'canaries')] }, '/some/where/');
  const visitors = [await v.another(site.url), await v.another(withCanaries.url)];
  try {
    // Without a policy the ways work: else this test would show nothing.
    await visitors[0].driver.goto(site.url + BLANK);
    await run(visitors[0], attempts(`${host.url}control/`, 'page'));
    const open = host.from('control').filter((way) => !OPEN.includes(way));
    check(['fetch', 'xhr', 'websocket', 'import', 'nested-worker', 'eval', 'img', 'script', 'inline-script', 'html', 'handler', 'iframe', 'form', 'beacon', 'stylesheet'].every((way) => open.includes(way)), `only ${open.join(', ')} work without a policy`);

    await visitors[0].open();
    await run(visitors[0], attempts(`${host.url}page/`, 'page'));
    await visitors[1].driver.goto(withCanaries.url);
    await isDone(visitors[1], 'canaries');
    const found = { page: host.from('page').filter((way) => !OPEN.includes(way)), worker: host.from('worker') };
    console.log(`  ${open.length} ways work without a policy`);
    check(found.page.length + found.worker.length === 0, `asked by the page: ${found.page.join(', ') || 'nothing'}; by its worker: ${found.worker.join(', ') || 'nothing'}`);
  } finally {
    for (const visitor of visitors) await visitor.driver.close();
    await Promise.all([site.close(), withCanaries.close(), host.close()]);
  }
}

/** The headers that `dist/_headers` tells hosts to send. @returns {Promise<Record<string, string>>} */
async function recipe() {
  const lines = (await readFile(`${ROOT}dist/_headers`, 'utf8')).split('\n').filter((line) => line.startsWith('  '));
  return Object.fromEntries(lines.map((line) => line.trim().split(/: (.*)/s, 2)));
}

/** Until the service worker serves this page. @param {Visitor} v */
const isServed = (v) => v.evaluate(() => navigator.serviceWorker.ready.then(() => true));

/** @param {Visitor} v */
export async function later_visits_have_every_header_on_hosts_that_send_none(v) {
  const site = await serve(`${ROOT}dist`, {}, '/some/where/');
  const visitor = await v.another(site.url, { serviceWorkers: true });
  try {
    await visitor.open();
    await isServed(visitor);
    await visitor.driver.goto('about:blank');
    await visitor.open();
    for (const path of ['', 'www/worker/thread.js', 'www/worker/inference.js', 'www/main.js']) {
      const found = await visitor.evaluate(async (path) => Object.fromEntries((await fetch(new URL(path, location.href))).headers), path);
      for (const [name, value] of Object.entries(await recipe())) check(found[name.toLowerCase()] === value, `${path || 'the page'}: ${name} is ${found[name.toLowerCase()]}`);
    }
    await visitor.quiet();
  } finally {
    await visitor.driver.close();
    await site.close();
  }
}

/** Where the host sends the headers, the service worker is bound by the policy too, and nobody frames the page. @param {Visitor} v */
export async function the_headers_bind_the_service_worker_and_forbid_frames(v) {
  const host = await canaryHost();
  const sw = (/** @type {string} */ scope) => `self.addEventListener('activate', (event) => event.waitUntil((async () => {
    await (async () => {${attempts(`${host.url}${scope}/`, 'worker')}})();
    await (await caches.open('canaries')).put('done', new Response('done'));
  })()));`;
  const sites = [];
  try {
    for (const [scope, headers] of /** @type {[string, Record<string, string>][]} */ ([['without', {}], ['with', await recipe()]])) {
      const site = await serve(`${ROOT}dist`, { '/some/where/sw.js': ['text/javascript', sw(scope)] }, '/some/where/', headers);
      sites.push(site);
      const visitor = await v.another(site.url, { serviceWorkers: true });
      await visitor.open();
      await isDone(visitor, 'canaries');
      if (scope === 'with') await visitor.quiet();
      await visitor.driver.close();
    }
    check(host.from('without').includes('fetch'), 'a service worker without a policy asks for nothing: this test shows nothing');
    check(host.from('with').length === 0, `the service worker asked by ${host.from('with').join(', ')}`);
    const frame = await serve(`${ROOT}dist`, { '/frame.html': ['text/html', `<iframe src="${sites[1].url}"></iframe><iframe src="${sites[0].url}"></iframe>`] });
    sites.push(frame);
    const visitor = await v.another(frame.url);
    await visitor.page.goto(`${frame.url}frame.html`);
    // The page that may be shown says so once it works; the other one has had as long.
    const states = () => Promise.all(visitor.page.frames().slice(1).map((each) => each.evaluate(() => document.querySelector('main')?.dataset.state ?? '').catch(() => '')));
    let shown = await states();
    for (const end = Date.now() + 15_000; !shown[1] && Date.now() < end; shown = await states()) await pause(100);
    check(shown[0] === '' && shown[1] !== '', `frames show the page: ${JSON.stringify(shown)}`);
    await visitor.driver.close();
  } finally {
    await Promise.all([...sites.map((site) => site.close()), host.close()]);
  }
}

/** What a file may hold to become an element. */
const MARKUP = '<img src=x onerror="window.pwned=1"><script>window.pwned=1</script>';
/** The same as a file may be called. */
const NAME = '<img src=x onerror="window.pwned=1">';

/** The checksum of PNG. @param {Buffer} bytes */
function crc32(bytes) {
  let crc = -1;
  for (const byte of bytes) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit++) crc = (crc >>> 1) ^ (crc & 1 ? 0xedb88320 : 0);
  }
  return ~crc >>> 0;
}

/** A PNG chunk. @param {string} type @param {Buffer} data */
function chunk(type, data) {
  const body = Buffer.concat([Buffer.from(type, 'latin1'), data]);
  const ends = [Buffer.alloc(4), Buffer.alloc(4)];
  ends[0].writeUInt32BE(data.length);
  ends[1].writeUInt32BE(crc32(body));
  return Buffer.concat([ends[0], body, ends[1]]);
}

/** Keys, metadata, file names and a picture's texts are shown as they are, if at all. @param {Visitor} v */
export async function nothing_of_a_file_becomes_html(v) {
  const clean = async (/** @type {string} */ what) => {
    const found = await v.evaluate(() => ({ pwned: 'pwned' in window, elements: document.querySelectorAll('img[src=x], script:not([src]), [onerror]').length }));
    check(!found.pwned && found.elements === 0, `${what} became HTML: ${JSON.stringify(found)}`);
  };
  const plain = photo(120, 90);
  // Behind the header, which has 33 bytes with the signature.
  const text = chunk('tEXt', Buffer.from(`Comment\0${MARKUP}`, 'latin1'));
  await v.openPhoto(file(`${NAME}.png`, Buffer.concat([plain.subarray(0, 33), text, plain.subarray(33)]), 'image/png'));
  await clean('a photo');
  await v.give('Load mask', file(`${NAME}.png`, photo(10, 10), 'image/png'));
  await v.reaches(['error']);
  await clean('the name of a mask');
  const keys = { [`${MARKUP}.weight`]: [8, 3, 3, 3], [`module.${MARKUP}.0.weight`]: [8, 8], '__proto__.weight': [2] };
  for (const name of [`${NAME}.safetensors`, 'mine.safetensors']) {
    await v.give('Load weights', file(name, safetensors(keys)));
    await v.reaches(['error']);
    for (const tab of ['Details', 'Layers']) {
      await v.tab(tab);
      await clean(`${name} in the tab ${tab}`);
    }
  }
  check((await v.evaluate(() => document.body.textContent ?? '')).includes(MARKUP.slice(0, 20)), 'nothing of the file is shown: this test shows nothing');
}

/** What is published can be held against what anyone builds, and says whose it is. @param {Visitor} v */
export async function the_details_tell_the_hash_of_the_site_and_its_licences(v) {
  await v.tab('Details');
  const { shown, hash, href } = await v.evaluate(() => ({
    shown: document.querySelector('#panel')?.textContent ?? '',
    hash: document.documentElement.dataset.site ?? '',
    href: /** @type {HTMLAnchorElement} */ (document.querySelector('#panel a[href="NOTICE.txt"]'))?.href ?? '',
  }));
  check(/^[0-9a-f]{64}$/.test(hash) && shown.includes(hash), `the hash "${hash}" is not shown`);
  const notice = await v.evaluate(async (href) => (await fetch(href)).text(), href);
  for (const part of ['png ', 'wasm-bindgen ', 'candle-core ', 'Picsart', 'kingfisher.jpg', 'Permission is hereby granted']) check(notice.includes(part), `the notice lacks ${part}`);
  await v.quiet();
}
