/**
 * A discriminator's scores: a heat map over the photo, one number for the whole and one for every patch.
 * @module
 */
import { isCancelled, wordsFor } from '../app.js';
import { keyOf } from '../actions/fill.js';
import { scorePhoto } from '../actions/look.js';
import { Overlay, raster } from '../canvas/overlay.js';
import { scores } from '../document/models.js';
import { text } from '../strings/index.js';
import { byId, make } from './dom.js';

/** @typedef {import('../app.js').App} App */
/** @typedef {import('../canvas/stage.js').Stage} Stage */
/** @typedef {import('../worker/protocol.js').Scores} Scores */
/** @typedef {'opened' | 'now'} Which */

/** Made, undecided, real: told apart in any kind of colour vision. */
const SCALE = [[213, 94, 0], [246, 242, 232], [0, 90, 181]];
const ALPHA = 150;

export class ScoresView {
  #app;
  #overlay;
  #isOpen = false;
  #isBusy = false;
  #which = /** @type {Which} */ ('now');
  #found = /** @type {{key: string, scores: Scores} | null} */ (null);
  #cell = make('p', { class: 'help', 'aria-live': 'polite' });

  /**
   * @param {App} app
   * @param {Stage} stage
   * @param {() => void} changed the tab has something new to say
   */
  constructor(app, stage, changed) {
    this.#app = app;
    this.changed = changed;
    const element = byId('stage', HTMLElement);
    this.#overlay = new Overlay(element, stage.view);
    element.addEventListener('pointermove', (event) => {
      const isChrome = event.target instanceof Element && event.target.closest('[data-chrome]');
      if (!this.#isOpen || !this.#found || isChrome) return;
      const box = element.getBoundingClientRect();
      this.#point(stage.view.toPhoto(event.clientX - box.x, event.clientY - box.y));
    });
  }

  /** Whether the selected model has a discriminator. */
  get isOffered() {
    return scores(this.#app.models.selected);
  }

  /** @param {boolean} isOpen whether the tab is in view */
  open(isOpen) {
    this.#isOpen = isOpen;
    this.update();
  }

  followView() {
    this.#overlay.refresh();
  }

  /** Photo or model changed: old scores go. */
  update() {
    const { document } = this.#app;
    if (this.#found && (!document || this.#found.key !== this.#key())) {
      this.#found = null;
      if (this.#isOpen) this.changed();
    }
    this.#show(null);
  }

  #key() {
    const { document, models } = this.#app;
    const { handle, options } = models.selected;
    return document ? [keyOf(document.photo), this.#which, handle, options.side, options.range].join() : '';
  }

  /** @param {Which} which */
  async #score(which) {
    const { document, state } = this.#app;
    if (!document || state.isRunning || this.#isBusy) return;
    this.#which = which;
    this.#isBusy = true;
    const key = this.#key();
    const succeed = this.#app.begin();
    try {
      const found = await scorePhoto(this.#app, which === 'opened');
      if (key !== this.#key()) return;
      this.#found = { key, scores: found };
      succeed(text.scored(found.mean));
      this.changed();
      this.#show(null);
    } catch (error) {
      if (!isCancelled(error)) this.#app.fail(wordsFor(error));
    } finally {
      this.#isBusy = false;
    }
  }

  /** What the cell at this index sees, photo pixels. @param {number} at */
  #field(at) {
    const { columns, start, step, field } = /** @type {{scores: Scores}} */ (this.#found).scores;
    const [column, row] = [at % columns, Math.floor(at / columns)];
    return { x: start[0] + column * step[0], y: start[1] + row * step[1], width: field[0], height: field[1] };
  }

  /** @param {number | null} cell whose view is framed */
  #show(cell) {
    if (!this.#isOpen || !this.#found) return this.#overlay.show(null);
    const { columns, rows, values, start, step, field } = this.#found.scores;
    const image = raster(columns, rows, (at) => [...colour(values[at]), ALPHA]);
    // A cell is drawn around the middle of what it sees.
    const left = start[0] + (field[0] - step[0]) / 2;
    const top = start[1] + (field[1] - step[1]) / 2;
    const picture = { x: left, y: top, width: columns * step[0], height: rows * step[1], image };
    this.#overlay.show({ pictures: [picture], frame: cell === null ? null : this.#field(cell) });
  }

  /** @param {{x: number, y: number}} at photo pixels */
  #point({ x, y }) {
    if (!this.#found) return;
    const { columns, rows, start, step, field } = this.#found.scores;
    const column = Math.floor((x - start[0] - (field[0] - step[0]) / 2) / step[0]);
    const row = Math.floor((y - start[1] - (field[1] - step[1]) / 2) / step[1]);
    const isInside = column >= 0 && row >= 0 && column < columns && row < rows;
    this.#tell(isInside ? row * columns + column : null);
  }

  /** @param {number | null} cell */
  #tell(cell) {
    const { scores: found } = /** @type {{scores: Scores}} */ (this.#found);
    this.#cell.textContent = cell === null ? text.pointAtScore : text.cellScore(Math.floor(cell / found.columns), cell % found.columns, found.values[cell]);
    this.#show(cell);
  }

  /** What the tab says. @returns {Node[]} */
  tab() {
    const { document } = this.#app;
    const found = this.#found?.scores;
    const button = (/** @type {Which} */ which, /** @type {string} */ words, /** @type {boolean} */ isOff) =>
      make('button', { class: 'btn line small', disabled: isOff, 'aria-pressed': String(!!found && this.#which === which), onclick: () => void this.#score(which) }, words);
    const parts = [make('div', { class: 'group' },
      make('p', { class: 'help' }, document ? text.scoresHelp : text.scoresNeedPhoto),
      make('div', { class: 'acts' }, button('now', text.scoreNow, !document), button('opened', text.scoreOpened, !document?.photo.isEdited)))];
    if (!found) return parts;
    this.#cell.textContent = text.pointAtScore;
    const cells = found.values.map((value, at) =>
      make('button', { class: 'score', 'aria-label': text.cellScore(Math.floor(at / found.columns), at % found.columns, value), onpointerenter: () => this.#tell(at), onfocus: () => this.#tell(at), onclick: () => this.#tell(at), tabindex: at === 0 ? 0 : -1 }));
    cells.forEach((cell, at) => {
      cell.style.background = `rgb(${colour(found.values[at]).join(' ')})`;
    });
    const grid = make('div', { class: 'scores', role: 'group', 'aria-label': text.scoresGrid, onkeydown: (/** @type {KeyboardEvent} */ event) => {
      const by = { ArrowLeft: -1, ArrowRight: 1, ArrowUp: -found.columns, ArrowDown: found.columns }[event.key];
      const at = cells.findIndex((cell) => cell === globalThis.document.activeElement);
      if (!by || at < 0) return;
      event.preventDefault();
      event.stopPropagation();
      cells[at + by]?.focus();
    } }, ...cells);
    grid.style.gridTemplateColumns = `repeat(${found.columns}, 1fr)`;
    parts.push(make('div', { class: 'group' },
      make('p', { class: 'mean' }, text.meanScore, ' ', make('b', {}, text.score(found.mean)), ' ', make('small', {}, text.scoreRange(Math.min(...found.values), Math.max(...found.values)))),
      grid,
      make('div', { class: 'scale', 'aria-hidden': 'true' }, make('span', {}, text.scoreMade), make('i'), make('span', {}, text.scoreReal)),
      this.#cell));
    return parts;
  }
}

/** @param {number} value 0 to 1 */
function colour(value) {
  const at = Math.min(1, Math.max(0, value)) * 2;
  const [from, to] = at < 1 ? [SCALE[0], SCALE[1]] : [SCALE[1], SCALE[2]];
  return from.map((channel, i) => Math.round(channel + (to[i] - channel) * (at % 1 || Number(at === 2))));
}
