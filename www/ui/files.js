/**
 * Files on their way in: choosing, dropping, pasting, samples.
 * @module
 */
import { openAny, openPhoto } from '../actions/open.js';
import { loadMask } from '../actions/mask_file.js';
import { takeOwnWeights } from '../actions/own_network.js';
import { loadWeights } from '../actions/weights.js';
import { onLanguage, text } from '../strings/index.js';
import { byId, make } from './dom.js';

/** @typedef {import('../app.js').App} App */
/** @typedef {import('../actions/open.js').Page} Page */

/**
 * @param {App} app
 * @param {Page} page
 */
export function listenForFiles(app, page) {
  /** @param {string} id @param {(files: File[]) => void} run */
  const chosen = (id, run) => {
    const input = byId(id, HTMLInputElement);
    input.addEventListener('change', () => {
      const files = [...(input.files ?? [])];
      // The same file may be chosen again.
      input.value = '';
      if (files.length) run(files);
    });
  };
  chosen('open-photo', ([file]) => void openPhoto(app, page, file, file.name));
  chosen('load-weights', (files) => void (page.isClassOpen() ? takeOwnWeights(app, files[files.length - 1], files[files.length - 1].name) : loadWeights(app, files)));
  chosen('load-mask', ([file]) => void loadMask(app, page, file));

  document.addEventListener('paste', (event) => {
    const files = [...(event.clipboardData?.files ?? [])];
    if (!files.length) return;
    event.preventDefault();
    void openAny(app, page, files);
  });
  listenForDrops(app, (files) => void openAny(app, page, files));
  showOwnWeights();
  onLanguage(showOwnWeights);
}

function showOwnWeights() {
  const parts = text.ownWeights.split(/(\.pth|\.safetensors|\.onnx)/);
  byId('own-weights', HTMLParagraphElement).replaceChildren(...parts.map((part) => (part.startsWith('.') ? make('code', {}, part) : part)));
}

/** @param {App} app @param {(files: File[]) => void} run */
function listenForDrops(app, run) {
  const cover = byId('dragging', HTMLDivElement);
  const words = byId('dragging-text', HTMLParagraphElement);
  // A picture that is dragged out of this page carries a file too, and is not meant for it.
  let isOwn = false;
  document.addEventListener('dragstart', () => { isOwn = true; });
  document.addEventListener('dragend', () => { isOwn = false; });
  /** @param {DragEvent} event */
  const carriesFiles = (event) => !isOwn && (event.dataTransfer?.types.includes('Files') ?? false);
  document.addEventListener('dragover', (event) => {
    if (!carriesFiles(event)) return;
    event.preventDefault();
    if (event.dataTransfer) event.dataTransfer.dropEffect = 'copy';
    words.textContent = app.site.hidden.has('weights') ? text.dropPhoto : promise([...(event.dataTransfer?.items ?? [])]);
    cover.hidden = false;
  });
  document.addEventListener('dragleave', (event) => {
    if (!event.relatedTarget) cover.hidden = true;
  });
  document.addEventListener('drop', (event) => {
    cover.hidden = true;
    if (!carriesFiles(event)) return;
    event.preventDefault();
    run([...(event.dataTransfer?.files ?? [])]);
  });
}

/**
 * What dropping will do, as far as the browser tells before it happens.
 * @param {DataTransferItem[]} items
 */
function promise(items) {
  const types = items.filter(({ kind }) => kind === 'file').map(({ type }) => type);
  if (types.length && types.every((type) => type.startsWith('image/'))) return text.dropPhoto;
  if (types.length && types.every((type) => type === '' || type.startsWith('application/'))) return text.dropWeights;
  return text.dropAny;
}
