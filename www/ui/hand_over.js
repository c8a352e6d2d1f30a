/**
 * What the browser offers for handing a picture to other programs.
 * @module
 */

/** Puts a picture on the clipboard. @param {Promise<Blob>} png @returns {Promise<void>} */
export async function writePicture(png) {
  // Told to the browser at once, while it still knows that a person asked for it.
  await navigator.clipboard.write([new ClipboardItem({ 'image/png': png })]);
}

/** Whether the browser hands this file to other apps. @param {File} file */
export function canShare(file) {
  return typeof navigator.share === 'function' && (navigator.canShare?.({ files: [file] }) ?? false);
}

/** @param {File} file */
export function share(file) {
  return navigator.share({ files: [file] });
}

/**
 * Lets an image be dragged out of the page as the file that it shows. Chromium takes name and address; the others take the
 * image itself, under a name of their own.
 * @param {HTMLImageElement} image
 * @param {() => File | null} file
 */
export function dragsOut(image, file) {
  image.addEventListener('dragstart', ({ dataTransfer }) => {
    const it = file();
    if (!dataTransfer || !it) return;
    dataTransfer.effectAllowed = 'copy';
    dataTransfer.setData('DownloadURL', `${it.type}:${it.name.replaceAll(':', '_')}:${image.src}`);
  });
}
