/**
 * One question, two answers.
 * @module
 */
import { byId } from './dom.js';

/**
 * @param {{text: string, yes: string, no: string}} question
 * @returns {Promise<boolean>}
 */
export function ask(question) {
  const dialog = byId('dialog', HTMLDialogElement);
  byId('dialog-text', HTMLParagraphElement).textContent = question.text;
  byId('dialog-yes', HTMLButtonElement).textContent = question.yes;
  byId('dialog-no', HTMLButtonElement).textContent = question.no;
  // Closed by Esc, it keeps the answer before: none.
  dialog.returnValue = 'no';
  dialog.showModal();
  return new Promise((resolve) => {
    dialog.addEventListener('close', () => resolve(dialog.returnValue === 'yes'), { once: true });
  });
}
