/**
 * The edges that a network is given: found in the photo, completed by the edge generator, drawn and erased by hand.
 * @module
 */
import { isCancelled, wordsFor } from '../app.js';
import { findEdges } from '../actions/look.js';
import { saveEdges } from '../actions/save.js';
import { keyOf } from '../actions/fill.js';
import { Overlay, raster } from '../canvas/overlay.js';
import { planePainter, Tiles } from '../canvas/tiles.js';
import { completesEdges, takesEdges, WINDOW_SIDES } from '../document/models.js';
import { text } from '../strings/index.js';
import { byId, make } from './dom.js';
import { choice } from './fill_tab.js';

/** @typedef {import('../app.js').App} App */
/** @typedef {import('../canvas/stage.js').Stage} Stage */
/** @typedef {import('../worker/protocol.js').EdgeMap} EdgeMap */
/** @typedef {import('../tools/toolbox.js').Toolbox} Toolbox */

/** Edges are looked for when nothing has changed for this long. */
const PAUSE_MS = 200;
const FOUND_COLOUR = /** @type {const} */ ([30, 214, 255]);
const DRAWN_COLOUR = /** @type {[number, number, number]} */ ([255, 226, 64]);
const SIGMA = 2;
const SIDE = 512;

export class EdgesView {
  /** Diameter of the pen for edges in photo pixels: one pixel of what the network sees. */
  penWidth = 1;
  #app;
  #toolbox;
  #overlay;
  #isOpen = false;
  #timer = 0;
  #found = /** @type {{key: string, pictures: import('../canvas/overlay.js').Picture[]} | null} */ (null);
  #drawn = /** @type {Tiles | null} */ (null);
  #erased = /** @type {Tiles | null} */ (null);

  /**
   * @param {App} app
   * @param {Stage} stage
   * @param {Toolbox} toolbox
   */
  constructor(app, stage, toolbox) {
    this.#app = app;
    this.#toolbox = toolbox;
    this.#overlay = new Overlay(byId('stage', HTMLElement), stage.view);
  }

  /** Whether the selected model takes edges. */
  get isOffered() {
    return takesEdges(this.#app.models.selected);
  }

  /** @param {boolean} isOpen whether the tab is in view */
  open(isOpen) {
    this.#isOpen = isOpen;
    this.update();
  }

  /** Another photo was opened. */
  photoOpened() {
    const { document } = this.#app;
    this.#found = null;
    if (!document) return;
    const { width, height } = document.photo;
    this.#drawn = new Tiles(width, height, planePainter(document.edges.drawn, DRAWN_COLOUR));
    this.#erased = new Tiles(width, height, planePainter(document.edges.erased, DRAWN_COLOUR));
  }

  /** @param {import('../document/raster.js').Rect} rect photo pixels */
  strokesChanged(rect) {
    this.#drawn?.invalidate(rect);
    this.#erased?.invalidate(rect);
    this.#overlay.refresh();
  }

  /** The photo moved on the stage. */
  followView() {
    this.#overlay.refresh();
  }

  /** Photo, mask, model, tool or setting changed. */
  update() {
    const { document, state } = this.#app;
    const isUsable = this.isOffered && !!document;
    this.#toolbox.offer('edges', isUsable);
    const isShown = isUsable && (this.#isOpen || this.#toolbox.current.needs === 'edges');
    clearTimeout(this.#timer);
    if (!isShown || !document || document.mask.isEmpty) return this.#overlay.show(null);
    this.#show();
    if (this.#found?.key === this.#key() || state.isRunning || document.isStroking) return;
    this.#timer = window.setTimeout(() => void this.find(false), PAUSE_MS);
  }

  /** Everything that the edges depend on. */
  #key() {
    const { document, models } = this.#app;
    const { handle, options } = models.selected;
    return document ? [keyOf(document.photo), document.maskVersion, handle, options.sigma, options.side].join() : '';
  }

  /**
   * Looks for the edges of the mask as it is.
   * @param {boolean} complete whether the edge generator completes them
   */
  async find(complete) {
    const { document, state } = this.#app;
    if (!document || document.mask.isEmpty || state.isRunning) return;
    const key = this.#key();
    const succeed = this.#app.begin();
    try {
      const maps = await findEdges(this.#app, complete);
      if (key !== this.#key()) return;
      this.#found = { key, pictures: maps.map(picture) };
      this.penWidth = Math.max(1, ...maps.map(({ width, columns }) => Math.ceil(width / columns)));
    } catch (error) {
      if (!isCancelled(error)) this.#app.fail(wordsFor(error));
      return;
    }
    if (complete) succeed(text.edgesCompleted);
    this.update();
  }

  #show() {
    this.#overlay.show({ pictures: this.#found?.pictures ?? [], erased: this.#erased ?? undefined, drawn: this.#drawn ?? undefined });
  }

  /** What the tab says. @returns {Node[]} */
  tab() {
    const { document, models } = this.#app;
    const { options } = models.selected;
    const shown = make('span', {}, String(options.sigma ?? SIGMA));
    const sigma = make('input', { type: 'range', id: 'sigma', min: 0.5, max: 5, step: 0.1, value: options.sigma ?? SIGMA });
    sigma.addEventListener('input', () => {
      shown.textContent = sigma.value;
      if (Number(sigma.value) === SIGMA) delete options.sigma;
      else options.sigma = Number(sigma.value);
      this.update();
    });
    const side = choice('side', text.windowSide, WINDOW_SIDES, String(options.side ?? SIDE), (value) => {
      if (Number(value) === SIDE) delete options.side;
      else options.side = Number(value);
      this.update();
    });
    const draw = make('button', { class: 'btn line small', onclick: () => this.#toolbox.choose('edge') }, text.drawEdges);
    const complete = make('button', { class: 'btn line small', onclick: () => void this.find(true) }, text.completeEdges);
    const clear = make('button', { class: 'btn line small', onclick: () => document?.clearEdges() }, text.clearEdges);
    const save = make('button', { class: 'btn line small', onclick: () => void saveEdges(this.#app) }, text.saveEdges);
    return [
      make('div', { class: 'group' }, make('p', { class: 'help' }, !document || document.mask.isEmpty ? text.edgesNeedHole : text.edgesHelp),
        make('p', { class: 'legend' }, make('i', { class: 'found' }), text.edgesFound, make('i', { class: 'drawn' }), text.edgesDrawn)),
      make('div', { class: 'group' }, make('div', { class: 'acts' }, draw, completesEdges(models.selected) && complete, clear, save),
        completesEdges(models.selected) && make('p', { class: 'help' }, text.completeHelp)),
      make('div', { class: 'group' },
        make('div', { class: 'row' }, make('label', { for: 'sigma' }, text.sigma), shown, sigma),
        make('p', { class: 'help' }, text.sigmaHelp)),
      make('div', { class: 'group' }, side, make('p', { class: 'help' }, text.sideHelp)),
    ];
  }
}

/** @param {EdgeMap} map */
function picture({ x, y, width, height, columns, rows, values }) {
  return { x, y, width, height, image: raster(columns, rows, (at) => [...FOUND_COLOUR, values[at]]) };
}
