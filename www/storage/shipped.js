/**
 * The model that comes with the site: fetched once with progress, then kept by the browser.
 * @module
 */
import { Failure } from '../worker/protocol.js';

/** `sha256` is the file's (`sha256sum` gives it): a copy that is older, damaged or foreign is thrown away. */
export const SHIPPED = { path: '../models/default.safetensors', name: 'default.safetensors', sha256: '2603650a24dad54af3c593b39d88c074b472af8bd2a943a424ab9f307d77e9a8' };

/** Sites under other paths share this origin's storage: the name says whose the cache is. */
const CACHE = `infill-models ${new URL('../../', import.meta.url).href}`;
const URL_OF = new URL(`${SHIPPED.path}?v=${SHIPPED.sha256.slice(0, 16)}`, import.meta.url).href;

/** @returns {Promise<Cache | null>} null where there is no storage (private mode, blocked) */
async function openCache() {
  try {
    return await caches.open(CACHE);
  } catch {
    return null;
  }
}

/**
 * @param {(done: number) => void} progress share of the bytes, 0 to 1; not called when the file was kept
 * @returns {Promise<Blob>}
 * @throws {Failure} `shipped-damaged` if the server has another file
 */
export async function fetchShipped(progress) {
  const cache = await openCache();
  const kept = await cache?.match(URL_OF).catch(() => undefined);
  if (kept) {
    const blob = await kept.blob();
    if (await isIntact(blob)) return blob;
    await cache?.delete(URL_OF).catch(() => false);
  }
  // The browser's own cache may have a file of another version.
  for (const mode of /** @type {RequestCache[]} */ (['default', 'reload'])) {
    const blob = await download(mode, progress);
    if (!(await isIntact(blob))) continue;
    await keep(cache, blob);
    return blob;
  }
  throw new Failure({ code: 'shipped-damaged', message: `${SHIPPED.name} is not the file that this page expects.`, keys: [] });
}

/**
 * @param {RequestCache} mode
 * @param {(done: number) => void} progress
 * @returns {Promise<Blob>}
 */
async function download(mode, progress) {
  const response = await fetch(URL_OF, { cache: mode });
  if (!response.ok || !response.body) throw new Error(`HTTP ${response.status}`);
  const total = Number(response.headers.get('content-length')) || 0;
  const reader = response.body.getReader();
  const parts = [];
  let received = 0;
  for (;;) {
    const { done, value } = await reader.read();
    if (done) break;
    parts.push(value);
    received += value.length;
    if (total) progress(Math.min(1, received / total));
  }
  return new Blob(parts, { type: 'application/octet-stream' });
}

/** Whether it is the file that the page was made for. @param {Blob} blob */
async function isIntact(blob) {
  // Browsers hash for secure pages only; others have no storage either, in which a file could have been damaged.
  if (!globalThis.crypto?.subtle) return true;
  const digest = new Uint8Array(await crypto.subtle.digest('SHA-256', await blob.arrayBuffer()));
  return Array.from(digest, (byte) => byte.toString(16).padStart(2, '0')).join('') === SHIPPED.sha256;
}

/**
 * @param {Cache | null} cache
 * @param {Blob} blob
 */
async function keep(cache, blob) {
  try {
    if (!cache) return;
    for (const old of await cache.keys()) await cache.delete(old);
    await cache.put(URL_OF, new Response(blob));
  } catch {
    // Quota or private mode: the model serves this session and is fetched again in the next.
  }
}
