/**
 * The models that come with the site: each fetched once with progress, then kept by the browser.
 * @module
 */
import { text } from '../strings/en.js';
import { Failure } from '../worker/protocol.js';

/**
 * A model that comes with the site.
 * @typedef {object} Shipped
 * @property {string} handle in the list of models
 * @property {string} name for people
 * @property {string} path from this module
 * @property {number} bytes
 * @property {string} sha256 of the file (`sha256sum` gives it): a copy that is older, damaged or foreign is thrown away
 * @property {string} [licence] path of the licence's text from this module
 */

/** The first is the default. @type {readonly Shipped[]} */
export const SHIPPED = [
  { handle: 'default', name: text.shipped, path: '../models/default.safetensors', bytes: 15_724_804, sha256: '2603650a24dad54af3c593b39d88c074b472af8bd2a943a424ab9f307d77e9a8' },
  { handle: 'migan-512', name: 'MI-GAN', path: '../models/migan-512.safetensors', bytes: 13_198_360, sha256: '2d7a1b9fd5dfae052668c9ecf9840684aa381d280ed5331106fe88ecaab161fa', licence: '../models/migan-512.LICENSE.txt' },
];

/** Sites under other paths share this origin's storage: the name says whose the cache is. */
const CACHE = `infill-models ${new URL('../../', import.meta.url).href}`;

/** Where a model is fetched from and kept: every version has an address of its own. @param {Shipped} model */
const addressOf = ({ path, sha256 }) => new URL(`${path}?v=${sha256.slice(0, 16)}`, import.meta.url).href;

/** The name of a model's file. @param {Shipped} model */
export const fileOf = ({ path }) => path.slice(path.lastIndexOf('/') + 1);

/** Where the text of a model's licence lies; null where the name of the licence says enough. @param {Shipped} model */
export const licenceOf = ({ licence }) => (licence ? new URL(licence, import.meta.url).href : null);

/** @returns {Promise<Cache | null>} null where there is no storage (private mode, blocked) */
async function openCache() {
  try {
    return await caches.open(CACHE);
  } catch {
    return null;
  }
}

/**
 * Whether the browser keeps a copy, which is not looked into.
 * @param {Shipped} model
 * @returns {Promise<boolean>}
 */
export async function isKept(model) {
  const cache = await openCache();
  return !!(await cache?.match(addressOf(model)).catch(() => undefined));
}

/**
 * @param {Shipped} model
 * @param {(done: number) => void} progress share of the bytes, 0 to 1; not called when the file was kept
 * @param {readonly Shipped[]} [all] copies of other files are thrown away
 * @returns {Promise<Blob>}
 * @throws {Failure} `shipped-damaged` if the server has another file
 */
export async function fetchShipped(model, progress, all = SHIPPED) {
  const cache = await openCache();
  const address = addressOf(model);
  const kept = await cache?.match(address).catch(() => undefined);
  if (kept) {
    const blob = await kept.blob();
    if (await isIntact(model, blob)) return blob;
    await cache?.delete(address).catch(() => false);
  }
  // The browser's own cache may have a file of another version.
  for (const mode of /** @type {RequestCache[]} */ (['default', 'reload'])) {
    const blob = await download(model, mode, progress);
    if (!(await isIntact(model, blob))) continue;
    await keep(cache, address, blob, all);
    return blob;
  }
  throw new Failure({ code: 'shipped-damaged', message: `${fileOf(model)} is not the file that this page expects.`, keys: [] });
}

/**
 * @param {Shipped} model
 * @param {RequestCache} mode
 * @param {(done: number) => void} progress
 * @returns {Promise<Blob>}
 */
async function download(model, mode, progress) {
  const response = await fetch(addressOf(model), { cache: mode });
  if (!response.ok || !response.body) throw new Error(`HTTP ${response.status}`);
  const reader = response.body.getReader();
  const parts = [];
  let received = 0;
  for (;;) {
    const { done, value } = await reader.read();
    if (done) break;
    parts.push(value);
    received += value.length;
    progress(Math.min(1, received / model.bytes));
  }
  return new Blob(parts, { type: 'application/octet-stream' });
}

/**
 * Whether it is the file that the page was made for.
 * @param {Shipped} model
 * @param {Blob} blob
 */
async function isIntact({ bytes, sha256 }, blob) {
  if (blob.size !== bytes) return false;
  // Browsers hash for secure pages only; others have no storage either, in which a file could have been damaged.
  if (!globalThis.crypto?.subtle) return true;
  const digest = new Uint8Array(await crypto.subtle.digest('SHA-256', await blob.arrayBuffer()));
  return Array.from(digest, (byte) => byte.toString(16).padStart(2, '0')).join('') === sha256;
}

/**
 * Keeps a file, and no file of an older version of the page.
 * @param {Cache | null} cache
 * @param {string} address
 * @param {Blob} blob
 * @param {readonly Shipped[]} all
 */
async function keep(cache, address, blob, all) {
  try {
    if (!cache) return;
    const current = all.map(addressOf);
    for (const old of await cache.keys()) if (!current.includes(old.url)) await cache.delete(old);
    await cache.put(address, new Response(blob));
  } catch {
    // Quota or private mode: the model serves this session and is fetched again in the next.
  }
}
