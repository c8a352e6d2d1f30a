// The model that comes with the site: only the very file that the page was made for is kept and used.
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { fetchShipped, SHIPPED } from '../../www/storage/shipped.js';

const FILE = await readFile(new URL(`../../www/storage/${SHIPPED.path}`, import.meta.url));

/**
 * A browser with storage, and a server with these files, one for every time that it is asked.
 * @param {Buffer[]} files
 */
function browser(files) {
  const stores = /** @type {Map<string, Map<string, Response>>} */ (new Map());
  const modes = /** @type {string[]} */ ([]);
  const store = (/** @type {string} */ name) => stores.get(name) ?? /** @type {Map<string, Response>} */ (stores.set(name, new Map()).get(name));
  const open = async (/** @type {string} */ name) => {
    const entries = store(name);
    return {
      match: async (/** @type {string} */ url) => entries.get(url)?.clone(),
      put: async (/** @type {string} */ url, /** @type {Response} */ response) => void entries.set(url, response),
      keys: async () => [...entries.keys()],
      delete: async (/** @type {string} */ url) => entries.delete(url),
    };
  };
  const fetch = async (/** @type {string} */ _, /** @type {{cache: string}} */ { cache }) => {
    modes.push(cache);
    return new Response(files.shift());
  };
  Object.assign(globalThis, { caches: { open }, fetch });
  return { stores, store, modes };
}

const damaged = Buffer.from(FILE);
damaged[damaged.length - 5] ^= 64;
const bytes = async (/** @type {Blob} */ blob) => Buffer.from(await blob.arrayBuffer());

export function the_page_expects_the_file_that_lies_there() {
  assert.equal(SHIPPED.sha256, createHash('sha256').update(FILE).digest('hex'), 'www/models/default.safetensors has changed: write its sha256sum into www/storage/shipped.js');
}

export async function the_model_is_fetched_once_and_kept_for_this_site_alone() {
  const { stores, store, modes } = browser([FILE]);
  store('infill-models https://host/other/').set('https://host/other/model', new Response('theirs'));
  assert.ok((await bytes(await fetchShipped(() => {}))).equals(FILE));
  assert.ok((await bytes(await fetchShipped(() => assert.fail('it was kept')))).equals(FILE));
  assert.deepEqual(modes, ['default']);
  const [theirs, ours] = [...stores.keys()];
  assert.equal(store(theirs).size, 1, 'the copy of another site is gone');
  assert.equal(ours, `infill-models ${new URL('../../', import.meta.url).href}`);
}

export async function a_kept_copy_that_is_damaged_is_fetched_anew() {
  const { stores, store, modes } = browser([FILE, FILE]);
  await fetchShipped(() => {});
  const [[url]] = store([...stores.keys()][0]);
  store([...stores.keys()][0]).set(url, new Response(damaged));
  assert.ok((await bytes(await fetchShipped(() => {}))).equals(FILE));
  assert.equal(modes.length, 2);
  assert.ok((await bytes(await fetchShipped(() => {}))).equals(FILE), 'the damaged copy is still there');
  assert.equal(modes.length, 2);
}

export async function a_stale_file_of_the_browser_is_fetched_past_it() {
  const { modes } = browser([damaged, FILE]);
  assert.ok((await bytes(await fetchShipped(() => {}))).equals(FILE));
  assert.deepEqual(modes, ['default', 'reload']);
}

export async function another_file_on_the_server_is_refused_and_not_kept() {
  const { stores } = browser([damaged, damaged]);
  await assert.rejects(fetchShipped(() => {}), { code: 'shipped-damaged' });
  assert.deepEqual([...stores.values()].map(({ size }) => size), [0]);
}
