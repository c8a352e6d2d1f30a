// The browser's private file system in memory: it can be killed in the middle of any write, and be full.

/** @typedef {{bytes: Uint8Array, modified: number, isOpen: boolean}} FakeFile */

/** What is left when a browser is killed. */
export class Killed extends Error {}

const missing = () => new DOMException('It is not there.', 'NotFoundError');

export class FakeDisk {
  files = /** @type {Map<string, FakeFile>} */ (new Map());
  folders = new Set(['']);
  /** Bytes and other changes until the browser is killed. */
  left = Infinity;
  /** Bytes and other changes so far. */
  used = 0;
  /** Bytes that fit. */
  quota = Infinity;
  now = 1_000_000;

  /** The same disk after the browser was killed. */
  after() {
    const disk = new FakeDisk();
    for (const [path, { bytes, modified }] of this.files) disk.files.set(path, { bytes: bytes.slice(), modified, isOpen: false });
    for (const folder of this.folders) disk.folders.add(folder);
    disk.now = this.now;
    return disk;
  }

  /** @param {number} [cost] @returns {number} how much of it still happens */
  spend(cost = 1) {
    const done = Math.min(cost, this.left);
    this.left -= done;
    this.used += done;
    if (done < cost && done === 0) throw new Killed('killed');
    return done;
  }

  get size() {
    return [...this.files.values()].reduce((sum, { bytes }) => sum + bytes.length, 0);
  }

  get root() {
    return folder(this, '');
  }
}

/** @param {FakeDisk} disk @param {string} path @returns {any} */
function folder(disk, path) {
  const at = (/** @type {string} */ name) => `${path}/${name}`;
  const names = (/** @type {Iterable<string>} */ all) => [...all].filter((each) => each.startsWith(`${path}/`) && !each.slice(path.length + 1).includes('/')).map((each) => each.slice(path.length + 1));
  return {
    kind: 'directory',
    async getDirectoryHandle(/** @type {string} */ name, { create = false } = {}) {
      if (!disk.folders.has(at(name))) {
        if (!create) throw missing();
        disk.spend();
        disk.folders.add(at(name));
      }
      return folder(disk, at(name));
    },
    async getFileHandle(/** @type {string} */ name, { create = false } = {}) {
      if (!disk.files.has(at(name))) {
        if (!create) throw missing();
        disk.spend();
        disk.files.set(at(name), { bytes: new Uint8Array(0), modified: disk.now++, isOpen: false });
      }
      return file(disk, at(name), name);
    },
    async removeEntry(/** @type {string} */ name) {
      const gone = [...disk.files.keys()].filter((each) => each === at(name) || each.startsWith(`${at(name)}/`));
      if (gone.length === 0 && !disk.folders.has(at(name))) throw missing();
      if (gone.some((each) => disk.files.get(each)?.isOpen)) throw new DOMException('It is open.', 'NoModificationAllowedError');
      // A folder goes file by file.
      for (const each of gone) {
        disk.spend();
        disk.files.delete(each);
      }
      disk.spend();
      for (const each of [...disk.folders]) if (each === at(name) || each.startsWith(`${at(name)}/`)) disk.folders.delete(each);
    },
    async *entries() {
      for (const name of names(disk.folders)) yield [name, folder(disk, at(name))];
      for (const name of names(disk.files.keys())) yield [name, file(disk, at(name), name)];
    },
    async *keys() {
      for await (const [name] of this.entries()) yield name;
    },
  };
}

/** @param {FakeDisk} disk @param {string} path @param {string} name */
function file(disk, path, name) {
  const own = () => {
    const found = disk.files.get(path);
    if (!found) throw missing();
    return found;
  };
  return {
    kind: 'file',
    async getFile() {
      const { bytes, modified } = own();
      return new File([bytes.slice()], name, { lastModified: modified });
    },
    async createSyncAccessHandle() {
      const found = own();
      if (found.isOpen) throw new DOMException('It is open.', 'NoModificationAllowedError');
      found.isOpen = true;
      return {
        getSize: () => found.bytes.length,
        truncate(/** @type {number} */ size) {
          if (size === found.bytes.length) return;
          disk.spend();
          const bytes = new Uint8Array(size);
          bytes.set(found.bytes.subarray(0, size));
          found.bytes = bytes;
        },
        write(/** @type {Uint8Array} */ part, { at = 0 } = {}) {
          if (disk.size + part.length > disk.quota) throw new DOMException('No room.', 'QuotaExceededError');
          const done = disk.spend(part.length);
          const bytes = new Uint8Array(Math.max(found.bytes.length, at + done));
          bytes.set(found.bytes);
          bytes.set(part.subarray(0, done), at);
          found.bytes = bytes;
          found.modified = disk.now++;
          if (done < part.length) throw new Killed('killed');
          return done;
        },
        flush() {},
        close() {
          found.isOpen = false;
        },
      };
    },
  };
}
