/**
 * Undo and redo: commands that know how to turn themselves back. Bounded in bytes, not in steps.
 * @module
 */

/**
 * One step. `apply` and `revert` return what changed; `bytes` is what the step keeps alive.
 * @typedef {object} Command
 * @property {string} label key of the strings table, for "Undo: stroke"
 * @property {number} bytes
 * @property {boolean} isFill whether photo pixels change
 * @property {() => void} apply
 * @property {() => void} revert
 */

/** Bytes that all steps together may keep. */
const LIMIT_BYTES = 384 * 2 ** 20;

export class History {
  #done = /** @type {Command[]} */ ([]);
  #undone = /** @type {Command[]} */ ([]);
  /** The step that the saved file ends with; null before the first one. */
  #saved = /** @type {Command | null} */ (null);
  #limit;

  /** @param {number} [limit] bytes */
  constructor(limit = LIMIT_BYTES) {
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

  /** Whether something would be lost if the page went away now. */
  get isUnsaved() {
    return this.top !== this.#saved;
  }

  markSaved() {
    this.#saved = this.top;
  }

  /**
   * Applies a step and keeps it.
   * @param {Command} command
   * @param {{applied?: boolean}} [options] `applied`: it has been applied while it was made
   */
  push(command, { applied = false } = {}) {
    if (!applied) command.apply();
    this.#undone.length = 0;
    this.#done.push(command);
    let bytes = this.#done.reduce((sum, step) => sum + step.bytes, 0);
    while (bytes > this.#limit && this.#done.length > 1) bytes -= this.#done.shift()?.bytes ?? 0;
  }

  /** @returns {Command | null} the step that was turned back */
  undo() {
    const command = this.#done.pop();
    if (!command) return null;
    command.revert();
    this.#undone.push(command);
    return command;
  }

  /** @returns {Command | null} the step that was made again */
  redo() {
    const command = this.#undone.pop();
    if (!command) return null;
    command.apply();
    this.#done.push(command);
    return command;
  }
}
