/**
 * The keyboard. Every tool works without a pointer: arrow keys move it, with Shift as if the pointer were pressed, and
 * Space is a click.
 * @module
 */
import { clearMask, redo, undo } from '../actions/edit.js';
import { cancel } from '../actions/fill.js';
import { copyImage, saveImage } from '../actions/save.js';
import { text } from '../strings/index.js';
import { byId } from './dom.js';
import { writePicture } from './hand_over.js';

/** @typedef {import('../app.js').App} App */
/** @typedef {import('../canvas/stage.js').Stage} Stage */
/** @typedef {import('../canvas/pointer.js').PointerInput} PointerInput */
/** @typedef {import('../tools/toolbox.js').Toolbox} Toolbox */
/** @typedef {import('../tools/tool.js').Point} Point */
/** @typedef {import('./bars.js').Bars} Bars */
/** @typedef {import('./brush_size.js').BrushSize} BrushSize */
/** @typedef {import('./tool_options.js').ToolOptions} ToolOptions */
/** @typedef {import('./compare.js').Compare} Compare */
/** @typedef {import('./mask_menu.js').MaskMenu} MaskMenu */
/** @typedef {import('./save_dialog.js').SaveDialog} SaveDialog */

const BRUSH_STEP = 1.15;
const ZOOM_STEP = 1.25;
/** CSS pixels. */
const PAN_STEP = 60;
const REST_MS = 300;
/** A step of a tool without a ring, and how far from a thing it touches it, in CSS pixels. */
const STEP = 10;
const SLOP = 8;
/** Keys that a tool may have a use for. */
const TOOL_KEYS = ['Enter', 'Backspace', 'Delete'];

export class Shortcuts {
  #app;
  #parts;
  #timer = 0;
  /** Whether Shift and an arrow key have begun something. */
  #isPressed = false;
  /** The tool as the keyboard moves it, photo pixels. */
  #at = /** @type {{x: number, y: number} | null} */ (null);

