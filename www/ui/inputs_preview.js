/**
 * Exactly what goes into the networks, channel by channel, brought up to date when a setting changes.
 * @module
 */
import { isCancelled, wordsFor } from '../app.js';
import { previewInputs } from '../actions/look.js';
import { raster } from '../canvas/overlay.js';
import { text } from '../strings/index.js';
import { make } from './dom.js';

/** @typedef {import('../app.js').App} App */
/** @typedef {import('../worker/protocol.js').Channel} Channel */

/** A setting that is being typed is waited for. */
const PAUSE_MS = 150;

/**
 * @param {App} app
 * @returns {{element: HTMLElement, refresh: () => void}}
 */
export function inputsPreview(app) {
  const box = make('div', { class: 'group' });
  const element = make('section', { class: 'group' }, make('h3', {}, text.goesIn), box);
  let timer = 0;
  let asked = 0;
  const show = async () => {
    const { document, state } = app;
    if (!document || document.mask.isEmpty) return box.replaceChildren(make('p', { class: 'help' }, text.goesInNeedsHole));
    if (state.isRunning || !element.isConnected) return;
    const mine = ++asked;
    try {
      const channels = await previewInputs(app);
      if (mine === asked) box.replaceChildren(...pictures(channels));
    } catch (error) {
      if (mine === asked && !isCancelled(error)) box.replaceChildren(make('p', { class: 'help' }, wordsFor(error)));
    }
  };
  const refresh = () => {
    clearTimeout(timer);
    timer = window.setTimeout(() => void show(), PAUSE_MS);
  };
  refresh();
  return { element, refresh };
}

/** @param {Channel[]} channels */
function pictures(channels) {
  /** @type {Map<string, Channel[]>} */
  const inputs = new Map();
  for (const channel of channels) {
    const title = `${channel.network}: ${channel.input}`;
    inputs.set(title, [...(inputs.get(title) ?? []), channel]);
  }
  return [...inputs].map(([title, list]) => {
    const { columns, rows } = list[0];
    const figures = list.map(({ label, low, high, gray }) => {
      const image = raster(columns, rows, (at) => [gray[at], gray[at], gray[at], 255]);
      image.setAttribute('role', 'img');
      image.setAttribute('aria-label', text.channel(label, low, high));
      return make('figure', {}, image, make('figcaption', {}, make('b', {}, label), ' ', text.span(low, high)));
    });
    return make('div', { class: 'input' }, make('h4', {}, title, ' ', make('small', {}, `[1, ${list.length}, ${rows}, ${columns}]`)), make('div', { class: 'channels' }, ...figures));
  });
}
