// The models that come with the site: only the very files that the page was made for are kept and used, each when it is
// wanted.
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { chooseModel, prepareDefault } from '../../www/actions/shipped.js';
import { askModel } from '../../www/actions/weights.js';
import { bytesToFetch, ModelList, NONE } from '../../www/document/models.js';
import { SHIPPED } from '../../www/document/site.js';
import { fetchShipped, isKept, licenceOf } from '../../www/storage/shipped.js';

/** Two models of a site that was never published. */
const FILES = { first: Buffer.from('the weights of the first'), second: Buffer.from('the weights of the second') };
const [FIRST, SECOND] = Object.entries(FILES).map(([handle, file]) => ({
  handle, name: handle, file: `www/models/${handle}.safetensors`, bytes: file.length, sha256: createHash('sha256').update(file).digest('hex'),
}));
const MODELS = [FIRST, SECOND];
const { first: FILE } = FILES;

/**
 * A browser with storage, and a server with these files, one for every time that it is asked; `null` is a failure.
 * @param {(Buffer | null)[]} files
 */
function browser(files) {
  const stores = /** @type {Map<string, Map<string, Response>>} */ (new Map());
  const modes = /** @type {string[]} */ ([]);
  const asked = /** @type {string[]} */ ([]);
  const store = (/** @type {string} */ name) => stores.get(name) ?? /** @type {Map<string, Response>} */ (stores.set(name, new Map()).get(name));
  const addressOf = (/** @type {string | {url: string}} */ request) => (typeof request === 'string' ? request : request.url);
  const open = async (/** @type {string} */ name) => {
    const entries = store(name);
    return {
      match: async (/** @type {string} */ url) => entries.get(url)?.clone(),
      put: async (/** @type {string} */ url, /** @type {Response} */ response) => void entries.set(url, response),
      keys: async () => [...entries.keys()].map((url) => ({ url })),
      delete: async (/** @type {string | {url: string}} */ request) => entries.delete(addressOf(request)),
    };
  };
  const fetch = async (/** @type {string} */ url, /** @type {{cache: string}} */ { cache }) => {
    modes.push(cache);
    asked.push(url.split('/').at(-1)?.split('.')[0] ?? '');
    const file = files.shift();
    if (!file) throw new TypeError('Failed to fetch');
    return new Response(file);
  };
  Object.assign(globalThis, { caches: { open }, fetch });
  return { stores, store, modes, asked };
}

const damaged = Buffer.from(FILE);
damaged[damaged.length - 5] ^= 64;
const bytes = async (/** @type {Blob} */ blob) => Buffer.from(await blob.arrayBuffer());
/** @param {(done: number) => void} [progress] */
const fetchFirst = (progress = () => {}) => fetchShipped(FIRST, progress, MODELS);

export async function the_page_expects_the_files_that_lie_there() {
  for (const model of SHIPPED) {
    const file = await readFile(new URL(`../../${model.file}`, import.meta.url));
    assert.equal(model.bytes, file.length, `${model.file} has changed: write its length into www/document/site.js`);
    assert.equal(model.sha256, createHash('sha256').update(file).digest('hex'), `${model.file} has changed: write its sha256sum into www/document/site.js`);
    const licence = licenceOf(model);
    if (licence) assert.match(String(await readFile(new URL(licence))), /copyright/i, `${model.file} comes without its licence`);
  }
}

export async function a_model_is_fetched_once_and_kept_for_this_site_alone() {
  const { stores, store, modes } = browser([FILE]);
  store('infill-models https://host/other/').set('https://host/other/model', new Response('theirs'));
  assert.equal(await isKept(FIRST), false);
  const told = /** @type {number[]} */ ([]);
  assert.ok((await bytes(await fetchFirst((done) => told.push(done)))).equals(FILE));
  assert.equal(told.at(-1), 1);
  assert.ok((await bytes(await fetchFirst(() => assert.fail('it was kept')))).equals(FILE));
  assert.deepEqual(modes, ['default']);
  assert.equal(await isKept(FIRST), true);
  const [theirs, ours] = [...stores.keys()];
  assert.equal(store(theirs).size, 1, 'the copy of another site is gone');
  assert.equal(ours, `infill-models ${new URL('../../', import.meta.url).href}`);
}

