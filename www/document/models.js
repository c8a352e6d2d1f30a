/**
 * The models at hand: the one that comes with the page, those dropped on it, and none at all.
 * The page keeps every file, so a fresh worker can be given them again.
 * @module
 */

/** @typedef {import('../worker/protocol.js').LoadResult} LoadResult */
/** @typedef {import('../worker/protocol.js').FillOptions} FillOptions */

/**
 * A file that a report was made of, to be read again for its values.
 * @typedef {{file: string, blob: Blob, tensors: number, networks: number}} Source
 */

/**
 * @typedef {object} Entry
 * @property {string} handle `default`, `none` or one of a dropped file
 * @property {string} file its name; empty for `none`
 * @property {Blob | null} blob null where there is no file (yet)
 * @property {(LoadResult & {sources: Source[]}) | null} result what the worker said of it, and of which files
 * @property {number} generation of the worker that holds it; 0 if none does
 * @property {boolean} byPosition whether its keys are taken by position, as somebody decided
 * @property {FillOptions} options what the person changed in how it was trained
 * @property {{file: string, blob: Blob}[]} partners further files whose networks run together with this one's
 * @property {{name: string, width: number, height: number, rgba: Uint8Array} | null} second a pair network's second picture
 */

export const SHIPPED = 'default';
export const NONE = 'none';

export class ModelList {
  /** @type {Entry[]} */
  #entries = [entry(SHIPPED, ''), entry(NONE, '')];
  #selected = SHIPPED;
  #previous = NONE;
  #nextNumber = 1;
  #changed;

  /** @param {() => void} changed */
  constructor(changed) {
    this.#changed = changed;
  }

  /** @returns {readonly Entry[]} */
  get entries() {
    return this.#entries;
  }

  get selected() {
    return this.find(this.#selected) ?? this.#entries[1];
  }

  /** The model that was selected before this one. */
  get previous() {
    return this.find(this.#previous) ?? this.#entries[1];
  }

  /** @param {string} handle */
  find(handle) {
    return this.#entries.find((each) => each.handle === handle) ?? null;
  }

  /** @returns {string} a handle that was never used */
  newHandle() {
    return `file-${this.#nextNumber++}`;
  }

  /** @param {Entry} added */
  add(added) {
    this.#entries.push(added);
    this.select(added.handle);
  }

  /** @param {string} handle */
  select(handle) {
    if (handle !== this.#selected) this.#previous = this.#selected;
    this.#selected = handle;
    this.#changed();
  }

  /** @param {string} handle */
  remove(handle) {
    this.#entries = this.#entries.filter((each) => each.handle !== handle);
    if (this.#selected === handle) this.#selected = this.find(this.#previous) ? this.#previous : SHIPPED;
    this.#changed();
  }

  /** Something about an entry changed. */
  touch() {
    this.#changed();
  }
}

/**
 * @param {string} handle
 * @param {string} file
 * @param {Blob | null} [blob]
 * @returns {Entry}
 */
export function entry(handle, file, blob = null) {
  return { handle, file, blob, result: null, generation: 0, byPosition: false, options: {}, partners: [], second: null };
}

/** @param {Entry} entry @param {string} inputs */
const has = (entry, inputs) => entry.result?.loaded.some(({ conventions }) => conventions.inputs === inputs) ?? false;

/** Whether edges go into what is selected. @param {Entry} entry */
export function takesEdges(entry) {
  return has(entry, 'rgb-edges') || (has(entry, 'pair') && entry.options.secondInput === 'edges' && !entry.second);
}

/** Whether an edge generator completes them. @param {Entry} entry */
export function completesEdges(entry) {
  return takesEdges(entry) && has(entry, 'gray-edges-mask');
}

/** Whether there is a discriminator. @param {Entry} entry */
export function scores(entry) {
  return has(entry, 'score');
}
