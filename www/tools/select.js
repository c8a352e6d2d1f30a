/**
 * Selects the object under a click, or under a rough stroke. Further clicks refine the selection, until Enter, Escape or
 * another tool ends it.
 * @module
 */
import { prepareSelecting, selectObject } from '../actions/select.js';
import { Selection } from '../document/selection.js';
import { text } from '../strings/index.js';
import { SelectionPreview } from './select_preview.js';
import { Handler, takesAway } from './tool.js';

/** @typedef {import('./tool.js').Editor} Editor */
/** @typedef {import('./tool.js').Point} Point */
/** @typedef {import('../canvas/pen.js').Pen} Pen */
/** @typedef {import('../document/document.js').Document} Document */
/** @typedef {{document: Document, points: {x: number, y: number}[], takes: boolean}} Wish what was pointed at; `takes`: from the mask */

/** A press that moves less than this is a click, in CSS pixels. */
const CLICK = 4;
/** A stroke across the photo has about this many points, however fast the pointer was. */
const POINTS_ACROSS = 300;

class SelectHandler extends Handler {
  #preview;
  #selection = /** @type {Selection | null} */ (null);
  #stroke = /** @type {Point[]} */ ([]);
  /** Clicks are answered one after the other: each goes on from the one before. */
  #wishes = /** @type {Wish[]} */ ([]);
  #isAnswering = false;
  /** Ends what is asked for. */
  #stop = new AbortController();

  /** @param {Editor} editor */
  constructor(editor) {
    super(editor);
    this.#preview = new SelectionPreview(editor);
  }

  /** @override */
  get isBusy() {
    return this.#stroke.length > 0 || this.#isAnswering;
  }

  /** The selection that the next click refines. */
  get #current() {
    const selection = this.#selection;
    return selection?.document === this.editor.document && selection?.prompts ? selection : null;
  }

  /** @override @param {boolean} isChosen */
  prepare(isChosen) {
    if (isChosen) this.#preview.allow();
    this.editor.act(prepareSelecting, isChosen);
  }

  /** @override @param {Point} point */
  down(point) {
    this.#preview.clear();
    this.#stroke = [point];
  }

  /** @override @param {Point} point */
  move(point) {
    const last = this.#stroke.at(-1);
    if (!last || Math.hypot(point.stageX - last.stageX, point.stageY - last.stageY) < 1) return;
    this.#stroke.push(point);
    this.editor.redraw();
  }

  /** @override @param {Point} point */
  up(point) {
    this.move(point);
    const [first, ...more] = this.#stroke;
    this.#stroke = [];
    this.editor.redraw();
    const { document } = this.editor;
    if (!document || !first) return;
    const isStroke = more.some((each) => Math.hypot(each.stageX - first.stageX, each.stageY - first.stageY) > CLICK);
    const points = isStroke ? along([first, ...more], Math.hypot(document.photo.width, document.photo.height) / POINTS_ACROSS) : [first];
    this.#wishes.push({ document, points: points.map(({ x, y }) => ({ x, y })), takes: takesAway(this.editor, first) });
    if (!this.#isAnswering) void this.#answerAll();
  }

  /** @override @param {Point} point */
  hover(point) {
    const { document } = this.editor;
    if (!document || this.isBusy) return;
    const { x, y } = point;
    if (x < 0 || y < 0 || x >= document.photo.width || y >= document.photo.height) return this.#preview.clear();
    const takes = takesAway(this.editor, point);
    const selection = this.#current;
    const prompts = selection?.with([{ x, y }], takes) ?? [{ points: [{ x, y }], adds: true }];
    this.#preview.ask({ document, prompts, takes: selection?.takes ?? takes });
  }

  /** @override */
  leave() {
    this.#preview.clear();
  }

  /** @override @param {string} key */
  key(key) {
    if (key !== 'Enter' || !(this.#current || this.#isAnswering)) return false;
    this.drop();
    this.editor.say(text.selecting.ended);
    return true;
  }

  /** @override */
  drop() {
    this.#stop.abort();
    this.#stop = new AbortController();
    this.#wishes = [];
    this.#stroke = [];
    this.#selection = null;
    this.#preview.clear();
    this.editor.redraw();
  }

  /** Zooming does not end the selection. @override */
  pinched() {
    this.#stroke = [];
    this.editor.redraw();
  }

  async #answerAll() {
    this.#isAnswering = true;
    for (let wish; (wish = this.#wishes.shift()); ) await this.#answer(wish);
    this.#isAnswering = false;
  }

  /** @param {Wish} wish */
  async #answer(wish) {
    const { document, points, takes } = wish;
    const { signal } = this.#stop;
    while (this.editor.document === document && !signal.aborted) {
      const selection = this.#current ?? new Selection(document, takes);
      const isFirst = selection.prompts === null;
      const prompts = selection.with(points, takes);
      const { top } = document.history;
      const found = await this.editor.act(selectObject, prompts, signal);
      if (!found || signal.aborted || this.editor.document !== document) return;
      // Something else was done to the mask meanwhile: the answer goes on from what is there no more.
      if (document.history.top !== top) continue;
      this.#preview.allow();
      const step = selection.apply(prompts, found);
      if (step) this.#selection = selection;
      this.editor.say(step ? (isFirst ? text.selecting.selected : text.selecting.refined) : text.selecting.nothing);
      return this.editor.done(step !== null && !takes);
    }
  }

  /** @override @param {Pen} pen */
  draw(pen) {
    this.#preview.draw(pen);
    if (this.#stroke.length > 1) pen.line(this.#stroke, false);
  }
}

/**
 * Places along a line, at equal distances: a fast pointer leaves gaps, a slow one heaps.
 * @param {readonly {x: number, y: number}[]} line
 * @param {number} spacing
 */
function along(line, spacing) {
  const out = [line[0]];
  let left = spacing;
  for (let i = 1; i < line.length; i++) {
    const [a, b] = [line[i - 1], line[i]];
    const length = Math.hypot(b.x - a.x, b.y - a.y);
    let at = left;
    for (; at <= length; at += spacing) out.push({ x: a.x + ((b.x - a.x) * at) / length, y: a.y + ((b.y - a.y) * at) / length });
    left = at - length;
  }
  out.push(line[line.length - 1]);
  return out;
}

/** @type {import('./tool.js').Tool} */
export const select = {
  id: 'select',
  icon: 'M3 6V4.5A1.5 1.5 0 0 1 4.5 3H6M9 3h2M14 3h1.5A1.5 1.5 0 0 1 17 4.5V6M3 9v2M3 14v1.5A1.5 1.5 0 0 0 4.5 17H6M8.5 8.5l9 3.2-4 1.3-1.4 4z',
  key: 'a',
  cursor: 'cross',
  options: ['mode'],
  get words() {
    return text.toolWords.select;
  },
  create: (editor) => new SelectHandler(editor),
};
