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

/** Values that a colour of sRGB may change by on its way through 8 bits of Display P3 and back. */
const MAX_ROUNDING = 6;

/**
 * Its colours are converted, as an `<img>` shows them: to Display P3 where sRGB is too narrow for them and the browser has
 * such a canvas, else to sRGB.
 * @param {Blob} blob
 * @param {(png: Uint8Array<ArrayBuffer>) => Uint8Array | undefined} [profileOf] the ICC profile of a PNG; without it, everything becomes sRGB
 * @returns {Promise<import('./protocol.js').DecodedPhoto>}
 */
export async function decodeInBrowser(blob, profileOf) {
  /** @type {ImageBitmapOptions} */
  const options = { colorSpaceConversion: 'default', premultiplyAlpha: 'none', imageOrientation: 'from-image' };
  const bitmap = await within(createImageBitmap(blob, options), MAX_DECODE_MS, 'decoding in the browser');
  const { width, height } = bitmap;
  const icc = isWide(bitmap) ? await displayP3(profileOf) : undefined;
  const rgba = read(bitmap, icc ? 'display-p3' : 'srgb');
  bitmap.close();
  let hasAlpha = false;
  for (let i = 3; i < rgba.length && !hasAlpha; i += 4) hasAlpha = rgba[i] !== 255;
  const notes = [icc ? 'browser-p3' : 'browser'];
  if (await hasMoreFrames(blob)) notes.push('animated');
  return { width, height, rgba, hasAlpha, isGray: false, notes, icc };
}

/**
 * @param {number} width
 * @param {number} height
 * @param {PredefinedColorSpace} colorSpace
 */
function canvasOf(width, height, colorSpace) {
  const canvas = new OffscreenCanvas(Math.min(PART, width), Math.min(PART, height));
  const context = canvas.getContext('2d', { willReadFrequently: true, colorSpace });
  if (!context) throw new Error('no canvas');
  return context;
}

/**
 * The parts that a canvas is filled with, one after another.
 * @param {{width: number, height: number}} size
 */
function* parts({ width, height }) {
  for (let y = 0; y < height; y += PART) {
    for (let x = 0; x < width; x += PART) yield { x, y, w: Math.min(PART, width - x), h: Math.min(PART, height - y) };
  }
}

/**
 * @param {ImageBitmap} bitmap
 * @param {PredefinedColorSpace} colorSpace
 */
function read(bitmap, colorSpace) {
  const { width, height } = bitmap;
  const rgba = new Uint8Array(width * height * 4);
  const context = canvasOf(width, height, colorSpace);
  for (const { x, y, w, h } of parts(bitmap)) {
    context.clearRect(0, 0, w, h);
    context.drawImage(bitmap, x, y, w, h, 0, 0, w, h);
    const { data } = context.getImageData(0, 0, w, h);
    for (let row = 0; row < h; row++) rgba.set(data.subarray(row * w * 4, (row + 1) * w * 4), ((y + row) * width + x) * 4);
  }
  return rgba;
}

/** Whether a browser that has Display P3 shows other colours there than in sRGB. @param {ImageBitmap} bitmap */
function isWide(bitmap) {
  const wide = canvasOf(bitmap.width, bitmap.height, 'display-p3');
  // TypeScript's library has this method for canvases of the page only.
  if (/** @type {any} */ (wide).getContextAttributes?.().colorSpace !== 'display-p3') return false;
  const narrow = canvasOf(bitmap.width, bitmap.height, 'srgb');
  for (const { x, y, w, h } of parts(bitmap)) {
    for (const context of [wide, narrow]) {
      context.clearRect(0, 0, w, h);
      context.drawImage(bitmap, x, y, w, h, 0, 0, w, h);
    }
    const { data } = wide.getImageData(0, 0, w, h);
    wide.clearRect(0, 0, w, h);
    wide.drawImage(narrow.canvas, 0, 0);
    const back = wide.getImageData(0, 0, w, h).data;
    // Of what is nearly clear, colours are not known well.
    if (data.some((value, i) => data[i | 3] > 127 && Math.abs(value - back[i]) > MAX_ROUNDING)) return true;
  }
  return false;
}

/**
 * The browser's own profile of Display P3.
 * @param {((png: Uint8Array<ArrayBuffer>) => Uint8Array | undefined) | undefined} profileOf
 */
async function displayP3(profileOf) {
  try {
    const { canvas } = canvasOf(1, 1, 'display-p3');
    const png = await within(canvas.convertToBlob(), MAX_DECODE_MS, 'asking for a profile');
    return profileOf?.(new Uint8Array(await png.arrayBuffer()));
  } catch {
    // It stays in sRGB then.
    return undefined;
  }
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
