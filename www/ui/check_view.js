/**
 * "Check against the reference": how far the fast engine is from it, layer by layer, and where in the picture.
 * @module
 */
import { isCancelled, wordsFor } from '../app.js';
import { cannotCheck, checkEngines } from '../actions/check.js';
import { raster } from '../canvas/overlay.js';
import { text } from '../strings/index.js';
import { make } from './dom.js';

/** @typedef {import('../app.js').App} App */
/** @typedef {import('../worker/protocol.js').Check} Check */

/** Differences down to this share of the largest one can be told from black. */
const DECADES = 3;

/** What the tab shows of the last check; it outlives the tab, which is made anew whenever it is opened. */
export class CheckView {
  #app;
  #box = make('div', { class: 'group' });
  #control = /** @type {AbortController | null} */ (null);
  #said = make('p', { class: 'help', 'aria-live': 'polite' });
  #found = /** @type {Check | null} */ (null);
  #reason = '';
  /** Why the last check failed. */
  #error = '';

  /** @param {App} app */
  constructor(app) {
    this.#app = app;
  }

  /** @returns {HTMLElement} */
  element() {
    this.#render();
    return this.#box;
  }

  /** Photo, mask or model changed: it may be possible now, or not any more. */
  refresh() {
    if (!this.#control && cannotCheck(this.#app) !== this.#reason) this.#render();
  }

  #render() {
    const reason = cannotCheck(this.#app);
    this.#reason = reason;
    const isOn = this.#control !== null;
    const button = isOn
      ? make('button', { class: 'btn line small', onclick: () => this.#control?.abort() }, text.checkStop)
      : make('button', { class: 'btn line small', disabled: reason !== '', onclick: () => void this.#check() }, text.checkEngines);
    if (!isOn) this.#said.textContent = this.#found ? text.checked(this.#found.largest) : this.#error || reason || text.checkHelp;
    this.#box.replaceChildren(
      make('h3', {}, text.checkTitle),
      make('div', { class: 'acts' }, button),
      this.#said,
      ...(this.#found ? result(this.#found) : []),
    );
  }

  async #check() {
    const control = new AbortController();
    [this.#control, this.#found, this.#error] = [control, null, ''];
    this.#said.textContent = text.checkStarting;
    this.#render();
    try {
      const found = await checkEngines(this.#app, control.signal, (done, layer) => {
        this.#said.textContent = text.running(layer, done, null);
      });
      this.#found = found;
    } catch (error) {
      this.#error = isCancelled(error) ? text.cancelled : wordsFor(error);
    } finally {
      this.#control = null;
      this.#render();
    }
  }
}

/** @param {Check} found @returns {Node[]} */
function result({ largest, layers, columns, rows, values }) {
  const most = Math.max(...layers.map(({ largest: apart, magnitude }) => share(apart, magnitude)));
  const list = layers.map(({ path, op, largest: apart, magnitude }) => {
    const row = make('li', { title: text.layerApart(op, magnitude) }, make('span', {}, path), make('span', {}, text.apart(apart)));
    row.style.setProperty('--share', String(most ? share(apart, magnitude) / most : 0));
    return row;
  });
  const picture = raster(columns, rows, (at) => {
    const level = Math.round(255 * brightness(values[at], largest));
    return [level, level, level, 255];
  });
  picture.setAttribute('role', 'img');
  picture.setAttribute('aria-label', text.apartWhere(largest));
  return [
    make('figure', { class: 'apart' }, picture, make('figcaption', {}, text.apartScale(largest, largest / 10 ** DECADES))),
    make('h4', {}, text.apartByLayer),
    make('ol', { class: 'times' }, ...list),
  ];
}

/** @param {number} apart @param {number} magnitude */
function share(apart, magnitude) {
  return magnitude > 0 ? apart / magnitude : 0;
}

/** On a scale of powers of ten: 1 for the largest difference, 0 for a thousandth of it. @param {number} value @param {number} largest */
function brightness(value, largest) {
  if (!(value > 0) || !(largest > 0)) return 0;
  return Math.max(0, 1 + Math.log10(value / largest) / DECADES);
}
