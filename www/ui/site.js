/**
 * What whoever hosts the site says of it, on the page: its title, its samples, and what is not shown.
 * @module
 */
import { openOwn } from '../actions/link.js';
import { onLanguage, text } from '../strings/index.js';
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
  const showTitle = () => {
    if (!title) return;
    document.title = title;
    for (const element of document.querySelectorAll('[data-text=name], [data-text=headline]')) element.textContent = title;
    byId('site-name', HTMLElement).title = title;
  };
  const hides = [...hidden, ...(samples.length ? [] : ['samples'])];
  document.documentElement.dataset.hides = hides.join(' ');
  // What is not shown is not fetched either.
  const show = () => {
    showTitle();
    if (!hides.includes('samples')) showSamples(app, page);
  };
  show();
  onLanguage(show);
}

/**
 * @param {App} app
 * @param {Page} page
 */
function showSamples(app, page) {
  const buttons = app.site.samples.map((sample) => {
    const { name, thumbnail } = sample;
    const picture = make('img', { src: thumbnail, alt: '', width: 360, height: 270, draggable: 'false', loading: sample.line ? 'lazy' : null, decoding: 'async' });
    const button = make('button', { 'aria-label': name, title: name, onclick: () => void openOwn(app, page, sample) }, picture);
    picture.addEventListener('error', () => gone(app, sample, button));
    return button;
  });
  byId('samples', HTMLDivElement).replaceChildren(...buttons);
}

/** A thumbnail is not there: nothing can be chosen by it. @param {App} app @param {Sample} sample @param {HTMLElement} button */
function gone(app, { thumbnail, line }, button) {
  button.remove();
  // Offline, or one of the page's own: no fault of infill.json.
  if (line && navigator.onLine) app.fail(text.siteFaultAt(line, text.siteMissing(thumbnail)));
}
