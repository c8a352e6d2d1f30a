/**
 * The one service worker: the site offline once visited, and cross-origin isolated on hosts that set no headers.
 *
 * It serves one version of the site as a whole, or none. A new version is fetched beside the old one and waits until
 * the last tab of the old one is closed: nothing is ever reloaded under unsaved work.
 */

/**
 * What belongs to this version: SHA-256 by path. `now` is kept at once, `later` when it is first asked for (samples, and
 * the builds of the crate that fill, of which a browser uses one or two). `headers` go with every answer: the page's own
 * policy and what only a header can say, also on hosts that send none.
 * `cargo xtask dist` writes it here; as the file lies in the repository nothing is kept, so that every edit shows.
 * @type {{version: string, headers: Record<string, string>, now: Record<string, string>, later: Record<string, string>}}
 */
const SITE = { version: '', headers: {}, now: {}, later: {} };

/** What whoever hosts the site says of it. */
const DESCRIPTION = 'infill.json';
/** Below it lies what that names; weights, which the page keeps itself, lie in `site/models/`. */
const OWN = /^site\/(?!models\/)(?!.*\.\.)/;
/** A host that does not answer for this long is as good as gone, where something is kept. */
const PATIENCE_MS = 4000;

const worker = /** @type {ServiceWorkerGlobalScope} */ (/** @type {unknown} */ (self));
/** Sites under other paths share this origin's storage: the name says whose a cache is. */
const PREFIX = `infill-site ${worker.registration.scope} `;
const CACHE = PREFIX + SITE.version;
const COEP = 'Cross-Origin-Embedder-Policy';
/** `f32x4.relaxed_madd`, as in `www/worker/builds.js`. */
const RELAXED = new Uint8Array([0, 97, 115, 109, 1, 0, 0, 0, 1, 5, 1, 96, 0, 1, 123, 3, 2, 1, 0, 10, 19, 1, 17, 0, 65, 0, 253, 15, 65, 0, 253, 15, 65, 0, 253, 15, 253, 133, 2, 11]);

worker.addEventListener('install', (event) => event.waitUntil(install()));
worker.addEventListener('activate', (event) => event.waitUntil(activate()));
worker.addEventListener('fetch', (event) => {
  const path = pathOf(event.request);
  if (path !== null) event.respondWith(answer(event.request, path));
});

async function install() {
  const cache = await caches.open(CACHE);
  const page = Object.hasOwn(SITE.now, 'index.html') ? await keep(cache, 'index.html') : null;
  // The build that the page has just fetched itself: what isolates it beyond that is this worker, from the next visit on.
  const build = (WebAssembly.validate(RELAXED) ? 'relaxed' : 'simd128') + (page?.headers.has(COEP) ? '-threads' : '');
  const { paths, hasClass } = await keepOwn(cache);
  const builds = [build, ...(hasClass ? ['classes'] : [])];
  const used = [...Object.keys(SITE.later).filter((path) => builds.some((name) => path.startsWith(`pkg/${name}/`)) || paths.includes(path)), ...(await buildsOfOldVersions())];
  await Promise.all([...new Set([...Object.keys(SITE.now), ...used])].map((path) => keep(cache, path)));
}

/**
 * Keeps what whoever hosts the site adds to it, but for weights. The page itself says what is at fault there.
 * @param {Cache} cache
 * @returns {Promise<{paths: string[], hasClass: boolean}>} the files that it names, and whether a model is run with a class
 */
async function keepOwn(cache) {
  try {
    const { models = [], samples = [] } = await (await fetchHosts(cache, DESCRIPTION)).json();
    const named = [...samples.flatMap((/** @type {any} */ { file, mask, thumbnail }) => [file, mask, thumbnail]), ...models.map((/** @type {any} */ model) => model.class)];
    const paths = named.filter((path) => typeof path === 'string');
    await Promise.all(paths.filter((path) => OWN.test(path)).map((path) => fetchHosts(cache, path).catch(() => {})));
    return { paths, hasClass: models.some((/** @type {any} */ model) => model.class) };
  } catch {
    return { paths: [], hasClass: false };
  }
}

/** What this browser used of the versions before, where this one has it too. */
async function buildsOfOldVersions() {
  const names = (await caches.keys()).filter((name) => name.startsWith(PREFIX) && name !== CACHE);
  const requests = await Promise.all(names.map(async (name) => (await caches.open(name)).keys()));
  const paths = requests.flat().map(pathOf);
  return paths.flatMap((path) => (path?.startsWith('pkg/') ? [path] : []));
}

