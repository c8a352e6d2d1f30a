/**
 * Top bar and bottom bar: what they show, and what their buttons do.
 * @module
 */
import { clearMask, redo, undo } from '../actions/edit.js';
import { cancel, inpaint, tryAnother } from '../actions/fill.js';
import { recentOnes } from '../actions/copies.js';
import { chooseRecent } from '../actions/recent.js';
import { saveImage, saveMask } from '../actions/save.js';
import { snapMask } from '../actions/select.js';
import { chooseModel } from '../actions/shipped.js';
import { bytesToFetch, nameOf, NONE, parametersOf } from '../document/models.js';
import { onLanguage, text } from '../strings/index.js';
import { TOOLS } from '../tools/index.js';
import { byId, make } from './dom.js';

/** @typedef {import('../app.js').App} App */
/** @typedef {import('../canvas/stage.js').Stage} Stage */
/** @typedef {import('./brush_size.js').BrushSize} BrushSize */

/** Before the id of a model that is kept on this device and not loaded. */
const RECENT = 'recent:';

export class Bars {
  #app;
  #stage;
  #size;

  /**
   * @param {App} app
   * @param {Stage} stage
   * @param {BrushSize} size
   */
  constructor(app, stage, size) {
    this.#app = app;
    this.#stage = stage;
    this.#size = size;
    /** @type {[string, () => void][]} */
    const clicks = [
      ['undo', () => undo(app)],
      ['redo', () => redo(app)],
      ['save-image', () => void saveImage(app)],
      ['save-mask', () => void saveMask(app)],
      ['clear-mask', () => clearMask(app)],
      ['auto-fill', () => this.#switchAutoFill()],
      ['inpaint', () => void this.inpaint()],
      ['cancel', () => cancel(app)],
      ['another', () => void tryAnother(app, stage)],
      ['snap-offer', () => this.#snap()],
      ['zoom-in', () => stage.view.zoom(1.5)],
      ['zoom-out', () => stage.view.zoom(1 / 1.5)],
      ['zoom-fit', () => stage.view.fit()],
    ];
    for (const [id, run] of clicks) byId(id, HTMLButtonElement).addEventListener('click', run);
    byId('model', HTMLSelectElement).addEventListener('change', (event) => {
      const { value } = /** @type {HTMLSelectElement} */ (event.currentTarget);
      if (value.startsWith(RECENT)) void chooseRecent(app, value.slice(RECENT.length)).finally(() => this.showModels());
      else void chooseModel(app, value);
    });
    this.showDot();
    this.showModels();
    onLanguage(() => {
      this.show();
      this.showModels();
    });
  }

  #switchAutoFill() {
    const app = this.#app;
    app.chooseAutoFill(!app.settings.autoFill);
    app.hint(app.settings.autoFill ? text.autoFillOn : text.autoFillOff);
  }

  #snap() {
    byId('canvas', HTMLDivElement).focus({ preventScroll: true });
    void snapMask(this.#app);
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
    disable('how-to-save', !document);
    byId('save-or-share', HTMLButtonElement).hidden = isRunning || !document;
    disable('save-mask', isEmpty);
    disable('clear-mask', isEmpty);
    disable('inpaint', isEmpty);
    byId('auto-fill', HTMLButtonElement).setAttribute('aria-checked', String(settings.autoFill));
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
    const isRough = TOOLS.some(({ id, isRough }) => isRough && id === top?.label);
    byId('snap-offer', HTMLButtonElement).hidden = isRunning || isEmpty || settings.autoFill || !isRough;
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
    const recent = recentOnes(this.#app).map(({ id, title, file }) => make('option', { value: RECENT + id }, `${title} · ${file}`));
    select.replaceChildren(...options, ...(recent.length ? [make('optgroup', { label: text.recent }, ...recent)] : []));
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
  if (entry.shipped) return entry.shipped.description ?? text.shippedHint;
  const size = parametersOf(entry);
  return `${entry.file}${size ? `, ${text.parameters(size)}` : ''}`;
}
