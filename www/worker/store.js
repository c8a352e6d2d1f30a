/**
 * The worker that keeps work and weights on this device.
 * @module
 */
import { KeptModels, NoRoom } from '../storage/kept_models.js';
import { Works } from '../storage/works.js';
import { listen, ready } from './serve.js';

/** Sites under other paths share this origin's storage: the name says whose a folder is. */
const SITE = `infill ${encodeURIComponent(new URL('../../', import.meta.url).pathname)}`;
/** A tab that has just been closed or loaded again lets its locks go within this time. */
const PATIENCE_MS = 400;

/** @type {Promise<{works: Works, models: KeptModels}> | null} */
let opened = null;

/** Called by the worker's own source. */
export function start() {
  return ready();
}

listen(async (request) => {
  try {
    return { value: await answer(request) };
  } catch (error) {
    throw Object.assign(new Error(String(error)), { code: codeOf(error) });
  }
});

/** @param {import('./protocol.js').Request} request @returns {Promise<any>} */
async function answer(request) {
  opened ??= open();
  const { works, models } = await opened;
  switch (request.kind) {
    case 'work-list':
      return works.list();
    case 'work-begin':
      return works.begin(request.photo, request.name);
    case 'work-take':
      return works.take(request.work);
    case 'work-write':
      return works.write(request.records, request.isAside);
    case 'work-turn':
      return works.turn();
    case 'work-drop':
      return works.dropAside();
    case 'work-leave':
      return works.leave();
    case 'work-forget':
      return request.work === undefined ? works.forgetOwn() : works.forget(request.work);
    case 'work-forget-all':
      return works.forgetAll();
    case 'model-list':
      return alone(() => models.list());
    case 'model-keep':
      return alone(() => models.keep(request.blob, request.about));
    case 'model-open':
      return alone(() => models.open(request.model));
    case 'model-forget':
      return alone(() => (request.model === undefined ? models.removeAll() : models.remove(request.model)));
    default:
      throw new Error(`${request.kind} is for another worker.`);
  }
}

async function open() {
  if (!navigator.storage?.getDirectory || !navigator.locks || typeof FileSystemSyncAccessHandle === 'undefined') {
    throw Object.assign(new Error('This browser has no private file system.'), { code: 'store-missing' });
  }
  let root;
  try {
    root = await (await navigator.storage.getDirectory()).getDirectoryHandle(SITE, { create: true });
    const [works, models] = [await root.getDirectoryHandle('work', { create: true }), await root.getDirectoryHandle('models', { create: true })];
    return { works: new Works(works, hold), models: new KeptModels(models, free) };
  } catch (error) {
    throw Object.assign(new Error(String(error)), { code: 'store-refused' });
  }
}

/** @type {import('../storage/works.js').Hold} */
function hold(name) {
  return new Promise((resolve) => {
    const held = () => new Promise((/** @type {(value?: unknown) => void} */ release) => resolve(() => release()));
    navigator.locks.request(`${SITE} ${name}`, { signal: AbortSignal.timeout(PATIENCE_MS) }, held).catch(() => resolve(null));
  });
}

/**
 * One tab at a time sees to the weights.
 * @template T
 * @param {() => Promise<T>} run
 * @returns {Promise<T>}
 */
async function alone(run) {
  return navigator.locks.request(`${SITE} models`, run);
}

/** Bytes that this origin may still write, as far as the browser says. */
async function free() {
  const { quota = 0, usage = 0 } = await navigator.storage.estimate();
  return quota - usage;
}

/** @param {any} error */
function codeOf(error) {
  if (typeof error?.code === 'string') return error.code;
  if (error instanceof NoRoom || error?.name === 'QuotaExceededError') return 'store-full';
  return 'store-failed';
}
