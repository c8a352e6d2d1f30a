/**
 * Hands a file to the browser, which saves it.
 * @module
 */

/** A download's address is given back after this time: by then the browser has it. */
const RELEASE_MS = 60_000;

/**
 * @param {Uint8Array<ArrayBuffer>} bytes
 * @param {string} name
 */
export function download(bytes, name) {
  const url = URL.createObjectURL(new Blob([bytes], { type: 'image/png' }));
  const link = document.createElement('a');
  link.href = url;
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(url), RELEASE_MS);
}
