/**
 * Weights in several files (shards) that are dropped together, handed over as one: their names and lengths, then their bytes.
 * What is in them, and whether they belong together, is read by the crate (`src/checkpoint/bundle.rs`).
 * @module
 */

const MAGIC = 'infill-bundle-1\n';
const INDEX = /\.index\.json$/i;
/** The first and the last number of `model-00001-of-00003.safetensors`. */
const SHARD = /-\d{2,}-of-(\d{2,})\.\w+$/i;

/**
 * Files as they are read one after another; those that are parts of one network are one of them.
 * @param {File[]} files
 * @returns {{blob: Blob, name: string}[]}
 */
export function bundled(files) {
  const index = files.find(({ name }) => INDEX.test(name));
  const isPart = (/** @type {File} */ file) => !!index || SHARD.test(file.name);
  const parts = files.filter(isPart);
  const single = files.filter((file) => parts.length < 2 || !isPart(file)).map((file) => ({ blob: file, name: file.name }));
  if (parts.length < 2) return single;
  return [...single, { blob: bundle(parts), name: (index ?? parts[0]).name.replace(INDEX, '') }];
}

/**
 * @param {File[]} files
 * @returns {Blob}
 */
function bundle(files) {
  const list = new TextEncoder().encode(JSON.stringify(files.map(({ name, size }) => ({ name, bytes: size }))));
  const length = new DataView(new ArrayBuffer(8));
  length.setBigUint64(0, BigInt(list.length), true);
  return new Blob([MAGIC, length.buffer, list, ...files]);
}
