/**
 * Where the photo lies on the stage. Lengths are CSS pixels unless they say photo pixels.
 * @module
 */

/** @typedef {import('../document/raster.js').Rect} Rect */

const MAX_SCALE = 48;

export class Viewport {
  /** CSS pixels per photo pixel. */
  scale = 1;
  /** The photo's left edge on the stage. */
  x = 0;
  /** The photo's top edge on the stage. */
  y = 0;
  #photo = { width: 1, height: 1 };
  #frame = { x: 0, y: 0, width: 1, height: 1 };
  #isFitted = true;
  #changed;

  /** @param {() => void} changed */
  constructor(changed) {
    this.#changed = changed;
  }

  /** Size of the photo in its own pixels. */
  get photo() {
    return this.#photo;
  }

  get isFitted() {
    return this.#isFitted;
  }

  /** @param {{width: number, height: number}} photo in photo pixels */
  setPhoto({ width, height }) {
    this.#photo = { width, height };
    this.fit();
  }

  /**
   * The part of the stage that nothing covers; what was in its middle stays there.
   * @param {Rect} frame
   */
  setFrame(frame) {
    const old = this.#frame;
    this.#frame = frame;
    if (this.#isFitted) return this.fit();
    this.x += frame.x + frame.width / 2 - (old.x + old.width / 2);
    this.y += frame.y + frame.height / 2 - (old.y + old.height / 2);
    this.#changed();
  }

  /** The whole photo in view, its centre in the middle of the frame. */
  fit() {
    const margin = this.#frame.width > 700 ? 20 : 0;
    const room = { width: this.#frame.width - 2 * margin, height: this.#frame.height - 2 * margin };
    const scale = Math.min(room.width / this.#photo.width, room.height / this.#photo.height);
    this.scale = Math.max(Math.min(scale, MAX_SCALE), 1e-4);
    this.x = this.#frame.x + (this.#frame.width - this.#photo.width * this.scale) / 2;
    this.y = this.#frame.y + (this.#frame.height - this.#photo.height * this.scale) / 2;
    this.#isFitted = true;
    this.#changed();
  }

  /**
   * Zooms so that the photo's point under (x, y) stays there.
   * @param {number} factor
   * @param {number} [x] on the stage; the frame's middle if left out
   * @param {number} [y]
   */
  zoom(factor, x = this.#frame.x + this.#frame.width / 2, y = this.#frame.y + this.#frame.height / 2) {
    const least = Math.min(this.#fitScale() / 4, 1);
    const scale = Math.min(MAX_SCALE, Math.max(least, this.scale * factor));
    const ratio = scale / this.scale;
    this.x = x - (x - this.x) * ratio;
    this.y = y - (y - this.y) * ratio;
    this.scale = scale;
    this.#moved();
  }

  /**
   * @param {number} dx
   * @param {number} dy
   */
  pan(dx, dy) {
    this.x += dx;
    this.y += dy;
    this.#moved();
  }

  /**
   * Pans as little as needed to bring a photo point into the frame.
   * @param {number} px photo pixels
   * @param {number} py
   */
  reveal(px, py) {
    const edge = 24;
    const { x, y } = this.toStage(px, py);
    const f = this.#frame;
    const dx = Math.max(0, f.x + edge - x) + Math.min(0, f.x + f.width - edge - x);
    const dy = Math.max(0, f.y + edge - y) + Math.min(0, f.y + f.height - edge - y);
    if (dx || dy) this.pan(dx, dy);
  }

  /**
   * @param {number} x on the stage
   * @param {number} y
   * @returns {{x: number, y: number}} photo pixels
   */
  toPhoto(x, y) {
    return { x: (x - this.x) / this.scale, y: (y - this.y) / this.scale };
  }

  /**
   * @param {number} x photo pixels
   * @param {number} y
   * @returns {{x: number, y: number}} on the stage
   */
  toStage(x, y) {
    return { x: this.x + x * this.scale, y: this.y + y * this.scale };
  }

  #fitScale() {
    return Math.min(this.#frame.width / this.#photo.width, this.#frame.height / this.#photo.height);
  }

  #moved() {
    // A quarter of the frame always shows photo, so that it cannot be lost.
    const f = this.#frame;
    const width = this.#photo.width * this.scale;
    const height = this.#photo.height * this.scale;
    const keepX = Math.min(width, f.width / 4);
    const keepY = Math.min(height, f.height / 4);
    this.x = Math.min(f.x + f.width - keepX, Math.max(f.x + keepX - width, this.x));
    this.y = Math.min(f.y + f.height - keepY, Math.max(f.y + keepY - height, this.y));
    this.#isFitted = false;
    this.#changed();
  }
}
