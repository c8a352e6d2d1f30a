/**
 * Moves the photo on the stage.
 * @module
 */
import { text } from '../strings/index.js';
import { Handler } from './tool.js';

/** @typedef {import('./tool.js').Point} Point */

class PanHandler extends Handler {
  #last = /** @type {Point | null} */ (null);

  /** @override */
  get isBusy() {
    return this.#last !== null;
  }

  /** @override @param {Point} point */
  down(point) {
    this.#last = point;
  }

  /** @override @param {Point} point */
  move(point) {
    const last = this.#last;
    if (last) this.editor.view.pan(point.stageX - last.stageX, point.stageY - last.stageY);
    this.#last = point;
  }

  /** @override */
  up() {
    this.#last = null;
  }

  /** @override */
  drop() {
    this.#last = null;
  }
}

/** @type {import('./tool.js').Tool} */
export const pan = {
  id: 'pan',
  icon: 'M10 2.5v15M2.5 10h15M8 4.5l2-2 2 2M8 15.5l2 2 2-2M4.5 8l-2 2 2 2M15.5 8l2 2-2 2',
  key: 'h',
  cursor: 'hand',
  options: [],
  get words() {
    return text.toolWords.pan;
  },
  create: (editor) => new PanHandler(editor),
};
