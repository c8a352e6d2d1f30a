/**
 * Top bar, tool rail and bottom bar: what they show, and what their buttons do.
 * @module
 */
import { cancel, inpaint, tryAnother } from '../actions/fill.js';
import { saveImage, saveMask } from '../actions/save.js';
import { chooseModel } from '../actions/shipped.js';
import { drawsEdges } from '../canvas/pointer.js';
import { bytesToFetch, nameOf, NONE, parametersOf } from '../document/models.js';
import { text } from '../strings/en.js';
import { BrushSize } from './brush_size.js';
import { byId, make } from './dom.js';

/** @typedef {import('../app.js').App} App */
/** @typedef {import('../canvas/stage.js').Stage} Stage */
/** @typedef {import('../canvas/pointer.js').Tool} Tool */

const TOOLS = /** @type {const} */ (['brush', 'eraser', 'edge', 'edge-eraser', 'pan']);

export class Bars {
  /** @type {Tool} */
  tool = 'brush';
  /** Diameter of the edge pen in photo pixels: one pixel of what the network sees. */
  penWidth = 1;
  #app;
  #stage;
  #size;
  #changed;

  /**
   * @param {App} app
   * @param {Stage} stage
   * @param {() => void} changed tool or size changed
   */
  constructor(app, stage, changed) {
    this.#app = app;
    this.#stage = stage;
    this.#changed = changed;
    /** @type {[string, () => void][]} */
    const clicks = [
      ['undo', () => this.undo()],
      ['redo', () => this.redo()],
      ['save-image', () => void saveImage(app)],
      ['save-mask', () => void saveMask(app)],
      ['clear-mask', () => this.clear()],
      ['inpaint', () => void this.inpaint()],
      ['cancel', () => cancel(app)],
      ['another', () => void tryAnother(app, stage)],
      ['zoom-in', () => stage.view.zoom(1.5)],
      ['zoom-out', () => stage.view.zoom(1 / 1.5)],
      ['zoom-fit', () => stage.view.fit()],
    ];
    for (const [id, run] of clicks) byId(id, HTMLButtonElement).addEventListener('click', run);
    for (const tool of TOOLS) {
      byId(`tool-${tool}`, HTMLButtonElement).addEventListener('click', () => this.choose(tool));
    }
    byId('model', HTMLSelectElement).addEventListener('change', (event) => {
      void chooseModel(app, /** @type {HTMLSelectElement} */ (event.currentTarget).value);
    });
    this.#size = new BrushSize(() => {
      this.showDot();
      changed();
    });
    this.showDot();
    this.showModels();
  }

  /** Diameter of what is drawn with, in photo pixels. */
  get diameter() {
    return this.tool === 'edge' ? this.penWidth : this.#size.diameter;
  }

  /** Diameter of what a dab will have filled, in photo pixels: what is painted is grown, what is erased is not. */
  get reach() {
    return this.diameter + (this.tool === 'brush' ? 2 * this.#app.settings.grow : 0);
  }

  /** @param {Tool} tool */
  choose(tool) {
    if (byId(`tool-${tool}`, HTMLButtonElement).hidden) return;
    this.tool = tool;
    for (const each of TOOLS) {
      byId(`tool-${each}`, HTMLButtonElement).setAttribute('aria-pressed', String(each === tool));
    }
    this.#changed();
  }

  /** @param {number} factor */
  scaleBrush(factor) {
    this.#size.scale(factor);
  }

  undo() {
    const { document, state } = this.#app;
    // The photo stays as it is while a run reads it.
    if (!document?.history.canUndo || (state.isRunning && document.history.top?.isFill)) return;
    const step = document.undo();
    state.succeeded();
    if (step && !state.isRunning) this.#app.say(/** @type {Record<string, string>} */ (text.undone)[step.label]);
  }

  redo() {
    const { document, state } = this.#app;
    if (!document?.history.canRedo || state.isRunning) return;
    const step = document.redo();
    state.succeeded();
    if (step) this.#app.say(/** @type {Record<string, string>} */ (text.redone)[step.label]);
  }

  clear() {
    const { document, state } = this.#app;
    if (!document || document.mask.isEmpty) return;
    document.clearMask();
    state.succeeded();
    if (!state.isRunning) this.#app.say(text.cleared);
  }

  /** Offers the tools for edges, or takes them away. @param {boolean} isOn */
  offerEdges(isOn) {
    for (const tool of /** @type {const} */ (['edge', 'edge-eraser'])) byId(`tool-${tool}`, HTMLButtonElement).hidden = !isOn;
    if (!isOn && drawsEdges(this.tool)) this.choose('brush');
  }

  async inpaint() {
    await inpaint(this.#app, this.#stage);
  }

  /** A photo was opened. */
  photoOpened() {
    const photo = this.#app.document?.photo;
    if (photo) this.#size.photoOpened(photo);
  }

  /** Brings the dot to the size that the brush has on the screen. */
  showDot() {
    this.#size.showDot(this.#stage.view.scale);
  }

  /** Brings every button up to date. */
  show() {
    const { document, state, settings, models } = this.#app;
    const isRunning = state.isRunning;
    const isEmpty = !document || document.mask.isEmpty;
    /** @param {string} id @param {boolean} isOff */
    const disable = (id, isOff) => {
      byId(id, HTMLButtonElement).disabled = isOff;
    };
    const top = document?.history.top;
    disable('undo', !document?.history.canUndo || (isRunning && !!top?.isFill));
    disable('redo', !document?.history.canRedo || isRunning);
    disable('compare', !document?.photo.isEdited);
    disable('save-image', !document);
    disable('save-mask', isEmpty);
    disable('clear-mask', isEmpty);
    disable('inpaint', isEmpty);
    const go = byId('inpaint', HTMLButtonElement);
    const stop = byId('cancel', HTMLButtonElement);
    const hadFocus = globalThis.document.activeElement;
    go.hidden = isRunning;
    stop.hidden = !isRunning;
    go.title = isEmpty ? text.paintFirst : text.inpaintTip;
    stop.title = text.cancelTip;
    // The two share a place: focus stays there, or goes on where the next hole is painted.
    if (isRunning && hadFocus === go) stop.focus();
    if (!isRunning && hadFocus === stop) (isEmpty ? byId('canvas', HTMLDivElement) : go).focus({ preventScroll: true });
    byId('canvas', HTMLDivElement).tabIndex = document ? 0 : -1;
    this.#size.enable(!!document);
    const seedMatters = models.selected.handle === NONE || settings.sharpen !== 'off';
    byId('another', HTMLButtonElement).hidden = isRunning || !top?.isFill || !seedMatters || !isEmpty;
  }

  /** Brings the model picker up to date. */
  showModels() {
    const { models } = this.#app;
    const { selected } = models;
    const select = byId('model', HTMLSelectElement);
    const options = models.entries.map((each) => {
      const [name, hint] = [each.handle === NONE ? text.noneShort : nameOf(each), hintOf(each)];
      const bytes = bytesToFetch(each);
      return make('option', { value: each.handle }, `${bytes ? text.notHereYet(name, bytes) : name} · ${hint}`);
    });
    select.replaceChildren(...options);
    select.value = selected.handle;
    select.title = nameOf(selected);
    byId('model-name', HTMLSpanElement).textContent = selected.handle === NONE ? text.noneShort : nameOf(selected);
    const size = parametersOf(selected);
    byId('model-size', HTMLElement).textContent = size ? text.parameters(size) : '';
  }
}

/** What an option says beside the model's name. @param {import('../document/models.js').Entry} entry */
function hintOf(entry) {
  if (entry.handle === NONE) return text.noneHint;
  if (entry.shipped) return text.shippedHint;
  const size = parametersOf(entry);
  return `${entry.file}${size ? `, ${text.parameters(size)}` : ''}`;
}
