/**
 * Hands a file to the browser, which saves it.
 * @module
 */

/** A download's address is given back after this time: by then the browser has it. */
const RELEASE_MS = 60_000;

/**
 * @param {Blob} file
 * @param {string} name
 */
export function download(file, name) {
  const url = URL.createObjectURL(file);
  const link = document.createElement('a');
  link.href = url;
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(url), RELEASE_MS);
}
