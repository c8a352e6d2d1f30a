/**
 * The tools as buttons.
 * @module
 */
import { onLanguage, text } from '../strings/index.js';
import { byId, draw, make } from './dom.js';

/** @typedef {import('../tools/tool.js').Tool} Tool */
/** @typedef {import('../tools/toolbox.js').Toolbox} Toolbox */

export class ToolRail {
  #toolbox;
  #buttons;

  /** @param {Toolbox} toolbox */
  constructor(toolbox) {
    this.#toolbox = toolbox;
    this.#buttons = new Map(toolbox.tools.map((tool) => [tool, button(tool, () => toolbox.choose(tool.id), () => toolbox.handlerOf(tool).prepare(false))]));
    byId('rail', HTMLElement).prepend(...this.#buttons.values());
    this.show();
    onLanguage(() => this.show());
  }

  /** Brings every button up to date. */
  show() {
    for (const [tool, button] of this.#buttons) {
      const isChosen = tool === this.#toolbox.current;
      const { name, tip } = tool.words;
      button.setAttribute('aria-label', name);
      button.title = text.toolTip(tip, tool.key);
      button.hidden = !this.#toolbox.isOffered(tool);
      if (isChosen && button.getAttribute('aria-pressed') !== 'true') button.scrollIntoView({ block: 'nearest', inline: 'nearest' });
      button.setAttribute('aria-pressed', String(isChosen));
    }
  }
}

/**
 * @param {Tool} tool
 * @param {() => void} choose
 * @param {() => void} near the pointer, or the focus, is on it
 */
function button({ id, icon, key }, choose, near) {
  const picture = draw('svg', { 'aria-hidden': 'true', viewBox: '0 0 20 20' }, draw('path', { d: icon }));
  return make('button', { class: 'btn icon', id: `tool-${id}`, 'aria-keyshortcuts': key?.toUpperCase(), onclick: choose, onpointerenter: near, onfocus: near }, picture);
}