export async function a_model_does_not_take_the_place_of_another_but_of_its_older_versions() {
  const { stores, store } = browser([FILE, FILES.second]);
  await fetchFirst();
  const [name] = stores.keys();
  store(name).set(`${new URL('../../www/models/first.safetensors', import.meta.url)}?v=older`, new Response('older'));
  await fetchShipped(SECOND, () => {}, MODELS);
  assert.deepEqual([await isKept(FIRST), await isKept(SECOND), store(name).size], [true, true, 2]);
}

export async function a_kept_copy_that_is_damaged_is_fetched_anew() {
  const { stores, store, modes } = browser([FILE, FILE]);
  await fetchFirst();
  const [[url]] = store([...stores.keys()][0]);
  store([...stores.keys()][0]).set(url, new Response(damaged));
  assert.ok((await bytes(await fetchFirst())).equals(FILE));
  assert.equal(modes.length, 2);
  assert.ok((await bytes(await fetchFirst())).equals(FILE), 'the damaged copy is still there');
  assert.equal(modes.length, 2);
}

export async function a_stale_file_of_the_browser_is_fetched_past_it() {
  const { modes } = browser([damaged, FILE]);
  assert.ok((await bytes(await fetchFirst())).equals(FILE));
  assert.deepEqual(modes, ['default', 'reload']);
}

export async function another_file_on_the_server_is_refused_and_not_kept() {
  const { stores } = browser([damaged, damaged]);
  await assert.rejects(fetchFirst(), { code: 'shipped-damaged' });
  assert.deepEqual([...stores.values()].map(({ size }) => size), [0]);
}

/** A page that knows the two models, with a worker that takes any file. */
function page() {
  const said = /** @type {string[]} */ ([]);
  const failed = /** @type {{words: string, retry: () => void}[]} */ ([]);
  const requests = /** @type {string[]} */ ([]);
  const app = {
    document: null,
    misfit: null,
    models: new ModelList(() => {}, MODELS),
    state: { isRunning: false, succeeded() {} },
    inference: {
      generation: 1,
      /** @param {any} request */
      async request(request) {
        requests.push(`${request.kind} ${request.name ?? request.handle}`);
        return request.kind === 'inspect' ? { networks: [{ id: 'a', name: 'A', licence: 'MIT' }], tensors: [] } : { loaded: [], report: { networks: [], tensors: [] } };
      },
    },
    /** @returns {any} */
    workerOf: () => app.inference,
    say: (/** @type {string} */ words) => said.push(words),
    hint: (/** @type {string} */ words) => said.push(words),
    mention: (/** @type {string} */ words) => said.push(words),
    begin: () => (/** @type {string} */ words) => said.push(words),
    fail: (/** @type {string} */ words, /** @type {{run: () => void}} */ { run }) => failed.push({ words, retry: run }),
  };
  return { app: /** @type {any} */ (app), said, failed, requests };
}

export async function a_second_model_is_fetched_when_it_is_chosen_and_not_before() {
  const { asked } = browser([FILE, FILES.second]);
  const { app, said } = page();
  assert.deepEqual(app.models.entries.map((/** @type {any} */ { handle }) => handle), ['first', 'second', NONE]);
  await prepareDefault(app);
  assert.deepEqual(asked, ['first']);
  const second = app.models.find('second');
  assert.equal(bytesToFetch(second), FILES.second.length);
  await chooseModel(app, 'second');
  assert.deepEqual(asked, ['first', 'second']);
  assert.equal(app.models.selected, second);
  assert.equal(bytesToFetch(second), 0);
  assert.match(said.join('\n'), /second, once: 0 %\n.*second, once: 100 %\nsecond is selected/);
  await chooseModel(app, 'first');
  await chooseModel(app, 'second');
  assert.equal(asked.length, 2, 'it was fetched again');
}

export async function at_the_next_visit_a_kept_model_is_at_hand_without_the_host() {
  browser([FILE, FILES.second]);
  const before = page().app;
  await prepareDefault(before);
  await chooseModel(before, 'second');
  const { app, failed } = page();
  await prepareDefault(app);
  assert.equal(bytesToFetch(app.models.find('second')), 0);
  await chooseModel(app, 'second');
  assert.deepEqual([app.models.selected.handle, failed.length], ['second', 0]);
}

