/**
 * Takes edges away, those that were found too.
 * @module
 */
import { text } from '../strings/index.js';
import { StrokeHandler } from './stroke.js';

/** @type {import('./tool.js').Tool} */
export const edgeEraser = {
  id: 'edge-eraser',
  icon: 'M2.5 16.5c3-6 6 2 8.5-3M12 5.5l5 5M17 5.5l-5 5',
  cursor: 'ring',
  options: ['size'],
  needs: 'edges',
  get words() {
    return text.toolWords.edgeEraser;
  },
  create: (editor) => new StrokeHandler(editor, { label: 'edge-eraser', otherLabel: 'edge-eraser', erases: true, isEdge: true }),
};
