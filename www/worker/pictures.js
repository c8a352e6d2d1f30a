/**
 * The worker that decodes and encodes photos and masks.
 * @module
 */
import { decodeInBrowser } from './browser_decode.js';
import { bytesOf, faultOf, listen, load, pixelsOf } from './serve.js';

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
    case 'decode-photo': {
      const photo = await decode(request.blob, request.tryBrowser);
      return { value: photo, transfer: [photo.rgba.buffer] };
    }
    case 'encode-photo': {
      const { key, width, height, hasAlpha, isGray, icc } = request;
      const bytes = crate.encode_photo(pixelsOf(key), width, height, hasAlpha, isGray, icc);
      return { value: bytes, transfer: [bytes.buffer] };
    }
    case 'read-mask': {
      const found = await readMask(request);
      return { value: found, transfer: [found.holes.buffer] };
    }
    case 'encode-mask': {
      const bytes = crate.encode_mask(request.holes, request.width, request.height);
      return { value: bytes, transfer: [bytes.buffer] };
    }
    default:
      throw new Error(`${request.kind} is for the worker of the models.`);
  }
});

/**
 * A mask in any format that opens as a photo; the crate alone says which pixels are holes.
 * @param {{blob: Blob, width: number, height: number, channel?: string, isInverted: boolean}} request
 * @returns {Promise<import('./protocol.js').FoundMask>}
 */
async function readMask({ blob, width, height, channel, isInverted }) {
  try {
    return crate.read_mask(await bytesOf(blob), width, height, channel, isInverted);
  } catch (error) {
    if (faultOf(error).code !== 'image-format') throw error;
    const picture = await browsers(blob, error);
    const png = crate.encode_photo(picture.rgba, picture.width, picture.height, picture.hasAlpha, picture.isGray, picture.icc);
    return crate.read_mask(png, width, height, channel, isInverted);
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
  return decodeInBrowser(blob, (png) => crate.decode_photo(png).icc).catch((error) => {
    throw faultOf(error).code === 'worker-wait' ? error : crates;
  });
}
