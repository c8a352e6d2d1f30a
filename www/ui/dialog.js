/**
 * One question, two answers or none.
 * @module
 */
import { byId } from './dom.js';

/**
 * @param {{text: string, yes: string, no: string}} question
 * @returns {Promise<boolean>}
 */
export async function ask(question) {
  return (await choose(question)) === 'yes';
}

/**
 * The same where closing the dialog is no answer.
 * @param {{text: string, yes: string, no: string}} question
 * @returns {Promise<'yes' | 'no' | 'none'>}
 */
export function choose(question) {
  const dialog = byId('dialog', HTMLDialogElement);
  byId('dialog-text', HTMLParagraphElement).textContent = question.text;
  byId('dialog-yes', HTMLButtonElement).textContent = question.yes;
  byId('dialog-no', HTMLButtonElement).textContent = question.no;
  // Closed by Esc, it keeps the answer before.
  dialog.returnValue = 'none';
  dialog.showModal();
  return new Promise((resolve) => {
    dialog.addEventListener('close', () => resolve(/** @type {'yes' | 'no' | 'none'} */ (dialog.returnValue)), { once: true });
  });
}
