/**
 * How to save: the photo's file as it will be, what is kept in it, and where it goes.
 * @module
 */
import { wordsFor } from '../app.js';
import { copyImage, prepareFile, saveImage, shareImage } from '../actions/save.js';
import { keptIn, lossesIn } from '../actions/saved_words.js';
import { amongst, choicesFor } from '../document/saving.js';
import { onLanguage, text } from '../strings/index.js';
import { byId, icon, make } from './dom.js';
import { canShare, dragsOut, share, writePicture } from './hand_over.js';

/** @typedef {import('../app.js').App} App */
/** @typedef {import('../actions/save.js').Prepared} Prepared */
/** @typedef {import('../document/photo.js').Photo} Photo */
/** @typedef {import('../document/saving.js').Choice} Choice */
/** @typedef {import('../worker/protocol.js').SourceFile} SourceFile */

/** A quality is taken once the slider rests. */
const REST_MS = 250;
/** Larger pictures are not shown again: the browser would decode them as a whole. */
const MAX_SHOWN_PIXELS = 40_000_000;
/** As for saving. */
const START_MS = 15_000;

export class SaveDialog {
  #app;
  #dialog = byId('saving', HTMLDialogElement);
  #format = make('select', { id: 'save-format', autofocus: true, onchange: () => this.#choose() });
  #quality = make('input', { type: 'range', id: 'save-quality', min: 1, max: 100, step: 1, oninput: () => this.#chooseQuality(this.#quality) });
  #number = make('input', { type: 'number', id: 'save-quality-number', min: 1, max: 100, step: 1, onchange: () => this.#chooseQuality(this.#number) });
  #qualityRow = make('div', { class: 'row' });
  #place = make('input', { type: 'checkbox', id: 'without-place', onchange: () => this.#choose() });
  #placeRow = make('label', { class: 'check' });
  #image = make('img');
  #name = make('b', {});
  #size = make('small', {});
  #kept = make('ul', { 'aria-live': 'polite' });
  #share = make('button', { class: 'btn line', type: 'button', onclick: () => void this.#onShare() });
  #save = make('button', { class: 'btn go', type: 'button', onclick: () => void this.#onSave() });
  /** The photo whose file it is about. */
  #photo = /** @type {Photo | null} */ (null);
  #prepared = /** @type {Prepared | null} */ (null);
  #source = /** @type {{photo: Photo, file: SourceFile} | null} */ (null);
  #timer = 0;
  /** Counts what was asked for; a file is made for the last of them. */
  #asked = 0;
  #isMaking = false;

  /** @param {App} app */
  constructor(app) {
    this.#app = app;
    this.#build();
    onLanguage(() => this.#build());
    dragsOut(this.#image, () => this.#prepared?.file ?? null);
    for (const id of ['how-to-save', 'save-or-share']) byId(id, HTMLButtonElement).addEventListener('click', () => this.open());
    this.#dialog.addEventListener('close', () => this.#forget());
    this.#dialog.addEventListener('keydown', (event) => {
      if (!(event.ctrlKey || event.metaKey) || event.key.toLowerCase() !== 's') return;
      event.preventDefault();
      void this.#onSave();
    });
  }

