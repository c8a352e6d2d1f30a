/**
 * The inspector: what is inside the selected model, or inside the file that does not fit.
 * @module
 */
import { text } from '../strings/en.js';
import { make } from './dom.js';
import { explain } from './explain.js';
import { networkPicture } from './network_picture.js';

/** @typedef {import('../app.js').App} App */
/** @typedef {import('../worker/protocol.js').NetworkReport} NetworkReport */
/** @typedef {import('../worker/protocol.js').Report} Report */
/** @typedef {import('../worker/protocol.js').Layer} Layer */

/** Rows drawn at once; the filter reaches the others. */
const ROWS = 400;

/**
 * @param {App} app
 * @returns {Node[]}
 */
export function layersTab(app) {
  const report = app.misfit?.failure.report ?? app.models.selected.result?.report;
  if (!report) return [make('p', { class: 'help' }, text.layersNone)];
  return [
    findings(report),
    ...report.networks.flatMap((network) => [
      make('h2', { class: 'network' }, network.name, ' ', make('small', {}, report.file)),
      ...(network.about ?? []).map((sentence) => make('p', { class: 'help' }, sentence)),
      layers(network),
      alignment(network),
    ]),
    tensors(report),
  ].filter((part) => part !== null);
}

/** @param {Report} report */
function findings(report) {
  const list = report.findings ?? [];
  if (!list.length) return null;
  const items = list.map(({ severity, message, keys }) =>
    make('li', { class: severity }, message, keys.length > 0 && make('div', { class: 'code quiet' }, keys.slice(0, 3).join(', '), keys.length > 3 && `, … (${keys.length})`)));
  return make('section', { class: 'group' }, make('h3', {}, text.findings), make('ul', { class: 'findings' }, ...items));
}

/** @param {NetworkReport} network */
function layers(network) {
  const rows = network.layers ?? [];
  if (!rows.length) return null;
  const { columns } = text;
  const explained = make('div', { class: 'explained', 'aria-live': 'polite' });
  /** @type {HTMLTableRowElement[]} */
  const lines = [];
  const choose = (/** @type {number} */ index) => {
    lines.forEach((line, i) => line.setAttribute('aria-selected', String(i === index)));
    explained.replaceChildren(explain(rows[index], rows));
    lines[index].scrollIntoView({ block: 'nearest' });
  };
  const table = grid([columns.layer, columns.kind, columns.input, columns.output, columns.parameters, columns.macs], rows.map((row, index) => {
    const source = rows[row.inputs[0]];
    const line = make('tr', {
      tabindex: 0,
      title: row.call,
      onclick: () => choose(index),
      onkeydown: (/** @type {KeyboardEvent} */ event) => event.key === 'Enter' && choose(index),
    },
    make('td', { class: 'code' }, row.path), make('td', {}, row.kind), make('td', {}, source ? size(source.shape) : ''), make('td', {}, size(row.shape)),
    make('td', { class: 'num' }, row.parameters ? text.exact(row.parameters) : ''), make('td', { class: 'num' }, row.macs ? text.parameters(row.macs) : ''));
    lines.push(line);
    return line;
  }));
  const macs = rows.reduce((sum, row) => sum + row.macs, 0);
  const total = text.layerTotal(rows.length, network.parameters, macs, size(rows[0].shape));
  return make('section', { class: 'group' },
    make('h3', {}, text.layers),
    networkPicture(rows, choose),
    make('p', { class: 'help' }, text.picture, ' ', total),
    table, explained);
}

/** @param {NetworkReport} network */
function alignment(network) {
  const { missing, unexpected, mismatched } = network;
  if (!missing.length && !unexpected.length && !mismatched.length) return null;
  const { columns } = text;
  /** @param {number[]} shape */
  const shape = (shape) => `[${shape.join(', ')}]`;
  const rows = [
    ...mismatched.map(({ key, expected, found }) => [key, shape(expected), shape(found)]),
    ...missing.map((key) => [key, text.expected, text.missing]),
    ...unexpected.map((key) => [key, text.unexpected, text.present]),
  ];
  return filtered(text.alignment, [columns.key, columns.expected, columns.found], rows, 'bad');
}

/** @param {Report} report */
function tensors(report) {
  const { columns } = text;
  return filtered(text.tensors, [columns.key, columns.shape, columns.dtype], report.tensors.map(({ key, shape, dtype }) => [key, shape.join(' × ') || '1', dtype]), '');
}

/**
 * A table that can be filtered and copied.
 * @param {string} title
 * @param {string[]} head
 * @param {string[][]} rows
 * @param {string} kind class of the rows
 */
function filtered(title, head, rows, kind) {
  const body = make('tbody');
  const count = make('span', { class: 'help' });
  let found = rows;
  const show = (/** @type {string} */ wanted) => {
    found = rows.filter((row) => row.join(' ').toLowerCase().includes(wanted));
    body.replaceChildren(...found.slice(0, ROWS).map((row) =>
      make('tr', { class: kind || null }, ...row.map((cell, i) => make('td', i === 0 ? { class: 'code' } : {}, cell)))));
    count.textContent = text.rows(Math.min(found.length, ROWS), rows.length);
  };
  const filter = make('input', { class: 'filter', type: 'search', placeholder: text.filter, 'aria-label': `${text.filter}: ${title}` });
  filter.addEventListener('input', () => show(filter.value.toLowerCase()));
  const copy = make('button', { class: 'btn line small' }, text.copy);
  copy.addEventListener('click', () => {
    void navigator.clipboard?.writeText(found.map((row) => row.join('\t')).join('\n')).then(() => {
      copy.textContent = text.copied;
    });
  });
  show('');
  const table = make('table', {}, make('thead', {}, make('tr', {}, ...head.map((name) => make('th', { scope: 'col' }, name)))), body);
  return make('section', { class: 'group' }, make('h3', {}, title), make('div', { class: 'tools' }, filter, count, copy), make('div', { class: 'tablebox' }, table));
}

/**
 * @param {string[]} head
 * @param {HTMLTableRowElement[]} rows
 */
function grid(head, rows) {
  const heads = make('tr', {}, ...head.map((name) => make('th', { scope: 'col' }, name)));
  return make('div', { class: 'tablebox' }, make('table', {}, make('thead', {}, heads), make('tbody', {}, ...rows)));
}

/** @param {number[]} shape channels, height, width */
function size([channels, height, width]) {
  return `${channels} × ${height} × ${width}`;
}
