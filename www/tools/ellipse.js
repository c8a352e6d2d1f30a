/**
 * Masks an ellipse.
 * @module
 */
import { ellipseRows } from '../document/raster.js';
import { text } from '../strings/index.js';
import { ShapeHandler } from './shape.js';

/** @type {import('./tool.js').Tool} */
export const ellipse = {
  id: 'ellipse',
  icon: 'M2.5 10a7.5 5.5 0 1 0 15 0a7.5 5.5 0 1 0-15 0z',
  key: 'o',
  cursor: 'cross',
  isRough: true,
  options: ['mode'],
  get words() {
    return text.toolWords.ellipse;
  },
  create: (editor) => new ShapeHandler(editor, {
    label: 'ellipse',
    region: (box, width, height) => (row) => ellipseRows(box, width, height, row),
    draw: (pen, box) => pen.ellipse(box),
  }),
};
