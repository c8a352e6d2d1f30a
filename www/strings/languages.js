/**
 * The languages of the page, each with its table: a new one is its file and its line here, and what `start.js` says.
 * @module
 */

/** @typedef {import('./en.js').Text} Text */

/** By BCP 47 tag; the first is the page's where a browser asks for none of them. @type {Readonly<Record<string, () => Promise<{text: Text}>>>} */
export const LANGUAGES = {
  en: () => import('./en.js'),
  'zh-Hans': () => import('./zh_hans.js'),
};
