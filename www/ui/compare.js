/**
 * Before and after: hold the button (or the backslash) to see the photo as it was opened; click it for a divider.
 * @module
 */
import { byId } from './dom.js';

/** @typedef {import('../app.js').App} App */
/** @typedef {import('../canvas/stage.js').Stage} Stage */

/** A press this long is a look, a shorter one a click. */
const HOLD_MS = 250;
/** A step of the divider by key, as a share of the photo. */
const STEP = 0.02;

export class Compare {
  #app;
  #stage;
  #button = byId('compare', HTMLButtonElement);
  #divider = byId('divider', HTMLDivElement);
  #share = 0.5;
  #isDivided = false;
  #pressed = 0;
  #wasHold = false;

  /**
   * @param {App} app
   * @param {Stage} stage
   */
  constructor(app, stage) {
    this.#app = app;
    this.#stage = stage;
    this.#button.addEventListener('pointerdown', (event) => {
      this.#pressed = event.timeStamp;
      this.hold(true);
    });
    for (const type of /** @type {const} */ (['pointerup', 'pointerleave', 'pointercancel'])) {
      this.#button.addEventListener(type, (event) => {
        if (!this.#pressed) return;
        this.#wasHold = event.timeStamp - this.#pressed > HOLD_MS;
        this.#pressed = 0;
        this.hold(false);
      });
    }
    this.#button.addEventListener('click', () => {
      if (!this.#wasHold) this.divide(!this.#isDivided);
      this.#wasHold = false;
    });
    this.#divider.addEventListener('pointerdown', (event) => this.#divider.setPointerCapture(event.pointerId));
    this.#divider.addEventListener('pointermove', (event) => {
      if (!this.#divider.hasPointerCapture(event.pointerId)) return;
      const photo = this.#app.document?.photo;
      const left = this.#divider.parentElement?.getBoundingClientRect().x ?? 0;
      if (photo) this.#move(stage.view.toPhoto(event.clientX - left, 0).x / photo.width);
    });
    this.#divider.addEventListener('keydown', (event) => {
      const step = { ArrowLeft: -STEP, ArrowRight: STEP }[event.key];
      if (!step) return;
      event.preventDefault();
      event.stopPropagation();
      this.#move(this.#share + step);
    });
  }

  /** @param {boolean} isOn */
  hold(isOn) {
    if (!this.#app.document?.photo.isEdited) return;
    this.#stage.compare(isOn ? 1 : this.#isDivided ? this.#share : null, isOn);
  }

  get isDivided() {
    return this.#isDivided;
  }

  /** @param {boolean} isOn */
  divide(isOn) {
    this.#isDivided = isOn && !!this.#app.document?.photo.isEdited;
    this.#button.setAttribute('aria-pressed', String(this.#isDivided));
    this.#divider.hidden = !this.#isDivided;
    this.#stage.compare(this.#isDivided ? this.#share : null);
    this.place();
  }

  /** @param {number} share */
  #move(share) {
    this.#share = Math.min(1, Math.max(0, share));
    this.#divider.setAttribute('aria-valuenow', String(Math.round(this.#share * 100)));
    this.#stage.compare(this.#share);
    this.place();
  }

  /** Follows the photo on the stage. */
  place() {
    const photo = this.#app.document?.photo;
    if (!this.#isDivided || !photo) return;
    const { view } = this.#stage;
    const { style } = this.#divider;
    const top = Math.max(0, view.y);
    const bottom = Math.min(this.#divider.parentElement?.clientHeight ?? 0, view.y + photo.height * view.scale);
    style.left = `${view.toStage(photo.width * this.#share, 0).x}px`;
    style.top = `${top}px`;
    style.height = `${Math.max(28, bottom - top)}px`;
  }
}
