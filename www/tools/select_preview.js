/**
 * What a click would select, as the pointer rests or moves over the photo.
 * @module
 */
import { previewSelection } from '../actions/select.js';
import { outline } from '../document/outline.js';

/** @typedef {import('./tool.js').Editor} Editor */
/** @typedef {import('../canvas/pen.js').Pen} Pen */
/** @typedef {import('../document/document.js').Document} Document */
/** @typedef {import('../document/selection.js').Prompt} Prompt */
/** @typedef {{document: Document, prompts: readonly Prompt[], takes: boolean}} Question `takes`: from the mask */

export class SelectionPreview {
  #editor;
  /** What the pointer is over now; the worker is asked about one place after the other. */
  #next = /** @type {Question | null} */ (null);
  #isAsking = false;
  /** Ends what is asked for. */
  #stop = new AbortController();
  /** After an error nothing is shown until somebody clicks: the click says what is wrong. */
  #isOff = false;
  #shown = /** @type {{document: Document, lines: import('../document/outline.js').Place[][], takes: boolean} | null} */ (null);

  /** @param {Editor} editor */
  constructor(editor) {
    this.#editor = editor;
  }

  /** There may be answers again. */
  allow() {
    this.#isOff = false;
  }

  /** @param {Question} question */
  ask(question) {
    this.#next = question;
    if (!this.#isAsking && !this.#isOff) void this.#askAll();
  }

  /** Nothing is shown any more. */
  clear() {
    this.#stop.abort();
    this.#stop = new AbortController();
    this.#next = null;
    if (!this.#shown) return;
    this.#shown = null;
    this.#editor.redraw();
  }

  async #askAll() {
    this.#isAsking = true;
    for (let question; (question = this.#next) && !this.#isOff; ) {
      this.#next = null;
      await this.#askOne(question);
    }
    this.#isAsking = false;
  }

  /** @param {Question} question */
  async #askOne({ document, prompts, takes }) {
    const { signal } = this.#stop;
    try {
      const { width, height, inside } = await this.#editor.act(previewSelection, prompts, signal);
      if (signal.aborted || this.#editor.document !== document) return;
      const [across, down] = [document.photo.width / width, document.photo.height / height];
      const lines = outline(inside, width, height).map((line) => line.map(({ x, y }) => ({ x: x * across, y: y * down })));
      this.#shown = { document, lines, takes };
      this.#editor.redraw();
    } catch {
      this.#isOff = !signal.aborted;
    }
  }

  /** @param {Pen} pen */
  draw(pen) {
    if (this.#shown && this.#shown.document === this.#editor.document) pen.area(this.#shown.lines, this.#shown.takes);
  }
}
