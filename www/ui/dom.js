/**
 * Small helpers for the page's elements.
 * @module
 */
import { text } from '../strings/index.js';

/**
 * The element of this id; its absence is a fault of the page itself.
 * @template {HTMLElement} T
 * @param {string} id
 * @param {new () => T} type
 * @returns {T}
 */
export function byId(id, type) {
  const element = document.getElementById(id);
  if (!(element instanceof type)) throw new Error(`#${id} is missing`);
  return element;
}

/**
 * A new element with attributes and children; `class` and `on...` as one expects, null and false leave out.
 * @template {keyof HTMLElementTagNameMap} K
 * @param {K} tag
 * @param {Record<string, any>} [attributes]
 * @param {...(Node | string | null | undefined | false)} children
 * @returns {HTMLElementTagNameMap[K]}
 */
export function make(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith('on')) element.addEventListener(name.slice(2), value);
    else if (value === true) element.setAttribute(name, '');
    else if (value !== null && value !== undefined && value !== false) element.setAttribute(name, String(value));
  }
  for (const child of children) if (child) element.append(child);
  return element;
}

/**
 * A sentence whose code stands between backticks.
 * @param {string} sentence
 * @returns {Node[]}
 */
export function prose(sentence) {
  return sentence.split('`').map((part, index) => (index % 2 ? make('code', {}, part) : document.createTextNode(part)));
}

const SVG = 'http://www.w3.org/2000/svg';

/**
 * A new SVG element.
 * @param {string} tag
 * @param {Record<string, any>} [attributes]
 * @param {...(Node | string)} children
 * @returns {SVGElement}
 */
export function draw(tag, attributes = {}, ...children) {
  const element = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith('on')) element.addEventListener(name.slice(2), value);
    else element.setAttribute(name, String(value));
  }
  element.append(...children);
  return element;
}

/**
 * An icon of the sprite.
 * @param {string} name
 */
export function icon(name) {
  return draw('svg', { 'aria-hidden': 'true' }, draw('use', { href: `www/icons.svg#${name}` }));
}

/** Writes the words into the markup: `data-text`, `data-title` and `data-label` name a string. */
export function writeWords() {
  const words = /** @type {Record<string, any>} */ (text);
  for (const element of document.querySelectorAll('[data-text], [data-title], [data-label]')) {
    const { text: inner, title, label } = /** @type {HTMLElement} */ (element).dataset;
    if (inner) element.textContent = words[inner];
    if (title) element.setAttribute('title', words[title]);
    if (label) element.setAttribute('aria-label', words[label]);
  }
}
