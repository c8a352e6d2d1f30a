/**
 * What the parts of the page share: the open work, the models, the workers, and the words of the status line.
 * @module
 */
import { MOST_GROW } from './document/mask.js';
import { ModelList } from './document/models.js';
import { OwnNetwork } from './document/own_network.js';
import { ownSite } from './document/site.js';
import { PageState } from './document/state.js';
import { Keeper } from './storage/keeper.js';
import { recall, recallNumber, remember } from './storage/preference.js';
import { crateWords } from './strings/crate.js';
import { text } from './strings/index.js';
import { BuildChoice, classBuilds, NO_CRATE, PICTURES, REFERENCE, SAVING, SELECTING } from './worker/builds.js';
import { WorkerClient } from './worker/client.js';
import { Failure } from './worker/protocol.js';
import { spawnWorker } from './worker/spawn.js';
import { Threads } from './worker/threads.js';

/** @typedef {import('./document/document.js').Document} Document */
/** @typedef {import('./document/state.js').State} State */
/** @typedef {{label: string, run: () => void}} Action a button beside the status line */

/** A worker for files gives its memory back when it has had nothing to do for this long. */
const FILES_IDLE_MS = 20_000;
/** What a photo was looked at for is not given up as soon. */
const SELECT_IDLE_MS = 180_000;
/** What is said when a run is over asks this often whether it is. */
const NOT_KEPT_MS = 500;
const TINT_KEY = 'infill-mask-colour';
const AUTO_FILL_KEY = 'infill-fill-on-release';
const GROW_KEY = 'infill-grow';
const SHARPEN_KEY = 'infill-sharpen';
const QUALITY_KEY = 'infill-jpeg-quality';
const PLACE_KEY = 'infill-leave-out-place';
/** Other tabs hear by its change that nothing is kept any more. */
export const KEEP_KEY = 'infill-keep';
/** A JPEG's quality, as the Independent JPEG Group counts it. */
export const QUALITIES = Array.from({ length: 100 }, (_, i) => String(i + 1));

/**
 * What the parts of the page are told.
 * @typedef {object} Listener
 * @property {(state: State) => void} state
 * @property {(words: string, action: Action | null, warns: boolean) => void} words whether they hold an error
 * @property {() => void} work photo, mask, history or model changed
 * @property {() => void} models
 * @property {(done: number | null) => void} progress null: nothing runs
 * @property {() => void} tint another colour of the mask was chosen
 * @property {(file: Blob, name: string) => void} download a file is ready to be saved
 * @property {() => void} details the person wants to see what the page knows of a model
 * @property {() => void} kept what is kept on this device, or how, is another
 * @property {() => void} own something about the person's own network changed
 * @property {() => void} showOwn the person wants to paste a class
 */

export class App {
  /** @type {Document | null} */
  document = null;
  settings = { grow: recallNumber(GROW_KEY, 0, MOST_GROW, 4), sharpen: recall(SHARPEN_KEY, Object.keys(text.sharpenChoices), 'auto'), isKeeping: recall(KEEP_KEY, ['on', 'off'], 'on') === 'on', tint: recall(TINT_KEY, Object.keys(text.tintChoices), 'auto'), autoFill: recall(AUTO_FILL_KEY, ['on', 'off'], 'off') === 'on', quality: Number(recall(QUALITY_KEY, QUALITIES, '92')), withoutPlace: recall(PLACE_KEY, ['on', 'off'], 'off') === 'on' };
  /** Ends the run that is on. */
  run = /** @type {AbortController | null} */ (null);
  /** Whether another run follows the one that is on, for what was painted meanwhile. */
  isQueued = false;
  /** Ends the opening of the photo that was asked for last. */
  opening = /** @type {AbortController | null} */ (null);
  /** Of the last fill. */
  seed = 0;
  /** What the last fill took. */
  speed = /** @type {import('./worker/protocol.js').Speed & {ms: number} | null} */ (null);
  /** The build of the crate that fills. */
  builds = new BuildChoice();
  /** The file that was dropped last and does not run, for its card. */
  misfit = /** @type {{file: string, failure: Failure, sources: import('./document/models.js').Source[]} | null} */ (null);
  /** Work that closed tabs left on this device, newest first. */
  works = /** @type {import('./worker/protocol.js').KeptWork[]} */ ([]);
  /** Weights on this device, those chosen last first. */
  recent = /** @type {import('./worker/protocol.js').KeptModel[]} */ ([]);
  /** Why nothing can be kept in this browser: a code of `text.store`; empty where it can. */
  storeFault = '';
  /** The class that was pasted, and its weights. */
  own = new OwnNetwork();
  #listener;
  #shown = { words: '', action: /** @type {Action | null} */ (null) };
  /** Counts the errors. */
  #failures = 0;

