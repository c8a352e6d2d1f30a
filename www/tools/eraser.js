/**
 * Takes away from the mask what is under it.
 * @module
 */
import { text } from '../strings/index.js';
import { StrokeHandler } from './stroke.js';

/** @type {import('./tool.js').Tool} */
export const eraser = {
  id: 'eraser',
  icon: 'm2.8 12.2 8-8.2a1.4 1.4 0 0 1 2 0l4 4a1.4 1.4 0 0 1 0 2l-6.6 6.7H6.5l-3.7-3.3a.9.9 0 0 1 0-1.2zM7 8l6 5.8M6.5 16.7H17',
  key: 'e',
  cursor: 'ring',
  options: ['size'],
  get words() {
    return text.toolWords.eraser;
  },
  create: (editor) => new StrokeHandler(editor, { label: 'eraser', otherLabel: 'eraser', erases: true }),
};
