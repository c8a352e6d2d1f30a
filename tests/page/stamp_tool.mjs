// A tool as somebody would add it: this file, and its line in the list of tools.
import { Handler } from '../../www/tools/tool.js';

class StampHandler extends Handler {
  /** @override @param {import('../../www/tools/tool.js').Point} point */
  up({ x, y }) {
    const { document } = this.editor;
    const [left, top] = [Math.round(x) - 2, Math.round(y) - 2];
    const step = document?.change('stamp', (mask) => mask.add((row) => {
      for (let line = top; line < top + 5; line++) row(line, left, left + 5);
    }, false));
    this.editor.done(Boolean(step));
  }
}

/** @type {import('../../www/tools/tool.js').Tool} */
export const stamp = {
  id: 'stamp',
  icon: 'M5 5h10v10H5z',
  key: 'z',
  cursor: 'cross',
  options: [],
  words: { name: 'Stamp', tip: 'Mask a small square', undone: 'Stamp undone.', redone: 'Stamp redone.' },
  create: (editor) => new StampHandler(editor),
};
