/**
 * A network of the person's own: reading its class, holding it against its weights, running it.
 * @module
 */
import { wordsFor } from '../app.js';
import { entry, nameOf } from '../document/models.js';
import { text } from '../strings/index.js';
import { Failure } from '../worker/protocol.js';
import { keepModel } from './copies.js';
import { firstSentence, load } from './weights.js';

/** @typedef {import('../app.js').App} App */

/** Characters of a file of Python or a notebook that are read, pictures among a notebook's outputs included. */
const MOST_CHARACTERS = 64 << 20;
/** Counts the readings: a late one does not overwrite what was read after it. */
let readings = 0;

/**
 * Takes a class from a file: Python, or a notebook.
 * @param {App} app
 * @param {File} file
 */
export async function loadClass(app, file) {
  try {
    if (file.size > MOST_CHARACTERS) throw new Error(text.ownTooLong(file.name));
    await takeClass(app, await file.text(), file.name);
  } catch (error) {
    app.fail(wordsFor(error, file.name));
  }
}

/**
 * Takes a class as it was pasted.
 * @param {App} app
 * @param {string} source Python, or the JSON of a notebook
 * @param {string} file empty if it came from none
 */
export async function takeClass(app, source, file) {
  const { own } = app;
  own.take(source, file);
  if (source.trimStart().startsWith('{')) {
    try {
      const python = await app.classes.request({ kind: 'python', text: source });
      // Whoever has changed the paste meanwhile wants that.
      if (own.source !== source) return;
      own.take(python, file);
    } catch (error) {
      own.failure = wordsFor(error, file);
      return app.ownChanged();
    }
  }
  await readOwn(app);
}

/**
 * Takes the weights for the class.
 * @param {App} app
 * @param {Blob} blob
 * @param {string} file
 */
export async function takeOwnWeights(app, blob, file) {
  app.own.takeWeights(blob, file);
  await readOwn(app);
}

/**
 * Takes a class and its weights as they were kept.
 * @param {App} app
 * @param {Blob} blob
 * @param {string} file
 * @param {import('../worker/protocol.js').Paste} paste
 */
export async function takeKept(app, blob, file, paste) {
  const { own } = app;
  own.take(paste.source, '');
  own.takeWeights(blob, file);
  Object.assign(own, paste);
  await readOwn(app);
}

/**
 * Reads the class anew, beside its weights if there are any; what fits is loaded and selected.
 * @param {App} app
 */
export async function readOwn(app) {
  const { own } = app;
  const reading = ++readings;
  if (own.isEmpty) {
    Object.assign(own, { report: null, failure: '', isReading: false });
    return app.ownChanged();
  }
  own.isReading = true;
  app.ownChanged();
  const { paste, weights } = own;
  try {
    const report = await app.classes.request({ kind: 'read-class', paste, blob: weights?.blob, name: weights?.file ?? '' });
    if (reading !== readings) return;
    Object.assign(own, { report, failure: '' });
    if (report.state === 'fits' && weights) await run(app, weights, paste);
    else app.hint(text.ownStates[/** @type {keyof typeof text.ownStates} */ (report.state)]);
  } catch (error) {
    if (reading !== readings) return;
    Object.assign(own, { report: null, failure: firstSentence(missing(error) ?? wordsFor(error, weights?.file ?? own.file)) });
  }
  if (reading !== readings) return;
  own.isReading = false;
  app.ownChanged();
}

/** What to say where the build that reads classes is not there. @param {unknown} error */
function missing(error) {
  const isMissing = error instanceof Failure && ['wasm-missing', 'worker-start', 'wasm-compile'].includes(error.code);
  return isMissing ? text.ownMissing : null;
}

/**
 * Puts the class with its weights into the list of models, in the place of what it was before.
 * @param {App} app
 * @param {{blob: Blob, file: string}} weights
 * @param {import('../worker/protocol.js').Paste} paste
 */
async function run(app, { blob, file }, paste) {
  const succeed = app.begin();
  const { own, models } = app;
  const before = models.find(own.handle);
  const target = entry(models.newHandle(), file, blob);
  target.paste = paste;
  // What somebody said of how it is fed goes on to hold while the class and its inputs stay the same.
  await load(app, target);
  const words = (/** @type {import('../document/models.js').Entry | null} */ of) => JSON.stringify(of?.result?.loaded[0]?.conventions.words);
  if (before?.paste && words(before) === words(target)) target.options = before.options;
  if (before) models.remove(before.handle);
  own.handle = target.handle;
  app.misfit = null;
  models.add(target);
  void keepModel(app, blob, { file, title: nameOf(target), byPosition: false, paste });
  succeed(text.modelReady(nameOf(target), file));
  if (before) void app.classes.request({ kind: 'unload', handle: before.handle }).catch(() => {});
}
