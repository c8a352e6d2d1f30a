/**
 * What the selected model is, what a dropped file lacks, which models are at hand, and how they were trained.
 * @module
 */
import { wordsFor } from '../app.js';
import { takeOwnWeights } from '../actions/own_network.js';
import { chooseModel } from '../actions/shipped.js';
import { chooseSecond, firstSentence, loadByPosition, removeModel } from '../actions/weights.js';
import { bytesToFetch, conventionsOf, nameOf, NONE, paints, parametersOf, takes, takesEdges, takesSecond, WINDOW_SIDES } from '../document/models.js';
import { licenceOf } from '../storage/shipped.js';
import { text } from '../strings/index.js';
import { about, privacy } from './about.js';
import { icon, make, prose } from './dom.js';
import { inputsChoice } from './inputs_choice.js';
import { choice } from './fill_tab.js';
import { inputsPreview } from './inputs_preview.js';
import { networkPicture } from './network_picture.js';
import { recentModels } from './recent_models.js';

/** @typedef {import('../app.js').App} App */
/** @typedef {import('../document/models.js').Entry} Entry */
/** @typedef {import('../worker/protocol.js').NetworkReport} NetworkReport */
/** @typedef {import('./panel.js').Panel} Panel */

/** Findings that answer why it does not load in somebody's own code, or that it is the wrong file. */
const TOLD = ['other-class', 'unwrapped', 'prefix-stripped', 'sibling-file'];
/** Findings that say what it is that does not fit, better than the error can. */
const DIAGNOSES = ['unknown-network', 'sibling-file', 'channels', 'layers-missing', 'index-shift', 'statistics-missing', 'more-keys'];
/** Keys shown before "Show all". */
const TELLING = 3;

/**
 * @param {App} app
 * @param {Panel} panel
 * @returns {Node[]}
 */
export function detailsTab(app, panel) {
  const { selected } = app.models;
  return [
    ...(app.misfit ? [misfitCard(app, panel)] : []),
    modelCard(app, selected, panel),
    ...(selected.result && selected.handle !== NONE ? [trained(app, selected, panel)] : []),
    list(app),
    recentModels(app),
    privacy(),
    about(),
  ].filter((part) => part !== null);
}

/**
 * @param {App} app
 * @param {Entry} entry
 * @param {Panel} panel
 */
function modelCard(app, entry, panel) {
  const report = entry.result?.report;
  const found = report?.networks[0];
  const loaded = entry.result?.loaded[0];
  /** @type {[string, string | number | Node | undefined][]} */
  const facts = [
    [text.facts.parameters, parametersOf(entry) ? text.exact(parametersOf(entry)) : undefined],
    [text.facts.width, loaded?.width],
    [text.facts.input, inputSize(loaded?.conventions)],
    [text.facts.dtype, found?.dtype],
    [text.facts.container, report && entry.blob ? `${report.container}, ${text.bytes(entry.blob.size)}` : undefined],
    [text.facts.wrapper, report ? report.wrapper?.join(' › ') || undefined : undefined],
    [text.facts.prefix, report?.prefix || undefined],
    [text.facts.licence, licences(entry)],
    [text.facts.sure, found && !entry.shipped ? text.sure(found.confidence) : undefined],
  ];
  const rows = facts.flatMap(([name, value]) => (value === undefined ? [] : [make('dt', {}, name), make('dd', {}, value instanceof Node ? value : String(value))]));
  const hint = entry.handle === NONE ? text.noneHint : entry.shipped ? (entry.shipped.description ?? text.shippedHint) : null;
  const back = app.models.previous;
  const canGoBack = !entry.shipped && entry.handle !== NONE && back.handle !== entry.handle;
  return make('section', { class: 'card' },
    make('h2', {}, nameOf(entry)),
    hint ? make('p', {}, hint) : make('p', {}, make('code', {}, [entry.file, ...entry.partners.map(({ file }) => file)].join(' + '))),
    found?.why && !entry.shipped && make('p', {}, found.why),
    ...(found?.about ?? []).map((sentence) => make('p', {}, sentence)),
    ...(report?.findings ?? []).filter(({ code }) => TOLD.includes(code)).map(({ message }) => make('p', {}, ...prose(message))),
    !!found?.layers?.length && networkPicture(found.layers, () => panel.open('layers')),
    rows.length > 0 && make('dl', {}, ...rows),
    make('div', { class: 'acts' },
      found && make('button', { class: 'btn line small', onclick: () => panel.open('layers') }, text.showLayers),
      canGoBack && make('button', { class: 'btn small', onclick: () => void chooseModel(app, back.handle) }, text.backTo(nameOf(back)))));
}

/**
 * The size of a network's input, for people.
 * @param {Record<string, any> | undefined} conventions
 */
function inputSize(conventions) {
  if (!conventions?.preferred) return undefined;
  const { preferred, largest } = conventions;
  return largest > preferred ? text.inputUpTo(preferred, largest) : `${preferred} × ${preferred}`;
}

