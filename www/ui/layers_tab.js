/**
 * The inspector: what is inside the selected model, or inside the file that does not fit.
 * @module
 */
import { wordsFor } from '../app.js';
import { alignKeys, knownNetworks, readStats } from '../actions/look.js';
import { text } from '../strings/index.js';
import { make, prose } from './dom.js';
import { explain } from './explain.js';
import { choice } from './fill_tab.js';
import { moduleTree, size } from './module_tree.js';
import { networkPicture } from './network_picture.js';
import { statCells } from './stats.js';
import { filtered, grid } from './table.js';

/** @typedef {import('../app.js').App} App */
/** @typedef {import('../worker/protocol.js').NetworkReport} NetworkReport */
/** @typedef {import('../worker/protocol.js').Report} Report */
/** @typedef {import('../worker/protocol.js').Layer} Layer */
/** @typedef {import('../worker/protocol.js').TensorStats} TensorStats */
/** @typedef {import('../document/models.js').Source} Source */

/**
 * @param {App} app
 * @returns {Node[]}
 */
export function layersTab(app) {
  const { misfit, models } = app;
  const { result } = models.selected;
  const report = misfit?.failure.report ?? result?.report;
  if (!report) return [make('p', { class: 'help' }, text.layersNone)];
  const isMisfit = !!misfit?.failure.report;
  const sources = (isMisfit ? misfit.sources : result?.sources) ?? [];
  return [
    findings(report),
    ...report.networks.flatMap((network, index) => [
      make('h2', { class: 'network' }, network.name, ' ', make('small', {}, report.file)),
      ...(network.about ?? []).map((sentence) => make('p', { class: 'help' }, sentence)),
      layers(app, network, report, sourceOf(sources, index)),
    ]),
    alignment(app, report, sources),
    tensors(app, report, sources),
  ].filter((part) => part !== null);
}

/**
 * The file a network came from, and where its tensors begin in the report.
 * @param {Source[]} sources
 * @param {number} network
 * @returns {{source: Source, from: number} | null}
 */
function sourceOf(sources, network) {
  let [networks, from] = [0, 0];
  for (const source of sources) {
    networks += source.networks;
    if (network < networks) return { source, from };
    from += source.tensors;
  }
  return null;
}

/** @param {Report} report */
function findings(report) {
  const list = report.findings ?? [];
  if (!list.length) return null;
  const items = list.map(({ severity, message, keys }) =>
    make('li', { class: severity }, ...prose(message), keys.length > 0 && make('div', { class: 'code quiet' }, keys.slice(0, 3).join(', '), keys.length > 3 && `, … (${keys.length})`)));
  return make('section', { class: 'group' }, make('h3', {}, text.findings), make('ul', { class: 'findings' }, ...items));
}

/**
 * @param {App} app
 * @param {NetworkReport} network
 * @param {Report} report
 * @param {{source: Source, from: number} | null} origin
 */
function layers(app, network, report, origin) {
  const rows = network.layers ?? [];
  if (!rows.length) return null;
  const explained = make('div', { class: 'explained', 'aria-live': 'polite' });
  const { table, choose } = moduleTree(rows, (index) => {
    const values = make('div');
    explained.replaceChildren(explain(rows[index], rows), values);
    if (origin) void layerValues(app, rows[index], report, origin, values);
  });
  const macs = rows.reduce((sum, row) => sum + row.macs, 0);
  const total = text.layerTotal(rows.length, network.parameters, macs, size(rows[0].shape));
  return make('section', { class: 'group' },
    make('h3', {}, text.layers),
    networkPicture(rows, choose),
    make('p', { class: 'help' }, text.picture, ' ', total),
    table, explained);
}

/** The head of a table of values. */
const valueHeads = () => Object.values(text.statistics);

/**
 * Reads the tensors of one layer and shows what their values are.
 * @param {App} app
 * @param {Layer} layer
 * @param {Report} report
 * @param {{source: Source, from: number}} origin
 * @param {HTMLElement} place
 */
