/**
 * The page's state, as `<main data-state>` shows it.
 * @module
 */

/** @typedef {'empty' | 'ready' | 'running' | 'done' | 'error'} State */

export class PageState {
  #hasPhoto = false;
  #isFilled = false;
  #isRunning = false;
  #isFailed = false;
  #changed;

  /** @param {(state: State) => void} changed */
  constructor(changed) {
    this.#changed = changed;
  }

  /** @returns {State} */
  get value() {
    if (this.#isRunning) return 'running';
    if (this.#isFailed) return 'error';
    if (!this.#hasPhoto) return 'empty';
    return this.#isFilled ? 'done' : 'ready';
  }

  get isRunning() {
    return this.#isRunning;
  }

  get isFilled() {
    return this.#isFilled;
  }

  opened() {
    this.#hasPhoto = true;
    this.#isFilled = false;
    this.succeeded();
  }

  started() {
    this.#isRunning = true;
    this.succeeded();
  }

  filled() {
    this.#isRunning = false;
    this.#isFilled = true;
    this.succeeded();
  }

  /** A run ended without a result. */
  stopped() {
    this.#isRunning = false;
    this.#changed(this.value);
  }

  failed() {
    this.#isFailed = true;
    this.#changed(this.value);
  }

  /** Any action that worked ends the error. */
  succeeded() {
    this.#isFailed = false;
    this.#changed(this.value);
  }
}