/**
 * The licences of an entry's networks, with their text where the page has it.
 * @param {Entry} entry
 */
function licences({ shipped, result }) {
  const words = shipped?.licence ?? [...new Set(result?.loaded.map(({ licence }) => licence))].filter(Boolean).join('; ');
  const address = shipped && licenceOf(shipped);
  if (!address) return words || undefined;
  return make('span', {}, words && `${words}, `, make('a', { href: address, target: '_blank' }, text.licenceText));
}

/**
 * @param {App} app
 * @param {Panel} panel
 */
function misfitCard(app, panel) {
  const { file, failure } = /** @type {{file: string, failure: import('../worker/protocol.js').Failure}} */ (app.misfit);
  const network = failure.report?.networks[0];
  const told = (failure.report?.findings ?? []).filter(({ code }) => DIAGNOSES.includes(code));
  const renamed = network?.renamed ?? [];
  const keys = renamed.length ? renamed.filter(([own, theirs]) => own !== theirs).map(([own, theirs]) => ({ key: theirs, words: text.standsFor(own) })) : network ? keysAtFault(network) : failure.keys.map((key) => ({ key, words: '' }));
  const items = keys.map(({ key, words }) => make('li', {}, make('span', { class: 'code' }, key), words && make('small', {}, words)));
  const listed = make('ul', { class: 'keys' }, ...items.slice(0, TELLING));
  const all = make('button', { class: 'btn line small' }, text.showAll(keys.length));
  all.addEventListener('click', () => {
    listed.replaceChildren(...items);
    all.remove();
  });
  const plain = keys.map(({ key, words }) => (words ? `${key}: ${words}` : key)).join('\n');
  return make('section', { class: 'card warn' },
    make('h2', {}, icon('warn'), make('span', {}, failure.report ? text.misfitFile(file) : text.unreadableFile(file))),
    !renamed.length && !told.some(({ code }) => code === 'unknown-network') && make('p', {}, firstSentence(wordsFor(failure, file))),
    network?.why && make('p', {}, network.why),
    ...told.map(({ message }) => make('p', {}, ...prose(message))),
    keys.length > 0 && listed,
    make('p', {}, text.keepsOld(nameOf(app.models.selected))),
    make('div', { class: 'acts' },
      renamed.length > 0 && make('button', { class: 'btn line small', onclick: () => void loadByPosition(app) }, text.useMapping),
      keys.length > TELLING && all,
      failure.report && make('button', { class: 'btn line small', onclick: () => panel.open('layers') }, text.showLayers),
      keys.length > 0 && make('button', { class: 'btn line small', onclick: () => void navigator.clipboard?.writeText(plain).then(() => app.say(text.copied)) }, text.copy),
      told.some(({ code }) => code === 'unknown-network') && !app.site.hidden.has('class') && make('button', { class: 'btn line small', onclick: () => void pasteItsClass(app) }, text.ownPaste),
      make('label', { class: 'btn line small', for: 'load-weights' }, text.loadOther),
      make('button', {
        class: 'btn small',
        onclick: () => {
          app.misfit = null;
          app.state.succeeded();
          app.say('');
          panel.render();
        },
      }, text.dismiss)));
}

/** Opens the place for its class, with the file that no known network explains. @param {App} app */
async function pasteItsClass(app) {
  const source = app.misfit?.sources[0];
  app.showOwn();
  if (source) await takeOwnWeights(app, source.blob, source.file);
}

/** @param {NetworkReport} network */
function keysAtFault(network) {
  /** @param {number[]} shape */
  const shape = (shape) => `[${shape.join(', ')}]`;
  const kinds = [
    network.mismatched.map(({ key, expected, found }) => ({ key, words: text.misshaped(shape(expected), shape(found)) })),
    network.missing.map((key) => ({ key, words: text.missing })),
    network.unexpected.map((key) => ({ key, words: text.unexpected })),
  ];
  // The first of each kind tell the most together.
  return [...kinds.flatMap((kind) => kind.slice(0, 1)), ...kinds.flatMap((kind) => kind.slice(1))];
}

/**
 * What the file cannot tell; the guess stands until it is changed.
 * @param {App} app
 * @param {Entry} entry
 * @param {Panel} panel
 */