async function layerValues(app, layer, report, { source, from }, place) {
  const own = report.tensors.slice(from, from + source.tensors).filter(({ key }) => {
    const rest = key.startsWith(`${layer.path}.`) ? key.slice(layer.path.length + 1) : '.';
    // What lies deeper is another layer's, but for weights that are stored in parts.
    return !rest.includes('.') || rest.startsWith('parametrizations.');
  });
  if (!own.length) return;
  place.replaceChildren(make('p', { class: 'help' }, text.readingValues));
  try {
    const stats = await readStats(app, source, own.map(({ key }) => key));
    const { columns } = text;
    const lines = stats.map((each) => {
      const tensor = report.tensors[from + each.index];
      const cells = [tensor.shape.join(' × ') || '1', tensor.dtype, ...statCells(each)];
      return make('tr', {}, make('td', { class: 'code' }, each.key), ...cells.map((cell) => make('td', {}, cell)));
    });
    place.replaceChildren(grid([columns.key, columns.shape, columns.dtype, ...valueHeads()], lines));
  } catch (error) {
    place.replaceChildren(make('p', { class: 'help' }, wordsFor(error, source.file)));
  }
}

/**
 * The file's keys beside those of any known network; where something does not fit, of the one that fits best.
 * @param {App} app
 * @param {Report} report
 * @param {Source[]} sources
 */
function alignment(app, report, sources) {
  if (!sources.length) return null;
  const place = make('div');
  const show = async (/** @type {string} */ id) => {
    place.replaceChildren();
    if (!id) return;
    try {
      const rows = await alignKeys(app, sources[0], id);
      place.replaceChildren(filtered(text.alignment, text.alignmentColumns, rows.map(alignedRow), (row) => (row[4] === text.verdicts.fits ? '' : 'bad')));
    } catch (error) {
      place.replaceChildren(make('p', { class: 'help' }, wordsFor(error, sources[0].file)));
    }
  };
  const best = report.networks[0];
  const isBad = !!best && best.missing.length + best.unexpected.length + best.mismatched.length > 0;
  const section = make('section', { class: 'group' }, place);
  const offer = async () => {
    const known = await knownNetworks(app);
    const first = isBad && known.some(({ id }) => id === best.id) ? best.id : '';
    const choices = { '': text.holdNone, ...Object.fromEntries(known.map(({ id, name }) => [id, name])) };
    section.prepend(choice('against', text.holdAgainst, choices, first, (id) => void show(id)));
    await show(first);
  };
  offer().catch((error) => place.replaceChildren(make('p', { class: 'help' }, wordsFor(error))));
  return section;
}

/** @param {import('../worker/protocol.js').Aligned} row */
function alignedRow({ key, expected, theirs, found, verdict }) {
  const shape = (/** @type {number[] | null} */ sides) => (sides ? `[${sides.join(', ')}]` : '');
  return [key ?? '', shape(expected), theirs ?? '', shape(found), text.verdicts[verdict]];
}

/**
 * Every tensor of the file; its values are read when somebody asks.
 * @param {App} app
 * @param {Report} report
 * @param {Source[]} sources
 */
function tensors(app, report, sources) {
  const { columns } = text;
  const rows = report.tensors.map(({ key, shape, dtype }) => [key, shape.join(' × ') || '1', dtype]);
  const head = [columns.key, columns.shape, columns.dtype];
  const place = make('div', { class: 'group' }, filtered(text.tensors, head, rows));
  if (!sources.length) return place;
  const button = make('button', { class: 'btn line small' }, text.readValues);
  button.addEventListener('click', async () => {
    button.disabled = true;
    button.textContent = text.readingValues;
    let from = 0;
    /** @type {(string | Node)[][]} */
    const full = rows.map((row) => [...row]);
    try {
      for (const source of sources) {
        for (const stats of await readStats(app, source)) full[from + stats.index].push(...statCells(stats));
        from += source.tensors;
      }
      place.replaceChildren(filtered(text.tensors, [...head, ...valueHeads()], full));
    } catch (error) {
      button.replaceWith(make('p', { class: 'help' }, wordsFor(error)));
    }
  });
  place.append(make('div', {}, button));
  return place;
}
