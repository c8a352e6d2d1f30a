/**
 * The worker: passes requests to the crate and its answers back. It decides nothing and keeps nothing that the page
 * does not have.
 * @module
 */
import { decodeInBrowser } from './browser_decode.js';
import { holdLock } from './lock.js';
import { within } from './within.js';

/** @typedef {import('./protocol.js').Request} Request */
/** @typedef {import('./protocol.js').Fault} Fault */
/** @typedef {import('./protocol.js').PixelsPart} PixelsPart */
/** @typedef {import('./protocol.js').Reply} Reply */

/** A start may fetch a megabyte over a bad connection. */
const MAX_START_MS = 180_000;
/** A file may lie on a slow disk or in a network. */
const MAX_READ_MS = 120_000;
/** A lock of its own name is granted at once, where there are locks. */
const MAX_LOCK_MS = 10_000;

/** Progress is told at most this often. */
const PROGRESS_MS = 33;

/** Pages of 64 KiB that a shared memory begins with: room for what is linked, which the browser checks. */
const FIRST_PAGES = 192;
/** Most pages it may grow to: 4 GiB, and less where the browser refuses to set so many aside (iOS does). */
const MOST_PAGES = [65_536, 32_768, 16_384, 8192];

/** The crate's module: `pkg/` is built, so its types are not at hand here. */
let crate = /** @type {any} */ (null);
let models = /** @type {any} */ (null);
/** Size of the wasm memory. */
let bytes = () => 0;
let pixels = { key: '', bytes: new Uint8Array(0) };

/**
 * @param {Reply} reply
 * @param {Transferable[]} [transfer]
 */
function post(reply, transfer = []) {
  /** @type {any} */ (self).postMessage(reply, transfer);
}

/**
 * @param {any} error
 * @returns {Fault}
 */
