// What WebDriver BiDi and WebDriver have in common: elements are referred to, pointers act by lists of actions.
import { spawn } from 'node:child_process';
import { mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';

/** @typedef {import('./driver.mjs').Driver} Driver */
/** @typedef {Record<string, string>} Element a reference, as the protocol has it */

/** How long a control may take to appear and to be clickable, in milliseconds. */
const PATIENCE_MS = 15_000;
const POLL_MS = 30;
/** Moves between two points of a stroke. */
const STEPS = 4;

export const pause = (/** @type {number} */ ms) => new Promise((resume) => setTimeout(resume, ms));

/**
 * Starts a program that ends with this one, however this one ends.
 * @param {string} program
 * @param {string[]} options
 * @param {import('node:child_process').SpawnOptions} how
 */
export function start(program, options, how) {
  const child = spawn(program, options, how);
  const end = () => child.kill();
  process.once('exit', end);
  child.once('exit', () => process.off('exit', end));
  return child;
}

/**
 * Asks until there is an answer.
 * @template T
 * @param {string} problem what is said where there never is
 * @param {() => Promise<T | null | undefined>} question
 * @returns {Promise<T>}
 */
async function patiently(problem, question) {
  for (const end = Date.now() + PATIENCE_MS; ; await pause(POLL_MS)) {
    const answer = await question();
    if (answer !== undefined && answer !== null) return answer;
    if (Date.now() > end) throw new Error(problem);
  }
}

/** A tab, driven through one of the two protocols. @implements {Driver} @abstract */
export class RemoteDriver {
  page = null;
  complaints = /** @type {string[]} */ ([]);

  /** @param {string} url of the site */
  constructor(url) {
    this.url = url;
  }

  /**
   * Runs a function in the page and returns what it gives, by way of JSON.
   * @param {string} run its source; it takes the argument and the element
   * @param {unknown} argument
   * @param {Element | null} element
   * @returns {Promise<any>}
   */
  async call(run, argument, element) {
    throw new Error(`not implemented: ${run} ${argument} ${element}`);
  }

  /** Elements with this role and accessible name, as the engine computes them. @param {string} role @param {string} name @returns {Promise<Element[]>} */
  async locate(role, name) {
    throw new Error(`not implemented: ${role} ${name}`);
  }

  /** @param {object[]} actions of a mouse */
  async act(actions) {
    throw new Error(`not implemented: ${actions}`);
  }

  /** Chooses a file. @param {string} selector of the input @param {string} path */
  async choose(selector, path) {
    throw new Error(`not implemented: ${selector} ${path}`);
  }

  async settle() {}

  /** @type {Driver['evaluate']} */
  evaluate(run, argument) {
    return this.call(String(run), argument ?? null, null);
  }

  /** @param {string} role @param {string} name */
  control(role, name) {
    return new RemoteControl(this, role, name);
  }

  /** @param {string} label @param {import('./driver.mjs').Given} file */
  async give(label, file) {
    let path = file;
    if (typeof path !== 'string') {
      path = `${await mkdtemp(`${tmpdir()}/infill-given-`)}/${path.name}`;
      await writeFile(path, /** @type {any} */ (file).buffer);
    }
    const selector = `input[type=file][aria-label="${label}"]`;
    const isThere = `(selector) => document.querySelectorAll(selector).length === 1 || null`;
    await patiently(`the file input "${label}" is not there, or not alone`, () => this.call(isThere, selector, null));
    await this.choose(selector, path);
  }

  /** @param {{x: number, y: number}[]} points */
  async drag(points) {
    const move = (/** @type {{x: number, y: number}} */ { x, y }) => ({ type: 'pointerMove', x: Math.round(x), y: Math.round(y), duration: 0 });
    const between = points.slice(1).flatMap((to, i) => Array.from({ length: STEPS }, (_, k) => {
      const share = (k + 1) / STEPS;
      return move({ x: points[i].x + (to.x - points[i].x) * share, y: points[i].y + (to.y - points[i].y) * share });
    }));
    await this.act([move(points[0]), { type: 'pointerDown', button: 0 }, move(points[0]), ...between, { type: 'pointerUp', button: 0 }]);
  }
}

/** @implements {import('./driver.mjs').Control} */
class RemoteControl {
  #driver;
  #role;
  #name;

  /** @param {RemoteDriver} driver @param {string} role @param {string} name */
  constructor(driver, role, name) {
    this.#driver = driver;
    this.#role = role;
    this.#name = name;
  }

  /** @returns {Promise<Element>} */
  async #element() {
    return patiently(`${this.#role} "${this.#name}" is not there, or not alone`, async () => {
      const found = await this.#driver.locate(this.#role, this.#name);
      return found.length === 1 ? found[0] : undefined;
    });
  }

  /** @param {string} run @param {unknown} [argument] */
  async #ask(run, argument = null) {
    return this.#driver.call(run, argument, await this.#element());
  }

  async click() {
    // Where its middle is, once nothing covers it and it is enabled.
    const at = await patiently(`${this.#role} "${this.#name}" cannot be clicked`, () => this.#ask(`(_, element) => {
      element.scrollIntoView({ block: 'nearest', inline: 'nearest' });
      const box = element.getBoundingClientRect();
      const [x, y] = [box.x + box.width / 2, box.y + box.height / 2];
      const top = document.elementFromPoint(x, y);
      return !element.matches(':disabled') && top && (element.contains(top) || top.contains(element)) ? { x, y } : null;
    }`));
    await this.#driver.drag([at]);
  }

  isDisabled() {
    return this.#ask(`(_, element) => element.matches(':disabled')`);
  }

  async isVisible() {
    return (await this.#driver.locate(this.#role, this.#name)).length > 0;
  }

  /** @param {string} name */
  getAttribute(name) {
    return this.#ask(`(name, element) => element.getAttribute(name)`, name);
  }

  /** @param {string} value */
  selectOption(value) {
    return this.#ask(`(value, element) => {
      element.value = value;
      if (element.value !== value) throw new Error('no option ' + value);
      for (const type of ['input', 'change']) element.dispatchEvent(new Event(type, { bubbles: true }));
    }`, value);
  }
}
