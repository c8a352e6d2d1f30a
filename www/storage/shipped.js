/**
 * The model that comes with the site: fetched once with progress, then kept by the browser.
 * @module
 */

/** Raise `version` when the file changes: an older copy is then thrown away. */
export const SHIPPED = { path: '../models/default.safetensors', name: 'default.safetensors', version: '3' };

const CACHE = 'infill-models';
const URL_OF = new URL(`${SHIPPED.path}?v=${SHIPPED.version}`, import.meta.url).href;

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
 * @returns {Promise<{blob: Blob, wasKept: boolean}>}
 */
export async function fetchShipped(progress) {
  const cache = await openCache();
  const kept = await cache?.match(URL_OF).catch(() => undefined);
  if (kept) return { blob: await kept.blob(), wasKept: true };
  const response = await fetch(URL_OF);
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
  const blob = new Blob(parts, { type: 'application/octet-stream' });
  await keep(cache, blob);
  return { blob, wasKept: false };
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

/** Throws the kept copy away, when it turned out to be damaged. */
export async function forgetShipped() {
  const cache = await openCache();
  await cache?.delete(URL_OF).catch(() => false);
}
