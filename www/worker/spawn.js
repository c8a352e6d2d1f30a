/**
 * Starting workers from blobs: so they inherit the page's content security policy, which a worker from the network
 * would not.
 * @module
 */

/** @typedef {import('./builds.js').Build} Build */

/**
 * @param {URL} module
 * @param {string} name for the browser's tools
 * @param {string} [source] what to do with the module's exports
 * @returns {Worker}
 */
export function spawnModule(module, name, source = '') {
  const text = `import * as module from ${JSON.stringify(module.href)};${source}`;
  const url = URL.createObjectURL(new Blob([text], { type: 'text/javascript' }));
  const worker = new Worker(url, { type: 'module', name });
  // The worker has read it by the time it says anything.
  const release = () => URL.revokeObjectURL(url);
  worker.addEventListener('message', release, { once: true });
  worker.addEventListener('error', release, { once: true });
  return worker;
}

/**
 * The inference worker, with a build of the crate.
 * @param {Build} build
 * @returns {Worker}
 */
export function spawnWorker({ name, threads }) {
  const source = `module.start(${JSON.stringify({ name, threads })});`;
  return spawnModule(new URL('./inference.js', import.meta.url), 'infill', source);
}
