/**
 * Draws the edges that a network paints along.
 * @module
 */
import { text } from '../strings/index.js';
import { StrokeHandler } from './stroke.js';

/** @type {import('./tool.js').Tool} */
export const edgePen = {
  id: 'edge',
  icon: 'M2.5 16.5c3-6 6 2 8.5-3m0 0 .6-3 5-5.2a1.3 1.3 0 0 1 1.9 1.8L13.5 12z',
  key: 'd',
  cursor: 'ring',
  options: ['size'],
  needs: 'edges',
  get words() {
    return text.toolWords.edge;
  },
  create: (editor) => new StrokeHandler(editor, { label: 'edge', otherLabel: 'edge-eraser', erases: false, isEdge: true }),
};
