/**
 * Work on disk: a folder for every photo that is, or was, open in a tab. Whoever has it holds its lock, so that two tabs
 * never write the same.
 *
 * A folder holds `photo`, the file as it was opened; `journal-1`, records from a whole document on, to which changes are
 * appended; and `head`, which says which journal counts. A new whole document is written aside, into the next journal,
 * and counts from the moment that `head` says so.
 * @module
 */
import { copy, fileOf, foldersIn, GrowingFile, note, noted, remove } from './disk.js';
import { crc32, entries, frame } from './frames.js';

/**
 * Takes a lock, unless another tab has it.
 * @callback Hold
 * @param {string} name
 * @returns {Promise<(() => void) | null>} lets it go; null where somebody else has it
 */

/** @typedef {import('../worker/protocol.js').KeptWork} KeptWork */
/** @typedef {import('../worker/protocol.js').TakenWork} TakenWork */

/**
 * Which journal counts, and what the work is called. Where the head itself is damaged, the newest journal that begins
 * well counts.
 * @param {FileSystemDirectoryHandle} folder
 * @returns {Promise<{number: number, name: string, crc?: number, type?: string} | null>}
 */
async function headOf(folder) {
  const head = await noted(folder, 'head');
  if (head) return head;
  let found = null;
  for await (const name of folder.keys()) {
    const number = Number(/^journal-(\d+)$/.exec(name)?.[1] ?? 0);
    if (number <= (found?.number ?? 0)) continue;
    const journal = await fileOf(folder, name);
    const first = journal && (await entries(journal).next()).value;
    if (first && 'json' in first) found = { number, name: String(first.json.name) };
  }
  return found;
}

/** Works without a tab that are kept: the newest. */
export const MOST_WORKS = 3;
/** They are forgotten after this time. */
export const KEPT_MS = 30 * 24 * 3_600_000;

export class Works {
  #root;
  #hold;
  /** The work of this tab. */
  #own = /** @type {{id: string, folder: FileSystemDirectoryHandle, release: () => void, number: number, head: any, journal: GrowingFile | null, aside: GrowingFile | null} | null} */ (null);

  /** @param {FileSystemDirectoryHandle} root @param {Hold} hold */
  constructor(root, hold) {
    this.#root = root;
    this.#hold = hold;
  }