  /**
   * @param {App} app
   * @param {{stage: Stage, toolbox: Toolbox, size: BrushSize, options: ToolOptions, pointer: PointerInput, bars: Bars, menu: MaskMenu, saving: SaveDialog, compare: Compare, openPhoto: () => void}} parts
   */
  constructor(app, parts) {
    this.#app = app;
    this.#parts = parts;
    const { dataset } = document.documentElement;
    document.addEventListener('keydown', (event) => {
      dataset.input = 'keys';
      this.#onDown(event);
    });
    document.addEventListener('pointerdown', (event) => {
      this.#yield(event);
      // The canvas shows its focus ring to those who use keys.
      dataset.input = 'pointer';
    }, { capture: true });
    document.addEventListener('pointermove', (event) => this.#yield(event));
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
    const { stage, toolbox, size, options, pointer, bars, menu, compare } = this.#parts;
    const canvas = byId('canvas', HTMLDivElement);
    /** @type {Record<string, () => void>} */
    const keys = {
      ...Object.fromEntries(toolbox.tools.flatMap(({ id, key }) => (key ? [[key, () => toolbox.choose(id)]] : []))),
      ...menu.keys,
      x: () => options.swapMode(),
      '[': () => size.scale(1 / BRUSH_STEP),
      ']': () => size.scale(BRUSH_STEP),
      '+': () => stage.view.zoom(ZOOM_STEP),
      '=': () => stage.view.zoom(ZOOM_STEP),
      '-': () => stage.view.zoom(1 / ZOOM_STEP),
      0: () => stage.view.fit(),
      1: () => stage.view.zoom(1 / stage.view.scale),
      '\\': () => compare.hold(true),
      Escape: () => this.#escape(),
      Delete: () => clearMask(this.#app),
      '?': () => this.#app.say(text.canvasHelp),
    };
    const isOnCanvas = target === canvas || target === document.body;
    if (!onControl && TOOL_KEYS.includes(event.key) && toolbox.handler.key(event.key)) return event.preventDefault();
    // A slider has no use for Enter.
    if (event.key === 'Enter' && (!onControl || target.matches('[type=range], [role=slider]'))) keys.Enter = () => void bars.inpaint();
    if (event.key === ' ' && !onControl) keys[' '] = () => (isOnCanvas && this.#at ? event.repeat || this.#click(this.#at, event) : pointer.holdSpace(true));
    if (isOnCanvas && event.key.startsWith('Arrow')) keys[event.key] = () => this.#moveTool(event);
    const run = keys[event.key.length === 1 ? event.key.toLowerCase() : event.key];
    if (!run) return;
    event.preventDefault();
    run();
  }

  /** @param {KeyboardEvent} event */
  #onUp(event) {
    if (event.key === ' ') this.#parts.pointer.holdSpace(false);
    if (event.key === '\\') this.#parts.compare.hold(false);
    if (event.key === 'Shift') this.#release();
  }

  /**
   * @param {KeyboardEvent} event
   * @param {boolean} isTyping
   */
  #onCommand(event, isTyping) {
    const key = event.key.toLowerCase();
    if (event.key.startsWith('Arrow') && this.#app.document && !isTyping) {
      event.preventDefault();
      const [dx, dy] = direction(event.key);
      return this.#parts.stage.view.pan(-dx * PAN_STEP, -dy * PAN_STEP);
    }
    if (isTyping) return;
    if (key === 'z') event.shiftKey ? redo(this.#app) : undo(this.#app);
    else if (key === 'y') redo(this.#app);
    else if (key === 's') event.shiftKey ? this.#parts.saving.open() : void saveImage(this.#app);
    else if (key === 'c' && this.#app.document && !event.shiftKey && !getSelection()?.toString()) void copyImage(this.#app, writePicture);
    else if (key === 'o') this.#parts.openPhoto();
    else return;
    event.preventDefault();
  }

  /**
   * Where the keyboard holds the tool, as a pointer would be there.
   * @param {{x: number, y: number}} at photo pixels
   * @param {{altKey: boolean}} [keys]
   * @returns {Point}
   */
  #point(at, { altKey } = { altKey: false }) {
    const { view } = this.#parts.stage;
    const { x: stageX, y: stageY } = view.toStage(at.x, at.y);
    return { ...at, stageX, stageY, pressure: 1, isStraight: false, isOther: altKey, slop: SLOP / view.scale };
  }

  /** Presses and releases the tool where it is. @param {{x: number, y: number}} at @param {KeyboardEvent} event */
  #click(at, event) {
    const { handler } = this.#parts.toolbox;
    handler.down(this.#point(at, event));
    handler.up(this.#point(at, event));
  }

  /** Drops what the tool has begun; else ends the run; else takes the divider away; else ends what the tool goes on with. */
  #escape() {
    const { toolbox, compare } = this.#parts;
    if (toolbox.handler.isBusy) toolbox.handler.drop();
    else if (this.#app.state.isRunning) cancel(this.#app);
    else if (compare.isDivided) compare.divide(false);
    else toolbox.handler.drop();
  }

  /** The tool follows the pointer again. @param {PointerEvent} event */
  #yield({ target }) {
    if (!this.#at || !(target instanceof Element) || !target.closest('#stage') || target.closest('[data-chrome]')) return;
    this.#release();
    this.#at = null;
  }

  /** Ends what Shift and the arrow keys have begun. */
  #release() {
    if (!this.#isPressed || !this.#at) return;
    this.#isPressed = false;
    this.#parts.toolbox.handler.up(this.#point(this.#at));
  }

  /** @param {KeyboardEvent} event */
  #moveTool(event) {
    const { document } = this.#app;
    if (!document) return;
    const { stage, toolbox, pointer } = this.#parts;
    const { handler } = toolbox;
    const { width, height } = document.photo;
    const from = (this.#at ??= { x: width / 2, y: height / 2 });
    const step = Math.max(1, toolbox.current.cursor === 'ring' ? handler.reach / 2 : STEP / stage.view.scale);
    const [dx, dy] = direction(event.key);
    const to = {
      x: Math.min(width, Math.max(0, from.x + dx * step)),
      y: Math.min(height, Math.max(0, from.y + dy * step)),
    };
    this.#at = to;
    if (event.shiftKey) {
      if (!this.#isPressed) handler.down(this.#point(from, event));
      this.#isPressed = true;
      handler.move(this.#point(to, event));
    } else {
      handler.hover(this.#point(to));
    }
    stage.view.reveal(to.x, to.y);
    const { x, y } = stage.view.toStage(to.x, to.y);
    pointer.refresh();
    pointer.showCursor(x, y);
    // Said once the tool rests.
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
