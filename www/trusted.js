/**
 * What may become a script: the sources of workers, made here as blobs, and the service worker. Where the browser has
 * Trusted Types, the page's policy lets no other address in, and no text become HTML.
 * @module
 */

const SERVICE_WORKER = new URL('../sw.js', import.meta.url).href;
/** Addresses of blobs made here that no worker was started from yet. */
const made = /** @type {Set<string>} */ (new Set());

/** @param {string} url */
function createScriptURL(url) {
  if (url !== SERVICE_WORKER && !made.delete(url)) throw new TypeError(`${url} is no script of this page.`);
  return url;
}

/** TypeScript does not know the interface yet; its values go where strings go. */
const policy = /** @type {any} */ (globalThis).trustedTypes?.createPolicy('infill', { createScriptURL }) ?? { createScriptURL };

/** @returns {string} the service worker's address */
export function serviceWorker() {
  return policy.createScriptURL(SERVICE_WORKER);
}

/**
 * @param {string} text of a module
 * @returns {{url: string, script: string}} its address, to be revoked, and what a worker is started with
 */
export function blobScript(text) {
  const url = URL.createObjectURL(new Blob([text], { type: 'text/javascript' }));
  made.add(url);
  return { url, script: policy.createScriptURL(url) };
}
