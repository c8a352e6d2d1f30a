// Colour spaces on browsers that draw Display P3, on those that take no settings, and on those that refuse its name.
import assert from 'node:assert/strict';

/** @typedef {'draws' | 'takes no settings' | 'refuses the name' | 'canvas only'} Ability */

/** The module, loaded anew into a browser of this ability. @param {Ability} ability */
async function browser(ability) {
  /** @param {any} settings */
  const spaceOf = (settings) => {
    const wanted = settings?.colorSpace ?? 'srgb';
    if (ability === 'refuses the name' && wanted !== 'srgb') throw new TypeError(`'${wanted}' is not a valid value`);
    return wanted;
  };
  class ImageData {
    /** @param {number} width @param {number} height @param {any} [settings] */
    constructor(width, height, settings) {
      // As Firefox 153 does: the third argument belongs to the other constructor.
      if (settings && ability !== 'draws' && ability !== 'refuses the name') throw new TypeError('ImageData constructor: Argument 1 is not an object.');
      Object.assign(this, { width, height, data: new Uint8ClampedArray(width * height * 4), colorSpace: spaceOf(settings) });
    }
  }
  const canvas = () => ({
    /** @param {string} _ @param {any} [settings] */
    getContext(_, settings) {
      const colorSpace = spaceOf(settings);
      return { settings, getContextAttributes: () => (ability === 'takes no settings' ? {} : { colorSpace }) };
    },
  });
  Object.assign(globalThis, { ImageData, document: { createElement: canvas } });
  const module = await import(`../../www/canvas/color_space.js?${encodeURIComponent(ability)}`);
  return { ...module, canvas: /** @type {any} */ (canvas()) };
}

export async function every_browser_gets_pixels_it_can_make() {
  for (const ability of /** @type {Ability[]} */ (['draws', 'takes no settings', 'refuses the name', 'canvas only'])) {
    const { imageData, context2d, canDraw, canvas } = await browser(ability);
    const isAble = ability === 'draws';
    assert.equal(canDraw('display-p3'), isAble, ability);
    assert.equal(canDraw('srgb'), true);
    for (const space of ['srgb', 'display-p3']) {
      const pixels = imageData(3, 2, space);
      assert.deepEqual([pixels.width, pixels.height, pixels.data.length], [3, 2, 24]);
      assert.equal(pixels.colorSpace, isAble ? space : 'srgb', `${ability}: the values would be converted`);
      const { settings } = context2d(canvas, space, { willReadFrequently: true });
      assert.equal(settings.willReadFrequently, true);
      assert.equal(settings.colorSpace, isAble && space !== 'srgb' ? space : undefined, `${ability}: canvas and pixels differ`);
    }
  }
}
