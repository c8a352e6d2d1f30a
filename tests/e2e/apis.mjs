// What the page asks of a browser is there in this engine, or the page goes on without it.
import { check } from './page.mjs';
import { BLANK } from './server.mjs';
import { usedApis } from './used_apis.mjs';

/** @typedef {import('./page.mjs').Visitor} Visitor */

/** May be missing: what the page does then. */
const FALLBACKS = /** @type {Record<string, string>} */ ({
  'ImageData.colorSpace': 'canvas/color_space.js draws sRGB, and the page says so',
  'CanvasRenderingContext2D.getContextAttributes': 'canvas/color_space.js takes the canvas for one of sRGB',
  'Navigator.canShare': 'ui/hand_over.js offers no sharing',
  'Navigator.share': 'ui/hand_over.js offers no sharing',
  'PointerEvent.getCoalescedEvents': 'canvas/pointer.js takes the event itself',
});
/** The private file system: `worker/store.js` finds that it is not there, and the page says that it keeps no work. */
const FILE_SYSTEM = /^(FileSystem(Handle|DirectoryHandle|FileHandle|SyncAccessHandle)|StorageManager|WorkerNavigator\.storage$)/;
/** Only in a service worker; the test of the offline site runs it. */
const SERVICE_WORKER = /^(ServiceWorker|ExtendableEvent|FetchEvent|Client)/;
/** Types without a name in JavaScript, and shapes of plain objects. */
const NAMELESS = /^(ImportMeta|StorageEstimate|ReadableStreamRead\w+Result|DOMStringMap\.__index|CanvasRenderingContext2DSettings)/;

/** Options that do no harm where they are ignored. */
const HARMLESS = ['CanvasRenderingContext2DSettings.willReadFrequently', 'FocusOptions.preventScroll', 'WorkerOptions.name'];
/** Options that came with what they belong to. */
const OF_OLD = ['FileSystemGetDirectoryOptions.create', 'FileSystemGetFileOptions.create', 'FileSystemReadWriteOptions.at', 'FileSystemRemoveOptions.recursive', 'LockOptions.signal'];
/** Options that canvas/color_space.js and ui/hand_over.js ask for once they have seen that they work. */
const PROBED_BY_THE_PAGE = ['ShareData.files', 'CanvasRenderingContext2DSettings.colorSpace', 'ImageDataSettings.colorSpace'];

/** By option: whether the engine knows it, which it shows by reading it. Runs in the page. */
function optionsRead() {
  const values = { type: 'module', colorSpaceConversion: 'none', imageOrientation: 'from-image', premultiplyAlpha: 'none', initial: 1, maximum: 2, shared: true, cache: 'reload', signal: null, headers: {}, status: 200 };
  const bitmap = (/** @type {any} */ options) => createImageBitmap(new Blob([]), options).catch(() => {});
  const memory = (/** @type {any} */ options) => new WebAssembly.Memory(options);
  const request = (/** @type {any} */ options) => new Request(location.href, options);
  const response = (/** @type {any} */ options) => new Response(null, options);
  const calls = /** @type {Record<string, (options: any) => unknown>} */ ({
    'BlobPropertyBag.type': (options) => new Blob([], options),
    'ImageBitmapOptions.colorSpaceConversion': bitmap,
    'ImageBitmapOptions.imageOrientation': bitmap,
    'ImageBitmapOptions.premultiplyAlpha': bitmap,
    'MemoryDescriptor.initial': memory,
    'MemoryDescriptor.maximum': memory,
    'MemoryDescriptor.shared': memory,
    'RequestInit.cache': request,
    'RequestInit.signal': request,
    'ResponseInit.headers': response,
    'ResponseInit.status': response,
    'WorkerOptions.type': (options) => new Worker(URL.createObjectURL(new Blob([''], { type: 'text/javascript' })), options).terminate(),
  });
  return Object.fromEntries(Object.entries(calls).map(([option, call]) => {
    const name = option.split('.')[1];
    let isRead = false;
    // Only what this dictionary has: `type` means one thing to a blob and another to a worker.
    const own = Object.fromEntries(Object.keys(calls).filter((each) => each.split('.')[0] === option.split('.')[0]).map((each) => [each.split('.')[1], /** @type {any} */ (values)[each.split('.')[1]]]));
    Object.defineProperty(own, name, { enumerable: true, get: () => ((isRead = true), /** @type {any} */ (values)[name]) });
    try {
      call(own);
    } catch {
      // Memory may not be shared here; whether the option is read is the question.
    }
    return [option, isRead];
  }));
}

/** Which of these names a scope lacks. Runs in the page and, as text, in a worker. @param {string[]} names */
function lacking(names) {
  return names.filter((name) => {
    const [owner, member] = name.split('.');
    const scope = /** @type {any} */ (globalThis);
    if (!member) return !(owner in scope);
    // Some have their members on the one object there is: namespaces such as WebAssembly, the address, styles in Firefox.
    const single = owner === 'Location' ? scope.location : owner === 'CSSStyleDeclaration' ? scope.document.body.style : {};
    return !(owner in scope) || !(member in (scope[owner].prototype ?? {}) || member in scope[owner] || member in single);
  });
}

/** The same in a worker. @param {Visitor} v @param {string[]} names @returns {Promise<string[]>} */
function lackingInWorker(v, names) {
  return v.evaluate(({ source, names }) => new Promise((resolve, reject) => {
    const text = `postMessage((${source})(${JSON.stringify(names)}))`;
    const worker = new Worker(URL.createObjectURL(new Blob([text], { type: 'text/javascript' })), { type: 'module' });
    worker.onmessage = ({ data }) => (worker.terminate(), resolve(data));
    worker.onerror = (event) => reject(new Error(event.message));
  }), { source: String(lacking), names });
}

/** @param {Visitor} v */
export async function what_the_page_uses_is_there_or_has_a_fallback(v) {
  await v.driver.goto(v.url + BLANK);
  const [page, worker] = ['tsconfig.page.json', 'tsconfig.worker.json'].map((config) => usedApis(config));
  check(page.names.length > 200 && worker.names.length > 40, 'the list of what is used is too short to be true');
  const nameable = (/** @type {string[]} */ names) => names.filter((name) => !NAMELESS.test(name) && !SERVICE_WORKER.test(name));
  const lack = [...(await v.evaluate(lacking, nameable(page.names))), ...(await lackingInWorker(v, nameable(worker.names)))];
  console.log(`  ${page.names.length} + ${worker.names.length} names; without: ${lack.join(', ') || 'none'}`);
  const unforeseen = lack.filter((name) => !FALLBACKS[name] && !FILE_SYSTEM.test(name));
  check(unforeseen.length === 0, `this engine has no ${unforeseen.join(', ')}`);

  const options = [...new Set([...page.options, ...worker.options])];
  const read = await v.evaluate(optionsRead);
  const undecided = options.filter((option) => !HARMLESS.includes(option) && !OF_OLD.includes(option) && !PROBED_BY_THE_PAGE.includes(option) && !(option in read));
  check(undecided.length === 0, `nobody said what happens where an engine does not know ${undecided.join(', ')}`);
  const unread = options.filter((option) => read[option] === false);
  check(unread.length === 0, `this engine does not know ${unread.join(', ')}`);
}
