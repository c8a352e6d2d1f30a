/**
 * infill for other pages: fills what a mask marks, in a worker of the page's own tab.
 *
 * ```js
 * import { inpaint } from './infill/infill.js';
 * const filled = await inpaint({ image, mask });
 * ```
 *
 * `docs/embedding.md` says what it takes and gives, and what another origin has to allow.
 * @module
 */
import { Filler } from './www/embed/filler.js';

/**
 * A picture: a file in any format that the page opens, or pixels.
 * @typedef {Blob | ImageData | ImageBitmap} Picture
 */

/**
 * @template {'image-data' | 'blob'} Output
 * @typedef {object} Options
 * @property {Picture} image
 * @property {Picture} mask of the image's size: white (luma above 127) is filled, black is kept
 * @property {Blob | URL | string | null} [weights] a checkpoint or its address; null fills from the picture alone; without it, the default model of the site that this file lies in is taken, with its class if it has one
 * @property {string} [pythonClass] source of the weights' own class, which is read and never run
 * @property {string} [classArgs] what the class is made with, such as `Net(4, 3)`, where nothing else says so
 * @property {import('./www/worker/protocol.js').FillOptions} [feed] how the network is fed, where that is not as infill guesses: the keys of `--feed`
 * @property {number} [seed] another one gives another variant; 0 unless given
 * @property {'auto' | 'on' | 'off'} [sharpen] whether the picture's own detail is brought into the fill; `auto` unless given
 * @property {Output} [output] `image-data` unless given; `blob` is a file with what the image's file told, or a PNG where there was none
 * @property {AbortSignal} [signal] ends it: the promise is rejected with the signal's reason
 * @property {(done: number, what: string) => void} [progress] share of the present step, 0 to 1: `model` is being fetched, or else the network's layer
 */

const filler = new Filler();

/**
 * Fills what the mask marks; every other pixel stays as it is. Calls are worked off one after another.
 * @template {'image-data' | 'blob'} [Output='image-data']
 * @param {Options<Output>} options
 * @returns {Promise<Output extends 'blob' ? Blob : ImageData>}
 * @throws {Error} with a stable `code` as in the crate's `src/error.rs`, such as `mask-size`, `mask-empty` or `checkpoint-format`; a `TypeError` for what is no picture
 */
export function inpaint(options) {
  return /** @type {Promise<any>} */ (filler.fill(options));
}
