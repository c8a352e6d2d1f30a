/**
 * Light or dark: as the system says, or by hand.
 * @module
 */
import { recall, remember } from '../storage/preference.js';

const KEY = 'infill-theme';

/** @typedef {'auto' | 'light' | 'dark'} Theme */

export const THEMES = /** @type {const} */ (['auto', 'light', 'dark']);

/** @returns {Theme} */
export function theme() {
  return /** @type {Theme} */ (recall(KEY, THEMES, 'auto'));
}

/** @param {Theme} value */
export function setTheme(value) {
  document.documentElement.dataset.theme = value;
  remember(KEY, value);
}
