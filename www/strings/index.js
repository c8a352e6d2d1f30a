/**
 * The words of the page in the chosen language. Only the chosen table is fetched.
 *
 * `start.js` chooses the language before any module is there (the address, what was chosen before, what the browser asks
 * for) and writes it into `<html lang>`. `text` is a live binding: whoever reads it anew after a switch reads the other
 * language, so nothing of it is kept in variables that outlive a switch.
 * @module
 */
import { remember } from '../storage/preference.js';
import { languageName } from './format.js';
import { LANGUAGES } from './languages.js';

/** @typedef {import('./en.js').Text} Text */

/** As in `start.js`. */
const KEY = 'infill-language';

/** Node has no document. */
const root = /** @type {HTMLElement | undefined} */ (globalThis.document?.documentElement);
/** @type {(() => void)[]} */
const redraws = [];

/** @param {string | undefined} id @returns {string} */
const known = (id) => (id !== undefined && Object.hasOwn(LANGUAGES, id) ? id : Object.keys(LANGUAGES)[0]);

/** The language that is spoken: a key of `LANGUAGES`. */
export let language = known(root?.lang);

/** @type {Text} */
export let text;
try {
  ({ text } = await LANGUAGES[language]());
} catch (error) {
  // The host may be gone before this table was ever fetched.
  if (language === known('')) throw error;
  language = known('');
  ({ text } = await LANGUAGES[language]());
  if (root) root.lang = language;
}

/** Every language by its own name. @returns {Record<string, string>} */
export function languageNames() {
  return Object.fromEntries(Object.keys(LANGUAGES).map((id) => [id, languageName(id)]));
}

/** What is to be drawn anew when another language is chosen. @param {() => void} redraw */
export function onLanguage(redraw) {
  redraws.push(redraw);
}

/**
 * Speaks another language from now on, also in other visits.
 * @param {string} id a key of `LANGUAGES`
 * @throws if its table cannot be fetched; nothing has changed then
 */
export async function setLanguage(id) {
  await speak(id);
  remember(KEY, language);
}

/**
 * Speaks what whoever hosts the site prefers, unless the person has said otherwise: in the address, or before.
 * @param {string} id empty for no preference
 */
export async function preferLanguage(id) {
  if (!id || id === language || root?.dataset.languageSaid !== undefined) return;
  // Without its table the page speaks what it speaks.
  await speak(id).catch(() => {});
}

/** @param {string} id */
async function speak(id) {
  const { text: table } = await LANGUAGES[known(id)]();
  [language, text] = [known(id), table];
  if (root) root.lang = language;
  for (const redraw of redraws) redraw();
}
