/**
 * Masks a rectangle.
 * @module
 */
import { clip } from '../document/raster.js';
import { text } from '../strings/index.js';
import { ShapeHandler } from './shape.js';

/** @type {import('./tool.js').Tool} */
export const rectangle = {
  id: 'rectangle',
  icon: 'M3.5 5h13v10h-13z',
  key: 'r',
  cursor: 'cross',
  options: ['mode'],
  get words() {
    return text.toolWords.rectangle;
  },
  create: (editor) => new ShapeHandler(editor, {
    label: 'rectangle',
    region: (box, width, height) => (row) => {
      const part = clip(box, width, height);
      if (part) for (let y = part.y; y < part.y + part.height; y++) row(y, part.x, part.x + part.width);
    },
    draw: (pen, { x, y, width, height }) => pen.line([{ x, y }, { x: x + width, y }, { x: x + width, y: y + height }, { x, y: y + height }], true),
  }),
};