  /** Puts the parts together, with their words. */
  #build() {
    const copy = make('button', { class: 'btn line', type: 'button', title: text.copyFileTip, onclick: () => this.#onCopy() }, icon('copy'), text.copyFile);
    const close = make('button', { class: 'btn icon', type: 'button', 'aria-label': text.closePanel, title: text.closePanel, onclick: () => this.#dialog.close() }, icon('close'));
    this.#quality.setAttribute('aria-label', text.quality);
    this.#number.setAttribute('aria-label', text.qualityNumber);
    this.#qualityRow.replaceChildren(make('span', {}, text.quality), this.#number, this.#quality);
    this.#placeRow.title = text.withoutPlaceTip;
    this.#placeRow.replaceChildren(this.#place, make('span', {}, text.withoutPlace));
    [this.#image.alt, this.#image.title] = [text.savePreview, text.dragOut];
    this.#share.title = text.shareFileTip;
    this.#share.replaceChildren(icon('share'), text.shareFile);
    this.#save.textContent = text.saveFile;
    this.#dialog.replaceChildren(
      make('header', {}, make('h2', { id: 'saving-title' }, text.howToSave), close),
      make('div', { class: 'made' }, this.#image, make('p', {}, this.#name, this.#size)),
      make('div', { class: 'row' }, make('label', { for: 'save-format' }, text.saveFormat), this.#format),
      this.#qualityRow,
      this.#placeRow,
      this.#kept,
      make('div', { class: 'acts' }, copy, this.#share, make('span', { class: 'grow' }), this.#save),
    );
  }

  open() {
    const { document } = this.#app;
    if (!document || this.#dialog.open) return;
    document.endStroke();
    const { photo } = document;
    this.#photo = photo;
    this.#image.hidden = photo.width * photo.height > MAX_SHOWN_PIXELS;
    this.#show();
    this.#dialog.showModal();
    void this.#describe(photo);
    this.#make();
  }

  /** Under the open dialog a run may have ended, or another photo been pasted. */
  workChanged() {
    if (!this.#dialog.open) return;
    const photo = this.#app.document?.photo;
    if (photo !== this.#photo) this.#dialog.close();
    else if (this.#prepared && this.#prepared.version !== photo?.version) this.#make();
  }

  /** Asks what the photo's file is. @param {Photo} photo */
  async #describe(photo) {
    if (this.#source?.photo === photo || !photo.source) return;
    const { source: blob } = photo;
    // Without an answer there is less to choose, and saving says why.
    const file = await this.#app.saver.request({ kind: 'describe-file', blob }, { startMs: START_MS }).catch(() => null);
    if (!file || this.#app.document?.photo !== photo) return;
    this.#source = { photo, file };
    if (!this.#dialog.open) return;
    this.#show();
    if (this.#prepared) this.#tell(this.#prepared, photo);
  }

  /** Brings the choices up to date. */
  #show() {
    const { document, settings } = this.#app;
    if (!document) return;
    const { photo } = document;
    const file = this.#source?.photo === photo ? this.#source.file : null;
    const choices = choicesFor(file?.format, photo);
    const chosen = amongst(photo.saveAs, file || !photo.source ? choices : [photo.saveAs]);
    const shown = choices.includes(chosen) ? choices : [chosen, ...choices];
    this.#format.replaceChildren(...shown.map((choice) => make('option', { value: choice, selected: choice === chosen }, wordsOf(choice, file?.format))));
    this.#qualityRow.hidden = chosen !== 'jpg';
    this.#quality.value = this.#number.value = String(settings.quality);
    this.#placeRow.hidden = !file?.hasPlace;
    this.#place.checked = settings.withoutPlace;
  }

  /** @param {HTMLInputElement} from */
  #chooseQuality(from) {
    const quality = Math.min(100, Math.max(1, Math.round(Number(from.value)) || 1));
    this.#quality.value = this.#number.value = String(quality);
    this.#outdated();
    clearTimeout(this.#timer);
    this.#timer = window.setTimeout(() => this.#choose(), REST_MS);
  }

  /** Takes over what is chosen. */
  #choose() {
    clearTimeout(this.#timer);
    const { document } = this.#app;
    if (!document) return;
    document.photo.saveAs = /** @type {Choice} */ (this.#format.value);
    this.#app.chooseSaving({ quality: Number(this.#quality.value), withoutPlace: this.#place.checked });
    this.#qualityRow.hidden = document.photo.saveAs !== 'jpg';
    this.#make();
  }

  /** The file that is shown is no longer the one that would be saved. */
  #outdated() {
    this.#prepared = null;
    this.#dialog.dataset.busy = '';
    this.#share.disabled = true;
    this.#size.textContent = text.preparing;
  }

  /** Makes the file anew: one at a time, the last one that was asked for. @returns {void} */
  #make() {
    this.#asked += 1;
    this.#outdated();
    if (!this.#isMaking) void this.#work();
  }

  async #work() {
    this.#isMaking = true;
    for (let made = -1; made !== this.#asked;) {
      made = this.#asked;
      const photo = this.#app.document?.photo;
      if (!photo || !this.#dialog.open) break;
      try {
        const prepared = await prepareFile(this.#app, photo);
        if (prepared.version !== photo.version) this.#asked += 1;
        if (made === this.#asked && this.#dialog.open) this.#made(prepared, photo);
      } catch (error) {
        if (made === this.#asked && this.#dialog.open) this.#failed(wordsFor(error));
      }
    }
    this.#isMaking = false;
  }

  /** @param {Prepared} prepared @param {Photo} photo */
  #made(prepared, photo) {
    this.#prepared = prepared;
    const { file } = prepared;
    delete this.#dialog.dataset.busy;
    URL.revokeObjectURL(this.#image.src);
    if (!this.#image.hidden) this.#image.src = URL.createObjectURL(file);
    this.#name.textContent = file.name;
    this.#size.textContent = text.fileSize(file.size, photo.source?.size ?? null);
    this.#share.hidden = !canShare(file);
    this.#share.disabled = false;
    this.#tell(prepared, photo);
  }

  /** Says what is kept. @param {Prepared} prepared @param {Photo} photo */
  #tell(prepared, photo) {
    const good = keptIn(prepared.saved, photo).map((words) => make('li', {}, icon('ok'), make('span', {}, words)));
    const bad = lossesIn(prepared.saved, photo).map((words) => make('li', { class: 'loss' }, icon('warn'), make('span', {}, words)));
    this.#kept.replaceChildren(...good, ...bad);
  }

  /** @param {string} words */
  #failed(words) {
    delete this.#dialog.dataset.busy;
    this.#name.textContent = '';
    this.#size.textContent = '';
    this.#kept.replaceChildren(make('li', { class: 'loss' }, icon('warn'), make('span', {}, words)));
  }

  async #onSave() {
    // A number that is still being typed counts.
    this.#number.blur();
    clearTimeout(this.#timer);
    // The slider has not rested yet.
    if (Number(this.#quality.value) !== this.#app.settings.quality) this.#choose();
    const prepared = this.#prepared ?? undefined;
    this.#dialog.close();
    await saveImage(this.#app, prepared);
  }

  /** What comes of it is said below the dialog. */
  #onCopy() {
    this.#dialog.close();
    void copyImage(this.#app, writePicture);
  }

  async #onShare() {
    if (this.#prepared && (await shareImage(this.#app, this.#prepared, share))) this.#dialog.close();
  }

  /** The file may be as large as the photo. */
  #forget() {
    clearTimeout(this.#timer);
    this.#prepared = null;
    URL.revokeObjectURL(this.#image.src);
    this.#image.removeAttribute('src');
    this.#name.textContent = '';
    this.#kept.replaceChildren();
  }
}

/** @param {Choice} choice @param {string | undefined} format of the photo's file */
function wordsOf(choice, format) {
  const names = /** @type {Record<string, string>} */ (text.saveFormats);
  if (choice === 'source') return text.asItCame(names[format ?? ''] ?? text.unchanged);
  if (choice === 'jpg' && format === 'jpg') return text.jpegAnew;
  return choice === 'webp' ? text.webpLossless : names[choice];
}
