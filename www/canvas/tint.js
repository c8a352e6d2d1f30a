/**
 * The colour of the mask: one that stands out from the photo, in two tones, so that none of the photo's own colours
 * hides it.
 * @module
 */

/** @typedef {[number, number, number]} Colour red, green, blue, 0 to 255 */
/** @typedef {keyof typeof TINTS} TintName */

/** Strong colours that lie far apart for any kind of colour vision. */
export const TINTS = /** @type {const} */ ({
  orange: [255, 86, 48],
  blue: [40, 96, 255],
  green: [0, 190, 90],
  magenta: [235, 30, 190],
  yellow: [255, 214, 10],
});

/** Pixels that are looked at for a choice. */
const SAMPLES = 4096;
/** Share of the photo that may resemble the tint most: less than that does not count. */
const RESEMBLING = 0.05;

/**
 * The tint that resembles the photo least.
 * @param {Uint8Array | Uint8ClampedArray} rgba
 * @returns {TintName}
 */
export function tintFor(rgba) {
  const count = rgba.length / 4;
  const step = Math.max(1, Math.floor(count / SAMPLES));
  const pixels = /** @type {Colour[]} */ ([]);
  for (let i = 0; i < count; i += step) pixels.push(oklab([rgba[i * 4], rgba[i * 4 + 1], rgba[i * 4 + 2]]));
  /** @param {TintName} name */
  const distance = (name) => {
    const tint = oklab(TINTS[name]);
    const all = pixels.map((pixel) => Math.hypot(pixel[0] - tint[0], pixel[1] - tint[1], pixel[2] - tint[2])).sort((a, b) => a - b);
    return all[Math.floor(all.length * RESEMBLING)] ?? 0;
  };
  const all = /** @type {TintName[]} */ (Object.keys(TINTS)).map((name) => ({ name, distance: distance(name) }));
  return all.reduce((best, each) => (each.distance > best.distance ? each : best)).name;
}

/**
 * The second tone: black or white, whichever is further from the tint. What resembles one of the two does not resemble
 * the other.
 * @param {readonly [number, number, number]} tint
 * @returns {Colour}
 */
export function secondTone(tint) {
  return oklab(tint)[0] > 0.6 ? [0, 0, 0] : [255, 255, 255];
}

/**
 * A colour by lightness, green to red, and blue to yellow; equal distances look equally large (Ottosson 2020).
 * @param {readonly [number, number, number]} colour sRGB
 * @returns {[number, number, number]}
 */
function oklab(colour) {
  const [r, g, b] = colour.map((value) => (value <= 10.31 ? value / 3294.6 : ((value / 255 + 0.055) / 1.055) ** 2.4));
  const l = Math.cbrt(0.4122214708 * r + 0.5363325363 * g + 0.0514459929 * b);
  const m = Math.cbrt(0.2119034982 * r + 0.6806995451 * g + 0.1073969566 * b);
  const s = Math.cbrt(0.0883024619 * r + 0.2817188376 * g + 0.6299787005 * b);
  return [
    0.2104542553 * l + 0.793617785 * m - 0.0040720468 * s,
    1.9779984951 * l - 2.428592205 * m + 0.4505937099 * s,
    0.0259040371 * l + 0.7827717662 * m - 0.808675766 * s,
  ];
}
