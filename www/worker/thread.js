/**
 * A thread: instantiates the crate on the inference worker's memory and works for it until it is terminated.
 * @module
 */
import { holdLock } from './lock.js';

/** @typedef {import('./protocol.js').ThreadStart} ThreadStart */
/** @typedef {import('./protocol.js').ThreadReply} ThreadReply */

/** A folder below `pkg/`: nothing else is imported, whoever asks. */
const BUILD = /^[a-z0-9-]+$/;

/** @param {ThreadReply} reply */
function post(reply) {
  /** @type {any} */ (self).postMessage(reply);
}

/**
 * Joins the threads; called by the worker's own source with the page's first message.
 * @param {ThreadStart} start
 */
export async function join({ build, module, memory }) {
  try {
    if (!BUILD.test(build)) throw new Error(`${build} is no build`);
    const crate = await import(new URL(`../../pkg/${build}/infill.js`, import.meta.url).href);
    await crate.default({ module_or_path: module, memory });
    post({ kind: 'joined', lock: await holdLock() });
    // From here on the worker is deaf: it waits for work inside.
    crate.join_threads();
  } catch (error) {
    post({ kind: 'dead', message: String(error) });
  }
}
