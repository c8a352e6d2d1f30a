/**
 * Starting workers from blobs: so they inherit the page's content security policy, which a worker from the network
 * would not.
 * @module
 */

import { blobScript } from '../trusted.js';

/** @typedef {import('./builds.js').Build} Build */

/**
 * A worker that imports a module. Not by an import statement: in Firefox a service worker does not see what a worker's
 * first script imports, so the worker would not start offline.
 * @param {URL} module
 * @param {string} name for the browser's tools
 * @param {string} run what to do with `module`, and with `first`, which is a promise of the first message
 * @returns {Worker}
 */
export function spawnModule(module, name, run) {
  // Firefox lets an EventSource of a worker pass the policy.
  const text = `
delete globalThis.EventSource;
const first = new Promise((resolve) => addEventListener('message', ({ data }) => resolve(data), { once: true }));
import(${JSON.stringify(module.href)}).then((module) => ${run}).catch((error) => setTimeout(() => { throw error; }));`;
  const { url, script } = blobScript(text);
  const worker = new Worker(script, { type: 'module', name });
  // The worker has read it by the time it says anything.
  const release = () => URL.revokeObjectURL(url);
  worker.addEventListener('message', release, { once: true });
  worker.addEventListener('error', release, { once: true });
  return worker;
}

/**
 * A worker that answers requests, with a build of the crate where it needs one.
 * @param {'pictures' | 'saving' | 'selecting' | 'inference' | 'store'} kind its module
 * @returns {(build: Build) => Worker}
 */
export function spawnWorker(kind) {
  const module = new URL(`./${kind}.js`, import.meta.url);
  return ({ name, threads }) => spawnModule(module, 'infill', `module.start(${JSON.stringify({ name, threads })})`);
}
