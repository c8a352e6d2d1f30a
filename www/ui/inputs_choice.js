/**
 * Which channel of which input shows what: a select for each.
 * @module
 */
import { conventionsOf } from '../document/models.js';
import { offered, relaid } from '../document/input_layout.js';
import { text } from '../strings/index.js';
import { make } from './dom.js';

/** @typedef {import('../document/models.js').Entry} Entry */

/**
 * @param {Entry} entry
 * @param {(inputs: string[][] | null) => void} changed null: as guessed
 * @returns {HTMLElement}
 */
export function inputsChoice(entry, changed) {
  const guess = /** @type {string[][]} */ (conventionsOf(entry).words ?? []);
  const now = /** @type {string[][]} */ (/** @type {unknown} */ (entry.options.inputs)) ?? guess;
  const rows = now.map((words, input) => {
    const selects = words.map((word, at) => {
      const options = offered(words, at).map((each) => make('option', { value: each, selected: each === word }, text.inputWords[each]));
      const label = now.length > 1 ? text.inputPartOf(input + 1, at + 1) : text.inputPart(at + 1);
      const select = make('select', { 'aria-label': label, onchange: () => {
        const inputs = now.map((each, index) => (index === input ? relaid(each, at, select.value) : each));
        changed(JSON.stringify(inputs) === JSON.stringify(guess) ? null : inputs);
      } }, ...options);
      return select;
    });
    const title = now.length > 1 ? text.inputOf(input + 1) : text.inputShows;
    return make('div', { class: 'shown' }, make('span', {}, title), make('span', { class: 'words' }, ...selects));
  });
  return make('div', { class: 'group' }, ...rows);
}
