/**
 * Changing the mask as a whole.
 * @module
 */
import { OPERATIONS } from '../document/operations.js';
import { text } from '../strings/index.js';

/** @typedef {import('../app.js').App} App */
/** @typedef {import('../document/operations.js').OperationName} OperationName */

/**
 * @param {App} app
 * @param {OperationName} name
 * @param {number} amount photo pixels
 */
export function changeMask(app, name, amount) {
  const { document, state } = app;
  if (!document || (document.mask.isEmpty && name !== 'invert')) return;
  const step = document.change(name, (mask) => mask.replace(OPERATIONS[name].run(mask.shown, amount)));
  state.succeeded();
  if (!state.isRunning) app.say(step ? text.operations[name].done : text.nothingChanged);
}
