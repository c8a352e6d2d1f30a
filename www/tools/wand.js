/**
 * Masks what is of one colour.
 * @module
 */
import { findAlike } from '../document/wand.js';
import { text } from '../strings/index.js';
import { Handler, takesAway } from './tool.js';

/** @typedef {import('./tool.js').Point} Point */

/** Time for the search at a stretch: less than a frame. */
const SLICE_MS = 8;

class WandHandler extends Handler {
  /** The search that is on; another one replaces it. */
  #search = /** @type {{isDropped: boolean} | null} */ (null);

  /** @override */
  get isBusy() {
    return this.#search !== null;
  }

  /** @override @param {Point} point */
  up(point) {
    void this.#select(point);
  }

  /** @override */
  drop() {
    if (this.#search) this.#search.isDropped = true;
    this.#search = null;
  }

  /** @param {Point} point */
  async #select(point) {
    this.drop();
    const { document, options } = this.editor;
    const [x, y] = [Math.floor(point.x), Math.floor(point.y)];
    if (!document || x < 0 || y < 0 || x >= document.mask.width || y >= document.mask.height) return;
    const takes = takesAway(this.editor, point);
    const search = (this.#search = { isDropped: false });
    const steps = findAlike(document.photo, { x, y, tolerance: options.tolerance, isContiguous: options.isContiguous });
    const found = await inSlices(steps, () => search.isDropped);
    if (!found || this.editor.document !== document) return;
    this.#search = null;
    const step = document.change('wand', (mask) => (takes ? mask.remove((row) => found.eachSpan(row)) : mask.add((row) => found.eachSpan(row), true)));
    this.editor.done(step !== null && !takes);
  }
}

/**
 * Runs something long without keeping the page from drawing and listening.
 * @template T
 * @param {Generator<void, T>} steps
 * @param {() => boolean} isDropped whether nobody waits for it any more
 * @returns {Promise<T | null>}
 */
async function inSlices(steps, isDropped) {
  for (let until = performance.now() + SLICE_MS; !isDropped(); ) {
    const { done, value } = steps.next();
    if (done) return value;
    if (performance.now() < until) continue;
    await new Promise((resume) => setTimeout(resume));
    until = performance.now() + SLICE_MS;
  }
  return null;
}

/** @type {import('./tool.js').Tool} */
export const wand = {
  id: 'wand',
  icon: 'm3 17 8.5-8.5M13 3v3M11.5 4.5h3M16.5 8.5v2.5M15.2 9.8h2.6M7.5 3.5v2M6.5 4.5h2M12.5 7.5l-1.5-1.5',
  key: 'w',
  cursor: 'cross',
  options: ['mode', 'tolerance', 'contiguous'],
  get words() {
    return text.toolWords.wand;
  },
  create: (editor) => new WandHandler(editor),
};
