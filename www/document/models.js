/**
 * The models at hand: those that come with the page, those dropped on it, and none at all.
 * The page keeps every file, so a fresh worker can be given them again.
 * @module
 */
import { text } from '../strings/index.js';
import { fileName, NO_MODEL as NONE, SHIPPED } from './site.js';

export { NONE };

/** @typedef {import('../worker/protocol.js').LoadResult} LoadResult */
/** @typedef {import('../worker/protocol.js').FillOptions} FillOptions */
/** @typedef {import('../worker/protocol.js').Report} Report */
/** @typedef {import('./site.js').Shipped} Shipped */

/**
 * A file that a report was made of, to be read again for its values.
 * @typedef {{file: string, blob: Blob, tensors: number, networks: number}} Source
 */

/**
 * @typedef {object} Entry
 * @property {string} handle of a model that comes with the page, `none`, or of a dropped file
 * @property {string} file its name; empty for `none`
 * @property {Blob | null} blob null where there is no file (yet)
 * @property {Shipped | null} shipped null for a dropped file and for `none`
 * @property {boolean} isKept whether the browser keeps the file, so that nothing has to be fetched
 * @property {(LoadResult & {sources: Source[]}) | null} result what the worker said of it, and of which files
 * @property {number} generation of the worker that holds it; 0 if none does
 * @property {import('../worker/protocol.js').Paste | null} paste the class that its weights are run with; null for a network that the crate knows
 * @property {boolean} isGraph whether it is an ONNX graph that no known network is, which the worker of the pasted classes runs
 * @property {boolean} byPosition whether its keys are taken by position, as somebody decided
 * @property {FillOptions} options what the person changed in how it was trained
 * @property {{file: string, blob: Blob}[]} partners further files whose networks run together with this one's
 * @property {{name: string, width: number, height: number, rgba: Uint8Array} | null} second a pair network's second picture
 */

export class ModelList {
  /** @type {Entry[]} */
  #entries;
  #default;
  #selected;
  #previous = NONE;
  #nextNumber = 1;
  #changed;

  /**
   * @param {() => void} changed
   * @param {readonly Shipped[]} [shipped]
   * @param {string} [first] handle of the default
   */
  constructor(changed, shipped = SHIPPED, first = shipped[0]?.handle ?? NONE) {
    this.#changed = changed;
    const none = entry(NONE, '');
    this.#entries = [...shipped.map((model) => ({ ...entry(model.handle, fileName(model.file)), shipped: model, options: { ...model.feed } })), none];
    this.#default = this.find(first) ?? none;
    this.#selected = this.#default.handle;
  }

  /** The model that is selected until somebody chooses another. */
  get default() {
    return this.#default;
  }

  /** @returns {readonly Entry[]} */
  get entries() {
    return this.#entries;
  }

  get selected() {
    return this.find(this.#selected) ?? this.#default;
  }

  /** The model that was selected before this one. */
  get previous() {
    return this.find(this.#previous) ?? this.#default;
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
    if (this.#selected === handle) this.#selected = this.previous.handle;
    this.#changed();
  }

  /** Those that come with the site. */
  get shipped() {
    return this.#entries.flatMap(({ shipped }) => shipped ?? []);
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
  return { handle, file, blob, shipped: null, isKept: false, result: null, generation: 0, byPosition: false, paste: null, isGraph: false, options: {}, partners: [], second: null };
}

/** @param {string} file @param {Blob} blob @param {Report} report @returns {Source} */
export function sourceOf(file, blob, report) {
  return { file, blob, tensors: report.tensors.length, networks: report.networks.length };
}

/**
 * What an entry is called.
 * @param {Entry} entry
 * @returns {string}
 */
export function nameOf({ handle, shipped, result, file }) {
  if (handle === NONE) return text.none;
  if (shipped) return shipped.name;
  const names = result?.loaded.map(({ name }) => name) ?? [];
  return names.length ? [...new Set(names)].join(' + ') : file;
}

/** Its bytes that have to be fetched before it runs; 0 where it is at hand. @param {Entry} entry */
export function bytesToFetch({ shipped, blob, isKept }) {
  return shipped && !blob && !isKept ? shipped.bytes : 0;
}

/**
 * Its parameters, all networks together; 0 where unknown.
 * @param {Entry} entry
 * @returns {number}
 */
export function parametersOf({ result }) {
  return result?.loaded.reduce((sum, { parameters }) => sum + parameters, 0) ?? 0;
}

/** @typedef {import('../worker/protocol.js').LoadedNetwork} LoadedNetwork */

/** @param {Entry} entry */
const networks = ({ result }) => result?.loaded ?? [];

/**
 * Whether a channel of an input shows this: `rgb`, `mask`, `edges`, `second`, ...
 * @param {LoadedNetwork} network
 * @param {string} what
 */
const shows = ({ conventions }, what) => (conventions?.channels ?? []).flat().includes(what);

/**
 * What a network gives to those that paint, such as `edges`; empty if nothing.
 * @param {LoadedNetwork} network
 */
const given = ({ role }) => (role?.startsWith('gives-') ? role.slice('gives-'.length) : '');

/** Whether a network paints the hole. @param {Entry} entry */
export function paints(entry) {
  return networks(entry).some(({ role }) => role === 'paints');
}

/**
 * Whether what paints takes this as an input.
 * @param {Entry} entry
 * @param {string} what
 */
export function takes(entry, what) {
  return networks(entry).some((network) => network.role === 'paints' && shows(network, what));
}

/**
 * How an entry is fed, as guessed: the conventions of the network that paints, or of the only one.
 * @param {Entry} entry
 * @returns {Record<string, any>}
 */
export function conventionsOf(entry) {
  const all = networks(entry);
  return (all.find(({ role }) => role === 'paints') ?? all[0])?.conventions ?? {};
}

/** Whether a second picture goes in. @param {Entry} entry */
export function takesSecond(entry) {
  return takes(entry, 'second');
}

/** Sides that a network's window may have, of its own pixels. */
export const WINDOW_SIDES = { 256: '256', 384: '384', 512: '512', 768: '768', 1024: '1024' };

/** Whether edges go into what is selected. @param {Entry} entry */
export function takesEdges(entry) {
  return takes(entry, 'edges') || (takesSecond(entry) && entry.options.secondInput === 'edges' && !entry.second);
}

/** Whether an edge generator completes them. @param {Entry} entry */
export function completesEdges(entry) {
  return takesEdges(entry) && networks(entry).some((network) => given(network) === 'edges');
}

/** Whether there is a discriminator. @param {Entry} entry */
export function scores(entry) {
  return networks(entry).some(({ role }) => role === 'scores');
}

/**
 * Whether one entry's networks only work together with another's, which lacks what they give.
 * @param {Entry} helper
 * @param {Entry} painter
 */
export function completes(helper, painter) {
  const gifts = networks(helper).map(given);
  const own = networks(painter).map(given);
  return gifts.length > 0 && gifts.every((what) => what && takes(painter, what) && !own.includes(what));
}
