/**
 * Keeps the open work on this device as it changes: after a pause, in a worker, and never during a stroke. What cannot
 * be kept is said once; the page goes on without.
 * @module
 */
import { Recorder } from '../document/recorder.js';
import { Failure } from '../worker/protocol.js';

/** @typedef {import('../document/document.js').Document} Document */
/** @typedef {import('../worker/client.js').WorkerClient} WorkerClient */
/** @typedef {import('../document/recorder.js').KeptRecord} KeptRecord */

/**
 * `none`: there is nothing to keep. `behind`: what was done last is on its way. `kept`: all of it is on the device.
 * `off`: this work is not kept.
 * @typedef {'none' | 'behind' | 'kept' | 'off'} Standing
 */

/**
 * @typedef {object} Work
 * @property {Document} document
 * @property {Recorder} recorder
 * @property {Blob | null} photo still to be copied
 * @property {number} generation of the worker that has its folder
 * @property {boolean} hasJournal whether changes can be appended
 * @property {boolean} needsAll whether the document is to be written anew
 * @property {number} limit bytes of steps to turn back that this brings along
 * @property {number} most bytes of the journal before that
 * @property {string[]} mended what was tried already to go on after an error
 */

/** A change is written when none came for this long; during a stroke it waits, as long again and again. */
const QUIET_MS = 150;
/** However fast they follow each other, the first is written after this long. */
const MOST_MS = 1000;
/** In bytes. */
const SIZES = {
  /** A journal may grow by this much before the document is written anew. */
  growth: 128 * 2 ** 20,
  /** Steps to turn back that a document which is written anew brings along, on the first try. */
  steps: 64 * 2 ** 20,
  /** What is on its way to the worker at once. */
  part: 4 * 2 ** 20,
};

export class Keeper {
  #store;
  #changed;
  #failed;
  #sizes;
  #work = /** @type {Work | null} */ (null);
  #timer = /** @type {ReturnType<typeof setTimeout> | undefined} */ (undefined);
  /** When the oldest change that is not written was heard of, milliseconds. */
  #since = 0;
  /** The writing that is on. */
  #writing = /** @type {Promise<void> | null} */ (null);
  /** Why the last work is not kept: a code of `text.store`. */
  reason = '';
  /** @type {Standing} */
  standing = 'none';

  /**
   * @param {Pick<WorkerClient, 'request' | 'generation'>} store
   * @param {() => void} changed the standing is another
   * @param {(code: string) => void} failed the work is no longer kept
   * @param {Partial<typeof SIZES>} [sizes]
   */
  constructor(store, changed, failed, sizes = {}) {
    this.#store = store;
    this.#changed = changed;
    this.#failed = failed;
    this.#sizes = { ...SIZES, ...sizes };
  }

  /**
   * From now on this document is kept.
   * @param {Document} document
   * @param {object} from
   * @param {Blob | null} from.photo the file it was opened from; null where the store has it already
   * @param {() => object} from.extra what else belongs to the work, as JSON
   */
  keep(document, { photo, extra }) {
    this.#work = { document, recorder: new Recorder(document, extra), photo, generation: this.#store.generation, hasJournal: false, needsAll: true, limit: this.#sizes.steps, most: 0, mended: [] };
    this.#since = Date.now();
    this.#stand('behind');
    this.touch();
  }

