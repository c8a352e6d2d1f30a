/**
 * Light or dark: as the system says, or by hand.
 * @module
 */

const KEY = 'infill-theme';

/** @typedef {'auto' | 'light' | 'dark'} Theme */

/** @returns {Theme} */
export function theme() {
  try {
    const kept = localStorage.getItem(KEY);
    return kept === 'light' || kept === 'dark' ? kept : 'auto';
  } catch {
    // Storage is blocked: the system decides.
    return 'auto';
  }
}

/** @param {Theme} value */
export function setTheme(value) {
  document.documentElement.dataset.theme = value;
  try {
    localStorage.setItem(KEY, value);
  } catch {
    // It holds for this visit.
  }
}
