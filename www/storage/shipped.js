/**
 * The models that come with the site: each fetched once with progress, then kept by the browser.
 * @module
 */
import { fileName } from '../document/site.js';
import { Failure } from '../worker/protocol.js';
import { addressOf as addressOfFile, checkThere, partsOf } from './site.js';

/** @typedef {import('../document/site.js').Shipped} Shipped */

/** Sites under other paths share this origin's storage: the name says whose the cache is. */
const CACHE = `infill-models ${new URL('../../', import.meta.url).href}`;

/** Where a model is fetched from and kept: every version has an address of its own, if the site says which it is. @param {Shipped} model */
const addressOf = ({ file, sha256 }) => addressOfFile(sha256 ? `${file}?v=${sha256.slice(0, 16)}` : file);

/** The name of a model's file. @param {Shipped} model */
export const fileOf = ({ file }) => fileName(file);

/** Where the text of a model's licence lies; null where the name of the licence says enough. @param {Shipped} model */
export const licenceOf = ({ licenceFile }) => (licenceFile ? addressOfFile(licenceFile) : null);

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
 * @param {readonly Shipped[]} all models of the site: copies of other files are thrown away
 * @returns {Promise<Blob>}
 * @throws {Failure} `site-missing` if it is not there, `shipped-damaged` if the server has another file
 */
export async function fetchShipped(model, progress, all) {
  const cache = await openCache();
  const address = addressOf(model);
  if (!model.sha256) return fetchUnknown(model, progress, cache, all);
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
 * A file of which nobody says what it is: the host's own counts, and a copy only while the host is gone.
 * @param {Shipped} model
 * @param {(done: number) => void} progress
 * @param {Cache | null} cache
 * @param {readonly Shipped[]} all
 */
async function fetchUnknown(model, progress, cache, all) {
  const address = addressOf(model);
  try {
    // The host is asked whether the file is another by now.
    const blob = await download(model, 'no-cache', progress);
    await keep(cache, address, blob, all);
    return blob;
  } catch (error) {
    if (error instanceof Failure) throw error;
    const kept = await cache?.match(address).catch(() => undefined);
    if (!kept) throw error;
    return kept.blob();
  }
}

/**
 * @param {Shipped} model
 * @param {RequestCache} mode
 * @param {(done: number) => void} progress
 * @returns {Promise<Blob>}
 */
async function download(model, mode, progress) {
  const response = await fetch(addressOf(model), { cache: mode });
  checkThere(response, model.file);
  return new Blob(await partsOf(response, model.bytes, progress), { type: 'application/octet-stream' });
}

/**
 * Whether it is the file that the page was made for.
 * @param {Shipped} model
 * @param {Blob} blob
 */
async function isIntact({ bytes, sha256 }, blob) {
  if (bytes && blob.size !== bytes) return false;
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
