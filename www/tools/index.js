/**
 * The tools, in the order in which they are shown. A new one is its file and its lines here.
 * @module
 */
import { brush } from './brush.js';
import { edgeEraser } from './edge_eraser.js';
import { edgePen } from './edge_pen.js';
import { ellipse } from './ellipse.js';
import { eraser } from './eraser.js';
import { lasso } from './lasso.js';
import { pan } from './pan.js';
import { polygon } from './polygon.js';
import { rectangle } from './rectangle.js';
import { select } from './select.js';
import { wand } from './wand.js';

/** @type {readonly import('./tool.js').Tool[]} */
export const TOOLS = [brush, eraser, select, rectangle, ellipse, lasso, polygon, wand, edgePen, edgeEraser, pan];
