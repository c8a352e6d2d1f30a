/**
 * What is kept on this device: the line that offers to continue, and the choice whether anything is.
 * @module
 */
import { KEEP_KEY, notKept } from '../app.js';
import { continueWork, FORGET_KEY, forgetAll, forgetHere, forgetWork, isWorkExpected, switchKeeping } from '../actions/keep.js';
import { onLanguage, text } from '../strings/index.js';
import { byId, make } from './dom.js';

/** @typedef {import('../app.js').App} App */

export class LeftWork {
  #app;
  #page;
  #box = byId('left-work', HTMLDivElement);
  #isBusy = false;

  /**
   * @param {App} app
   * @param {import('../actions/keep.js').Page} page
   */
  constructor(app, page) {
    this.#app = app;
    this.#page = page;
    // Its place stays free until the page has looked, so that nothing moves under the pointer.
    this.#box.toggleAttribute('data-expected', app.settings.isKeeping && isWorkExpected());
    onLanguage(() => {
      if (!this.#box.hasAttribute('data-expected')) this.show();
    });
  }

  /** Brings the lines up to date: the page has looked. */
  show() {
    const app = this.#app;
    const lines = app.works.map((work, index) => {
      // Names are unique on the page: the first line is the plain one.
      const [go, forget] = index ? [text.continueWith(work.name), text.forgetThis(work.name)] : [text.continueWork, text.forgetWork];
      return make('div', { class: 'left' },
        make('span', {}, text.workLeft(work.name, Date.now() - work.at)),
        make('button', { class: 'btn line', 'aria-label': go, title: text.continueWith(work.name), onclick: () => this.#run(() => continueWork(app, this.#page, work)) }, text.continueWork),
        make('button', { class: 'btn', 'aria-label': forget, title: text.forgetThis(work.name), onclick: () => this.#run(() => forgetWork(app, work)) }, text.forgetWork));
    });
    const hadFocus = this.#box.contains(document.activeElement);
    this.#box.removeAttribute('data-expected');
    this.#box.replaceChildren(...lines);
    if (hadFocus && !this.#app.document) (this.#box.querySelector('button') ?? byId('open-photo', HTMLInputElement)).focus({ preventScroll: true });
  }

  /** One at a time: a second click would find its work gone. @param {() => Promise<void>} run */
  async #run(run) {
    if (this.#isBusy) return;
    this.#isBusy = true;
    await run();
    this.#isBusy = false;
  }
}

/** How the open work stands, in words. @param {App} app */
function standing({ settings, storeFault, keeper }) {
  if (!settings.isKeeping) return '';
  if (storeFault) return notKept(storeFault);
  return keeper.standing === 'off' && keeper.reason ? notKept(keeper.reason) : text.standings[keeper.standing];
}

/**
 * Whether work is kept, how it stands, and how it is forgotten.
 * @param {App} app
 */
export function keepingGroup(app) {
  const box = make('input', { type: 'checkbox', id: 'keep', checked: app.settings.isKeeping });
  box.addEventListener('change', () => void switchKeeping(app, box.checked));
  return make('div', { class: 'group' },
    make('label', { class: 'row' }, text.keep, box),
    make('p', { class: 'help' }, text.keepHelp),
    make('p', { class: 'help', id: 'standing' }, standing(app)),
    make('div', { class: 'acts' }, make('button', { class: 'btn line small', onclick: () => void forgetAll(app) }, text.forgetAll)));
}

/** Brings an open group up to date. @param {App} app */
export function keptChanged(app) {
  const words = document.getElementById('standing');
  if (words) words.textContent = standing(app);
  const box = document.getElementById('keep');
  if (box instanceof HTMLInputElement) box.checked = app.settings.isKeeping;
}

/** What is under way when the page goes is written, and what another tab forgets or switches off holds here too. @param {App} app */
export function followTheBrowser(app) {
  const last = () => void app.keeper.flush(true);
  window.addEventListener('pagehide', last);
  document.addEventListener('visibilitychange', () => document.visibilityState === 'hidden' && last());
  window.addEventListener('storage', ({ key, newValue }) => {
    if (key === KEEP_KEY && newValue !== null) app.chooseKeeping(newValue === 'on');
    if ((key === KEEP_KEY && newValue === 'off') || key === FORGET_KEY) void forgetHere(app);
  });
}
