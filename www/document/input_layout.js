/**
 * What the channels of a network's inputs show, as words: each stands for one channel or for three.
 * @module
 */

/** Channels of each word, in the order in which they are offered. @type {Readonly<Record<string, number>>} */
export const WIDTHS = { rgb: 3, photo: 3, second: 3, gray: 1, mask: 1, known: 1, edges: 1, noise: 1, zeros: 1, ones: 1 };

/** What fills the channels that no word is left for. */
const FILLER = 'zeros';

/** @param {readonly string[]} words */
export function channelsOf(words) {
  return words.reduce((sum, word) => sum + (WIDTHS[word] ?? 1), 0);
}

/**
 * The words after one of them was changed: those behind it keep their places as far as there is room, and what is left
 * over shows zeros, or the photo where it has room for that and the photo is nowhere.
 * @param {readonly string[]} words
 * @param {number} at
 * @param {string} word
 * @returns {string[]}
 */
export function relaid(words, at, word) {
  const total = channelsOf(words);
  const wanted = words.map((each, index) => (index === at ? word : each));
  const before = wanted.slice(0, at);
  let left = total - channelsOf(before);
  /** @type {string[]} */
  const after = [];
  for (const each of wanted.slice(at)) {
    const width = WIDTHS[each] ?? 1;
    if (width > left) continue;
    after.push(each);
    left -= width;
  }
  const hasPhoto = [...before, ...after].some((each) => each === 'rgb' || each === 'photo' || each === 'gray');
  if (left >= WIDTHS.rgb && !hasPhoto) {
    after.push('rgb');
    left -= WIDTHS.rgb;
  }
  return [...before, ...after, ...Array.from({ length: left }, () => FILLER)];
}

/**
 * The words that may stand at a place: those that are no wider than what is left there.
 * @param {readonly string[]} words
 * @param {number} at
 * @returns {string[]}
 */
export function offered(words, at) {
  const left = channelsOf(words) - channelsOf(words.slice(0, at));
  return Object.keys(WIDTHS).filter((word) => WIDTHS[word] <= left);
}
