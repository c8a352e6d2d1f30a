/**
 * What this site is made of: the hash of what is published, and the licences.
 * @module
 */
import { text } from '../strings/index.js';
import { make } from './dom.js';

/** What becomes of a person's own. @returns {HTMLElement} */
export function privacy() {
  return make('section', { class: 'group' }, make('h3', {}, text.privacy), make('p', { class: 'help' }, text.privacyHelp));
}

/** @returns {HTMLElement} */
export function about() {
  // As the site lies in the repository it has no hash, and no notice either.
  const { site } = document.documentElement.dataset;
  return make('section', { class: 'group', hidden: !site },
    make('h3', {}, text.site),
    make('p', { class: 'help' }, `${text.siteHash} `, make('code', {}, site)),
    make('p', { class: 'help' }, make('a', { href: 'NOTICE.txt', target: '_blank' }, text.notice)));
}
