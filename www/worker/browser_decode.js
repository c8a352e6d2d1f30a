/**
 * Pictures that the crate does not read, decoded by the browser: AVIF, GIF, BMP, CMYK JPEG and what else it knows.
 * @module
 */
import { within } from './within.js';

/** Side of the canvas that pixels are read back through. */
const PART = 2048;
/** The largest pictures take some seconds on a slow machine. */
const MAX_DECODE_MS = 60_000;
/** Only a note hangs on the number of frames. */
const MAX_FRAMES_MS = 5000;

/**
 * @param {Blob} blob
 * @returns {Promise<import('./protocol.js').DecodedPhoto>}
 */
export async function decodeInBrowser(blob) {
  /** @type {ImageBitmapOptions} */
  const options = { colorSpaceConversion: 'none', premultiplyAlpha: 'none', imageOrientation: 'from-image' };
  const bitmap = await within(createImageBitmap(blob, options), MAX_DECODE_MS, 'decoding in the browser');
  const { width, height } = bitmap;
  const rgba = new Uint8Array(width * height * 4);
  const canvas = new OffscreenCanvas(Math.min(PART, width), Math.min(PART, height));
  const context = canvas.getContext('2d', { willReadFrequently: true });
  if (!context) throw new Error('no canvas');
  for (let y = 0; y < height; y += PART) {
    for (let x = 0; x < width; x += PART) {
      const w = Math.min(PART, width - x);
      const h = Math.min(PART, height - y);
      context.clearRect(0, 0, w, h);
      context.drawImage(bitmap, x, y, w, h, 0, 0, w, h);
      const { data } = context.getImageData(0, 0, w, h);
      for (let row = 0; row < h; row++) {
        rgba.set(data.subarray(row * w * 4, (row + 1) * w * 4), ((y + row) * width + x) * 4);
      }
    }
  }
  bitmap.close();
  let hasAlpha = false;
  for (let i = 3; i < rgba.length && !hasAlpha; i += 4) hasAlpha = rgba[i] !== 255;
  const isMoving = await hasMoreFrames(blob);
  return { width, height, rgba, hasAlpha, isGray: false, notes: isMoving ? ['browser', 'animated'] : ['browser'] };
}

/** @param {Blob} blob */
async function hasMoreFrames(blob) {
  const { ImageDecoder } = /** @type {any} */ (self);
  let decoder = null;
  try {
    if (!ImageDecoder || !blob.type) return false;
    // Of a type that it does not support, `completed` never settles.
    if (!(await within(ImageDecoder.isTypeSupported(blob.type), MAX_FRAMES_MS, 'asking for a decoder'))) return false;
    decoder = new ImageDecoder({ data: blob.stream(), type: blob.type });
    await within(decoder.completed, MAX_FRAMES_MS, 'counting the frames');
    return (decoder.tracks.selectedTrack?.frameCount ?? 1) > 1;
  } catch {
    return false;
  } finally {
    decoder?.close();
  }
}
