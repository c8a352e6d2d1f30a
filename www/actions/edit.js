/**
 * Undo, redo, and an empty mask.
 * @module
 */
import { text } from '../strings/index.js';
import { TOOLS } from '../tools/index.js';
import { wordsOfStep } from '../tools/toolbox.js';

/** @typedef {import('../app.js').App} App */

/** @param {App} app */
export function undo(app) {
  const { document, state } = app;
  // The photo stays as it is while a run reads it.
  if (!document?.history.canUndo || (state.isRunning && document.history.top?.isFill)) return;
  const step = document.undo();
  state.succeeded();
  if (step && !state.isRunning) app.say(wordsFor(step.label, 'undone'));
}

/** @param {App} app */
export function redo(app) {
  const { document, state } = app;
  if (!document?.history.canRedo || state.isRunning) return;
  const step = document.redo();
  state.succeeded();
  if (step) app.say(wordsFor(step.label, 'redone'));
}

/** @param {App} app */
export function clearMask(app) {
  const { document, state } = app;
  if (!document || document.mask.isEmpty) return;
  document.clearMask();
  state.succeeded();
  if (!state.isRunning) app.say(text.cleared);
}

/** @param {string} label of a step @param {'undone' | 'redone'} what */
function wordsFor(label, what) {
  return wordsOfStep(TOOLS, label, what) ?? /** @type {Record<string, string>} */ (text[what])[label] ?? '';
}
