/**
 * The choice of the page's language.
 * @module
 */
import { language, languageNames, setLanguage, text } from '../strings/index.js';
import { make } from './dom.js';

/** @typedef {import('../app.js').App} App */

const ID = 'language';

/** @param {App} app @returns {HTMLElement} */
export function languageChoice(app) {
  const options = Object.entries(languageNames()).map(([id, name]) => make('option', { value: id, lang: id, selected: id === language }, name));
  const select = make('select', { id: ID, onchange: () => void choose(app, select.value) }, ...options);
  return make('div', { class: 'row' }, make('label', { for: ID }, text.language), select);
}

/** @param {App} app @param {string} id */
async function choose(app, id) {
  try {
    await setLanguage(id);
    forgetAddress();
    // The row was made anew in the other language.
    document.getElementById(ID)?.focus();
    app.hint(text.languageChosen);
  } catch {
    const select = document.getElementById(ID);
    if (select instanceof HTMLSelectElement) select.value = language;
    app.mention(text.languageFailed, { label: text.retry, run: () => void choose(app, id) });
  }
}

/** What the address says would win over the choice when the page is opened again. */
function forgetAddress() {
  const url = new URL(location.href);
  if (!url.searchParams.has('lang')) return;
  url.searchParams.delete('lang');
  history.replaceState(history.state, '', url);
}
