/**
 * Weights: loading files into the worker, joining and removing them.
 * @module
 */
import { wordsFor } from '../app.js';
import { bundled } from '../document/bundle.js';
import { completes, entry, nameOf, NONE, paints, scores, sourceOf } from '../document/models.js';
import { text } from '../strings/index.js';
import { Failure } from '../worker/protocol.js';
import { keepModel } from './copies.js';
import { fetchModel } from './shipped.js';

/** @typedef {import('../app.js').App} App */
/** @typedef {import('../document/models.js').Entry} Entry */
/** @typedef {import('../worker/protocol.js').Request} Request */

/**
 * Reads files one after another; the last that fits is selected.
 * @param {App} app
 * @param {File[]} files
 */
export async function loadWeights(app, files) {
  for (const { blob, name } of bundled(files)) await loadFile(app, blob, name, false);
}

/** Loads the file that does not fit once more, its keys by position. @param {App} app */
export async function loadByPosition(app) {
  const source = app.misfit?.sources[0];
  if (source) await loadFile(app, source.blob, source.file, true);
}

/**
 * Reads one file; what goes wrong is said.
 * @param {App} app
 * @param {Blob} blob
 * @param {string} file
 * @param {boolean} byPosition
 */
export async function loadFile(app, blob, file, byPosition) {
  const succeed = app.begin();
  app.say(text.reading(file));
  const added = entry(app.models.newHandle(), file, blob);
  added.byPosition = byPosition;
  try {
    await loadDropped(app, added);
    app.misfit = null;
    const name = nameOf(added);
    const joined = await join(app, added);
    if (!joined) app.models.add(added);
    const isScorer = scores(added) && !paints(added);
    void keepModel(app, blob, { file, title: name, byPosition, paste: null });
    succeed(joined ? text.modelJoined(name, file, nameOf(joined)) : isScorer ? text.modelScores(name, file) : text.modelReady(name, file));
  } catch (error) {
    const failure = error instanceof Failure ? error : new Failure({ code: 'io', message: wordsFor(error, file), keys: [] });
    app.misfit = { file, failure, sources: failure.report ? [sourceOf(file, blob, failure.report)] : [] };
    app.fail(firstSentence(wordsFor(failure, file)), { label: text.showModel, run: () => app.showDetails() });
    app.models.touch();
  }
}

/**
 * How a worker is asked to load a model.
 * @param {Entry} target
 * @param {Blob} blob
 * @returns {Request}
 */
function loading({ handle, file: name, paste, isGraph, byPosition }, blob) {
  if (paste) return { kind: 'load-class', handle, paste, blob, name };
  return isGraph ? { kind: 'load-graph', handle, blob, name } : { kind: 'load', handle, blob, name, byPosition };
}

/**
 * Loads a dropped file: as a network that the crate knows, or else, if it holds its own graph, as that.
 * @param {App} app
 * @param {Entry} added
 */
async function loadDropped(app, added) {
  try {
    return await load(app, added);
  } catch (error) {
    const isGraph = error instanceof Failure && error.report?.container === 'onnx' && !added.byPosition;
    if (!isGraph) throw error;
    added.isGraph = true;
    try {
      await load(app, added);
    } catch (why) {
      // What is in the file is known all the same.
      throw why instanceof Failure ? Object.assign(why, { report: why.report ?? error.report }) : why;
    }
  }
}

/**
 * Puts an entry into the present worker, together with these files; only when all of it worked is it the entry's.
 * @param {App} app
 * @param {Entry} target
 * @param {Entry['partners']} [partners] whose networks run together with its own
 */
