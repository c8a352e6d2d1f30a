/**
 * What whoever hosts the site says of it, on the page: its title, its samples, and what is not shown.
 * @module
 */
import { openOwn } from '../actions/link.js';
import { text } from '../strings/en.js';
import { byId, make } from './dom.js';

/** @typedef {import('../app.js').App} App */
/** @typedef {import('../actions/open.js').Page} Page */
/** @typedef {import('../document/site.js').Sample} Sample */

/**
 * @param {App} app
 * @param {Page} page
 */
export function showSite(app, page) {
  const { title, samples, hidden } = app.site;
  if (title) {
    document.title = title;
    for (const element of document.querySelectorAll('[data-text=name], [data-text=headline]')) element.textContent = title;
    byId('site-name', HTMLElement).title = title;
  }
  const hides = [...hidden, ...(samples.length ? [] : ['samples'])];
  document.documentElement.dataset.hides = hides.join(' ');
  // What is not shown is not fetched either.
  if (!hides.includes('samples')) showSamples(app, page);
}

/**
 * @param {App} app
 * @param {Page} page
 */
function showSamples(app, page) {
  const box = byId('samples', HTMLDivElement);
  for (const sample of app.site.samples) {
    const { name, thumbnail } = sample;
    const picture = make('img', { src: thumbnail, alt: '', width: 360, height: 270, draggable: 'false', loading: sample.line ? 'lazy' : null, decoding: 'async' });
    const button = make('button', { 'aria-label': name, title: name, onclick: () => void openOwn(app, page, sample) }, picture);
    picture.addEventListener('error', () => gone(app, sample, button));
    box.append(button);
  }
}

/** A thumbnail is not there: nothing can be chosen by it. @param {App} app @param {Sample} sample @param {HTMLElement} button */
function gone(app, { thumbnail, line }, button) {
  button.remove();
  // Offline, or one of the page's own: no fault of infill.json.
  if (line && navigator.onLine) app.fail(text.siteFaultAt(line, text.siteMissing(thumbnail)));
}
