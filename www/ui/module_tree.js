/**
 * The layers of a network as a tree of modules that open and close, each with the sum of what it holds.
 * @module
 */
import { text } from '../strings/index.js';
import { make } from './dom.js';

/** @typedef {import('../worker/protocol.js').Layer} Layer */
/** @typedef {{path: string, depth: number, parent: Group | null, items: (Group | number)[], isOpen: boolean}} Group a number is the index of a row */

/** With more rows than this, inner modules are closed at first. */
const MANY = 40;

/**
 * @param {Layer[]} rows
 * @param {(index: number) => void} chosen
 * @returns {{table: HTMLElement, choose: (index: number) => void}}
 */
export function moduleTree(rows, chosen) {
  const { columns } = text;
  const root = group('', -1, null);
  const groups = grow(rows, root);
  const body = make('tbody');
  const lines = rows.map((row, index) => line(row, rows, () => choose(index)));
  const choose = (/** @type {number} */ index) => {
    for (let each = groups[index]; each; each = /** @type {Group} */ (each.parent)) each.isOpen = true;
    show();
    lines.forEach((each, i) => each.setAttribute('aria-selected', String(i === index)));
    lines[index].scrollIntoView({ block: 'nearest' });
    chosen(index);
  };
  /** @type {Map<Group, HTMLTableRowElement>} */
  const heads = new Map();
  const show = () => body.replaceChildren(...visible(root));
  /** @param {Group} from @returns {HTMLTableRowElement[]} */
  const visible = (from) => from.items.flatMap((item) => {
    if (typeof item === 'number') {
      lines[item].firstElementChild?.setAttribute('data-depth', String(from.depth + 1));
      return [lines[item]];
    }
    const head = heads.get(item) ?? header(item, rows, () => {
      item.isOpen = !item.isOpen;
      show();
    });
    heads.set(item, head);
    head.querySelector('button')?.setAttribute('aria-expanded', String(item.isOpen));
    return [head, ...(item.isOpen ? visible(item) : [])];
  });
  show();
  const titles = [columns.layer, columns.kind, columns.input, columns.output, columns.formula, columns.parameters, columns.macs];
  const head = make('thead', {}, make('tr', {}, ...titles.map((name) => make('th', { scope: 'col' }, name))));
  return { table: make('div', { class: 'tablebox' }, make('table', {}, head, body)), choose };
}

/** @param {string} path @param {number} depth @param {Group | null} parent @returns {Group} */
function group(path, depth, parent) {
  return { path, depth, parent, items: [], isOpen: true };
}

/**
 * Puts every row under its modules; returns the group of each row.
 * @param {Layer[]} rows
 * @param {Group} root
 */
function grow(rows, root) {
  const byPath = new Map([['', root]]);
  for (const { path } of rows) {
    const parts = path.split('.').slice(0, -1);
    parts.forEach((_, i) => {
      const [own, above] = [parts.slice(0, i + 1).join('.'), parts.slice(0, i).join('.')];
      if (byPath.has(own)) return;
      const parent = /** @type {Group} */ (byPath.get(above));
      const added = group(own, i, parent);
      added.isOpen = i === 0 || rows.length <= MANY;
      byPath.set(own, added);
      parent.items.push(added);
    });
  }
  return rows.map(({ path }, index) => {
    // A function inside a module, such as a residual sum, carries the module's own path.
    const own = byPath.get(path) ?? byPath.get(path.split('.').slice(0, -1).join('.')) ?? root;
    own.items.push(index);
    own.items.sort((a, b) => first(a) - first(b));
    return own;
  });
}

/** The first row of an item. @param {Group | number} item @returns {number} */
const first = (item) => (typeof item === 'number' ? item : Math.min(Infinity, ...item.items.map(first)));

/**
 * @param {Group} module
 * @param {Layer[]} rows
 * @param {() => void} toggle
 */
function header(module, rows, toggle) {
  /** @param {Group} from @returns {number[]} */
  const all = (from) => from.items.flatMap((item) => (typeof item === 'number' ? [item] : all(item)));
  const inside = all(module).map((index) => rows[index]);
  const sum = (/** @type {'parameters' | 'macs'} */ what) => inside.reduce((total, row) => total + row[what], 0);
  return make('tr', { class: 'module' },
    make('th', { scope: 'row', colspan: 5, 'data-depth': module.depth }, make('button', { class: 'toggle', onclick: toggle }, module.path.split('.').at(-1) ?? ''), ' ', make('small', {}, text.layersInside(inside.length))),
    make('td', { class: 'num' }, sum('parameters') ? text.exact(sum('parameters')) : ''), make('td', { class: 'num' }, sum('macs') ? text.parameters(sum('macs')) : ''));
}

/**
 * @param {Layer} row
 * @param {Layer[]} rows
 * @param {() => void} choose
 */
function line(row, rows, choose) {
  const source = rows[row.inputs[0]];
  return make('tr', {
    tabindex: 0,
    title: row.call,
    onclick: choose,
    onkeydown: (/** @type {KeyboardEvent} */ event) => event.key === 'Enter' && choose(),
  },
  make('td', { class: 'code' }, row.path), make('td', {}, row.kind), make('td', {}, source ? size(source.shape) : ''), make('td', {}, size(row.shape)), make('td', { class: 'code formula' }, row.formula ?? ''),
  make('td', { class: 'num' }, row.parameters ? text.exact(row.parameters) : ''), make('td', { class: 'num' }, row.macs ? text.parameters(row.macs) : ''));
}

/** @param {number[]} shape channels, height, width */
export function size([channels, height, width]) {
  return `${channels} × ${height} × ${width}`;
}