export async function a_chosen_model_that_cannot_be_fetched_leaves_the_one_before_and_is_offered_again() {
  browser([FILE, null, FILES.second]);
  const { app, failed } = page();
  await prepareDefault(app);
  await chooseModel(app, 'second');
  assert.equal(app.models.selected.handle, 'first');
  assert.match(failed[0].words, /second could not be fetched/);
  failed[0].retry();
  await askModel(app, app.models.find('second'), (handle) => /** @type {any} */ ({ kind: 'inpaint', handle }));
  assert.equal(app.models.selected.handle, 'second');
}

export async function a_run_waits_for_the_model_that_is_on_its_way() {
  const { asked } = browser([FILE, FILES.second]);
  const { app, requests } = page();
  await prepareDefault(app);
  const choosing = chooseModel(app, 'second');
  await askModel(app, app.models.selected, (handle) => /** @type {any} */ ({ kind: 'inpaint', handle }));
  await choosing;
  assert.deepEqual(asked, ['first', 'second']);
  assert.deepEqual(requests.slice(1), ['inspect second.safetensors', 'load second.safetensors', 'inpaint second']);
}

/** Two models of an `infill.json` that says nothing of their bytes. */
const [PLAIN, OWN] = MODELS.map(({ handle, name, file }, index) => ({ handle, name, file, bytes: 0, sha256: '', line: index + 2 }));

export async function a_file_of_which_nothing_is_known_is_the_hosts_as_long_as_that_answers() {
  const { modes } = browser([FILE, FILES.second, null]);
  const fetched = async () => bytes(await fetchShipped(PLAIN, () => {}, [PLAIN]));
  assert.ok((await fetched()).equals(FILE));
  assert.ok((await fetched()).equals(FILES.second), 'the host has another file by now');
  assert.ok((await fetched()).equals(FILES.second), 'the host is gone');
  assert.deepEqual(modes, ['no-cache', 'no-cache', 'no-cache']);
}

export async function a_model_of_infill_json_that_is_not_there_is_named_with_its_line() {
  browser([]);
  const { app, said, failed } = page();
  app.models = new ModelList(() => {}, [PLAIN, OWN], 'second');
  assert.equal(app.models.selected.handle, 'second');
  Object.assign(globalThis, { fetch: async () => new Response('', { status: 404 }) });
  await prepareDefault(app);
  assert.equal(said.at(-1), 'infill.json, line 3: www/models/second.safetensors is not there.');
  assert.equal(app.models.selected.handle, NONE);
  await chooseModel(app, 'first');
  assert.equal(failed.at(-1)?.words, 'infill.json, line 2: www/models/first.safetensors is not there.');
}

export async function a_model_with_a_class_is_run_with_it() {
  browser([FILE, Buffer.from('class Net(nn.Module): pass')]);
  const { app } = page();
  const feed = { range: '0..1' };
  app.models = new ModelList(() => {}, [{ ...PLAIN, class: { file: 'site/net.py', classArgs: 'Net(4)', returned: 1, side: 128, leavesOut: true }, feed }]);
  const asked = /** @type {any[]} */ ([]);
  app.classes = {
    generation: 7,
    /** @param {any} request */
    request: async (request) => {
      asked.push(request);
      return { loaded: [{ name: 'Net', role: 'paints' }], report: { networks: [], tensors: [] } };
    },
  };
  const fetchBytes = globalThis.fetch;
  // The class is asked for without a cache mode.
  Object.assign(globalThis, { fetch: (/** @type {any} */ url, /** @type {any} */ how = { cache: 'default' }) => fetchBytes(url, how) });
  await prepareDefault(app);
  const [{ kind, paste }] = asked;
  assert.deepEqual([kind, paste], ['load-class', { source: 'class Net(nn.Module): pass', classArgs: 'Net(4)', returned: 1, side: 128, leavesOut: true }]);
  const { generation, options, paste: kept } = app.models.selected;
  assert.deepEqual([generation, options, kept], [7, feed, paste]);
}
