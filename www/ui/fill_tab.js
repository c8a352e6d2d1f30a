/**
 * Settings of the fill and of the page.
 * @module
 */
import { MOST_GROW } from '../document/mask.js';
import { text } from '../strings/index.js';
import { make } from './dom.js';
import { keepingGroup } from './keeping.js';
import { languageChoice } from './language.js';
import { setTheme, theme, THEMES } from './theme.js';

/** @typedef {import('../app.js').App} App */

/**
 * @param {App} app
 * @returns {Node[]}
 */
export function fillTab(app) {
  const shown = make('span', {}, text.pixels(app.settings.grow));
  const grow = make('input', { type: 'range', id: 'grow', min: 0, max: MOST_GROW, step: 1, value: app.settings.grow });
  grow.setAttribute('aria-valuetext', shown.textContent ?? '');
  grow.addEventListener('input', () => {
    app.chooseGrow(Number(grow.value));
    shown.textContent = text.pixels(app.settings.grow);
    grow.setAttribute('aria-valuetext', shown.textContent);
  });
  const sharpen = choice('sharpen', text.sharpen, text.sharpenChoices, app.settings.sharpen, (value) => app.chooseSharpen(value));
  return [
    make('div', { class: 'group' },
      make('div', { class: 'row' }, make('label', { for: 'grow' }, text.grow), shown, grow),
      make('p', { class: 'help' }, text.growHelp)),
    make('div', { class: 'group' }, sharpen, make('p', { class: 'help' }, text.sharpenHelp)),
    make('div', { class: 'group' }, choice('tint', text.tint, text.tintChoices, app.settings.tint, (value) => app.chooseTint(value))),
    make('div', { class: 'group' }, themeChoice()),
    make('div', { class: 'group' }, languageChoice(app)),
    keepingGroup(app),
    make('label', { class: 'btn line phone', for: 'load-weights' }, text.loadWeights),
  ];
}

/**
 * A labelled select.
 * @param {string} id
 * @param {string} label
 * @param {Record<string, string> | [string, string][]} choices a list where the order matters: an object's numbers come first
 * @param {string} value
 * @param {(value: string) => void} changed
 */
export function choice(id, label, choices, value, changed) {
  const pairs = Array.isArray(choices) ? choices : Object.entries(choices);
  const options = pairs.map(([key, words]) => make('option', { value: key, selected: key === value }, words));
  const select = make('select', { id, onchange: () => changed(select.value) }, ...options);
  return make('div', { class: 'row' }, make('label', { for: id }, label), select);
}

function themeChoice() {
  const now = theme();
  const buttons = THEMES.map((each) =>
    make('button', {
      class: 'btn small',
      'aria-pressed': String(each === now),
      onclick: () => {
        setTheme(each);
        buttons.forEach((button, i) => button.setAttribute('aria-pressed', String(THEMES[i] === each)));
      },
    }, text.themes[each]));
  return make('div', { class: 'group' }, make('h3', {}, text.theme), make('div', { class: 'theme', role: 'group', 'aria-label': text.theme }, ...buttons));
}
