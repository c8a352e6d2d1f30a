/**
 * What a file is, by its first bytes; its name and type only count where the bytes say nothing.
 * @module
 */

/** Bytes that `sniff` wants to see. */
export const SNIFF_BYTES = 512;

/**
 * `photo`: `crate` decodes png, jpeg and webp; the rest is tried in the browser.
 * @typedef {{kind: 'photo' | 'weights' | 'class' | 'unknown', format: string}} Sniffed
 */

/** @type {[string, number, number[]][]} format, offset, bytes */
const PICTURES = [
  ['png', 0, [0x89, 0x50, 0x4e, 0x47]],
  ['jpeg', 0, [0xff, 0xd8, 0xff]],
  ['gif', 0, [0x47, 0x49, 0x46, 0x38]],
  ['webp', 8, [0x57, 0x45, 0x42, 0x50]],
  ['avif', 4, [0x66, 0x74, 0x79, 0x70]],
  ['tiff', 0, [0x49, 0x49, 0x2a, 0x00]],
  ['tiff', 0, [0x4d, 0x4d, 0x00, 0x2a]],
  ['bmp', 0, [0x42, 0x4d]],
  ['ico', 0, [0x00, 0x00, 0x01, 0x00]],
  ['jxl', 0, [0xff, 0x0a]],
  ['jxl', 4, [0x4a, 0x58, 0x4c, 0x20]],
];

/** Tags of the fields that may follow the first one of an ONNX file. */
const ONNX_NEXT = [0x12, 0x1a, 0x22, 0x28, 0x32, 0x3a, 0x42, 0x72];
const WEIGHTS_NAME = /\.(pth|pt|pt2|ckpt|safetensors|bin|pkl|pickle|tar|t7|h5|keras|onnx|npz|npy|gguf|tflite|pb|pdparams|index\.json)$/i;
/** Python, and notebooks. */
const CLASS_NAME = /\.(py|ipynb)$/i;
const PICTURE_NAME = /\.(png|jpe?g|jfif|webp|avif|gif|bmp|tiff?|heic|heif|svg|ico|jxl)$/i;

/**
 * @param {Uint8Array} bytes the file's beginning
 * @param {{name: string, type: string}} file
 * @returns {Sniffed}
 */
export function sniff(bytes, { name, type }) {
  for (const [format, at, magic] of PICTURES) {
    if (magic.every((byte, i) => bytes[at + i] === byte)) return { kind: 'photo', format };
  }
  const isZip = bytes[0] === 0x50 && bytes[1] === 0x4b;
  const isPickle = bytes[0] === 0x80 && bytes[1] <= 5;
  // safetensors: the header's length (u64, little-endian), then JSON.
  const isSafetensors = bytes[8] === 0x7b && bytes[6] === 0 && bytes[7] === 0;
  // ONNX: the version of its format, a small number, and the field that follows it.
  const isOnnx = bytes[0] === 0x08 && bytes[1] >= 3 && bytes[1] <= 32 && ONNX_NEXT.includes(bytes[2]) && !isSafetensors;
  if (isOnnx) return { kind: 'weights', format: 'onnx' };
  if (isZip || isPickle || isSafetensors) return { kind: 'weights', format: isZip ? 'zip' : isPickle ? 'pickle' : 'safetensors' };
  if (CLASS_NAME.test(name)) return { kind: 'class', format: name.toLowerCase().endsWith('.py') ? 'python' : 'notebook' };
  if (WEIGHTS_NAME.test(name)) return { kind: 'weights', format: 'unknown' };
  if (type.startsWith('image/') || PICTURE_NAME.test(name)) return { kind: 'photo', format: 'unknown' };
  return { kind: 'unknown', format: 'unknown' };
}
