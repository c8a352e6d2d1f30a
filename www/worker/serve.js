/**
 * What every worker with a build of the crate does: loads it, answers requests one by one, and says when it is dead. A
 * worker decides nothing and keeps nothing that the page does not have.
 * @module
 */
import { holdLock } from './lock.js';
import { within } from './within.js';

/** @typedef {import('./protocol.js').Request} Request */
/** @typedef {import('./protocol.js').Fault} Fault */
/** @typedef {import('./protocol.js').PixelsPart} PixelsPart */
/** @typedef {import('./protocol.js').Reply} Reply */

/**
 * How one kind of worker answers.
 * @callback Answer
 * @param {Request & {id: number}} request
 * @returns {Promise<{value: any, transfer?: Transferable[]}>}
 */

/**
 * The crate as it was loaded: `pkg/` is built, so its types are not at hand here.
 * @typedef {object} Loaded
 * @property {any} crate its exports
 * @property {() => number} bytes size of the wasm memory
 */

/** A start may fetch a megabyte over a bad connection. */
const MAX_START_MS = 180_000;
/** A lock of its own name is granted at once, where there are locks. */
const MAX_LOCK_MS = 10_000;

/** A file may lie on a slow disk or in a network. */
const MAX_READ_MS = 120_000;

/** Progress is told at most this often. */
const PROGRESS_MS = 33;

/** Pages of 64 KiB that a shared memory begins with: room for what is linked, which the browser checks. */
const FIRST_PAGES = 192;
/** Most pages it may grow to: 4 GiB, and less where the browser refuses to set so many aside (iOS does). */
const MOST_PAGES = [65_536, 32_768, 16_384, 8192];

let pixels = { key: '', bytes: new Uint8Array(0) };

/**
 * @param {Reply} reply
 * @param {Transferable[]} [transfer]
 */
function post(reply, transfer = []) {
  /** @type {any} */ (self).postMessage(reply, transfer);
}

/** The bytes of a file. @param {Blob} blob */
export async function bytesOf(blob) {
  return new Uint8Array(await within(blob.arrayBuffer(), MAX_READ_MS, 'reading the file'));
}

/**
 * @param {any} error
 * @returns {Fault}
 */
export function faultOf(error) {
  const keys = Array.isArray(error?.keys) ? error.keys : [];
  const report = typeof error?.report === 'string' ? JSON.parse(error.report) : undefined;
  return { code: error?.code ?? 'internal', message: String(error?.message ?? error), keys, report, sentence: error?.sentence, values: error?.values };
}

/** @param {unknown} error */
function isPoisoned(error) {
  return error instanceof WebAssembly.RuntimeError || error instanceof RangeError;
}

/** Whether it was an allocation that failed, as the engines put it. @param {unknown} error */
function isMemory(error) {
  return /memory|allocation|array length/i.test(String(error));
}

/**
 * Loads a build of the crate and says so.
 * @param {import('./builds.js').Build} build
 * @param {(loaded: Loaded) => void} use called once it is there
 */
export async function load({ name, threads }, use) {
  try {
    const folder = new URL(`../../pkg/${name}/`, import.meta.url);
    const glue = new URL('infill.js', folder).href;
    const signal = AbortSignal.timeout(MAX_START_MS);
    const response = await fetch(new URL('infill_bg.wasm', folder), { signal });
    // 204: the service worker, or `cargo xtask serve`, has other builds but not this one.
    if (response.status !== 200) throw Object.assign(new Error(`HTTP ${response.status}`), { code: 'wasm-missing' });
    const module = await compile(response);
    const crate = await within(import(glue), MAX_START_MS, 'loading the program').catch((error) => {
      throw Object.assign(error, { code: 'wasm-missing' });
    });
    const memory = name.endsWith('-threads') ? sharedMemory() : undefined;
    const wasm = await crate.default({ module_or_path: module, memory });
    use({ crate, bytes: () => (memory ?? wasm.memory).buffer.byteLength });
    if (memory && threads > 1) post({ kind: 'threads', start: { build: name, module, memory } });
  } catch (error) {
    const code = /** @type {any} */ (error)?.code ?? (error instanceof WebAssembly.CompileError ? 'wasm-compile' : 'worker-start');
    return post({ kind: 'dead', fault: { code: typeof code === 'string' ? code : 'worker-start', message: String(error), keys: [] } });
  }
  await ready();
}

/** Says that the worker is there. */
export async function ready() {
  // Without the lock its death is heard of only where the browser tells.
  post({ kind: 'ready', lock: await within(holdLock(), MAX_LOCK_MS, 'taking the lock').catch(() => '') });
}

/** @param {Response} response */
async function compile(response) {
  const type = response.headers.get('content-type') ?? '';
  // A page in its place: some hosts answer so, with 200, what they do not have.
  if (type.startsWith('text/html')) throw Object.assign(new Error('a web page instead of the program'), { code: 'wasm-missing' });
  // A host with the wrong type: compile from the bytes, which needs none.
  return type.startsWith('application/wasm') ? WebAssembly.compileStreaming(response) : WebAssembly.compile(await response.arrayBuffer());
}

/** @returns {WebAssembly.Memory} */
function sharedMemory() {
  for (const maximum of MOST_PAGES) {
    try {
      return new WebAssembly.Memory({ initial: FIRST_PAGES, maximum, shared: true });
    } catch {
      // Try with less.
    }
  }
  throw Object.assign(new Error('The browser gives no shared memory.'), { code: 'memory-refused' });
}

/** @param {PixelsPart} part */
function receivePixels({ key, total, offset, bytes }) {
  if (pixels.key !== key || offset === 0) pixels = { key, bytes: new Uint8Array(total) };
  pixels.bytes.set(bytes, offset);
}

/** The pixels that came ahead of a request. @param {string} key */
export function pixelsOf(key) {
  if (pixels.key !== key) throw new Error(`The pixels ${key} did not arrive.`);
  return pixels.bytes;
}

/**
 * Tells the page how far a run is, not too often.
 * @param {number} id
 * @returns {(done: number, layer: string) => void}
 */
export function teller(id) {
  let told = 0;
  return (done, layer) => {
    const now = performance.now();
    if (now - told < PROGRESS_MS) return;
    told = now;
    post({ kind: 'progress', id, done, layer });
  };
}

/**
 * Answers what the page asks from now on.
 * @param {Answer} answer
 */
export function listen(answer) {
  self.addEventListener('message', async (/** @type {any} */ { data }) => {
    try {
      // A large photo may not fit: then the request that follows must not wait for it.
      if (data.kind === 'pixels') return receivePixels(data);
      const { value, transfer } = await answer(data);
      post({ kind: 'done', id: data.id, value }, transfer);
    } catch (error) {
      if (isPoisoned(error)) {
        post({ kind: 'dead', fault: { code: isMemory(error) ? 'worker-memory' : 'worker-crash', message: String(error), keys: [] } });
      } else {
        post({ kind: 'error', id: data.id, fault: faultOf(error) });
      }
    }
  });
}