  /**
   * @param {Listener} listener
   * @param {import('./document/site.js').Site} [site] what whoever hosts the page says of it
   */
  constructor(listener, site = ownSite()) {
    this.#listener = listener;
    this.site = site;
    this.state = new PageState((state) => listener.state(state));
    this.models = new ModelList(() => {
      this.keeper.touch();
      listener.models();
    }, site.models, site.defaultModel);
    /** Decodes, also while a run is on. */
    this.decoder = new WorkerClient(spawnWorker('pictures'), { builds: new BuildChoice([PICTURES]), idleMs: FILES_IDLE_MS });
    /** Saves the photo, with what its file tells. */
    this.saver = new WorkerClient(spawnWorker('saving'), { builds: new BuildChoice([SAVING]), idleMs: FILES_IDLE_MS });
    /** Selects objects in the open photo; its build is fetched when that tool is chosen, or about to be. */
    this.selector = new WorkerClient(spawnWorker('selecting'), { builds: new BuildChoice([SELECTING]), idleMs: SELECT_IDLE_MS });
    /** Encodes masks, and the photo where nothing else can, in a worker that no broken picture can take along, and that is ready while there is work to lose. */
    this.encoder = new WorkerClient(spawnWorker('pictures'), { builds: new BuildChoice([PICTURES]), idleMs: FILES_IDLE_MS });
    /** Holds the models and runs them. */
    this.inference = new WorkerClient(spawnWorker('inference'), { builds: this.builds, threads: new Threads() });
    /** Keeps the open work, and what closed tabs left. */
    this.store = new WorkerClient(spawnWorker('store'), { builds: new BuildChoice([NO_CRATE]) });
    /** Keeps weights, whose copying takes a while. */
    this.shelf = new WorkerClient(spawnWorker('store'), { builds: new BuildChoice([NO_CRATE]), idleMs: FILES_IDLE_MS });
    this.keeper = new Keeper(this.store, () => listener.kept(), (code) => this.#notKept(code));
    /** Reads pasted classes and runs them; its build is fetched when it is first asked. */
    this.classes = new WorkerClient(spawnWorker('inference'), { builds: new BuildChoice(classBuilds()), threads: new Threads() });
    /** Runs a model on both engines; its build is fetched when it is first asked. */
    this.reference = new WorkerClient(spawnWorker('inference'), { builds: new BuildChoice([REFERENCE]), idleMs: FILES_IDLE_MS });
  }

  /**
   * @param {string} words
   * @param {Action | null} [action]
   */
  say(words, action = null) {
    this.#show(words, action, false);
  }

  /** @param {string} words @param {Action | null} action @param {boolean} warns */
  #show(words, action, warns) {
    this.#shown = { words, action };
    this.#listener.words(words, action, warns);
  }

  /**
   * Says what nobody asked for just now: an error that is shown stays, and this comes after it.
   * @param {string} words
   * @param {Action | null} [action]
   */
  mention(words, action = null) {
    if (this.state.value !== 'error') return this.say(words, action);
    const { words: before, action: offered } = this.#shown;
    this.#show(`${before} ${words}`.trim(), offered ?? action, true);
  }

  /** Says how far something in the background is, unless an error is shown. @param {string} words */
  hint(words) {
    if (this.state.value !== 'error') this.say(words);
  }

