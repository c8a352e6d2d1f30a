/**
 * Where the time of the last fill went.
 * @module
 */
import { text } from '../strings/index.js';
import { CheckView } from './check_view.js';
import { make } from './dom.js';

/** @typedef {import('../app.js').App} App */
/** @typedef {import('../worker/protocol.js').Speed} Speed */

/** Layers shown by name; the rest is one row. */
const MOST_ROWS = 10;

/** @type {WeakMap<App, CheckView>} */
const checks = new WeakMap();

/** Photo, mask or model changed. @param {App} app */
export function speedWorkChanged(app) {
  checks.get(app)?.refresh();
}

/** @param {App} app @returns {HTMLElement} */
function check(app) {
  const view = checks.get(app) ?? new CheckView(app);
  checks.set(app, view);
  return view.element();
}

/**
 * @param {App} app
 * @returns {Node[]}
 */
export function speedTab(app) {
  const { speed } = app;
  const why = threadsWhy(app);
  if (!speed) return [make('p', { class: 'help' }, text.speedNone), ...(why ? [make('p', { class: 'help' }, why)] : []), check(app)];
  const networks = speed.networks.filter(({ report }) => report);
  const facts = [
    [text.speedFacts.time, text.seconds(speed.ms)],
    [text.speedFacts.engine, speed.networks.map(({ engine }) => text.engines[engine] ?? engine).filter((each, i, all) => all.indexOf(each) === i).join(', ') || text.noneShort],
    [text.speedFacts.simd, text.simds[speed.simd] ?? speed.simd],
    [text.speedFacts.threads, text.exact(speed.threads)],
    [text.speedFacts.memory, text.bytes(speed.bytes)],
  ];
  return [
    make('div', { class: 'group' },
      make('h3', {}, text.lastFill),
      make('dl', {}, ...facts.flatMap(([name, value]) => [make('dt', {}, name), make('dd', {}, value)])),
      why && make('p', { class: 'help' }, why)),
    ...networks.map(network),
    check(app),
  ];
}

/** Why only one thread takes part. @param {App} app */
function threadsWhy({ builds }) {
  if (builds.current.threads > 1) return null;
  if (builds.reason) return text.oneThread[builds.reason] ?? null;
  return globalThis.crossOriginIsolated ? null : text.oneThread['not-isolated'];
}

/** @param {Speed['networks'][number]} network */
function network({ name, report }) {
  const layers = [...(report?.layers ?? [])].sort((a, b) => b.ms - a.ms);
  const total = layers.reduce((sum, { ms }) => sum + ms, 0);
  const rest = layers.slice(MOST_ROWS);
  const rows = layers.slice(0, MOST_ROWS).map(({ path, op, kernel, ms }) => ({ label: path, title: `${op}, ${kernel}`, ms }));
  if (rest.length) rows.push({ label: text.otherLayers(rest.length), title: '', ms: rest.reduce((sum, { ms }) => sum + ms, 0) });
  const most = Math.max(...rows.map(({ ms }) => ms));
  return make('div', { class: 'group' },
    make('h3', {}, text.layerTimes(name, total)),
    make('ol', { class: 'times' }, ...rows.map(({ label, title, ms }) => {
      const row = make('li', { title: title || null }, make('span', {}, label), make('span', {}, text.milliseconds(ms)));
      row.style.setProperty('--share', String(most ? ms / most : 0));
      return row;
    })),
    report && make('p', { class: 'help' }, text.planMemory(report.weight_bytes, report.arena_bytes, report.packing_ms)));
}
