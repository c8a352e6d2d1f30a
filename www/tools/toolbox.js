/**
 * The tools at hand, and the one that is chosen.
 * @module
 */

/** @typedef {import('./tool.js').Tool} Tool */
/** @typedef {import('./tool.js').Handler} Handler */
/** @typedef {import('./tool.js').Editor} Editor */

export class Toolbox {
  #handlers;
  #current;
  #before;
  #offered = new Set();
  #changed;

  /**
   * @param {readonly Tool[]} tools the first is chosen
   * @param {Editor} editor
   * @param {() => void} changed another tool was chosen, or others are offered
   */
  constructor(tools, editor, changed) {
    this.tools = tools;
    this.#handlers = new Map(tools.map((tool) => [tool, tool.create(editor)]));
    this.#current = this.#before = tools[0];
    this.#changed = changed;
  }

  get current() {
    return this.#current;
  }

  get handler() {
    return this.handlerOf(this.#current);
  }

  /** @param {Tool} tool */
  handlerOf(tool) {
    return /** @type {Handler} */ (this.#handlers.get(tool));
  }

  /** @param {string} id @returns {Tool | undefined} */
  find(id) {
    return this.tools.find((tool) => tool.id === id);
  }

  /** @param {Tool} tool */
  isOffered(tool) {
    return !tool.needs || this.#offered.has(tool.needs);
  }

  /** @param {string} id of a tool that is offered; others are not chosen */
  choose(id) {
    const tool = this.find(id);
    if (!tool || !this.isOffered(tool) || tool === this.#current) return;
    this.handler.drop();
    this.#before = this.#current;
    this.#current = tool;
    this.handler.prepare(true);
    this.#changed();
  }

  /**
   * Offers tools that need something, or takes them back; then the tool before is chosen.
   * @param {'edges'} what
   * @param {boolean} isThere
   */
  offer(what, isThere) {
    if (this.#offered.has(what) === isThere) return;
    if (isThere) this.#offered.add(what);
    else this.#offered.delete(what);
    if (!this.isOffered(this.#current)) this.choose((this.isOffered(this.#before) ? this.#before : this.tools[0]).id);
    this.#changed();
  }
}

/**
 * What is said when a step is undone or redone, if it is a tool's.
 * @param {readonly Tool[]} tools
 * @param {string} label of the step
 * @param {'undone' | 'redone'} what
 */
export function wordsOfStep(tools, label, what) {
  return tools.find(({ id }) => id === label)?.words[what];
}