  /**
   * What closed tabs left behind, newest first. What is too old, or too much, or was never written to its end, goes.
   * @param {number} [now]
   * @returns {Promise<KeptWork[]>}
   */
  async list(now = Date.now()) {
    const found = /** @type {KeptWork[]} */ ([]);
    const look = async (/** @type {string} */ id, /** @type {FileSystemDirectoryHandle} */ folder) => {
      const head = await headOf(folder);
      const journal = head && (await fileOf(folder, `journal-${head.number}`));
      const photo = await fileOf(folder, 'photo');
      const isFresh = journal && now - journal.lastModified < KEPT_MS;
      if (photo && isFresh) found.push({ id, name: String(head.name), at: journal.lastModified, bytes: photo.size + journal.size });
      else await remove(this.#root, id);
    };
    // At once: a lock that another tab has is waited for a moment.
    await Promise.all((await foldersIn(this.#root)).map(({ name, folder }) => this.#alone(name, () => look(name, folder))));
    found.sort((a, b) => b.at - a.at);
    for (const { id } of found.splice(MOST_WORKS)) await this.forget(id);
    return found;
  }

  /**
   * Begins a folder for this tab; what it wrote before is forgotten.
   * @param {Blob} photo
   * @param {string} name
   */
  async begin(photo, name) {
    await this.#part();
    const id = crypto.randomUUID();
    const release = await this.#hold(id);
    if (!release) throw new Error('The lock of a new folder is taken.');
    try {
      const folder = await this.#root.getDirectoryHandle(id, { create: true });
      let crc = 0;
      await copy(folder, 'photo', photo, (part) => { crc = crc32(part, crc); });
      this.#own = { id, folder, release, number: 0, head: { name, crc, type: photo.type }, journal: null, aside: null };
    } catch (error) {
      await remove(this.#root, id);
      release();
      throw error;
    }
  }

  /**
   * Takes over what a closed tab left behind.
   * @param {string} id
   * @returns {Promise<TakenWork | null>} null where another tab has it, or it is gone
   */
  async take(id) {
    const release = await this.#hold(id);
    if (!release) return null;
    const folder = await this.#root.getDirectoryHandle(id).catch(() => null);
    const head = folder && (await headOf(folder));
    const [photo, journal] = head ? [await fileOf(folder, 'photo'), await fileOf(folder, `journal-${head.number}`)] : [null, null];
    if (!head || !photo || !journal) {
      release();
      return null;
    }
    await this.#part();
    const { name, crc, type, number } = head;
    // What a whole document that was never finished left, or one that was turned from but not yet taken away.
    for (const other of [number - 1, number + 1]) await remove(folder, `journal-${other}`);
    this.#own = { id, folder, release, number, head: { name, crc, type }, journal: null, aside: null };
    return { photo, journal, name: String(name), crc, type: String(type ?? '') };
  }

  /** Forgets what this tab wrote; what it only took over and wrote nothing to is let go. */
  async #part() {
    if (this.#own && this.#own.number > 0 && !this.#own.journal) await this.leave();
    else await this.forgetOwn();
  }

  /** Lets the work of this tab go, for another visit. */
  async leave() {
    const own = this.#own;
    this.#own = null;
    await own?.journal?.close();
    await own?.aside?.close();
    own?.release();
  }

  /**
   * Writes records: changes at the end of the journal, or parts of a whole document aside.
   * @param {readonly {json: any, bytes: Uint8Array[]}[]} records
   * @param {boolean} isAside
   * @returns {Promise<number>} the file's bytes
   */
  async write(records, isAside) {
    const own = this.#mine;
    if (isAside) own.aside ??= await GrowingFile.open(own.folder, `journal-${own.number + 1}`, 0);
    const file = isAside ? own.aside : own.journal;
    if (!file) throw new Error('There is no journal yet.');
    await file.append(records.map(({ json, bytes }) => frame(json, bytes)));
    return file.size;
  }

  /** From now on what was written aside counts. */
  async turn() {
    const own = this.#mine;
    if (!own.aside) throw new Error('Nothing was written aside.');
    await note(own.folder, 'head', { ...own.head, number: own.number + 1 });
    await own.journal?.close();
    await remove(own.folder, `journal-${own.number}`);
    own.number += 1;
    own.journal = own.aside;
    own.aside = null;
  }

  /** Throws away what was written aside. */
  async dropAside() {
    const own = this.#mine;
    await own.aside?.close();
    own.aside = null;
    await remove(own.folder, `journal-${own.number + 1}`);
  }

  async forgetOwn() {
    const own = this.#own;
    if (!own) return;
    await own.journal?.close();
    await own.aside?.close();
    this.#own = null;
    await remove(this.#root, own.id);
    own.release();
  }

  /** Forgets what a closed tab left behind. @param {string} id */
  async forget(id) {
    await this.#alone(id, () => remove(this.#root, id));
  }

  /** Forgets everything but what other tabs have open. */
  async forgetAll() {
    await this.forgetOwn();
    for (const { name } of await foldersIn(this.#root)) await this.forget(name);
  }

  get #mine() {
    if (!this.#own) throw new Error('This tab keeps nothing.');
    return this.#own;
  }

  /**
   * Does something to a folder that no tab has open.
   * @param {string} id
   * @param {() => Promise<unknown>} run
   */
  async #alone(id, run) {
    const release = await this.#hold(id);
    if (!release) return;
    try {
      await run();
    } catch {
      // It cannot be read just now: it stays as it is.
    } finally {
      release();
    }
  }
}