  /** Something may have changed. */
  touch() {
    if (!this.#work || !this.#isBehind) return;
    if (this.standing !== 'behind') this.#since = Date.now();
    this.#stand('behind');
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => void this.flush(), Math.min(QUIET_MS, Math.max(0, this.#since + MOST_MS - Date.now())));
  }

  /**
   * Writes what is not written yet.
   * @param {boolean} [isLast] whether there may be no later
   */
  async flush(isLast = false) {
    clearTimeout(this.#timer);
    while (this.#writing) await this.#writing;
    const work = this.#work;
    if (!work || !this.#isBehind) return;
    if (isLast || !work.document.isStroking) {
      this.#writing = this.#write(work).catch((error) => this.#mend(work, error));
      await this.#writing;
      this.#writing = null;
    }
    if (this.#work !== work) return;
    if (this.#isBehind) this.#timer = setTimeout(() => void this.flush(), QUIET_MS);
    else this.#stand('kept');
  }

  /** Keeps this work no longer, and deletes what there is of it. */
  async forget() {
    const isKept = this.#work !== null;
    this.#work = null;
    clearTimeout(this.#timer);
    this.#stand(isKept ? 'off' : this.standing);
    while (this.#writing) await this.#writing;
    await this.#store.request({ kind: 'work-forget' });
  }

  get #isBehind() {
    return this.#work !== null && (this.#work.needsAll || this.#work.recorder.isBehind);
  }

  /** @param {Standing} standing */
  #stand(standing) {
    if (this.standing === standing) return;
    this.standing = standing;
    this.#changed();
  }

  /**
   * Goes on after an error, where there is a way: once each.
   * @param {Work} work
   * @param {unknown} error
   */
  async #mend(work, error) {
    if (this.#work !== work) return;
    const code = error instanceof Failure ? error.code : 'store-failed';
    const { source } = work.document.photo;
    const [isFull, isGone] = [code === 'store-full', ['worker-crash', 'worker-memory', 'worker-replaced'].includes(code)];
    if (work.mended.includes(code) || !(isFull || (isGone && source))) return this.#giveUp(code);
    work.mended.push(code);
    work.needsAll = true;
    if (isFull) {
      // Weights can be dropped again, and steps be done without.
      work.limit = 0;
      await this.#store.request({ kind: 'model-forget' }).catch(() => {});
      await this.#store.request({ kind: 'work-drop' }).catch(() => {});
    } else {
      Object.assign(work, { photo: source, generation: this.#store.generation, hasJournal: false });
    }
  }

  /** @param {string} code */
  #giveUp(code) {
    this.#work = null;
    this.reason = code;
    this.#stand('off');
    // What was kept before stays: it is older than what is open, and better than nothing.
    this.#store.request({ kind: 'work-drop' }).catch(() => {});
    this.#failed(code);
  }

  /** @param {Work} work */
  async #write(work) {
    const { document, recorder, photo } = work;
    if (photo) {
      await this.#ask(work, { kind: 'work-begin', photo, name: document.photo.name });
      work.photo = null;
    }
    const records = work.hasJournal ? recorder.changes() : null;
    const bytes = records?.length ? await this.#ask(work, { kind: 'work-write', records, isAside: false }) : 0;
    work.needsAll ||= !records || bytes > work.most;
    // Half a stroke is no state to come back to.
    if (work.needsAll && !document.isStroking) await this.#writeAll(work);
  }

  /**
   * Writes the whole document aside, while the person goes on. Where the photo changes meanwhile, it is tried again
   * later, with fewer steps to turn back each time.
   * @param {Work} work
   */
  async #writeAll(work) {
    const { document: { photo }, recorder } = work;
    const { version } = photo;
    let bytes = 0;
    let part = /** @type {KeptRecord[]} */ ([]);
    let size = 0;
    const send = async () => {
      bytes = await this.#ask(work, { kind: 'work-write', records: part, isAside: true });
      part = [];
      size = 0;
    };
    for (const record of recorder.all(work.limit)) {
      part.push(record);
      size += record.bytes.reduce((sum, { length }) => sum + length, 0);
      if (size < this.#sizes.part) continue;
      await send();
      if (photo.version === version) continue;
      work.limit = Math.floor(work.limit / 2);
      await this.#ask(work, { kind: 'work-drop' });
      return;
    }
    await send();
    await this.#ask(work, { kind: 'work-turn' });
    work.hasJournal = true;
    work.needsAll = false;
    if (!work.mended.includes('store-full')) work.limit = this.#sizes.steps;
    work.most = bytes + this.#sizes.growth;
  }

  /**
   * @param {Work} work
   * @param {import('../worker/protocol.js').Request} request
   */
  #ask({ generation }, request) {
    const transfer = request.kind === 'work-write' ? [...new Set(request.records.flatMap(({ bytes }) => bytes.map(({ buffer }) => /** @type {ArrayBuffer} */ (buffer))))] : [];
    return this.#store.request(request, { generation, transfer });
  }
}
