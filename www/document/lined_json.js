/**
 * JSON that people write by hand: read as `JSON.parse` reads it, but every value knows its line, so that a fault can be
 * pointed at. A key that stands twice is a fault, and so is what is nested deeper than any file of ours.
 * @module
 */

/** Levels of lists and objects. */
export const MOST_LEVELS = 16;
/** What stands between values, what a number may be, and what a string may hold unescaped. */
const BLANK = /[ \t\n\r]*/y;
const NUMBER = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][-+]?\d+)?/y;
const STRING = /"(?:[^"\\\u0000-\u001f]|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}))*"/y;
const WORD = /true|false|null/y;

/**
 * A value and the line where it begins, or where its key stands.
 * @typedef {object} Lined
 * @property {number} line from 1
 * @property {string | number | boolean | null | Lined[] | Map<string, Lined>} value
 */

/** What is wrong, and where. */
export class LineFault extends Error {
  /** @param {number} line from 1 @param {string} what a key of `text.siteFaults` @param {...any} given what its words need */
  constructor(line, what, ...given) {
    super(`line ${line}: ${what}`);
    this.line = line;
    this.what = what;
    this.given = given;
  }
}

/**
 * @param {string} text
 * @returns {Lined}
 * @throws {LineFault}
 */
export function readLined(text) {
  return new LinedReader(text).read();
}

class LinedReader {
  #text;
  #at = 0;
  #level = 0;
  /** The line of `#counted`, the place up to which lines were counted. */
  #line = 1;
  #counted = 0;

  /** @param {string} text */
  constructor(text) {
    this.#text = text;
  }

  /** @returns {Lined} */
  read() {
    // Editors on Windows begin a file with a mark.
    if (this.#text.startsWith('\ufeff')) this.#at = 1;
    const value = this.#value();
    this.#skip();
    if (this.#at < this.#text.length) throw this.#fault('afterEnd');
    return value;
  }

  /** The line of where it stands. */
  get #here() {
    for (; this.#counted < this.#at; this.#counted++) if (this.#text[this.#counted] === '\n') this.#line += 1;
    return this.#line;
  }

  /** @param {string} what @param {...any} given */
  #fault(what, ...given) {
    return new LineFault(this.#here, what, ...given);
  }

  #skip() {
    this.#take(BLANK);
  }

  /** What the expression finds right here; empty if nothing. @param {RegExp} sticky */
  #take(sticky) {
    sticky.lastIndex = this.#at;
    const found = sticky.exec(this.#text)?.[0] ?? '';
    this.#at += found.length;
    return found;
  }

  /** @param {string} mark */
  #takes(mark) {
    this.#skip();
    if (this.#text[this.#at] !== mark) return false;
    this.#at += 1;
    return true;
  }

  /** @returns {Lined} */
  #value() {
    this.#skip();
    const line = this.#here;
    const first = this.#text[this.#at];
    if (first === '{' || first === '[') {
      if (this.#level === MOST_LEVELS) throw this.#fault('deep', MOST_LEVELS);
      this.#level += 1;
      this.#at += 1;
      const value = first === '{' ? this.#object() : this.#list();
      this.#level -= 1;
      return { line, value };
    }
    const plain = first === '"' ? this.#take(STRING) : this.#take(WORD) || this.#take(NUMBER);
    if (!plain) throw this.#fault(first === '"' ? 'string' : 'value');
    return { line, value: JSON.parse(plain) };
  }

  #list() {
    const list = /** @type {Lined[]} */ ([]);
    if (this.#takes(']')) return list;
    do list.push(this.#value());
    while (this.#takes(','));
    if (!this.#takes(']')) throw this.#fault('listEnd');
    return list;
  }

  #object() {
    const object = /** @type {Map<string, Lined>} */ (new Map());
    if (this.#takes('}')) return object;
    do {
      this.#skip();
      const line = this.#here;
      const quoted = this.#take(STRING);
      if (!quoted) throw this.#fault('key');
      const key = /** @type {string} */ (JSON.parse(quoted));
      if (object.has(key)) throw new LineFault(line, 'twice', key);
      if (!this.#takes(':')) throw this.#fault('colon', key);
      object.set(key, { line, value: this.#value().value });
    } while (this.#takes(','));
    if (!this.#takes('}')) throw this.#fault('objectEnd');
    return object;
  }
}
