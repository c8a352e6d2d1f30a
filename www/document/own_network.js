/**
 * A network of the person's own: its pasted class, its weights, and what is known of them together.
 * @module
 */

/** @typedef {import('../worker/protocol.js').ClassReport} ClassReport */
/** @typedef {import('../worker/protocol.js').Paste} Paste */
/** @typedef {ClassReport['arguments'][number]} Argument */

export class OwnNetwork {
  source = '';
  /** The file that the class came from; empty if it was pasted. */
  file = '';
  weights = /** @type {{blob: Blob, file: string} | null} */ (null);
  /** What the class is made with, as somebody said. */
  classArgs = '';
  returned = /** @type {number | null} */ (null);
  side = /** @type {number | null} */ (null);
  leavesOut = false;
  report = /** @type {ClassReport | null} */ (null);
  /** Why it could not be read: the weights are broken, or the reader is not there. */
  failure = '';
  isReading = false;
  /** The entry of the list of models that runs it; empty if none does. */
  handle = '';

  /** Another source: what was said of the class before holds as long as there is a class of its name. @param {string} source @param {string} file */
  take(source, file) {
    const name = this.report?.class ?? '';
    const isSame = name !== '' && new RegExp(`\\bclass\\s+${name}\\b`, 'u').test(source);
    if (!isSame) Object.assign(this, { classArgs: '', returned: null, side: null, leavesOut: false, report: null });
    Object.assign(this, { source, file, failure: '' });
  }

  /** @param {Blob} blob @param {string} file */
  takeWeights(blob, file) {
    Object.assign(this, { weights: { blob, file }, leavesOut: false, failure: '' });
  }

  /** @returns {Paste} */
  get paste() {
    const { source, classArgs, returned, side, leavesOut } = this;
    return { source, classArgs, returned, side, leavesOut };
  }

  get isEmpty() {
    return this.source.trim() === '';
  }
}

/**
 * A value as Python writes it: a text that is no number, name or list stands in quotes.
 * @param {string} value
 */
export function literal(value) {
  const text = value.trim();
  const isPlain = /^[-+]?(\d[\d_]*\.?\d*|\.\d+)(e[-+]?\d+)?$/i.test(text) || /^(None|True|False)$/.test(text) || /^(['"]).*\1$/.test(text) || /^[[(].*[\])]$/.test(text) || /^[A-Za-z_]\w*(\.\w+)+$/.test(text);
  return isPlain ? text : `'${text.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`;
}

/**
 * `Net(4, ngf=64)`: every argument that has a value, by name. Empty if none has.
 * @param {string} name of the class
 * @param {readonly [string, string][]} values by argument
 */
export function callOf(name, values) {
  const given = values.filter(([, value]) => value.trim() !== '').map(([argument, value]) => `${argument}=${literal(value)}`);
  return given.length ? `${name}(${given.join(', ')})` : '';
}
