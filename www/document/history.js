/**
 * Undo and redo. Bounded in bytes, not in steps.
 * @module
 */

/** @typedef {import('./commands.js').Command} Command */

/** Bytes that all steps together may keep. */
const LIMIT_BYTES = 384 * 2 ** 20;

export class History {
  #done = /** @type {Command[]} */ ([]);
  #undone = /** @type {Command[]} */ ([]);
  /** The step that the saved file ends with; null before the first one. */
  #saved = /** @type {Command | null} */ (null);
  /** Whether anything was ever saved. */
  wasSaved = false;
  #perform;
  #limit;

  /**
   * @param {(command: Command, forwards: boolean) => void} perform makes a step or turns it back
   * @param {number} [limit] bytes
   */
  constructor(perform, limit = LIMIT_BYTES) {
    this.#perform = perform;
    this.#limit = limit;
  }

  /** The last step, or null. */
  get top() {
    return this.#done.at(-1) ?? null;
  }

  get canUndo() {
    return this.#done.length > 0;
  }

  get canRedo() {
    return this.#undone.length > 0;
  }

  /** The steps that were made, oldest first, and those that were turned back, in the order in which that happened. */
  get steps() {
    return { done: /** @type {readonly Command[]} */ (this.#done), undone: /** @type {readonly Command[]} */ (this.#undone) };
  }

  /** Takes over the steps of another visit, as `steps` gave them. @param {{done: readonly Command[], undone: readonly Command[]}} steps */
  resume({ done, undone }) {
    this.#done = [...done];
    this.#undone = [...undone];
  }

  /** Whether something would be lost if the page went away now. */
  get isUnsaved() {
    return this.top !== this.#saved;
  }

  markSaved() {
    this.#saved = this.top;
    this.wasSaved = true;
  }

  /**
   * Keeps a step that has been made.
   * @param {Command} command
   */
  push(command) {
    this.#undone.length = 0;
    this.#done.push(command);
    let bytes = this.#done.reduce((sum, step) => sum + step.bytes, 0);
    while (bytes > this.#limit && this.#done.length > 1) bytes -= this.#done.shift()?.bytes ?? 0;
  }

  /** @returns {Command | null} the step that was turned back */
  undo() {
    const command = this.#done.pop();
    if (!command) return null;
    this.#perform(command, false);
    this.#undone.push(command);
    return command;
  }

  /** @returns {Command | null} the step that was made again */
  redo() {
    const command = this.#undone.pop();
    if (!command) return null;
    this.#perform(command, true);
    this.#done.push(command);
    return command;
  }
}
