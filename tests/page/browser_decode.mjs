// Decoding by the browser, which may promise what it never keeps.
import assert from 'node:assert/strict';
import { decodeInBrowser } from '../../www/worker/browser_decode.js';
import { within } from '../../www/worker/within.js';

const never = () => new Promise(() => {});

/**
 * A browser of which all timers fire at once.
 * @param {{bitmap?: () => Promise<any>, isTypeSupported?: () => Promise<boolean>, completed?: () => Promise<void>, frameCount?: number}} able
 */
function browser({ bitmap = async () => ({ width: 2, height: 1, close() {} }), isTypeSupported = async () => true, completed = async () => {}, frameCount = 1 }) {
  const log = { started: 0, closed: 0 };
  class ImageDecoder {
    static isTypeSupported = isTypeSupported;
    completed = completed();
    tracks = { selectedTrack: { frameCount } };
    constructor() {
      log.started += 1;
    }
    close() {
      log.closed += 1;
    }
  }
  class OffscreenCanvas {
    getContext() {
      return { clearRect() {}, drawImage() {}, getImageData: () => ({ data: new Uint8ClampedArray([1, 2, 3, 255, 4, 5, 6, 255]) }) };
    }
  }
  Object.assign(globalThis, { self: { ImageDecoder }, OffscreenCanvas, createImageBitmap: bitmap });
  return log;
}

/**
 * A browser with Display P3, in which the picture's red has these values there and in sRGB.
 * @param {number} wide
 * @param {number} narrow
 */
function wideBrowser(wide, narrow) {
  browser({});
  class OffscreenCanvas {
    getContext(/** @type {string} */ _kind, /** @type {{colorSpace: string}} */ { colorSpace }) {
      let red = 0;
      return {
        canvas: Object.assign(this, { narrow: colorSpace === 'srgb' }),
        getContextAttributes: () => ({ colorSpace }),
        clearRect() {},
        // Drawing the canvas of sRGB gives what sRGB has kept.
        drawImage: (/** @type {any} */ source) => (red = colorSpace === 'srgb' || source.narrow ? narrow : wide),
        getImageData: () => ({ data: new Uint8ClampedArray([red, 2, 3, 255, red, 5, 6, 255]) }),
      };
    }
    convertToBlob = async () => new Blob(['png']);
  }
  Object.assign(globalThis, { OffscreenCanvas });
}

/** Runs with timers that do not wait. @template T @param {() => Promise<T>} work @returns {Promise<T>} */
async function soon(work) {
  const { setTimeout: slow } = globalThis;
  globalThis.setTimeout = /** @type {any} */ ((/** @type {() => void} */ run) => slow(run, 5));
  try {
    return await work();
  } finally {
    globalThis.setTimeout = slow;
  }
}

const icon = new Blob(['icon'], { type: 'image/x-icon' });

export async function a_type_that_the_decoder_does_not_support_is_not_waited_for() {
  const log = browser({ isTypeSupported: async () => false, completed: never });
  const photo = await decodeInBrowser(icon);
  assert.deepEqual([photo.width, photo.height, photo.notes], [2, 1, ['browser']]);
  assert.equal(log.started, 0);
}

export async function frames_that_are_never_counted_cost_only_the_note() {
  const log = browser({ completed: never, frameCount: 2 });
  const { notes } = await soon(() => decodeInBrowser(icon));
  assert.deepEqual(notes, ['browser']);
  assert.deepEqual(log, { started: 1, closed: 1 });
}

export async function frames_are_counted_where_the_decoder_does() {
  const log = browser({ frameCount: 2 });
  assert.deepEqual((await decodeInBrowser(icon)).notes, ['browser', 'animated']);
  assert.equal(log.closed, 1);
}

export async function a_picture_that_is_never_decoded_ends_in_an_error() {
  browser({ bitmap: never });
  await assert.rejects(soon(() => decodeInBrowser(icon)), { code: 'worker-wait' });
}

export async function a_wait_ends_as_its_promise_does() {
  assert.equal(await within(Promise.resolve(3), 1000, 'three'), 3);
  await assert.rejects(within(Promise.reject(new Error('no')), 1000, 'nothing'), /no/);
}

export async function colours_beyond_srgb_are_kept_in_display_p3_with_its_profile() {
  const profile = new Uint8Array([7]);
  wideBrowser(250, 234);
  const wide = await decodeInBrowser(icon, () => profile);
  assert.deepEqual([wide.notes, wide.icc, wide.rgba[0]], [['browser-p3'], profile, 250]);
  const unknown = await decodeInBrowser(icon, () => undefined);
  assert.deepEqual([unknown.notes, unknown.icc, unknown.rgba[0]], [['browser'], undefined, 234]);
  wideBrowser(236, 234);
  const narrow = await decodeInBrowser(icon, () => profile);
  assert.deepEqual([narrow.notes, narrow.icc, narrow.rgba[0]], [['browser'], undefined, 234]);
}
