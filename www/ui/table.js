/**
 * Tables of the inspector.
 * @module
 */
import { text } from '../strings/index.js';
import { make } from './dom.js';

/** Rows drawn at once; the filter reaches the others. */
const ROWS = 400;

/**
 * A table that can be filtered and copied.
 * @param {string} title
 * @param {string[]} head
 * @param {(string | Node)[][]} rows
 * @param {(row: (string | Node)[]) => string} [kind] class of a row
 */
export function filtered(title, head, rows, kind = () => '') {
  const body = make('tbody');
  const count = make('span', { class: 'help' });
  let found = rows;
  const words = (/** @type {(string | Node)[]} */ row) => row.filter((cell) => typeof cell === 'string');
  const show = (/** @type {string} */ wanted) => {
    found = rows.filter((row) => words(row).join(' ').toLowerCase().includes(wanted));
    body.replaceChildren(...found.slice(0, ROWS).map((row) =>
      make('tr', { class: kind(row) || null }, ...row.map((cell, i) => make('td', i === 0 ? { class: 'code' } : {}, cell)))));
    count.textContent = text.rows(Math.min(found.length, ROWS), rows.length);
  };
  const filter = make('input', { class: 'filter', type: 'search', placeholder: text.filter, 'aria-label': `${text.filter}: ${title}` });
  filter.addEventListener('input', () => show(filter.value.toLowerCase()));
  const copy = make('button', { class: 'btn line small', 'aria-label': `${text.copy}: ${title}` }, text.copy);
  copy.addEventListener('click', () => {
    void navigator.clipboard?.writeText(found.map((row) => words(row).join('\t')).join('\n')).then(() => {
      copy.textContent = text.copied;
    });
  });
  show('');
  return make('section', { class: 'group' }, make('h3', {}, title), make('div', { class: 'tools' }, filter, count, copy), table(head, body));
}

/**
 * @param {string[]} head
 * @param {HTMLTableRowElement[]} rows
 */
export function grid(head, rows) {
  return table(head, make('tbody', {}, ...rows));
}

/** @param {string[]} head @param {HTMLTableSectionElement} body */
function table(head, body) {
  const heads = make('tr', {}, ...head.map((name) => make('th', { scope: 'col' }, name)));
  return make('div', { class: 'tablebox', tabindex: 0 }, make('table', {}, make('thead', {}, heads), body));
}
