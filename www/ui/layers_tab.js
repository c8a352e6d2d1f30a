/**
 * The inspector: what is inside the selected model.
 * @module
 */
import { text } from '../strings/en.js';
import { make } from './dom.js';

/** @typedef {import('../app.js').App} App */

/**
 * @param {App} app
 * @returns {Node[]}
 */
export function layersTab(app) {
  const report = app.models.selected.result?.report ?? app.misfit?.failure.report;
  if (!report) return [make('p', { class: 'help' }, text.layersNone)];
  const rows = report.tensors.map(({ key, shape, dtype }) =>
    make('tr', {}, make('td', { class: 'code' }, key), make('td', { class: 'num' }, shape.join(' × ')), make('td', {}, dtype)));
  const { columns } = text;
  const head = make('tr', {}, ...[columns.key, columns.shape, columns.dtype].map((name) => make('th', { scope: 'col' }, name)));
  const shown = make('span', { class: 'help' }, text.rows(rows.length, rows.length));
  const filter = make('input', { class: 'filter', type: 'search', placeholder: text.filter, 'aria-label': text.filter });
  filter.addEventListener('input', () => {
    const wanted = filter.value.toLowerCase();
    let count = 0;
    for (const row of rows) {
      row.hidden = !row.textContent?.toLowerCase().includes(wanted);
      if (!row.hidden) count++;
    }
    shown.textContent = text.rows(count, rows.length);
  });
  return [
    make('section', { class: 'group' }, make('h3', {}, text.tensors),
      make('div', { class: 'tools' }, filter, shown),
      make('div', { class: 'tablebox' }, make('table', {}, make('thead', {}, head), make('tbody', {}, ...rows)))),
  ];
}
