/**
 * Records in a file that only ever grows: each is JSON with bytes beside it, in a frame that tells its length and its
 * checksum. Whatever moment a write is cut off at, the records before it are whole and the rest is known not to be.
 * @module
 */

/**
 * @typedef {object} Entry
 * @property {any} json
 * @property {Uint8Array<ArrayBuffer>[]} bytes
 */

/**
 * Why reading ended: at the file's end, inside a frame that was not written to its end, or at bytes that are no frame.
 * @typedef {'end' | 'cut' | 'damaged'} End
 */

/** Before each record: its length and its checksum. */
const HEAD_BYTES = 8;
/** Before the JSON: its length. */
const LENGTH_BYTES = 4;
/** No record is longer: a length beyond this is damage, and nothing is allocated for it. */
export const MOST_RECORD_BYTES = 2 ** 30;
/** Bytes that are looked at in one go. */
const PART_BYTES = 4 << 20;

const TABLE = Uint32Array.from({ length: 256 }, (_, value) => {
  for (let bit = 0; bit < 8; bit++) value = value & 1 ? (value >>> 1) ^ 0xedb88320 : value >>> 1;
  return value;
});

/**
 * CRC-32 as of PNG and zip, also in several parts.
 * @param {Uint8Array} bytes
 * @param {number} [before] the checksum of what comes before them
 * @returns {number}
 */
export function crc32(bytes, before = 0) {
  let crc = ~before;
  for (let i = 0; i < bytes.length; i++) crc = (crc >>> 8) ^ TABLE[(crc ^ bytes[i]) & 255];
  return ~crc >>> 0;
}

/** The checksum of a file, read part by part. @param {Blob} blob */
export async function crcOf(blob) {
  let crc = 0;
  for (let at = 0; at < blob.size; at += PART_BYTES) crc = crc32(new Uint8Array(await blob.slice(at, at + PART_BYTES).arrayBuffer()), crc);
  return crc;
}

/**
 * @param {any} json what JSON can hold, an object
 * @param {readonly Uint8Array[]} [bytes] what it cannot
 * @returns {Uint8Array<ArrayBuffer>}
 */
export function frame(json, bytes = []) {
  const words = new TextEncoder().encode(JSON.stringify({ ...json, sizes: bytes.map(({ length }) => length) }));
  const length = bytes.reduce((sum, part) => sum + part.length, LENGTH_BYTES + words.length);
  const out = new Uint8Array(HEAD_BYTES + length);
  const view = new DataView(out.buffer);
  view.setUint32(HEAD_BYTES, words.length, true);
  out.set(words, HEAD_BYTES + LENGTH_BYTES);
  let at = HEAD_BYTES + LENGTH_BYTES + words.length;
  for (const part of bytes) {
    out.set(part, at);
    at += part.length;
  }
  view.setUint32(0, length, true);
  view.setUint32(4, crc32(out.subarray(HEAD_BYTES)), true);
  return out;
}

/**
 * The records of a file, one at a time, up to the first that is not whole.
 * @param {Blob} file
 * @returns {AsyncGenerator<Entry & {end: number}, {why: End, end: number}>} `end` is where the record ends in the file;
 *   at last, where the whole ones do
 */
export async function* entries(file) {
  let at = 0;
  for (;;) {
    if (at === file.size) return { why: 'end', end: at };
    if (file.size - at < HEAD_BYTES) return { why: 'cut', end: at };
    const head = new DataView(await file.slice(at, at + HEAD_BYTES).arrayBuffer());
    const [length, crc] = [head.getUint32(0, true), head.getUint32(4, true)];
    if (length > MOST_RECORD_BYTES || length < LENGTH_BYTES) return { why: 'damaged', end: at };
    if (length > file.size - at - HEAD_BYTES) return { why: 'cut', end: at };
    const body = new Uint8Array(await file.slice(at + HEAD_BYTES, at + HEAD_BYTES + length).arrayBuffer());
    const entry = crc32(body) === crc ? parse(body) : null;
    if (!entry) return { why: 'damaged', end: at };
    at += HEAD_BYTES + length;
    yield { ...entry, end: at };
  }
}

/** @param {Uint8Array<ArrayBuffer>} body @returns {Entry | null} null where it is none of ours */
function parse(body) {
  const length = new DataView(body.buffer).getUint32(0, true);
  if (length > body.length - LENGTH_BYTES) return null;
  try {
    const { sizes, ...json } = JSON.parse(new TextDecoder().decode(body.subarray(LENGTH_BYTES, LENGTH_BYTES + length)));
    const bytes = [];
    let at = LENGTH_BYTES + length;
    for (const size of sizes) {
      if (!Number.isSafeInteger(size) || size < 0 || size > body.length - at) return null;
      bytes.push(body.subarray(at, at + size));
      at += size;
    }
    return at === body.length ? { json, bytes } : null;
  } catch {
    return null;
  }
}

/**
 * The last whole record of a small file.
 * @param {Blob} file
 * @returns {Promise<{json: any, end: number}>} null and 0 where there is none; `end` is where it ends
 */
export async function lastOf(file) {
  let last = { json: null, end: 0 };
  for await (const { json, end } of entries(file)) last = { json, end };
  return last;
}
