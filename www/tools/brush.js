/**
 * Paints what should go.
 * @module
 */
import { text } from '../strings/index.js';
import { StrokeHandler } from './stroke.js';

/** @type {import('./tool.js').Tool} */
export const brush = {
  id: 'brush',
  icon: 'm8.3 11.7 7.9-8.3a1.5 1.5 0 0 0-2.2-2.1L6.3 9.6M6.3 9.7c-2 0-3.3 1.4-3.3 3.5 0 1.5-.5 2.4-1.3 3 3.6.9 7-.3 7-3.8 0-1.5-1-2.7-2.4-2.7z',
  key: 'b',
  cursor: 'ring',
  isRough: true,
  options: ['size'],
  get words() {
    return text.toolWords.brush;
  },
  create: (editor) => new StrokeHandler(editor, { label: 'brush', otherLabel: 'eraser', erases: false }),
};
