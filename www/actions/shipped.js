/**
 * The models that come with the page: fetching one when it is needed, and choosing one of those at hand.
 * @module
 */
import { wordsFor } from '../app.js';
import { nameOf, NONE, sourceOf } from '../document/models.js';
import { fetchShipped, isKept } from '../storage/shipped.js';
import { fetchOwn } from '../storage/site.js';
import { text } from '../strings/index.js';
import { Failure } from '../worker/protocol.js';

/** @typedef {import('../app.js').App} App */
/** @typedef {import('../document/models.js').Entry} Entry */
/** @typedef {import('../document/models.js').Shipped} Shipped */
/** @typedef {import('../document/site.js').OwnClass} OwnClass */
/** @typedef {import('../worker/protocol.js').Report} Report */

/** What is on its way. @type {WeakMap<Entry, Promise<void>>} */
const fetching = new WeakMap();
/** What somebody chose, and so waits for. @type {WeakSet<Entry>} */
const chosen = new WeakSet();

/**
 * Fetches a model that comes with the page, once.
 * @param {App} app
 * @param {Entry} target
 * @returns {Promise<void>}
 */
export function fetchModel(app, target) {
  const begun = fetching.get(target);
  if (begun) return begun;
  const promise = fetchAndInspect(app, target).finally(() => fetching.delete(target));
  fetching.set(target, promise);
  return promise;
}

/** @param {App} app @param {Entry} target */
async function fetchAndInspect(app, target) {
  const { shipped } = target;
  if (!shipped || target.blob) return;
  const progress = (/** @type {number} */ done) => {
    // The default comes unasked: beside a photo it is told of only where a run waits for it.
    const isAwaited = chosen.has(target) || !app.document || app.state.isRunning;
    if (isAwaited && app.models.selected === target) app.hint(text.fetching(nameOf(target), done));
  };
  try {
    const blob = await fetchShipped(shipped, progress, app.models.shipped);
    if (shipped.class) await loadWithClass(app, target, blob, shipped.class);
    else await inspect(app, target, blob);
  } catch (error) {
    throw atItsLine(error, shipped);
  }
  app.models.touch();
}

/** Only looks at it: it takes memory once it is run, and whoever brings their own network never runs it. @param {App} app @param {Entry} target @param {Blob} blob */
async function inspect(app, target, blob) {
  const { file } = target;
  const report = /** @type {Report} */ (await app.inference.request({ kind: 'inspect', blob, name: file }));
  const fits = report.networks.filter(({ missing, mismatched }) => !missing?.length && !mismatched?.length);
  if (target.shipped?.line && !fits.length) {
    // Loading says what does not fit.
    await app.inference.request({ kind: 'load', handle: target.handle, blob, name: file });
  }
  const loaded = report.networks.map((network) => ({ ...network, file, engine: 'fast' }));
  Object.assign(target, { blob, result: { report, loaded, sources: [sourceOf(file, blob, report)] } });
}

/** @param {App} app @param {Entry} target @param {Blob} blob @param {OwnClass} own */
async function loadWithClass(app, target, blob, { file: path, ...said }) {
  const { handle, file } = target;
  let source = await (await fetchOwn(path)).text();
  if (source.trimStart().startsWith('{')) source = await app.classes.request({ kind: 'python', text: source });
  const paste = { source, ...said };
  const result = await app.classes.request({ kind: 'load-class', handle, paste, blob, name: file });
  const { generation } = app.classes;
  Object.assign(target, { blob, paste, result: { ...result, sources: [sourceOf(file, blob, result.report)] }, generation });
}

/** The error, with the place in `infill.json` that it comes from. @param {unknown} error @param {Shipped} model */
function atItsLine(error, { line, file }) {
  if (!line && error instanceof Failure && error.code === 'site-missing') return new Error(error.message);
  // A worker that is not there is no fault of the file.
  if (!line || !(error instanceof Failure) || (Object.hasOwn(text.errors, error.code) && error.code !== 'shipped-damaged')) return error;
  const said = error.message.includes(file) ? error.message : `${file}: ${error.message}`;
  return new Failure({ code: 'site-model', message: text.siteFaultAt(line, firstLine(said)), keys: error.keys, report: error.report });
}

/** @param {string} words */
const firstLine = (words) => words.split('\n')[0];

/**
 * At the start: fetches the default in the background; where that fails, the page goes on without it. Of the others it
 * only asks whether the browser keeps them.
 * @param {App} app
 */
export async function prepareDefault(app) {
  for (const each of app.models.entries) if (each.shipped) each.isKept = await isKept(each.shipped);
  app.models.touch();
  const { models } = app;
  try {
    await fetchModel(app, models.default);
    // Whoever dropped weights meanwhile has been told of them.
    if (!app.document && models.selected === models.default && !app.misfit) app.hint(text.welcome);
  } catch (error) {
    if (models.selected === models.default) models.select(NONE);
    app.mention(error instanceof Failure ? wordsFor(error) : text.shippedFailed, { label: text.retry, run: () => void chooseModel(app, models.default.handle) });
  }
}

/**
 * Selects a model; one that comes with the page is fetched now if it is not here. Where that fails, the model before
 * it is selected again.
 * @param {App} app
 * @param {string} handle
 */
export async function chooseModel(app, handle) {
  const { models } = app;
  const before = models.selected;
  models.select(handle);
  const target = models.selected;
  app.state.succeeded();
  if (!target.shipped || target.blob) return app.say(handle === NONE ? text.noneChosen : text.modelChosen(nameOf(target)));
  const succeed = app.begin();
  chosen.add(target);
  app.say(text.fetching(nameOf(target), 0));
  try {
    await fetchModel(app, target);
    if (models.selected === target) succeed(text.modelChosen(nameOf(target)));
  } catch (error) {
    // Whoever went on to another model keeps that.
    if (models.selected === target) models.select(before === target ? NONE : before.handle);
    app.fail(error instanceof Failure ? wordsFor(error) : text.fetchFailed(nameOf(target)), { label: text.retry, run: () => void chooseModel(app, handle) });
  }
}
