/**
 * The worker that saves photos with what their files tell.
 * @module
 */
import { bytesOf, listen, load, pixelsOf } from './serve.js';

let crate = /** @type {any} */ (null);

/**
 * Called by the worker's own source.
 * @param {import('./builds.js').Build} build
 */
export function start(build) {
  return load(build, (loaded) => { crate = loaded.crate; });
}

listen(async (request) => {
  switch (request.kind) {
    case 'describe-file':
      return { value: crate.describe_file(await sourceOf(request.blob)) };
    case 'save-photo': {
      const { key, width, height, hasAlpha, isGray, icc, source, format, quality, withoutPlace } = request;
      const bytes = source ? await sourceOf(source) : undefined;
      const saved = crate.save_photo(pixelsOf(key), width, height, hasAlpha, isGray, icc, bytes, format, quality, withoutPlace);
      return { value: saved, transfer: [saved.bytes.buffer] };
    }
    default:
      throw new Error(`${request.kind} is for another worker.`);
  }
});

/**
 * The bytes of the file that a photo was opened from.
 * @param {Blob} blob
 * @throws `source-gone` if it was moved or changed since
 */
async function sourceOf(blob) {
  try {
    return await bytesOf(blob);
  } catch (error) {
    throw Object.assign(new Error(String(error)), { code: 'source-gone' });
  }
}
