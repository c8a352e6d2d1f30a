/**
 * Small choices that the browser remembers.
 * @module
 */

/**
 * The choice that was remembered under this key.
 * @param {string} key
 * @param {readonly string[]} choices
 * @param {string} otherwise where nothing is remembered, or something that is no choice
 */
export function recall(key, choices, otherwise) {
  try {
    const kept = localStorage.getItem(key);
    return kept !== null && choices.includes(kept) ? kept : otherwise;
  } catch {
    // Storage is blocked.
    return otherwise;
  }
}

/**
 * The whole number that was remembered under this key.
 * @param {string} key
 * @param {number} least
 * @param {number} most
 * @param {number} otherwise where nothing is remembered, or no such number
 */
export function recallNumber(key, least, most, otherwise) {
  try {
    const kept = Number(localStorage.getItem(key) ?? NaN);
    return Number.isInteger(kept) && kept >= least && kept <= most ? kept : otherwise;
  } catch {
    return otherwise;
  }
}

/**
 * @param {string} key
 * @param {string} value
 */
export function remember(key, value) {
  try {
    localStorage.setItem(key, value);
  } catch {
    // It holds for this visit.
  }
}
