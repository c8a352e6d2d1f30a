/**
 * Puts the page together.
 * @module
 */
import { App } from './app.js';
import { findWork, keepOpen } from './actions/keep.js';
import { followLink } from './actions/link.js';
import { prepareDefault } from './actions/shipped.js';
import { canDraw } from './canvas/color_space.js';
import { PointerInput } from './canvas/pointer.js';
import { Stage } from './canvas/stage.js';
import { ToolLayer } from './canvas/tool_layer.js';
import { Document } from './document/document.js';
import { startingWith } from './document/site.js';
import { keepSite } from './storage/offline.js';
import { fetchSite } from './storage/site.js';
import { onLanguage, preferLanguage, text } from './strings/index.js';
import { TOOLS } from './tools/index.js';
import { Toolbox } from './tools/toolbox.js';
import { Bars } from './ui/bars.js';
import { BrushSize } from './ui/brush_size.js';
import { Compare } from './ui/compare.js';
import { ask, choose } from './ui/dialog.js';
import { byId, writeWords } from './ui/dom.js';
import { download } from './ui/download.js';
import { EdgesView } from './ui/edges_view.js';
import { listenForFiles } from './ui/files.js';
import { followTheBrowser, keptChanged, LeftWork } from './ui/keeping.js';
import { MaskMenu } from './ui/mask_menu.js';
import { OwnView } from './ui/own_view.js';
import { Panel } from './ui/panel.js';
import { chooseReading } from './ui/reading_dialog.js';
import { SaveDialog } from './ui/save_dialog.js';
import { ScoresView } from './ui/scores_view.js';
import { Shortcuts } from './ui/shortcuts.js';
import { showSite } from './ui/site.js';
import { setTheme, theme } from './ui/theme.js';
import { ToolOptions } from './ui/tool_options.js';
import { ToolRail } from './ui/tool_rail.js';

/** What of all that is kept on the device stands on the page. */
const shown = { works: /** @type {App['works'] | null} */ (null), recent: /** @type {App['recent'] | null} */ (null) };
/** The stage measures itself before the other parts are there. */
let isStarted = false;

setTheme(theme());
// Nothing has its name before it does what that says.
const asked = new URLSearchParams(location.search);
const { site, fault: siteFault } = await fetchSite();
await preferLanguage(site.language);
writeWords();
onLanguage(() => {
  writeWords();
  followView();
});

const main = /** @type {HTMLElement} */ (document.querySelector('main'));
const status = byId('status', HTMLSpanElement);
const action = byId('say-action', HTMLButtonElement);
const progress = byId('progress', HTMLDivElement);

const app = new App({
  state: (state) => {
    main.dataset.state = state;
    stage.shimmer(state === 'running');
    // What a run says several times a second is for the eye.
    status.setAttribute('aria-live', state === 'running' ? 'off' : 'polite');
    bars.show();
    if (state === 'done') panel.filled();
    edges.update();
  },
  words: (words, offered, warns) => {
    status.textContent = words;
    byId('say', HTMLDivElement).toggleAttribute('data-warns', warns);
    action.hidden = !offered;
    action.textContent = offered?.label ?? '';
    action.onclick = offered ? () => offered.run() : null;
  },
  work: () => {
    bars.show();
    menu.show();
    saving.workChanged();
    pointer.refresh();
    edges.update();
    scores.update();
    if (panel.tab) panel.workChanged();
  },
  models: () => {
    bars.showModels();
    bars.show();
    panel.modelsChanged();
    edges.update();
    scores.update();
  },
  tint: () => showTint(),
  download,
  details: () => panel.open('details'),
  kept: () => {
    const { works, recent } = app;
    main.dataset.kept = app.keeper.standing;
    keptChanged(app);
    if (works !== shown.works) left.show();
    if (recent !== shown.recent) {
      bars.showModels();
      panel.keptChanged();
    }
    Object.assign(shown, { works, recent });
  },
  own: () => own.update(),
  showOwn: () => panel.open('own'),
  progress: (done) => {
    progress.hidden = done === null;
    const bar = /** @type {HTMLElement} */ (progress.firstElementChild);
    bar.style.transform = `scaleX(${done ?? 0})`;
  },
}, startingWith(site, asked.get('model')));