export async function load(app, target, partners = target.partners) {
  const { handle, blob, file } = target;
  const worker = app.workerOf(target);
  if (!blob) throw new Error(text.shippedMissing);
  // Whatever comes of it, the worker no longer holds what it held under this handle.
  target.generation = 0;
  const result = await worker.request(loading(target, blob));
  const { generation } = worker;
  const sources = [sourceOf(file, blob, result.report)];
  for (const partner of partners) {
    const from = `${handle}+`;
    const more = await worker.request({ kind: 'load', handle: from, blob: partner.blob, name: partner.file }, { generation });
    await worker.request({ kind: 'combine', handle, from }, { generation });
    result.loaded.push(...more.loaded);
    result.report.networks.push(...more.report.networks);
    result.report.tensors.push(...more.report.tensors);
    sources.push(sourceOf(partner.file, partner.blob, more.report));
  }
  target.partners = partners;
  target.result = { ...result, sources };
  target.generation = generation;
}

/**
 * Joins a network that paints with one that gives it what it takes, such as edges, when the second of them arrives.
 * @param {App} app
 * @param {Entry} added
 * @returns {Promise<Entry | null>} the entry that now holds both
 */
async function join(app, added) {
  const other = app.models.entries.findLast((each) => completes(added, each) || completes(each, added));
  if (!other) return null;
  const [painter, helper] = completes(added, other) ? [other, added] : [added, other];
  if (!helper.blob) return null;
  await load(app, painter, [...painter.partners, { file: helper.file, blob: helper.blob }]);
  if (painter === added) {
    app.models.remove(helper.handle);
    app.models.add(painter);
  } else {
    app.models.select(painter.handle);
  }
  await unload(app, helper);
  return painter;
}

/**
 * A pair network's second picture: any picture of the photo's size.
 * @param {App} app
 * @param {Entry} target
 * @param {File} file
 */
export async function chooseSecond(app, target, file) {
  const succeed = app.begin();
  try {
    const { width, height, rgba } = await app.decoder.request({ kind: 'decode-photo', blob: file, tryBrowser: true });
    target.second = { name: file.name, width, height, rgba };
    succeed(text.secondChosen(file.name));
  } catch (error) {
    app.fail(wordsFor(error, file.name));
  }
  app.models.touch();
}

/**
 * Makes sure that the worker holds the model: it may be a new one, or the file may still be on its way.
 * @param {App} app
 * @param {Entry} target
 */
export async function ensure(app, target) {
  if (target.handle === NONE) return;
  if (target.shipped) await fetchModel(app, target);
  if (target.generation !== app.workerOf(target).generation) await load(app, target);
}

/**
 * Asks the worker something of a model. Where the worker was replaced before it came to it, the model is loaded again
 * and the question asked once more; that ends because a worker that keeps crashing is not started again.
 * @param {App} app
 * @param {Entry} target
 * @param {(handle: string) => Request} question made anew for every attempt; the handle is empty for the photo alone
 * @param {import('../worker/client.js').Options} [options]
 * @returns {Promise<any>}
 */
export async function askModel(app, target, question, options = {}) {
  for (;;) {
    await ensure(app, target);
    const isBare = target.handle === NONE;
    try {
      const request = question(isBare ? '' : target.handle);
      return await app.workerOf(target).request(request, isBare ? options : { ...options, generation: target.generation });
    } catch (error) {
      if (!(error instanceof Failure) || error.code !== 'worker-replaced') throw error;
    }
  }
}

/**
 * @param {App} app
 * @param {string} handle
 */
export async function removeModel(app, handle) {
  const removed = app.models.find(handle);
  if (!removed) return;
  app.models.remove(handle);
  app.say(text.modelRemoved(nameOf(removed)));
  await unload(app, removed);
}

/**
 * Takes a model out of the worker.
 * @param {App} app
 * @param {Entry} target
 */
async function unload(app, target) {
  const { handle, generation } = target;
  const worker = app.workerOf(target);
  if (generation !== worker.generation) return;
  await worker.request({ kind: 'unload', handle }, { generation }).catch(() => {
    // A worker that is gone holds nothing.
  });
}

/** @param {string} words */
export function firstSentence(words) {
  const line = words.split('\n')[0];
  return line.length > 260 ? `${line.slice(0, 259)}…` : line;
}
