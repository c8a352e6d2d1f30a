/**
 * Weights on disk: a folder for every file, with the file itself and `about`, whose last record says what it is. A
 * folder without that record was not copied to its end.
 * @module
 */
import { copy, fileOf, foldersIn, note, noted, remove } from './disk.js';
import { crc32, crcOf } from './frames.js';

/** @typedef {import('../worker/protocol.js').AboutModel} AboutModel */
/** @typedef {import('../worker/protocol.js').KeptModel} KeptModel */

/** As many files as these are kept, and as many bytes together. */
export const MOST_MODELS = 6;
export const MOST_BYTES = 2 * 2 ** 30;
/** Room that is left to everything else of this origin. */
const SPARE_BYTES = 256 * 2 ** 20;

/** Thrown where a file finds no room. */
export class NoRoom extends Error {}

export class KeptModels {
  #root;
  #free;

  /**
   * @param {FileSystemDirectoryHandle} root
   * @param {() => Promise<number>} free bytes that this origin may still write
   */
  constructor(root, free) {
    this.#root = root;
    this.#free = free;
  }

  /** The one that was chosen last comes first. @returns {Promise<KeptModel[]>} */
  async list() {
    const found = /** @type {KeptModel[]} */ ([]);
    for (const { name: id, folder } of await foldersIn(this.#root)) {
      const about = await noted(folder, 'about');
      const file = await fileOf(folder, 'file');
      if (about && file && file.size === about.bytes) found.push({ ...tidy(about), id });
      else await remove(this.#root, id);
    }
    return found.sort((a, b) => b.at - a.at);
  }

  /**
   * Copies a file, unless it is here already; the ones that were not chosen for longest make room.
   * @param {Blob} blob
   * @param {AboutModel} about
   * @param {number} [now]
   * @returns {Promise<string>} its id
   */
  async keep(blob, about, now = Date.now()) {
    const all = await this.list();
    const same = all.find((each) => each.file === about.file && each.bytes === blob.size && each.modified === about.modified);
    if (same) {
      const before = await noted(await this.#root.getDirectoryHandle(same.id), 'about');
      await this.#note(same.id, { ...before, ...about, at: now });
      return same.id;
    }
    await this.#makeRoom(all, blob.size);
    const id = crypto.randomUUID();
    try {
      const folder = await this.#root.getDirectoryHandle(id, { create: true });
      let crc = 0;
      await copy(folder, 'file', blob, (part) => { crc = crc32(part, crc); });
      await this.#note(id, { ...about, bytes: blob.size, crc, at: now });
    } catch (error) {
      await remove(this.#root, id);
      throw error;
    }
    return id;
  }

  /**
   * @param {KeptModel[]} all
   * @param {number} bytes
   */
  async #makeRoom(all, bytes) {
    const kept = all.reduce((sum, each) => sum + each.bytes, 0);
    // Nothing is taken away for what would not fit even then.
    if (bytes > MOST_BYTES || (await this.#free()) + kept < bytes + SPARE_BYTES) throw new NoRoom('The browser gives no more room.');
    const left = [...all];
    const isTight = async () => left.length >= MOST_MODELS || left.reduce((sum, each) => sum + each.bytes, bytes) > MOST_BYTES || (await this.#free()) < bytes + SPARE_BYTES;
    while (await isTight()) {
      const oldest = left.pop();
      if (!oldest) throw new NoRoom('The browser gives no more room.');
      await remove(this.#root, oldest.id);
    }
  }

  /**
   * A file as it was kept.
   * @param {string} id
   * @param {number} [now]
   * @returns {Promise<{file: File, about: KeptModel} | null>} null where it is gone, or damaged, and so taken away
   */
  async open(id, now = Date.now()) {
    const folder = await this.#root.getDirectoryHandle(id).catch(() => null);
    const about = folder && (await noted(folder, 'about'));
    const file = folder && (await fileOf(folder, 'file'));
    if (!about || !file || file.size !== about.bytes || (await crcOf(file)) !== about.crc) {
      await remove(this.#root, id);
      return null;
    }
    await this.#note(id, { ...about, at: now });
    return { file, about: { ...tidy(about), id } };
  }

  /** @param {string} id */
  async remove(id) {
    await remove(this.#root, id);
  }

  async removeAll() {
    for (const { name } of await foldersIn(this.#root)) await remove(this.#root, name);
  }

  /** @param {string} id @param {object} about */
  async #note(id, about) {
    await note(await this.#root.getDirectoryHandle(id), 'about', about);
  }
}

/** What a record says, in the types that the page relies on. @param {any} about */
function tidy({ file, title, modified, byPosition, paste, bytes, at }) {
  return { file: String(file), title: String(title), modified: Number(modified), byPosition: byPosition === true, paste: paste ? tidyPaste(paste) : null, bytes: Number(bytes), at: Number(at) };
}

/** @param {any} paste @returns {import('../worker/protocol.js').Paste} */
function tidyPaste({ source, classArgs, returned, side, leavesOut }) {
  const number = (/** @type {unknown} */ value) => (Number.isSafeInteger(value) ? Number(value) : null);
  return { source: String(source), classArgs: String(classArgs ?? ''), returned: number(returned), side: number(side), leavesOut: leavesOut === true };
}
