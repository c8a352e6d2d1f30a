/**
 * The one service worker: the site offline once visited, and cross-origin isolated on hosts that set no headers.
 *
 * It serves one version of the site as a whole, or none. A new version is fetched beside the old one and waits until
 * the last tab of the old one is closed: nothing is ever reloaded under unsaved work.
 */

/**
 * What belongs to this version: SHA-256 by path. `now` is kept at once, `later` when it is first asked for.
 * `cargo xtask dist` writes it here; as the file lies in the repository nothing is kept, so that every edit shows.
 * @type {{version: string, now: Record<string, string>, later: Record<string, string>}}
 */
const SITE = { version: '', now: {}, later: {} };

const worker = /** @type {ServiceWorkerGlobalScope} */ (/** @type {unknown} */ (self));
/** Sites under other paths share this origin's storage: the name says whose a cache is. */
const PREFIX = `infill-site ${worker.registration.scope} `;
const CACHE = PREFIX + SITE.version;
const ISOLATION = { 'Cross-Origin-Opener-Policy': 'same-origin', 'Cross-Origin-Embedder-Policy': 'require-corp' };

worker.addEventListener('install', (event) => event.waitUntil(install()));
worker.addEventListener('activate', (event) => event.waitUntil(dropOldVersions()));
worker.addEventListener('fetch', (event) => {
  const path = pathOf(event.request);
  if (path !== null) event.respondWith(answer(event.request, path));
});

async function install() {
  const cache = await caches.open(CACHE);
  await Promise.all(Object.keys(SITE.now).map((path) => keep(cache, path)));
}

async function dropOldVersions() {
  const names = await caches.keys();
  await Promise.all(names.filter((name) => name.startsWith(PREFIX) && name !== CACHE).map((name) => caches.delete(name)));
}

/**
 * The file of this version that a request means; null leaves the request to the browser.
 * @param {Request} request
 */
function pathOf(request) {
  if (request.method !== 'GET') return null;
  const { origin, pathname } = new URL(request.url);
  const scope = new URL(worker.registration.scope);
  if (origin !== scope.origin || !pathname.startsWith(scope.pathname)) return null;
  const path = decodeURIComponent(pathname.slice(scope.pathname.length)) || 'index.html';
  return Object.hasOwn(SITE.now, path) || Object.hasOwn(SITE.later, path) ? path : null;
}

/**
 * @param {Request} request
 * @param {string} path
 * @returns {Promise<Response>}
 */
async function answer(request, path) {
  try {
    const cache = await caches.open(CACHE);
    const kept = (await cache.match(path)) ?? (await keep(cache, path));
    return path === 'index.html' ? isolated(kept) : kept;
  } catch {
    // No storage, or the host has another version by now: as if there were no service worker.
    return fetch(request);
  }
}

/** @param {Response} response */
function isolated(response) {
  const headers = new Headers(response.headers);
  for (const [name, value] of Object.entries(ISOLATION)) headers.set(name, value);
  return new Response(response.body, { headers });
}

/**
 * Fetches a file, makes sure that it is of this version, and keeps it.
 * @param {Cache} cache
 * @param {string} path
 * @returns {Promise<Response>}
 */
async function keep(cache, path) {
  const wanted = SITE.now[path] ?? SITE.later[path];
  // What the browser already has will mostly do; a stale copy is fetched anew.
  for (const mode of /** @type {RequestCache[]} */ (['default', 'reload'])) {
    const response = await fetch(new URL(path, worker.registration.scope), { cache: mode });
    if (!response.ok) continue;
    const bytes = await response.arrayBuffer();
    if ((await sha256(bytes)) !== wanted) continue;
    const type = response.headers.get('Content-Type') ?? 'application/octet-stream';
    const whole = new Response(bytes, { headers: { 'Content-Type': type } });
    await cache.put(path, whole.clone());
    return whole;
  }
  throw new Error(`${path} is not of version ${SITE.version}`);
}

/** @param {ArrayBuffer} bytes */
async function sha256(bytes) {
  const digest = new Uint8Array(await crypto.subtle.digest('SHA-256', bytes));
  return Array.from(digest, (byte) => byte.toString(16).padStart(2, '0')).join('');
}
