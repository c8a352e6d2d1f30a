/**
 * Whether a picture is a mask rather than a photo, and what its transparency masks.
 * @module
 */
import { Plane } from './plane.js';

/** @typedef {Uint8Array | Uint8ClampedArray} Bytes */

/** Pixels that are looked at. */
const SAMPLES = 8192;
/** A channel this near to its ends is all or nothing. */
const NEAR = 32;
/** Share of the pixels that must be so in a mask: the rest are soft edges, or what JPEG made of them. */
const PLAIN_SHARE = 0.95;
/** From this opacity on a pixel belongs to the picture. */
const OPAQUE = 128;

/**
 * Whether nearly all pixels are black, white or one strong colour, and not all the same.
 * @param {Bytes} rgba
 */
export function looksLikeMask(rgba) {
  const count = rgba.length / 4;
  const step = Math.max(1, Math.floor(count / SAMPLES));
  let [all, plain, lit] = [0, 0, 0];
  for (let i = 0; i < count; i += step, all++) {
    const colour = [rgba[i * 4], rgba[i * 4 + 1], rgba[i * 4 + 2]];
    if (!colour.every((value) => value < NEAR || value > 255 - NEAR)) continue;
    plain++;
    if (colour.some((value) => value > 255 - NEAR)) lit++;
  }
  return plain >= PLAIN_SHARE * all && lit > 0 && lit < all;
}

/**
 * The transparent pixels of a picture, or null where it has none, or nothing else.
 * @param {{rgba: Bytes, width: number, height: number}} picture
 * @returns {Plane | null}
 */
export function transparency({ rgba, width, height }) {
  const plane = new Plane(width, height);
  for (let y = 0; y < height; y++) {
    const row = y * width;
    for (let x = 0; x < width; x++) {
      if (rgba[(row + x) * 4 + 3] >= OPAQUE) continue;
      const start = x;
      while (x < width && rgba[(row + x) * 4 + 3] < OPAQUE) x++;
      plane.span(y, start, x);
    }
  }
  const { count } = plane;
  return count > 0 && count < width * height ? plane : null;
}
