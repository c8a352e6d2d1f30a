/**
 * The ways to read a mask's file, as small pictures of which one is chosen by a click.
 * @module
 */
import { imageData } from '../canvas/color_space.js';
import { planePainter, rgbaPainter } from '../canvas/tiles.js';
import { text } from '../strings/index.js';
import { byId, make } from './dom.js';

/** @typedef {import('../actions/mask_file.js').Reading} Reading */
/** @typedef {import('../document/photo.js').Photo} Photo */

/** Long side of a picture in its own pixels. */
const SIDE = 220;
/** The mask on the photo, which is darkened around it. */
const TINT = /** @type {[number, number, number]} */ ([255, 86, 48]);
const DIM = 0.45;

/**
 * @param {Reading[]} readings the likeliest first
 * @param {Photo} photo
 * @returns {Promise<Reading | null>} null if none is wanted
 */
export function chooseReading(readings, photo) {
  const dialog = byId('readings', HTMLDialogElement);
  const buttons = readings.map((reading, i) => make('button', { class: 'btn reading', value: String(i), autofocus: i === 0 }, picture(reading, photo), make('span', {}, reading.words)));
  byId('readings-list', HTMLDivElement).replaceChildren(...buttons);
  byId('readings-text', HTMLParagraphElement).textContent = text.chooseReading;
  byId('readings-none', HTMLButtonElement).textContent = text.noReading;
  // Closed by Esc, it keeps the answer before: none.
  dialog.returnValue = '';
  dialog.showModal();
  return new Promise((resolve) => {
    dialog.addEventListener('close', () => {
      buttons.forEach((button) => button.remove());
      resolve(readings[dialog.returnValue === '' ? -1 : Number(dialog.returnValue)] ?? null);
    }, { once: true });
  });
}

/** @param {Reading} reading @param {Photo} photo */
function picture({ plane }, { rgba, width, height }) {
  const step = 2 ** Math.max(0, Math.ceil(Math.log2(Math.max(width, height) / SIDE)));
  const canvas = make('canvas', { width: Math.ceil(width / step), height: Math.ceil(height / step), 'aria-hidden': 'true' });
  const [photo, mask] = [imageData(canvas.width, canvas.height), imageData(canvas.width, canvas.height)];
  rgbaPainter(width, height, rgba)(photo.data, 0, 0, canvas.width, canvas.height, step);
  planePainter(plane, TINT)(mask.data, 0, 0, canvas.width, canvas.height, step);
  for (let i = 0; i < photo.data.length; i += 4) {
    for (let c = 0; c < 3; c++) photo.data[i + c] = mask.data[i + 3] ? mask.data[i + c] : photo.data[i + c] * DIM;
    photo.data[i + 3] = 255;
  }
  canvas.getContext('2d')?.putImageData(photo, 0, 0);
  return canvas;
}