const stage = new Stage(byId('stage', HTMLElement), byId('canvas', HTMLDivElement), { changed: () => followView() });
const size = new BrushSize(() => followView());
/** @type {import('./tools/tool.js').Editor} */
const editor = {
  options: { tolerance: 32, isContiguous: true, mode: 'add' },
  view: stage.view,
  get document() {
    return app.document;
  },
  get diameter() {
    return size.diameter;
  },
  get penWidth() {
    return edges.penWidth;
  },
  get grow() {
    return app.settings.grow;
  },
  redraw: () => toolLayer.refresh(),
  say: (words) => app.hint(words),
  act: (action, ...given) => action(app, ...given),
  done: (isAdded) => {
    const { state } = app;
    if (state.isRunning) app.say(text.paintedDuringRun);
    else {
      if (state.value === 'error') app.say('');
      state.succeeded();
    }
    app.touch();
    if (isAdded && app.settings.autoFill) void bars.inpaint();
  },
};
/** The tool whose use was said last. */
let helped = TOOLS[0];
const toolbox = new Toolbox(TOOLS, editor, () => {
  if (!isStarted) return;
  rail.show();
  options.show();
  const { help } = toolbox.current.words;
  if (help && app.document && !app.state.isRunning && toolbox.current !== helped) app.hint(help);
  helped = toolbox.current;
  followView();
  edges.update();
});
const rail = new ToolRail(toolbox);
const options = new ToolOptions(toolbox, editor.options);
const menu = new MaskMenu(app);
const saving = new SaveDialog(app);
const bars = new Bars(app, stage, size);
const compare = new Compare(app, stage);
const edges = new EdgesView(app, stage, toolbox);
const scores = new ScoresView(app, stage, () => panel.render());
const own = new OwnView(app);
const panel = new Panel(app, { edges, scores, own });
own.panel = panel;
const pointer = new PointerInput(byId('stage', HTMLElement), byId('cursor', HTMLDivElement), stage, toolbox, () => app.document);
const toolLayer = new ToolLayer(byId('stage', HTMLElement), stage.view, (pen) => app.document && toolbox.handler.draw(pen));

function showTint() {
  stage.setTint(/** @type {import('./canvas/tint.js').TintName | 'auto'} */ (app.settings.tint));
}

/** The photo moved on the stage: what lies over it follows. */
function followView() {
  if (!isStarted) return;
  const zoom = byId('zoom-fit', HTMLButtonElement);
  zoom.textContent = text.zoomed(stage.view.scale * 100);
  zoom.setAttribute('aria-label', text.zoomFit(zoom.textContent));
  bars.showDot();
  compare.place();
  pointer.refresh();
  toolLayer.refresh();
  edges.followView();
  scores.followView();
}

/** @type {import('./document/document.js').Listener} */
const LISTENER = {
  photo: (rect) => stage.photoChanged(rect),
  mask: (rect) => stage.maskChanged(rect),
  edges: (rect) => edges.strokesChanged(rect),
  history: () => app.touch(),
};

const page = {
  /** @param {import('./document/photo.js').Photo} photo */
  show(photo) {
    page.showDocument(new Document(photo, app.settings.grow, LISTENER));
    keepOpen(app);
  },
  /** @param {Document} opened */
  showDocument(opened) {
    toolbox.handler.drop();
    // What was found out about another photo is of no use any more.
    app.selector.release();
    opened.listen(LISTENER);
    app.document = opened;
    app.isQueued = false;
    compare.divide(false);
    main.dataset.view = 'photo';
    stage.setDocument(app.document);
    edges.photoOpened();
    bars.photoOpened();
    toolbox.handler.prepare(true);
    app.touch();
    byId('canvas', HTMLDivElement).focus({ preventScroll: true });
  },
  canDraw,
  ask,
  choose,
  chooseReading,
  isClassOpen: () => panel.tab === 'own' && !app.own.isEmpty,
  choosePhoto: () => byId('open-photo', HTMLInputElement).click(),
};
const left = new LeftWork(app, page);
listenForFiles(app, page);
showSite(app, page);
new Shortcuts(app, { stage, toolbox, size, options, pointer, bars, menu, saving, compare, openPhoto: page.choosePhoto });

window.addEventListener('beforeunload', (event) => {
  if (app.document?.history.isUnsaved) event.preventDefault();
});

isStarted = true;
showTint();
bars.show();
followView();
followTheBrowser(app);
main.dataset.state = app.state.value;
if (siteFault) app.fail(siteFault);
void findWork(app);
void prepareDefault(app);
void followLink(app, page, asked);
keepSite();