async function activate() {
  const names = await caches.keys();
  await Promise.all(names.filter((name) => name.startsWith(PREFIX) && name !== CACHE).map((name) => caches.delete(name)));
  // The page of the first visit, too: its workers can start again when the host is gone. Later versions find no page.
  await worker.clients.claim();
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
  return Object.hasOwn(SITE.now, path) || Object.hasOwn(SITE.later, path) || isHosts(path) ? path : null;
}

/** Whether whoever hosts this version of the site may change a file without another version. @param {string} path */
function isHosts(path) {
  return SITE.version !== '' && (path === DESCRIPTION || OWN.test(path));
}

/**
 * A file as the host has it now; what was kept of it serves while the host is gone.
 * @param {Cache | null} cache
 * @param {string} path
 * @returns {Promise<Response>}
 */
async function fetchHosts(cache, path) {
  const url = new URL(path, worker.registration.scope);
  const kept = await cache?.match(url).catch(() => undefined);
  try {
    const asked = fetch(url, { cache: 'no-cache' });
    const late = new Promise((_, reject) => setTimeout(() => reject(new Error('late')), PATIENCE_MS));
    const response = /** @type {Response} */ (await (kept ? Promise.race([asked, late]) : asked));
    if (response.ok) await cache?.put(url, response.clone()).catch(() => {});
    else await cache?.delete(url).catch(() => false);
    return response;
  } catch (error) {
    if (!kept) throw error;
    return kept;
  }
}

/**
 * @param {Request} request
 * @param {string} path
 * @returns {Promise<Response>}
 */
async function answer(request, path) {
  const cache = await caches.open(CACHE).catch(() => null);
  if (isHosts(path)) return withHeaders(await fetchHosts(cache, path));
  try {
    const kept = cache && (await keptOwn(cache, path));
    const response = kept ?? (await fetchOwn(path));
    // Without storage, or with none left, it serves this once.
    if (!kept) await cache?.put(path, response.clone()).catch(() => {});
    return withHeaders(response);
  } catch {
    // Offline, or the host has another version by now. The page takes another build then, never one of that version;
    // anything else is as if there were no service worker.
    return path.startsWith('pkg/') ? new Response(null, { status: 204 }) : fetch(request);
  }
}

/**
 * The kept file, if it is still what was kept: any page of this origin can write to the cache.
 * @param {Cache} cache
 * @param {string} path
 */
async function keptOwn(cache, path) {
  const response = await cache.match(path).catch(() => undefined);
  if (!response) return null;
  const bytes = await response.arrayBuffer();
  return (await sha256(bytes)) === hashOf(path) ? new Response(bytes, { headers: response.headers }) : null;
}

/** @param {string} path */
function hashOf(path) {
  return SITE.now[path] ?? SITE.later[path];
}

/** @param {Response} response */
function withHeaders(response) {
  const headers = new Headers(response.headers);
  for (const [name, value] of Object.entries(SITE.headers)) headers.set(name, value);
  return new Response(response.body, { status: response.status, headers });
}

/**
 * @param {Cache} cache
 * @param {string} path
 */
async function keep(cache, path) {
  const response = await fetchOwn(path);
  await cache.put(path, response.clone());
  return response;
}

/**
 * Fetches a file and makes sure that it is of this version.
 * @param {string} path
 * @returns {Promise<Response>}
 */
async function fetchOwn(path) {
  // What the browser already has will mostly do; a stale copy is fetched anew.
  for (const mode of /** @type {RequestCache[]} */ (['default', 'reload'])) {
    const response = await fetch(new URL(path, worker.registration.scope), { cache: mode });
    if (!response.ok) continue;
    const bytes = await response.arrayBuffer();
    if ((await sha256(bytes)) !== hashOf(path)) continue;
    const type = response.headers.get('Content-Type') ?? 'application/octet-stream';
    const headers = new Headers({ 'Content-Type': type });
    const policy = response.headers.get(COEP);
    if (policy) headers.set(COEP, policy);
    return new Response(bytes, { headers });
  }
  throw new Error(`${path} is not of version ${SITE.version}`);
}

/** @param {ArrayBuffer} bytes */
async function sha256(bytes) {
  const digest = new Uint8Array(await crypto.subtle.digest('SHA-256', bytes));
  return Array.from(digest, (byte) => byte.toString(16).padStart(2, '0')).join('');
}