  /**
   * Begins an action; its success ends an error that was there before, but not one that came meanwhile.
   * @returns {(words: string, action?: Action | null) => void} to be called with what is said when it has succeeded
   */
  begin() {
    const failures = this.#failures;
    return (words, action = null) => {
      if (this.#failures === failures) this.state.succeeded();
      if (!this.state.isRunning) this.mention(words, action);
    };
  }

  /**
   * Shows an error, once: one sentence, what to do, and a button that does it.
   * @param {string} words
   * @param {Action | null} [action]
   */
  fail(words, action = null) {
    this.#failures += 1;
    this.state.failed();
    this.#show(words, action, true);
  }

  /** Hands over a file to be saved. @param {Blob} file @param {string} name */
  download(file, name) {
    this.#listener.download(file, name);
  }

  /** @param {number | null} done */
  progress(done) {
    this.#listener.progress(done);
  }

  /** @param {number} grow photo pixels; it is remembered */
  chooseGrow(grow) {
    this.settings.grow = grow;
    remember(GROW_KEY, String(grow));
    this.document?.setGrow(grow);
  }

  /** @param {string} sharpen a key of `text.sharpenChoices`; it is remembered */
  chooseSharpen(sharpen) {
    this.settings.sharpen = sharpen;
    remember(SHARPEN_KEY, sharpen);
    this.touch();
  }

  /** @param {boolean} isOn whether work and weights are kept on this device; it is remembered */
  chooseKeeping(isOn) {
    this.settings.isKeeping = isOn;
    remember(KEEP_KEY, isOn ? 'on' : 'off');
    this.#listener.kept();
  }

  /** What is kept on this device is another. */
  keptChanged() {
    this.#listener.kept();
  }

  /** The open work is kept no longer. @param {string} code */
  #notKept(code) {
    // A run says something else several times a second.
    if (this.state.isRunning) return void setTimeout(() => this.#notKept(code), NOT_KEPT_MS);
    this.mention(notKept(code));
  }

  /** @param {string} tint a key of `text.tintChoices`; it is remembered */
  chooseTint(tint) {
    this.settings.tint = tint;
    remember(TINT_KEY, tint);
    this.#listener.tint();
  }

  /** @param {boolean} isOn whether holes are filled as soon as the pointer is released; it is remembered */
  chooseAutoFill(isOn) {
    this.settings.autoFill = isOn;
    remember(AUTO_FILL_KEY, isOn ? 'on' : 'off');
    this.#listener.work();
  }

  /** @param {{quality?: number, withoutPlace?: boolean}} how photos are saved; it is remembered */
  chooseSaving({ quality = this.settings.quality, withoutPlace = this.settings.withoutPlace }) {
    Object.assign(this.settings, { quality, withoutPlace });
    remember(QUALITY_KEY, String(quality));
    remember(PLACE_KEY, withoutPlace ? 'on' : 'off');
  }

  /** Shows what the page knows of the selected model, or of the file that does not fit. */
  showDetails() {
    this.#listener.details();
  }

  /** The worker that holds a model. @param {import('./document/models.js').Entry} entry */
  workerOf({ paste, isGraph }) {
    return paste || isGraph ? this.classes : this.inference;
  }

  /** Something about the person's own network changed. */
  ownChanged() {
    this.#listener.own();
  }

  /** Shows where a class is pasted. */
  showOwn() {
    this.#listener.showOwn();
  }

  /** Photo, mask, history or selection changed. */
  touch() {
    const history = this.document?.history;
    const isUnsaved = history?.isUnsaved ?? false;
    this.encoder.keepReady(isUnsaved);
    // Fetched once a photo is open: the host may be gone when it is needed.
    this.saver.keepReady(isUnsaved || history?.wasSaved === false);
    this.keeper.touch();
    this.#listener.work();
  }
}

/** The sentence for work that is not kept. @param {string} code */
export function notKept(code) {
  return /** @type {Record<string, string>} */ (text.store)[code] ?? text.store['store-failed'];
}

/**
 * The sentence for an error.
 * @param {unknown} error
 * @param {string} [name] of the file it is about
 * @returns {string}
 */
export function wordsFor(error, name = '') {
  if (!(error instanceof Failure)) {
    const isGone = error instanceof DOMException && ['NotFoundError', 'NotReadableError'].includes(error.name);
    return isGone ? text.unreadable(name) : String(/** @type {any} */ (error)?.message ?? error);
  }
  const own = /** @type {Record<string, string>} */ (text.errors)[error.code];
  if (own) return own;
  const words = crateWords(error);
  return name && !words.includes(name) ? text.about(name, words) : words;
}

/** @param {unknown} error */
export function isCancelled(error) {
  return error instanceof Failure && error.code === 'run-cancelled';
}
