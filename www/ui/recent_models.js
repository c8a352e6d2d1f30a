/**
 * The list of weights that are kept on this device.
 * @module
 */
import { recentOnes } from '../actions/copies.js';
import { chooseRecent, removeRecent } from '../actions/recent.js';
import { text } from '../strings/index.js';
import { icon, make } from './dom.js';

/**
 * @param {import('../app.js').App} app
 * @returns {HTMLElement | null} null where there are none
 */
export function recentModels(app) {
  const items = recentOnes(app).map((model) => {
    const remove = text.removeRecent(model.file);
    return make('li', {},
      make('button', { class: 'choose', onclick: () => void chooseRecent(app, model.id) }, make('b', {}, model.title), make('small', {}, text.recentAbout(model.file, model.bytes, Date.now() - model.at))),
      make('button', { class: 'btn icon', 'aria-label': remove, title: remove, onclick: () => void removeRecent(app, model) }, icon('bin')));
  });
  if (!items.length) return null;
  return make('section', { class: 'group' }, make('h3', {}, text.recent), make('p', { class: 'help' }, text.recentHelp), make('ul', { class: 'models recent' }, ...items));
}