export function trained(app, entry, panel) {
  const guess = conventionsOf(entry);
  const { options } = entry;
  const preview = inputsPreview(app);
  panel.workChanged = preview.refresh;
  /** @param {string} key @param {string | number | null} value null and the guess leave it to the guess */
  const set = (key, value) => {
    if (value === null || value === guess[key]) delete options[key];
    else options[key] = value;
    preview.refresh();
    app.touch();
  };
  /** @param {'range' | 'maskMeans' | 'outputCovers' | 'secondInput' | 'normStatistics'} key */
  const select = (key) => choice(`trained-${key}`, text[key], text[`${key}Choices`], String(options[key] ?? guess[key] ?? ''), (value) => set(key, value));
  const holeValue = options.holeValue ?? guess.holeValue ?? 0;
  const isSmooth = holeValue === 'smooth';
  const hole = make('input', { type: 'number', id: 'trained-holeValue', step: 0.1, value: isSmooth ? 0 : holeValue, disabled: isSmooth });
  const smooth = make('input', { type: 'checkbox', id: 'trained-holeSmooth', checked: isSmooth });
  const setHole = () => {
    hole.disabled = smooth.checked;
    if (smooth.checked) set('holeValue', 'smooth');
    else set('holeValue', hole.value === '' || !Number.isFinite(Number(hole.value)) ? null : Number(hole.value));
  };
  hole.addEventListener('change', setHole);
  smooth.addEventListener('change', setHole);
  /** @param {string[][] | null} inputs */
  const setInputs = (inputs) => {
    if (inputs) options.inputs = inputs;
    else delete options.inputs;
    panel.render();
    app.touch();
  };
  const outputRange = () => choice('trained-outputRange', text.outputRange, text.rangeChoices, String(options.outputRange ?? options.range ?? guess.outputRange ?? ''), (value) => set('outputRange', value));
  const own = text.windowSideAuto(guess.preferred, guess.largest);
  const side = () => choice('trained-side', text.windowSide, [['', own], ...Object.entries(WINDOW_SIDES)], String(options.side ?? ''), (value) => set('side', value ? Number(value) : null));
  // The edges' tab has the same choice, beside what it changes.
  const choosesSide = paints(entry) && !guess.fixed && !takesEdges(entry);
  const isPair = takesSecond(entry);
  const reset = () => {
    entry.options = { ...entry.shipped?.feed };
    panel.render();
  };
  return make('section', { class: 'group' },
    make('h3', {}, text.trained),
    make('p', { class: 'help' }, entry.shipped ? text.trainedKnown : text.trainedHelp),
    paints(entry) && inputsChoice(entry, setInputs), select('range'), outputRange(), choosesSide && side(), choosesSide && make('p', { class: 'help' }, text.sideHelp), make('div', { class: 'row' }, make('label', { for: 'trained-holeValue' }, text.holeValue), hole),
    make('label', { class: 'row' }, text.holeSmooth, smooth),
    takes(entry, 'mask') && select('maskMeans'), select('outputCovers'), guess.normStatistics && select('normStatistics'),
    isPair && !entry.second && select('secondInput'), ...(isPair ? secondPhoto(app, entry, panel) : []),
    make('div', {}, make('button', { class: 'btn line small', onclick: reset }, text.guessed)),
    preview.element);
}

/**
 * The second picture of a pair network.
 * @param {App} app
 * @param {Entry} entry
 * @param {Panel} panel
 */
function secondPhoto(app, entry, panel) {
  if (entry.second) {
    const forget = () => {
      entry.second = null;
      panel.render();
    };
    return [make('div', { class: 'row' }, make('span', {}, `${text.secondPhoto}: ${entry.second.name}`),
      make('button', { class: 'btn icon', 'aria-label': text.remove(entry.second.name), title: text.remove(entry.second.name), onclick: forget }, icon('bin')))];
  }
  const input = make('input', { class: 'file', type: 'file', id: 'second-photo', accept: 'image/*', 'aria-label': text.secondPhoto });
  input.addEventListener('change', () => {
    const file = input.files?.[0];
    if (file) void chooseSecond(app, entry, file);
  });
  return [make('div', {}, input, make('label', { class: 'btn line small', for: 'second-photo' }, text.chooseSecond))];
}

/** @param {App} app */
function list(app) {
  const { models } = app;
  const items = models.entries.map((entry) => {
    const size = parametersOf(entry);
    const bytes = bytesToFetch(entry);
    const about = entry.handle === NONE ? text.noneHint : [[entry.file, ...entry.partners.map(({ file }) => file)].join(' + '), size && text.parameters(size), entry.blob && text.bytes(entry.blob.size)].filter(Boolean).join(' · ');
    const plain = entry.handle === NONE ? text.noneShort : nameOf(entry);
    const name = bytes ? text.notHereYet(plain, bytes) : plain;
    const isOwn = entry.handle !== NONE && !entry.shipped;
    return make('li', {},
      make('button', { class: 'choose', 'aria-current': String(entry === models.selected), onclick: () => void chooseModel(app, entry.handle) }, make('b', {}, name), make('small', {}, about)),
      isOwn && make('button', { class: 'btn icon', 'aria-label': text.remove(entry.file), title: text.remove(entry.file), onclick: () => void removeModel(app, entry.handle) }, icon('bin')));
  });
  return make('section', { class: 'group' }, make('h3', {}, text.modelsAtHand), make('ul', { class: 'models' }, ...items));
}
