/**
 * The brush's size: a logarithmic slider, a number beside it, and a dot of the size it has on the screen.
 * @module
 */
import { recallNumber, remember } from '../storage/preference.js';
import { onLanguage, text } from '../strings/index.js';
import { byId } from './dom.js';

/** The dot grows no further than its box, in CSS pixels. */
const DOT_SIDE = 24;
/** The brush of a fresh photo, as a share of its long side. */
const BRUSH_SHARE = 0.05;
/** The brush of a fresh photo is not larger than this, in photo pixels. */
const MAX_FIRST_BRUSH = 300;
/** The slider ends here on the largest photos, in photo pixels. */
const MOST_BRUSH = 2000;
const KEY = 'infill-brush-size';
/** What an arrow key makes of the size; it changes by at least one pixel. */
const KEY_STEP = 1.08;

/**
 * Where a size stands on the slider: equal distances are equal ratios.
 * @param {number} size from 1
 * @param {number} most the size at the end
 * @returns {number} 0 to 1
 */
export function shareOf(size, most) {
  return most > 1 ? Math.log(size) / Math.log(most) : 0;
}

/**
 * The size at a place of the slider.
 * @param {number} share 0 to 1; what lies outside is the nearest end
 * @param {number} most the size at the end
 * @returns {number} whole pixels, 1 to `most`
 */
export function sizeAt(share, most) {
  return Math.round(most ** Math.min(1, Math.max(0, share)));
}

/**
 * A size that is larger or smaller by a factor, and by a pixel at least.
 * @param {number} size
 * @param {number} factor
 */
export function scaled(size, factor) {
  const next = Math.round(size * factor);
  return next === size ? size + Math.sign(factor - 1) : next;
}

export class BrushSize {
  /** Its value is the diameter itself, for scripts and screen readers; where the knob stands is drawn from it. */
  #slider = byId('brush-size', HTMLInputElement);
  #track = byId('brush-track', HTMLSpanElement);
  #number = byId('brush-number', HTMLInputElement);
  /** What somebody chose, also on another visit; 0 where nobody did. */
  #chosen = recallNumber(KEY, 1, MOST_BRUSH, 0);
  #changed;

  /** @param {() => void} changed */
  constructor(changed) {
    this.#changed = changed;
    this.#slider.addEventListener('input', () => this.set(Number(this.#slider.value)));
    this.#slider.addEventListener('keydown', (event) => {
      const factor = { ArrowUp: KEY_STEP, ArrowRight: KEY_STEP, ArrowDown: 1 / KEY_STEP, ArrowLeft: 1 / KEY_STEP }[event.key];
      if (!factor) return;
      event.preventDefault();
      this.scale(factor);
    });
    this.#number.addEventListener('change', () => this.set(Number(this.#number.value) || this.diameter));
    // The pointer moves the knob on the logarithmic track; the slider itself would take the place for a linear one.
    this.#track.addEventListener('pointerdown', (event) => {
      if (event.button !== 0) return;
      event.preventDefault();
      this.#track.setPointerCapture(event.pointerId);
      this.#slider.focus({ preventScroll: true });
      this.#follow(event);
    });
    this.#track.addEventListener('pointermove', (event) => this.#track.hasPointerCapture(event.pointerId) && this.#follow(event));
    this.#show();
    onLanguage(() => this.#show());
  }

  /** Photo pixels. */
  get diameter() {
    return Number(this.#slider.value);
  }

  get #most() {
    return Number(this.#slider.max);
  }

  /** @param {number} diameter photo pixels; the slider keeps it within its range */
  set(diameter) {
    this.#slider.value = String(Math.round(diameter));
    this.#chosen = this.diameter;
    remember(KEY, this.#slider.value);
    this.#show();
    this.#changed();
  }

  /** @param {number} factor */
  scale(factor) {
    this.set(scaled(this.diameter, factor));
  }

  /** A photo was opened: the brush suits its size, unless somebody chose one. @param {{width: number, height: number}} photo */
  photoOpened({ width, height }) {
    const long = Math.max(width, height);
    this.#slider.max = this.#number.max = String(Math.min(MOST_BRUSH, Math.max(300, Math.round(long / 4))));
    this.#slider.value = String(this.#chosen || Math.min(MAX_FIRST_BRUSH, Math.max(4, Math.round(long * BRUSH_SHARE))));
    this.#show();
    this.#changed();
  }

  /** @param {boolean} isUsable whether there is a photo to paint on */
  enable(isUsable) {
    this.#slider.tabIndex = this.#number.tabIndex = isUsable ? 0 : -1;
  }

  /** The dot at the size that the brush has on the screen, as far as its box allows. @param {number} scale CSS pixels per photo pixel */
  showDot(scale) {
    const side = Math.min(DOT_SIDE, Math.max(3, this.diameter * scale));
    const { style } = byId('dot', HTMLElement);
    style.width = style.height = `${side}px`;
  }

  /** @param {PointerEvent} event */
  #follow(event) {
    const box = this.#track.getBoundingClientRect();
    this.set(sizeAt((event.clientX - box.x) / box.width, this.#most));
  }

  #show() {
    this.#number.value = this.#slider.value;
    this.#slider.setAttribute('aria-valuetext', text.pixels(this.diameter));
    this.#track.style.setProperty('--share', String(shareOf(this.diameter, this.#most)));
  }
}
