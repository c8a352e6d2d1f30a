/**
 * The browser's own folder of this origin, as files that survive being cut off at any byte. Runs in a worker: there all
 * browsers offer files that are written in place.
 * @module
 */
import { frame, lastOf } from './frames.js';

/** Bytes that are copied at once. */
const PART_BYTES = 4 << 20;

/** A file that only grows, or is cut back to where it was whole. */
export class GrowingFile {
  #file;
  #size;

  /** @param {FileSystemSyncAccessHandle} file @param {number} size where the next bytes go */
  constructor(file, size) {
    this.#file = file;
    this.#size = size;
  }

  /**
   * @param {FileSystemDirectoryHandle} folder
   * @param {string} name
   * @param {number} size of what is kept of it; what comes after is cut off
   */
  static async open(folder, name, size) {
    const file = await (await folder.getFileHandle(name, { create: true })).createSyncAccessHandle();
    // Some browsers answer with promises.
    await file.truncate(size);
    return new GrowingFile(file, size);
  }

  get size() {
    return this.#size;
  }

  /**
   * Appends all of it or nothing.
   * @param {readonly Uint8Array<ArrayBuffer>[]} parts
   */
  async append(parts) {
    let at = this.#size;
    try {
      for (const part of parts) {
        const written = this.#file.write(part, { at });
        // Without room some browsers write less than they were given, and say no more.
        if (written !== part.length) throw new DOMException('The disk took only a part.', 'QuotaExceededError');
        at += written;
      }
      await this.#file.flush();
      this.#size = at;
    } catch (error) {
      try {
        await this.#file.truncate(this.#size);
      } catch {
        // What it was is found by the checksums.
      }
      throw error;
    }
  }

  async close() {
    await this.#file.close();
  }
}

/**
 * Writes a whole file.
 * @param {FileSystemDirectoryHandle} folder
 * @param {string} name
 * @param {Blob} blob
 * @param {(part: Uint8Array) => void} [seen] each part as it is written
 */
export async function copy(folder, name, blob, seen = () => {}) {
  const file = await GrowingFile.open(folder, name, 0);
  try {
    for (let at = 0; at < blob.size; at += PART_BYTES) {
      const part = new Uint8Array(await blob.slice(at, at + PART_BYTES).arrayBuffer());
      seen(part);
      await file.append([part]);
    }
  } finally {
    await file.close();
  }
}

/**
 * Appends a record to a small file of them, of which the last counts.
 * @param {FileSystemDirectoryHandle} folder
 * @param {string} name
 * @param {object} json
 */
export async function note(folder, name, json) {
  const before = await fileOf(folder, name);
  // A record that was cut off would hide the ones after it.
  const file = await GrowingFile.open(folder, name, before ? (await lastOf(before)).end : 0);
  try {
    await file.append([frame(json)]);
  } finally {
    await file.close();
  }
}

/**
 * The last record of such a file.
 * @param {FileSystemDirectoryHandle} folder
 * @param {string} name
 * @returns {Promise<any>} null where there is none
 */
export async function noted(folder, name) {
  const file = await fileOf(folder, name);
  return file && (await lastOf(file)).json;
}

/**
 * @param {FileSystemDirectoryHandle} folder
 * @param {string} name
 * @returns {Promise<File | null>} null where it is not there
 */
export async function fileOf(folder, name) {
  try {
    return await (await folder.getFileHandle(name)).getFile();
  } catch (error) {
    if (isNotFound(error)) return null;
    throw error;
  }
}

/**
 * The folders in a folder.
 * @param {FileSystemDirectoryHandle} folder
 * @returns {Promise<{name: string, folder: FileSystemDirectoryHandle}[]>}
 */
export async function foldersIn(folder) {
  const found = [];
  for await (const [name, handle] of folder.entries()) if (handle.kind === 'directory') found.push({ name, folder: /** @type {FileSystemDirectoryHandle} */ (handle) });
  return found;
}

/**
 * Takes a file or a folder away, if it is there and nobody has it open.
 * @param {FileSystemDirectoryHandle} folder
 * @param {string} name
 * @returns {Promise<boolean>} whether it is gone
 */
export async function remove(folder, name) {
  try {
    await folder.removeEntry(name, { recursive: true });
    return true;
  } catch (error) {
    return isNotFound(error);
  }
}

/** @param {unknown} error */
function isNotFound(error) {
  return error instanceof DOMException && error.name === 'NotFoundError';
}
