/**
 * What can be done to the mask as a whole, in a small menu beside the tools.
 * @module
 */
import { changeMask } from '../actions/mask.js';
import { snapMask } from '../actions/select.js';
import { OPERATIONS } from '../document/operations.js';
import { onLanguage, text } from '../strings/index.js';
import { byId, make } from './dom.js';

/** @typedef {import('../app.js').App} App */
/** @typedef {import('../document/operations.js').OperationName} OperationName */

const MAX_AMOUNT = 100;

const operations = () => /** @type {OperationName[]} */ (Object.keys(OPERATIONS));

export class MaskMenu {
  #app;
  #button = byId('mask-menu', HTMLButtonElement);
  #box = byId('mask-operations', HTMLDivElement);
  #amount = make('input', { type: 'number', id: 'mask-amount', min: 1, max: MAX_AMOUNT, step: 1, value: 4 });
  /** @type {Map<OperationName, HTMLButtonElement>} */
  #buttons = new Map();
  #snap = /** @type {HTMLButtonElement | null} */ (null);

  /** @param {App} app */
  constructor(app) {
    this.#app = app;
    this.#build();
    onLanguage(() => {
      this.#build();
      this.show();
    });
    this.#button.addEventListener('click', () => this.#open(this.#box.hidden));
    this.#box.addEventListener('keydown', (event) => {
      if (event.key !== 'Escape') return;
      event.preventDefault();
      this.#open(false);
      this.#button.focus();
    });
    document.addEventListener('pointerdown', ({ target }) => {
      if (target instanceof Node && !this.#box.contains(target) && !this.#button.contains(target)) this.#open(false);
    });
  }

  #build() {
    this.#buttons = new Map(operations().map((name) => {
      const { label, short, tip, key } = text.operations[name];
      return [name, make('button', { class: 'btn', id: `mask-${name}`, 'aria-label': label, title: text.toolTip(tip, key), onclick: () => this.run(name) }, short)];
    }));
    const { label, short, tip, key } = text.snap;
    this.#snap = make('button', { class: 'btn', id: 'mask-snap', 'aria-label': label, title: text.toolTip(tip, key), onclick: () => void snapMask(this.#app) }, short);
    this.#amount.setAttribute('aria-label', text.maskAmountLabel);
    const by = make('span', { class: 'by' }, text.maskAmount, this.#amount, text.pixel);
    this.#box.replaceChildren(this.#snap, ...this.#buttons.values(), by);
  }

  /** The keys that run an operation. @returns {Record<string, () => void>} */
  get keys() {
    return { [text.snap.key]: () => void snapMask(this.#app), ...Object.fromEntries(operations().map((name) => [text.operations[name].key, () => this.run(name)])) };
  }

  /** @param {OperationName} name */
  run(name) {
    const amount = Math.min(MAX_AMOUNT, Math.max(1, Math.round(Number(this.#amount.value)) || 1));
    this.#amount.value = String(amount);
    changeMask(this.#app, name, amount);
  }

  /** Brings the buttons up to date. */
  show() {
    const { document } = this.#app;
    const isEmpty = !document || document.mask.isEmpty;
    if (this.#snap) this.#snap.disabled = isEmpty;
    for (const [name, button] of this.#buttons) button.disabled = !document || (isEmpty && name !== 'invert');
  }

  /** @param {boolean} isOpen */
  #open(isOpen) {
    this.#box.hidden = !isOpen;
    this.#button.setAttribute('aria-expanded', String(isOpen));
    if (isOpen) this.#buttons.get('invert')?.focus();
  }
}
