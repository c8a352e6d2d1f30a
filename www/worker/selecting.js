/**
 * The worker that selects objects: it looks at a photo once, and then answers what is asked about it.
 * @module
 */
import { listen, load, pixelsOf } from './serve.js';

let crate = /** @type {any} */ (null);
/** What was made of the photo that was looked at last. */
let seen = { key: '', selector: /** @type {any} */ (null) };

/**
 * Called by the worker's own source.
 * @param {import('./builds.js').Build} build
 */
export function start(build) {
  return load(build, (loaded) => { crate = loaded.crate; });
}

listen(async (request) => {
  switch (request.kind) {
    case 'select-encode':
      selectorOf(request);
      return { value: null };
    case 'select-preview':
    case 'select': {
      const { points, counts, adds } = request;
      const selector = selectorOf(request);
      return handOver(request.kind === 'select' ? selector.select(points, counts, adds) : selector.preview(points, counts, adds));
    }
    case 'snap':
      return handOver(selectorOf(request).snap(request.holes));
    default:
      throw new Error(`${request.kind} is for another worker.`);
  }
});

/** What was made of a photo; of another one before, nothing is kept. @param {{key: string, width: number, height: number}} photo */
function selectorOf({ key, width, height }) {
  if (seen.key !== key) {
    seen.selector?.free();
    seen = { key: '', selector: null };
    seen = { key, selector: new crate.PhotoSelector(pixelsOf(key), width, height) };
  }
  return seen.selector;
}

/** @param {{inside: Uint8Array<ArrayBuffer>}} value */
function handOver(value) {
  return { value, transfer: [value.inside.buffer] };
}
