/**
 * Undo and redo. Bounded in bytes, not in steps.
 * @module
 */

/** @typedef {import('./commands.js').Command} Command */

/** Bytes that all steps together may keep. */
const LIMIT_BYTES = 384 * 2 ** 20;

/**
 * What a history holds.
 * @typedef {object} Steps
 * @property {readonly Command[]} done made, oldest first
 * @property {readonly Command[]} undone turned back, in the order in which that happened
 * @property {Command | null} saved the step that the saved file ends with; null before the first one
 */

/** A step that nothing ends with. @type {Command} */
const NEVER = { label: '', isFill: false, changes: { painted: [], exact: [], drawn: [], erased: [] }, patches: [], bytes: 0 };

const numbers = /** @type {WeakMap<Command, number>} */ (new WeakMap());
let nextNumber = 1;

/** A number that no other step has: a step is known by it when it is gone. @param {Command} step */
export function numberOf(step) {
  const known = numbers.get(step);
  if (known) return known;
  numbers.set(step, nextNumber);
  return nextNumber++;
}

export class History {
  #done = /** @type {Command[]} */ ([]);
  #undone = /** @type {Command[]} */ ([]);
  /** The step that the saved file ends with; null before the first one. */
  #saved = /** @type {Command | null} */ (null);
  /** Whether anything was ever saved. */
  wasSaved = false;
  /** The number of the step that was forgotten last; 0 where all are here. */
  #forgotten = 0;
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

  /** @returns {Steps} */
  get steps() {
    return { done: this.#done, undone: this.#undone, saved: this.#saved };
  }

  /** The number of the step below the oldest one here; 0 where there was none. */
  get forgotten() {
    return this.#forgotten;
  }

  /** Takes over the steps of another visit. @param {{done: readonly Command[], undone: readonly Command[], saved?: Command | null}} steps */
  resume({ done, undone, saved = null }) {
    this.#done = [...done];
    this.#undone = [...undone];
    this.#saved = saved;
  }

  /** Whether something would be lost if the page went away now. */
  get isUnsaved() {
    return this.top !== this.#saved;
  }

  markSaved() {
    this.#saved = this.top;
    this.wasSaved = true;
  }

  /** What is here was never saved, whatever is turned back. */
  markUnsaved() {
    this.#saved = NEVER;
  }

  /**
   * Keeps a step that has been made.
   * @param {Command} command
   */
  push(command) {
    this.#undone.length = 0;
    this.#done.push(command);
    let bytes = this.#done.reduce((sum, step) => sum + step.bytes, 0);
    while (bytes > this.#limit && this.#done.length > 1) {
      const oldest = /** @type {Command} */ (this.#done.shift());
      bytes -= oldest.bytes;
      this.#forgotten = numberOf(oldest);
    }
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
