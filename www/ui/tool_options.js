/**
 * What the chosen tool can be told, in the bar at the bottom: the brush's size, or whatever else its `options` name.
 * @module
 */
import { byId } from './dom.js';

/** @typedef {import('../tools/tool.js').Options} Options */
/** @typedef {import('../tools/tool.js').OptionName} OptionName */
/** @typedef {import('../tools/toolbox.js').Toolbox} Toolbox */

const MAX_TOLERANCE = 255;

export class ToolOptions {
  #toolbox;
  #options;

  /**
   * @param {Toolbox} toolbox
   * @param {Options} options
   */
  constructor(toolbox, options) {
    this.#toolbox = toolbox;
    this.#options = options;
    for (const mode of /** @type {const} */ (['add', 'remove'])) byId(`mode-${mode}`, HTMLButtonElement).addEventListener('click', () => this.setMode(mode));
    const tolerance = byId('tolerance', HTMLInputElement);
    tolerance.max = String(MAX_TOLERANCE);
    tolerance.addEventListener('input', () => this.setTolerance(Number(tolerance.value)));
    const contiguous = byId('contiguous', HTMLInputElement);
    contiguous.addEventListener('change', () => {
      options.isContiguous = contiguous.checked;
    });
    this.show();
  }

  /** Adding becomes taking away, and the other way round. */
  swapMode() {
    this.setMode(this.#options.mode === 'add' ? 'remove' : 'add');
  }

  /** @param {Options['mode']} mode */
  setMode(mode) {
    this.#options.mode = mode;
    this.show();
  }

  /** @param {number} tolerance */
  setTolerance(tolerance) {
    this.#options.tolerance = Math.min(MAX_TOLERANCE, Math.max(0, Math.round(tolerance)));
    this.show();
  }

  /** Brings everything up to date with the tool and the options. */
  show() {
    const { mode, tolerance, isContiguous } = this.#options;
    for (const name of /** @type {OptionName[]} */ (['size', 'mode', 'tolerance', 'contiguous'])) {
      byId(`option-${name}`, HTMLElement).hidden = !this.#toolbox.current.options.includes(name);
    }
    for (const each of /** @type {const} */ (['add', 'remove'])) byId(`mode-${each}`, HTMLButtonElement).setAttribute('aria-pressed', String(mode === each));
    byId('tolerance', HTMLInputElement).value = byId('tolerance-value', HTMLElement).textContent = String(tolerance);
    byId('contiguous', HTMLInputElement).checked = isContiguous;
  }
}
