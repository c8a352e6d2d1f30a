/**
 * The keyboard. Painting works without a pointer: arrow keys move the brush, Shift paints along the way.
 * @module
 */
import { cancel } from '../actions/fill.js';
import { saveImage } from '../actions/save.js';
import { drawsEdges } from '../canvas/pointer.js';
import { text } from '../strings/en.js';
import { byId } from './dom.js';

/** @typedef {import('../app.js').App} App */
/** @typedef {import('../canvas/stage.js').Stage} Stage */
/** @typedef {import('../canvas/pointer.js').PointerInput} PointerInput */
/** @typedef {import('./bars.js').Bars} Bars */
/** @typedef {import('./compare.js').Compare} Compare */

const BRUSH_STEP = 1.15;
const ZOOM_STEP = 1.25;
/** CSS pixels. */
const PAN_STEP = 60;
const REST_MS = 300;

export class Shortcuts {
  #app;
  #parts;
  /** The brush as the keyboard moves it, photo pixels. */
  #timer = 0;
  #at = /** @type {{x: number, y: number} | null} */ (null);

  /**
   * @param {App} app
   * @param {{stage: Stage, pointer: PointerInput, bars: Bars, compare: Compare, openPhoto: () => void}} parts
   */
  constructor(app, parts) {
    this.#app = app;
    this.#parts = parts;
    const { dataset } = document.documentElement;
    document.addEventListener('keydown', (event) => {
      dataset.input = 'keys';
      this.#onDown(event);
    });
    document.addEventListener('pointerdown', () => {
      // The canvas shows its focus ring to those who use keys.
      dataset.input = 'pointer';
    }, { capture: true });
    document.addEventListener('keyup', (event) => this.#onUp(event));
    window.addEventListener('blur', () => parts.pointer.holdSpace(false));
  }

  /** @param {KeyboardEvent} event */
  #onDown(event) {
    if (event.defaultPrevented || document.querySelector('dialog[open]')) return;
    const target = event.target instanceof HTMLElement ? event.target : document.body;
    const isTyping = target.matches('select, input:not([type=range], [type=file]), textarea');
    if (event.ctrlKey || event.metaKey) return this.#onCommand(event, isTyping);
    if (isTyping || event.altKey) return;
    const onControl = target.matches('button, input, a, summary, [role=tab], [role=slider], tr');
    const { stage, pointer, bars, compare } = this.#parts;
    const canvas = byId('canvas', HTMLDivElement);
    /** @type {Record<string, () => void>} */
    const keys = {
      b: () => bars.choose('brush'),
      e: () => bars.choose('eraser'),
      d: () => bars.choose('edge'),
      h: () => bars.choose('pan'),
      '[': () => bars.scaleBrush(1 / BRUSH_STEP),
      ']': () => bars.scaleBrush(BRUSH_STEP),
      '+': () => stage.view.zoom(ZOOM_STEP),
      '=': () => stage.view.zoom(ZOOM_STEP),
      '-': () => stage.view.zoom(1 / ZOOM_STEP),
      0: () => stage.view.fit(),
      1: () => stage.view.zoom(1 / stage.view.scale),
      '\\': () => compare.hold(true),
      Escape: () => cancel(this.#app),
      Delete: () => bars.clear(),
      '?': () => this.#app.say(text.canvasHelp),
    };
    const isOnCanvas = target === canvas || target === document.body;
    // A slider has no use for Enter.
    if (event.key === 'Enter' && (!onControl || target.matches('[type=range], [role=slider]'))) keys.Enter = () => void bars.inpaint();
    if (event.key === ' ' && !onControl) keys[' '] = () => pointer.holdSpace(true);
    if (isOnCanvas && event.key.startsWith('Arrow')) keys[event.key] = () => this.#moveBrush(event);
    const run = keys[event.key.length === 1 ? event.key.toLowerCase() : event.key];
    if (!run) return;
    event.preventDefault();
    run();
  }

  /** @param {KeyboardEvent} event */
  #onUp(event) {
    if (event.key === ' ') this.#parts.pointer.holdSpace(false);
    if (event.key === '\\') this.#parts.compare.hold(false);
    if (event.key === 'Shift' && this.#app.document?.isStroking && this.#at) {
      this.#app.document.endStroke();
      this.#app.touch();
    }
  }

  /**
   * @param {KeyboardEvent} event
   * @param {boolean} isTyping
   */
  #onCommand(event, isTyping) {
    const { bars } = this.#parts;
    const key = event.key.toLowerCase();
    if (event.key.startsWith('Arrow') && this.#app.document && !isTyping) {
      event.preventDefault();
      const [dx, dy] = direction(event.key);
      return this.#parts.stage.view.pan(-dx * PAN_STEP, -dy * PAN_STEP);
    }
    if (isTyping) return;
    if (key === 'z') event.shiftKey ? bars.redo() : bars.undo();
    else if (key === 'y') bars.redo();
    else if (key === 's') void saveImage(this.#app);
    else if (key === 'o') this.#parts.openPhoto();
    else return;
    event.preventDefault();
  }

  /** @param {KeyboardEvent} event */
  #moveBrush(event) {
    const { document, state } = this.#app;
    if (!document) return;
    const { stage, pointer, bars } = this.#parts;
    const { width, height } = document.photo;
    this.#at ??= { x: width / 2, y: height / 2 };
    const from = this.#at;
    const step = Math.max(1, bars.diameter / 2);
    const [dx, dy] = direction(event.key);
    const to = {
      x: Math.min(width, Math.max(0, from.x + dx * step)),
      y: Math.min(height, Math.max(0, from.y + dy * step)),
    };
    this.#at = to;
    if (event.shiftKey) {
      if (!document.isStroking) document.beginStroke(from.x, from.y, bars.diameter / 2, bars.tool.endsWith('eraser'), drawsEdges(bars.tool));
      document.extendStroke(to.x, to.y);
      if (!state.isRunning) state.succeeded();
    }
    stage.view.reveal(to.x, to.y);
    const { x, y } = stage.view.toStage(to.x, to.y);
    pointer.refresh();
    pointer.showCursor(x, y);
    // Said once the brush rests.
    clearTimeout(this.#timer);
    this.#timer = window.setTimeout(() => {
      byId('where', HTMLParagraphElement).textContent = text.brushAt(Math.round(to.x), Math.round(to.y));
    }, REST_MS);
  }
}

/**
 * @param {string} key
 * @returns {[number, number]}
 */
function direction(key) {
  return [key === 'ArrowLeft' ? -1 : key === 'ArrowRight' ? 1 : 0, key === 'ArrowUp' ? -1 : key === 'ArrowDown' ? 1 : 0];
}
