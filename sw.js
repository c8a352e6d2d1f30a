/**
 * The one service worker: the site works offline once visited. It never reloads a page and never answers with an old
 * file while the network answers, so a new version waits for the next visit and nothing unsaved is lost.
 */

// `cargo xtask dist` writes every file of the page here; as the repository lies, only what was visited is kept.
const FILES = /** @type {string[]} */ ([]);
const CACHE = 'infill-site';

self.addEventListener('install', (event) => {
  event.waitUntil(
    caches.open(CACHE).then((cache) => cache.addAll(FILES)).then(() => self.skipWaiting()),
  );
});

self.addEventListener('activate', (event) => {
  event.waitUntil(self.clients.claim());
});

self.addEventListener('fetch', (event) => {
  const { request } = event;
  const url = new URL(request.url);
  // The page keeps the shipped weights itself.
  const own = url.origin === self.location.origin && !url.pathname.includes('/www/models/');
  if (request.method === 'GET' && own) event.respondWith(answer(request));
});

/** @param {Request} request */
async function answer(request) {
  const cache = await caches.open(CACHE);
  try {
    const response = await fetch(request);
    if (response.ok) await cache.put(request, response.clone()).catch(() => {});
    return response;
  } catch (error) {
    const kept = await cache.match(request, { ignoreSearch: true });
    if (kept) return kept;
    throw error;
  }
}
