/**
 * The one panel: settings of the fill, details of the model, its layers, where the time went.
 * @module
 */
import { onLanguage, text } from '../strings/index.js';
import { recentOnes } from '../actions/copies.js';
import { detailsTab } from './details_tab.js';
import { byId, icon, make } from './dom.js';
import { fillTab } from './fill_tab.js';
import { layersTab } from './layers_tab.js';
import { speedTab, speedWorkChanged } from './speed_tab.js';

/** @typedef {import('../app.js').App} App */
/** @typedef {import('./edges_view.js').EdgesView} EdgesView */
/** @typedef {import('./scores_view.js').ScoresView} ScoresView */
/** @typedef {import('./own_view.js').OwnView} OwnView */
/** @typedef {'fill' | 'details' | 'layers' | 'edges' | 'scores' | 'own' | 'speed'} Tab */

/** Below this width the panel is a sheet over the controls: it does not open by itself. CSS pixels. */
const PHONE_WIDTH = 640;

export class Panel {
  #app;
  #element = byId('panel', HTMLElement);
  #toggle = byId('panel-toggle', HTMLButtonElement);
  #tab = /** @type {Tab} */ ('fill');
  #known;
  /** Kept models in the list. */
  #recent = 0;
  #views;
  /** What the tab in view does when photo or mask changed. */
  workChanged = () => {};

  /**
   * @param {App} app
   * @param {{edges: EdgesView, scores: ScoresView, own: OwnView}} views tabs that some models have, and the pasted class
   */
  constructor(app, views) {
    this.#app = app;
    this.#views = views;
    this.#known = { count: app.models.entries.length, misfit: app.misfit };
    this.#toggle.addEventListener('click', (event) => {
      this.open(this.#element.hidden ? this.#tab : null);
      // By the keyboard: it stands far behind its button.
      if (event.detail === 0 && !this.#element.hidden) document.getElementById(`tab-${this.#tab}`)?.focus();
    });
    onLanguage(() => {
      if (this.#element.hidden) return;
      // Whatever stays as it is while a tab is brought up to date is in the other language, too.
      this.#element.replaceChildren();
      this.render();
    });
    this.#element.addEventListener('keydown', (event) => {
      if (event.key !== 'Escape' || app.state.isRunning) return;
      event.preventDefault();
      this.#close();
    });
  }

  /** The button that opens it has the focus then. */
  #close() {
    this.open(null);
    this.#toggle.focus();
  }

  /** @param {Tab | null} tab null closes */
  open(tab) {
    this.#element.hidden = tab === null;
    this.#toggle.setAttribute('aria-expanded', String(tab !== null));
    if (tab) {
      this.#tab = tab;
      this.render();
    }
    for (const [name, view] of Object.entries(this.#views)) view.open(tab === name);
  }

  /** The tab in view, or null. */
  get tab() {
    return this.#element.hidden ? null : this.#tab;
  }

  /** @returns {Tab[]} */
  get #tabs() {
    const { edges, scores } = this.#views;
    const { hidden } = this.#app.site;
    const all = /** @type {[Tab, boolean][]} */ ([['fill', true], ['details', true], ['layers', true], ['edges', edges.isOffered], ['scores', scores.isOffered], ['own', !hidden.has('class')], ['speed', !hidden.has('speed')]]);
    return all.flatMap(([tab, isOffered]) => (isOffered ? [tab] : []));
  }

  /** A model came, went or was selected; one that has just been dropped speaks for itself. */
  modelsChanged() {
    const now = { count: this.#app.models.entries.length, misfit: this.#app.misfit };
    const isNews = now.count > this.#known.count || (now.misfit && now.misfit !== this.#known.misfit);
    this.#known = now;
    // A class that is being worked on stays in view: it says itself what has come of it.
    if (isNews && this.tab === 'own') this.#tab = 'own';
    else if (isNews && window.innerWidth > PHONE_WIDTH) this.open('details');
    else if (isNews) this.#tab = 'details';
    if (!this.#element.hidden && this.#tab !== 'fill') this.open(this.#tab);
  }

  /** What is kept on this device is another. */
  keptChanged() {
    const count = recentOnes(this.#app).length;
    if (count === this.#recent) return;
    this.#recent = count;
    if (this.#element.hidden || this.#tab !== 'details') return;
    const hadFocus = this.#element.contains(document.activeElement);
    this.render();
    if (hadFocus) document.getElementById('tab-details')?.focus();
  }

  /** A fill ended: what is shown of it is another now. */
  filled() {
    if (!this.#element.hidden && this.#tab === 'speed') this.render();
  }

  render() {
    if (!this.#tabs.includes(this.#tab)) this.#tab = 'details';
    const tabs = this.#tabs.map((tab) =>
      make('button', {
        role: 'tab',
        id: `tab-${tab}`,
        'aria-selected': String(tab === this.#tab),
        'aria-controls': 'panel-body',
        tabindex: tab === this.#tab ? 0 : -1,
        onclick: () => this.#choose(tab),
        onkeydown: (/** @type {KeyboardEvent} */ event) => this.#onTabKey(event, tab),
      }, text.tabs[tab]));
    const close = make('button', { class: 'btn icon', 'aria-label': text.closePanel, title: text.closePanel, onclick: () => this.#close() }, icon('close'));
    const { edges, scores, own } = this.#views;
    const bar = make('div', { class: 'tabs' }, make('div', { role: 'tablist' }, ...tabs), close);
    if (this.#tab === 'own' && this.#element.querySelector('.own')) {
      // Somebody may be typing there.
      this.#element.firstElementChild?.replaceWith(bar);
      return own.update();
    }
    this.workChanged = () => {
      if (this.#tab === 'edges') this.render();
      if (this.#tab === 'speed') speedWorkChanged(this.#app);
    };
    const content = { fill: fillTab, details: detailsTab, layers: layersTab, edges: () => edges.tab(), scores: () => scores.tab(), own: () => own.tab(), speed: speedTab }[this.#tab](this.#app, this);
    this.#element.classList.toggle('broad', this.#tab === 'layers');
    this.#element.replaceChildren(
      bar,
      make('div', { class: 'body', id: 'panel-body', role: 'tabpanel', 'aria-label': text.tabs[this.#tab] }, ...content),
    );
  }

  /** @param {Tab} tab */
  #choose(tab) {
    this.open(tab);
    document.getElementById(`tab-${tab}`)?.focus();
  }

  /**
   * @param {KeyboardEvent} event
   * @param {Tab} tab
   */
  #onTabKey(event, tab) {
    const all = this.#tabs;
    const step = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    if (!step) return;
    event.preventDefault();
    this.#choose(all[(all.indexOf(tab) + step + all.length) % all.length]);
  }
}
