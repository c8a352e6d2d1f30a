/**
 * Pixels and canvases in a colour space. Not every browser draws others than sRGB: Firefox takes no settings for
 * `ImageData` at all, and browsers without Display P3 refuse its name. Only here is a colour space asked for.
 * @module
 */

/** @type {Map<PredefinedColorSpace, boolean>} what this browser draws, once it was tried */
const known = new Map();

/**
 * Whether canvases of this browser show pixels in this colour space. Where they do not, its values are drawn as sRGB.
 * @param {PredefinedColorSpace} colorSpace
 * @returns {boolean}
 */
export function canDraw(colorSpace) {
  if (colorSpace === 'srgb') return true;
  let can = known.get(colorSpace);
  if (can === undefined) known.set(colorSpace, (can = tryToDraw(colorSpace)));
  return can;
}

/** @param {PredefinedColorSpace} colorSpace */
function tryToDraw(colorSpace) {
  try {
    const context = document.createElement('canvas').getContext('2d', { colorSpace });
    const used = context?.getContextAttributes?.().colorSpace;
    return used === colorSpace && new ImageData(1, 1, { colorSpace }).colorSpace === colorSpace;
  } catch {
    return false;
  }
}

/**
 * Empty pixels to be filled with values of a colour space.
 * @param {number} width
 * @param {number} height
 * @param {PredefinedColorSpace} [colorSpace]
 * @returns {ImageData}
 */
export function imageData(width, height, colorSpace = 'srgb') {
  // Without settings it is sRGB everywhere.
  if (colorSpace === 'srgb' || !canDraw(colorSpace)) return new ImageData(width, height);
  return new ImageData(width, height, { colorSpace });
}

/**
 * A canvas's context in a colour space; a canvas keeps the one that it was first asked for.
 * @param {HTMLCanvasElement} canvas
 * @param {PredefinedColorSpace} colorSpace
 * @param {CanvasRenderingContext2DSettings} [settings]
 * @returns {CanvasRenderingContext2D | null}
 */
export function context2d(canvas, colorSpace, settings = {}) {
  if (colorSpace === 'srgb' || !canDraw(colorSpace)) return canvas.getContext('2d', settings);
  return canvas.getContext('2d', { ...settings, colorSpace });
}
