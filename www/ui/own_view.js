/**
 * "Your network": a class is pasted, its weights are dropped, and the page says whether they fit, which lines to change, or
 * what the file is instead.
 * @module
 */
import { loadClass, readOwn, takeClass, takeOwnWeights } from '../actions/own_network.js';
import { loadWeights } from '../actions/weights.js';
import { callOf } from '../document/own_network.js';
import { text } from '../strings/index.js';
import { trained } from './details_tab.js';
import { icon, make } from './dom.js';
import { choice } from './fill_tab.js';

/** @typedef {import('../app.js').App} App */
/** @typedef {import('./panel.js').Panel} Panel */
/** @typedef {import('../worker/protocol.js').ClassReport} ClassReport */

/** Typing is waited for. */
const PAUSE_MS = 500;
/** Keys at fault that are shown at first. */
const TELLING = 3;
/** Sides that a class may be run at. */
const SIDES = [64, 128, 256, 512, 1024];

export class OwnView {
  #app;
  /** Stays while everything else is made anew, so that nobody's typing is interrupted. */
  #source;
  #weights;
  #result = make('div', { class: 'group', id: 'own-result' });
  #timer = 0;
  /** Whether what is typed is not read yet. */
  #isTyping = false;
  #shows = '';
  /** Makes the panel again, and brings the pictures of what goes in up to date. */
  panel = /** @type {Panel | null} */ (null);