function faultOf(error) {
  const keys = Array.isArray(error?.keys) ? error.keys : [];
  const report = typeof error?.report === 'string' ? JSON.parse(error.report) : undefined;
  return { code: error?.code ?? 'internal', message: String(error?.message ?? error), keys, report };
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
 * Loads a build of the crate and says so; called by the worker's own source.
 * @param {import('./builds.js').Build} build
 */
export async function start({ name, threads }) {
  try {
    const folder = new URL(`../../pkg/${name}/`, import.meta.url);
    const glue = new URL('infill.js', folder).href;
    const signal = AbortSignal.timeout(MAX_START_MS);
    const response = await fetch(new URL('infill_bg.wasm', folder), { signal });
    // 204: the service worker, or `cargo xtask serve`, has other builds but not this one.
    if (response.status !== 200) throw Object.assign(new Error(`HTTP ${response.status}`), { code: 'wasm-missing' });
    const module = await compile(response);
    crate = await within(import(glue), MAX_START_MS, 'loading the program').catch((error) => {
      throw Object.assign(error, { code: 'wasm-missing' });
    });
    const memory = name.endsWith('-threads') ? sharedMemory() : undefined;
    const wasm = await crate.default({ module_or_path: module, memory });
    bytes = () => (memory ?? wasm.memory).buffer.byteLength;
    models = new crate.Models();
    if (memory && threads > 1) post({ kind: 'threads', start: { glue, module, memory } });
  } catch (error) {
    const code = /** @type {any} */ (error)?.code ?? (error instanceof WebAssembly.CompileError ? 'wasm-compile' : 'worker-start');
    return post({ kind: 'dead', fault: { code: typeof code === 'string' ? code : 'worker-start', message: String(error), keys: [] } });
  }
  // Without the lock its death is heard of only where the browser tells.
  post({ kind: 'ready', lock: await within(holdLock(), MAX_LOCK_MS, 'taking the lock').catch(() => '') });
}

/** @param {Response} response */
async function compile(response) {
  // A host with the wrong type: compile from the bytes, which needs none.
  const isWasm = response.headers.get('content-type')?.startsWith('application/wasm');
  return isWasm ? WebAssembly.compileStreaming(response) : WebAssembly.compile(await response.arrayBuffer());
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

/** @param {string} key */
function pixelsOf(key) {
  if (pixels.key !== key) throw new Error(`The pixels ${key} did not arrive.`);
  return pixels.bytes;
}

/**
 * @param {Request & {id: number}} request
 * @returns {Promise<{value: any, transfer?: Transferable[]}>}
 */
async function answer(request) {
  switch (request.kind) {
    case 'decode-photo': {
      const photo = await decode(request.blob, request.tryBrowser);
      return { value: photo, transfer: [photo.rgba.buffer] };
    }
    case 'encode-photo': {
      const { key, width, height, hasAlpha, isGray, icc } = request;
      const bytes = crate.encode_photo(pixelsOf(key), width, height, hasAlpha, isGray, icc);
      return { value: bytes, transfer: [bytes.buffer] };
    }
    case 'decode-mask': {
      const holes = await decodeMask(request.blob, request.width, request.height);
      return { value: holes, transfer: [holes.buffer] };
    }
    case 'encode-mask': {
      const bytes = crate.encode_mask(request.holes, request.width, request.height);
      return { value: bytes, transfer: [bytes.buffer] };
    }
    case 'inspect':
      return { value: JSON.parse(models.inspect(request.blob, request.name)) };
    case 'load':
      return { value: JSON.parse(models.load(request.handle, request.blob, request.name, request.modelId, request.byPosition ?? false)) };
    case 'combine':
      return { value: models.combine(request.handle, request.from) };
    case 'unload':
      return { value: models.unload(request.handle) };
    case 'inpaint': {
      const { id, handle, key, width, height, isGray, mask, options, second, edges } = request;
      const patches = models.inpaint(handle, pixelsOf(key), width, height, isGray, mask, options, teller(id), second, edges);
      const speed = { threads: crate.thread_count(), simd: crate.simd(), bytes: bytes(), networks: JSON.parse(models.speed(handle)) };
      return { value: { patches, speed }, transfer: patches.map((/** @type {any} */ patch) => patch.rgba.buffer) };
    }
    case 'edges': {
      const { id, handle, key, width, height, mask, options, propose } = request;
      return { value: models.edges(handle, pixelsOf(key), width, height, mask, options, propose, teller(id)) };
    }
    case 'preview': {
      const { handle, key, width, height, mask, options, second, edges } = request;
      return { value: models.preview(handle, pixelsOf(key), width, height, mask, options, second, edges) };
    }
    case 'score': {
      const { id, handle, key, width, height, options } = request;
      return { value: JSON.parse(models.score(handle, pixelsOf(key), width, height, options, teller(id))) };
    }
    case 'check': {
      const { id, blobs, names, byPosition, key, width, height, mask, options, second, edges } = request;
      const { json, columns, rows, values } = crate.check(blobs, names, undefined, byPosition, pixelsOf(key), width, height, mask, options, teller(id), second, edges);
      return { value: { ...JSON.parse(json), columns, rows, values }, transfer: [values.buffer] };
    }
    case 'models':
      return { value: JSON.parse(crate.models()) };
    case 'align':
      return { value: JSON.parse(models.align(request.blob, request.name, request.modelId)) };
    case 'stats':
      return { value: JSON.parse(models.stats(request.blob, request.name, request.keys)) };
  }
}

/**
 * Tells the page how far a run is, not too often.
 * @param {number} id
 * @returns {(done: number, layer: string) => void}
 */
function teller(id) {
  let told = 0;
  return (done, layer) => {
    const now = performance.now();
    if (now - told < PROGRESS_MS) return;
    told = now;
    post({ kind: 'progress', id, done, layer });
  };
}

/** @param {Blob} blob */
async function bytesOf(blob) {
  return new Uint8Array(await within(blob.arrayBuffer(), MAX_READ_MS, 'reading the file'));
}

/**
 * A mask in any format that opens as a photo; the crate alone says which pixels are holes.
 * @param {Blob} blob
 * @param {number} width
 * @param {number} height
 * @returns {Promise<Uint8Array<ArrayBuffer>>}
 */
async function decodeMask(blob, width, height) {
  try {
    return crate.decode_mask(await bytesOf(blob), width, height);
  } catch (error) {
    if (faultOf(error).code !== 'image-format') throw error;
    const picture = await browsers(blob, error);
    const png = crate.encode_photo(picture.rgba, picture.width, picture.height, picture.hasAlpha, picture.isGray, picture.icc);
    return crate.decode_mask(png, width, height);
  }
}

/**
 * @param {Blob} blob
 * @param {boolean} tryBrowser
 */
async function decode(blob, tryBrowser) {
  try {
    return crate.decode_photo(await bytesOf(blob));
  } catch (error) {
    if (!tryBrowser || faultOf(error).code !== 'image-format') throw error;
    return browsers(blob, error);
  }
}

/**
 * The picture as the browser decodes it.
 * @param {Blob} blob
 * @param {unknown} crates what the crate said: more than the browser, except where that was too slow
 */
function browsers(blob, crates) {
  return decodeInBrowser(blob).catch((error) => {
    throw faultOf(error).code === 'worker-wait' ? error : crates;
  });
}

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