  /** @param {App} app */
  constructor(app) {
    this.#app = app;
    this.#source = make('textarea', { class: 'source', id: 'own-source', spellcheck: 'false', autocapitalize: 'off', autocomplete: 'off', rows: 10 });
    this.#source.addEventListener('input', () => {
      clearTimeout(this.#timer);
      this.#isTyping = true;
      this.#timer = window.setTimeout(() => {
        this.#isTyping = false;
        void takeClass(app, this.#source.value, '');
      }, PAUSE_MS);
    });
    this.#weights = make('p', { class: 'help' });
  }

  /** @param {boolean} isOpen */
  open(isOpen) {
    if (isOpen) this.update();
  }

  /** @returns {Node[]} */
  tab() {
    this.#shows = '';
    this.#source.setAttribute('aria-label', text.ownSource);
    this.#source.placeholder = text.ownPlaceholder;
    this.update();
    return [
      make('section', { class: 'group own' },
        make('h2', {}, text.ownTitle),
        make('p', { class: 'help' }, text.ownHelp),
        this.#source,
        make('div', { class: 'acts' },
          ...this.#fileButton('own-class', text.ownClassFile, '.py,.ipynb,text/x-python', (file) => void loadClass(this.#app, file)),
          ...this.#fileButton('own-weights-file', text.ownWeightsFile, '', (file) => void takeOwnWeights(this.#app, file, file.name))),
        this.#weights),
      this.#result,
    ];
  }

  /**
   * @param {string} id
   * @param {string} label
   * @param {string} accept
   * @param {(file: File) => void} run
   */
  #fileButton(id, label, accept, run) {
    const input = make('input', { class: 'file', type: 'file', id, accept, 'aria-label': label });
    input.addEventListener('change', () => {
      const file = input.files?.[0];
      input.value = '';
      if (file) run(file);
    });
    return [input, make('label', { class: 'btn line small', for: id }, label)];
  }

  /** Something about the class or its weights changed. */
  update() {
    const { own, models } = this.#app;
    if (!this.#isTyping && this.#source.value !== own.source) this.#source.value = own.source;
    this.#weights.textContent = own.weights ? text.ownWeightsAre(own.weights.file) : text.ownNoWeights;
    // What has the focus is not made anew for nothing.
    const shows = JSON.stringify([own.report, own.failure, own.isReading, own.handle, models.selected.handle, models.selected.options, models.selected.second?.name]);
    if (shows === this.#shows) return;
    this.#shows = shows;
    this.#result.replaceChildren(...this.#found());
  }

  /** @returns {Node[]} */
  #found() {
    const { own } = this.#app;
    if (own.failure) return [make('section', { class: 'card warn' }, make('h2', {}, icon('warn'), make('span', {}, own.failure)))];
    if (!own.report) return own.isReading ? [make('p', { class: 'help' }, text.ownReading)] : [];
    const { report } = own;
    const isWrong = !['fits', 'waits'].includes(report.state);
    return [
      make('section', { class: isWrong ? 'card warn' : 'card', 'data-own-state': report.state },
        make('h2', {}, isWrong && icon('warn'), make('span', {}, text.ownStates[report.state])),
        make('p', {}, report.message),
        ...report.notes.map((note) => make('p', {}, note)),
        ...this.#faults(report),
        ...this.#edit(report),
        report.instead && own.weights && make('div', { class: 'acts' },
          make('button', { class: 'btn line small', onclick: () => void this.#runInstead() }, text.ownInstead(report.instead[1])))),
      ...this.#arguments(report),
      ...this.#python(report),
      ...this.#trained(report),
    ];
  }

  async #runInstead() {
    const { weights } = this.#app.own;
    if (weights) await loadWeights(this.#app, [new File([weights.blob], weights.file)]);
  }

  /** @param {ClassReport} report */
  #faults({ faults }) {
    if (!faults.length) return [];
    /** @param {number[] | null} shape */
    const shown = (shape) => `[${(shape ?? []).join(', ')}]`;
    const items = faults.map(({ key, expected, found, place }) => {
      const words = expected && found ? text.misshaped(shown(expected), shown(found)) : expected ? text.missing : text.unexpected;
      return make('li', {}, make('span', { class: 'code' }, key), make('small', {}, place ? `${words} · ${place}` : words));
    });
    const list = make('ul', { class: 'keys' }, ...items.slice(0, TELLING));
    const all = make('button', { class: 'btn line small' }, text.showAll(items.length));
    all.addEventListener('click', () => {
      list.replaceChildren(...items);
      all.remove();
    });
    return [list, ...(items.length > TELLING ? [make('div', { class: 'acts' }, all)] : [])];
  }

  /** The lines to change, and the button that changes them. @param {ClassReport} report */
  #edit({ edit, state, loading }) {
    const { own } = this.#app;
    const leavesOut = state === 'nearly' && loading !== null && loading.left_out.length > 0;
    // What all of them are indented by says nothing.
    const indents = (edit?.lines ?? []).filter(({ text: line }) => line.trim()).map(({ text: line }) => line.length - line.trimStart().length);
    const indent = indents.length ? Math.min(...indents) : 0;
    const lines = (edit?.lines ?? []).flatMap(({ place, comes, text: line }) => [
      make('span', { class: comes ? 'comes' : 'goes' }, make('small', {}, place), make(comes ? 'ins' : 'del', {}, `${comes ? '+' : '-'} ${line.slice(indent)}`)),
    ]);
    const apply = () => {
      if (!edit) return;
      own.source = edit.source;
      this.#source.value = edit.source;
      void readOwn(this.#app);
    };
    const leave = () => {
      own.leavesOut = true;
      void readOwn(this.#app);
    };
    return [
      lines.length > 0 && make('div', { class: 'diff code', role: 'group', 'aria-label': text.ownDiff }, ...lines),
      make('div', { class: 'acts' },
        edit && make('button', { class: 'btn line small', onclick: apply }, text.ownApply),
        leavesOut && make('button', { class: 'btn line small', onclick: leave }, text.ownLeaveOut)),
    ];
  }

  /** What the class is made with, to be said. @param {ClassReport} report */
  #arguments(report) {
    const { own } = this.#app;
    const fields = report.arguments.map(({ name, kind, default: usual, given }) => {
      const input = make('input', { class: 'filter', id: `own-argument-${name}`, value: given ?? '', placeholder: usual ?? text.ownNeeded, spellcheck: 'false', autocomplete: 'off' });
      return { name, input, row: make('div', { class: 'row' }, make('label', { for: `own-argument-${name}` }, make('span', { class: 'code' }, name), kind && ` (${kind})`), input) };
    });
    if (!fields.length) return [];
    const use = (/** @type {Event} */ event) => {
      event.preventDefault();
      own.classArgs = callOf(report.class, fields.map(({ name, input }) => [name, input.value]));
      void readOwn(this.#app);
    };
    const form = make('form', { class: 'group', onsubmit: use }, ...fields.map(({ row }) => row),
      make('div', {}, make('button', { class: 'btn line small', type: 'submit' }, text.ownUse)));
    return [make('details', { class: 'group', open: report.state === 'asks' }, make('summary', {}, text.ownMadeWith(report.class)), form)];
  }

  /** The lines that load the weights in Python. @param {ClassReport} report */
  #python({ loading }) {
    if (!loading) return [];
    const copy = () => void navigator.clipboard?.writeText(loading.code).then(() => this.#app.say(text.copied));
    return [make('details', { class: 'group' }, make('summary', {}, text.ownPython), make('pre', { class: 'code', tabindex: 0 }, loading.code),
      make('div', {}, make('button', { class: 'btn line small', onclick: copy }, text.copy)))];
  }

  /** How it is run, once it runs. @param {ClassReport} report */
  #trained(report) {
    const { own, models } = this.#app;
    const entry = models.find(own.handle);
    if (report.state !== 'fits' || !entry || entry !== models.selected || !this.panel) return [];
    const again = () => void readOwn(this.#app);
    const returned = Object.fromEntries(report.returned.map(({ place, shape }, index) => [String(index), `${place || text.ownWhole} [${shape.join(', ')}]`]));
    const sides = Object.fromEntries([...new Set([...SIDES, report.side ?? SIDES[0]])].sort((a, b) => a - b).map((side) => [String(side), `${side} × ${side}`]));
    return [
      make('section', { class: 'group' },
        choice('own-side', text.ownSide, sides, String(report.side), (value) => {
          own.side = Number(value);
          again();
        }),
        report.returned.length > 1 && choice('own-returned', text.ownReturned, returned, String(report.taken), (value) => {
          own.returned = Number(value);
          again();
        })),
      trained(this.#app, entry, this.panel),
    ];
  }
}
