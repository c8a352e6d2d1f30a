// Selecting objects, against a worker that is none: it selects a square of 20 around every point that adds, without those
// of 10 around the points that take away.
import assert from 'node:assert/strict';
import { snapMask } from '../../www/actions/select.js';
import { Document } from '../../www/document/document.js';
import { outline } from '../../www/document/outline.js';
import { Photo } from '../../www/document/photo.js';
import { text } from '../../www/strings/index.js';
import { TOOLS } from '../../www/tools/index.js';
import { Toolbox, wordsOfStep } from '../../www/tools/toolbox.js';
import { Failure } from '../../www/worker/protocol.js';
import { random } from './random.mjs';

const [WIDTH, HEIGHT] = [120, 90];
const turn = () => new Promise((resume) => setTimeout(resume));

function newDocument(grow = 0) {
  const photo = new Photo({ name: 'p.png', width: WIDTH, height: HEIGHT, rgba: new Uint8ClampedArray(WIDTH * HEIGHT * 4), hasAlpha: false, isGray: false });
  return new Document(photo, grow, { photo() {}, mask() {}, edges() {}, history() {} });
}

/** @param {any} request */
function answer({ kind, points, counts, adds, holes }) {
  const inside = new Uint8Array(WIDTH * HEIGHT);
  /** @param {number} x @param {number} y @param {number} reach @param {number} value */
  const square = (x, y, reach, value) => {
    for (let row = Math.max(0, y - reach); row < Math.min(HEIGHT, y + reach); row++) inside.fill(value, row * WIDTH + Math.max(0, x - reach), row * WIDTH + Math.min(WIDTH, x + reach));
  };
  if (kind === 'snap') {
    // What is moved to the edges is the left half of what it was.
    for (let i = 0; i < inside.length; i++) inside[i] = i % WIDTH < WIDTH / 2 ? holes[i] : 0;
  } else {
    let at = 0;
    counts?.forEach((/** @type {number} */ count, /** @type {number} */ prompt) => {
      for (let k = 0; k < count; k++, at += 2) square(Math.floor(points[at]), Math.floor(points[at + 1]), adds[prompt] ? 10 : 5, adds[prompt] ? 255 : 0);
    });
  }
  return kind === 'select-encode' ? null : { x: 0, y: 0, width: inside.includes(255) ? WIDTH : 0, height: HEIGHT, inside };
}

function open({ grow = 0 } = {}) {
  const asked = /** @type {any[]} */ ([]);
  const said = /** @type {string[]} */ ([]);
  const ended = /** @type {boolean[]} */ ([]);
  const drawn = /** @type {any[]} */ ([]);
  const worker = { warm: 0, hold: /** @type {Promise<void> | null} */ (null), fault: /** @type {Failure | null} */ (null) };
  /** @type {any} */
  const app = {
    document: newDocument(grow),
    state: { isRunning: false },
    selector: {
      warmUp: () => void worker.warm++,
      request: async (/** @type {any} */ request, /** @type {any} */ { signal, pixels, isBrief }) => {
        asked.push(request);
        assert.ok(isBrief && pixels.key === request.key);
        await worker.hold;
        if (signal?.aborted) throw new Failure({ code: 'run-cancelled', message: '', keys: [] });
        if (worker.fault) throw worker.fault;
        return answer(request);
      },
    },
    hint: (/** @type {string} */ words) => void said.push(words),
    fail: (/** @type {string} */ words) => void said.push(words),
    begin: () => (/** @type {string} */ words) => void said.push(words),
  };
  const editor = {
    get document() {
      return app.document;
    },
    view: { scale: 1 },
    options: { tolerance: 20, isContiguous: true, mode: 'add' },
    redraw() {},
    say: app.hint,
    act: (/** @type {any} */ action, /** @type {any[]} */ ...given) => action(app, ...given),
    done: (/** @type {boolean} */ isAdded) => void ended.push(isAdded),
  };
  const toolbox = new Toolbox(TOOLS, /** @type {any} */ (editor), () => {});
  const point = (/** @type {number} */ x, /** @type {number} */ y, how = {}) => ({ x, y, stageX: x, stageY: y, pressure: 1, isStraight: false, isOther: false, slop: 8, ...how });
  const rest = async () => {
    do await turn(); while (toolbox.handler.isBusy);
  };
  /** @param {[number, number][]} places @param {object} [how] */
  const press = (places, how) => {
    const points = places.map(([x, y]) => point(x, y, how));
    toolbox.handler.down(points[0]);
    for (const each of points.slice(1)) toolbox.handler.move(each);
    toolbox.handler.up(points[points.length - 1]);
  };
  /** @param {[number, number]} place @param {object} [how] */
  const click = async (place, how) => {
    press([place], how);
    await rest();
  };
  const shown = () => {
    drawn.length = 0;
    toolbox.handler.draw(/** @type {any} */ ({ area: (/** @type {any} */ lines, /** @type {boolean} */ takes) => drawn.push({ lines, takes }), line() {} }));
    return drawn;
  };
  toolbox.choose('select');
  return { app, editor, toolbox, worker, asked, said, ended, point, press, click, rest, shown };
}

const selects = (/** @type {any[]} */ asked) => asked.filter(({ kind }) => kind === 'select');

export async function clicks_refine_one_selection_and_each_is_undone_by_itself() {
  const { app, asked, click, ended, toolbox, said } = open();
  const { document } = app;
  await click([30, 30]);
  assert.equal(document.mask.count, 400);
  await click([60, 30]);
  assert.equal(document.mask.count, 800);
  await click([30, 30], { isOther: true });
  assert.equal(document.mask.count, 700);
  assert.deepEqual(selects(asked).map(({ adds }) => [...adds]), [[1], [1, 1], [1, 1, 0]]);
  assert.deepEqual(ended, [true, true, false]);
  assert.deepEqual(said, [text.selecting.selected, text.selecting.refined, text.selecting.refined]);
  assert.equal(wordsOfStep(TOOLS, document.undo()?.label ?? '', 'undone'), 'Selection undone.');
  assert.equal(document.mask.count, 800);
  document.undo();
  assert.equal(document.mask.count, 400);
  // From where the history stands.
  await click([90, 60]);
  assert.deepEqual([...selects(asked).at(-1).points], [30, 30, 90, 60]);
  assert.equal(document.mask.count, 800);
  while (document.history.canUndo) document.undo();
  assert.ok(document.mask.isEmpty);
  await click([90, 60]);
  assert.deepEqual([...selects(asked).at(-1).points], [90, 60], 'nothing is left to refine');
  assert.equal(toolbox.current.id, 'select');
}

export async function what_was_masked_before_stays_and_what_is_taken_away_leaves_no_rim() {
  const { app, click, toolbox, editor } = open({ grow: 3 });
  const { document } = app;
  toolbox.handler.drop();
  document.change('mask', (/** @type {any} */ mask) => mask.add((/** @type {any} */ row) => row(80, 0, 120), false));
  await click([30, 30]);
  const grown = document.mask.count;
  assert.ok(grown > 120 + 400 && document.mask.shown.has(30 + 11, 30), 'it is grown as what is painted');
  await click([30, 30], { isOther: true });
  assert.ok(document.mask.shown.has(5, 80));
  assert.ok(toolbox.handler.key('Enter'));
  assert.equal(toolbox.handler.key('Enter'), false, 'then Enter fills');
  document.undo();
  assert.equal(document.mask.count, grown);
  // A selection that takes away, refined by adding to what stays.
  editor.options.mode = 'remove';
  await click([30, 30]);
  assert.equal(document.mask.count, 120, 'a rim is left');
  await click([30, 30], { isOther: true });
  assert.ok(document.mask.shown.has(30, 30) && !document.mask.shown.has(22, 22));
  assert.ok(document.mask.shown.has(5, 80));
}

export async function a_stroke_is_one_prompt_of_many_places() {
  const { press, rest, asked, toolbox } = open();
  press([[10, 10], [11, 10]]);
  await rest();
  assert.deepEqual([...selects(asked)[0].counts], [1], 'a hand that shakes clicks');
  toolbox.handler.drop();
  press([[20, 20], [100, 20], [100, 70]]);
  await rest();
  const { points, counts, adds } = selects(asked)[1];
  assert.ok(counts.length === 1 && counts[0] > 100 && adds[0] === 1);
  for (let i = 2; i < points.length; i += 2) assert.ok(Math.hypot(points[i] - points[i - 2], points[i + 1] - points[i - 1]) < 1, 'a gap');
  assert.deepEqual([...points.slice(0, 2), ...points.slice(-2)], [20, 20, 100, 70]);
}

export async function clicks_that_come_fast_are_answered_one_after_the_other() {
  const { app, press, rest, worker, asked } = open();
  let go = () => {};
  worker.hold = new Promise((resume) => { go = () => resume(); });
  press([[30, 30]]);
  press([[60, 30]]);
  await turn();
  assert.equal(selects(asked).length, 1);
  go();
  await rest();
  assert.deepEqual(selects(asked).map(({ counts }) => counts.length), [1, 2]);
  assert.equal(app.document.history.steps.done.length, 2);
}

export async function what_nobody_waits_for_any_more_changes_nothing() {
  for (const leave of [
    (/** @type {ReturnType<typeof open>} */ { toolbox }) => toolbox.handler.drop(),
    (/** @type {ReturnType<typeof open>} */ { toolbox }) => toolbox.choose('brush'),
    (/** @type {ReturnType<typeof open>} */ { app }) => { app.document = newDocument(); },
  ]) {
    const all = open();
    const { document } = all.app;
    let go = () => {};
    all.worker.hold = new Promise((resume) => { go = () => resume(); });
    all.press([[30, 30]]);
    all.press([[60, 30]]);
    await turn();
    leave(all);
    go();
    for (let i = 0; i < 5; i++) await turn();
    assert.ok(document.mask.isEmpty && all.app.document.mask.isEmpty);
    assert.equal(all.toolbox.handler.isBusy, false);
  }
}

export async function what_is_done_meanwhile_is_not_lost() {
  const { app, press, rest, worker, click } = open();
  const { document } = app;
  await click([30, 30]);
  let go = () => {};
  worker.hold = new Promise((resume) => { go = () => resume(); });
  press([[60, 30]]);
  await turn();
  document.loadMask(new Uint8Array(WIDTH * HEIGHT).fill(255, 0, WIDTH));
  go();
  await rest();
  assert.equal(document.mask.count, WIDTH + 400, 'the loaded mask, and a selection that begins anew');
}

export async function an_error_ends_in_a_sentence_and_the_next_click_goes_on() {
  const { app, click, said, worker, toolbox, point, asked, rest } = open();
  worker.fault = new Failure({ code: 'worker-crash', message: '', keys: [] });
  await click([30, 30]);
  assert.deepEqual(said, [text.errors['worker-crash']]);
  assert.ok(app.document.mask.isEmpty && !toolbox.handler.isBusy);
  worker.fault = new Failure({ code: 'wasm-missing', message: 'HTTP 204', keys: [] });
  await click([30, 30]);
  assert.equal(said.at(-1), text.selecting.missing);
  // What is only looked at says nothing, and is not asked for again and again.
  const before = asked.length;
  for (const x of [40, 50, 60]) {
    toolbox.handler.hover(point(x, 30));
    await rest();
  }
  assert.equal(asked.length, before + 1);
  assert.equal(said.length, 2);
  worker.fault = null;
  await click([30, 30]);
  assert.equal(app.document.mask.count, 400);
  toolbox.handler.hover(point(60, 30));
  await rest();
  assert.equal(asked.at(-1).kind, 'select-preview');
}

export async function what_a_click_would_select_is_shown_under_the_pointer() {
  const { toolbox, point, rest, shown, click, asked, app, worker, editor } = open();
  toolbox.handler.hover(point(30, 30));
  await rest();
  assert.deepEqual(shown().map(({ lines, takes }) => [lines.length, takes]), [[1, false]]);
  assert.ok(shown()[0].lines[0].every(({ x, y }) => x >= 20 && x <= 40 && y >= 20 && y <= 40));
  toolbox.handler.leave();
  assert.equal(shown().length, 0);
  toolbox.handler.hover(point(30, 30));
  await rest();
  toolbox.handler.hover(point(-3, 30));
  assert.equal(shown().length, 0, 'beyond the photo there is nothing to show');
  await click([30, 30]);
  toolbox.handler.hover(point(80, 30, { isOther: true }));
  await rest();
  assert.deepEqual([...asked.at(-1).adds], [1, 0], 'what is selected already counts');
  // While the worker is busy only the last place is of interest.
  let go = () => {};
  worker.hold = new Promise((resume) => { go = () => resume(); });
  const before = asked.length;
  for (const x of [20, 30, 40, 50]) toolbox.handler.hover(point(x, 50));
  go();
  await rest();
  assert.deepEqual(asked.slice(before).map(({ points }) => points.at(-2)), [20, 50]);
  // Taking away from the mask is shown as such.
  toolbox.handler.drop();
  editor.options.mode = 'remove';
  toolbox.handler.hover(point(30, 30));
  await rest();
  assert.equal(shown()[0].takes, true);
  app.document = newDocument();
  assert.equal(shown().length, 0, 'another photo');
}

export async function it_is_fetched_when_the_pointer_comes_near_and_looks_when_it_is_chosen() {
  const { toolbox, worker, asked, app } = open();
  assert.deepEqual(asked.map(({ kind }) => kind), ['select-encode']);
  const tool = toolbox.find('select');
  toolbox.handlerOf(/** @type {any} */ (tool)).prepare(false);
  assert.deepEqual([worker.warm, asked.length], [1, 1]);
  app.document = null;
  toolbox.handler.prepare(true);
  assert.deepEqual([worker.warm, asked.length], [2, 1]);
}

export async function snapping_is_one_step_and_leaves_newer_masks_alone() {
  const { app, said, worker } = open({ grow: 2 });
  const { document } = app;
  await snapMask(app);
  assert.deepEqual(said, [], 'nothing is masked');
  const paint = (/** @type {number} */ x) => document.change('brush', (/** @type {any} */ mask) => mask.add((/** @type {any} */ row) => row(40, x, x + 80), false));
  paint(20);
  await snapMask(app);
  assert.deepEqual(said, [text.snap.done]);
  assert.ok(document.mask.shown.has(18, 40) && !document.mask.shown.has(70, 40), 'grown as what is painted');
  assert.equal(document.undo()?.label, 'snap');
  assert.equal(document.mask.count, 80);
  let go = () => {};
  worker.hold = new Promise((resume) => { go = () => resume(); });
  const snapping = snapMask(app);
  await turn();
  paint(30);
  go();
  await snapping;
  assert.equal(said.at(-1), text.selecting.changedMeanwhile);
  assert.equal(document.mask.count, 90);
  worker.fault = new Failure({ code: 'worker-gone', message: '', keys: [] });
  await snapMask(app);
  assert.equal(said.at(-1), text.errors['worker-gone']);
  assert.equal(document.mask.count, 90);
}

/** The pixels whose middles lie inside closed lines, by the rule of even and odd. @param {{x: number, y: number}[][]} lines @param {number} x @param {number} y */
function isInside(lines, x, y) {
  let crossings = 0;
  for (const line of lines) {
    line.forEach((a, i) => {
      const b = line[(i + 1) % line.length];
      if (a.y > y !== b.y > y && x < a.x + ((y - a.y) / (b.y - a.y)) * (b.x - a.x)) crossings++;
    });
  }
  return crossings % 2 === 1;
}

export function outlines_go_around_exactly_what_is_marked() {
  const next = random(7);
  for (let trial = 0; trial < 60; trial++) {
    const [width, height] = [1 + Math.floor(next() * 12), 1 + Math.floor(next() * 12)];
    const marks = Uint8Array.from({ length: width * height }, () => Number(next() < 0.2 + trial / 100));
    const lines = outline(marks, width, height);
    for (let i = 0; i < marks.length; i++) {
      const [x, y] = [i % width, Math.floor(i / width)];
      assert.equal(isInside(lines, x + 0.501, y + 0.503), marks[i] === 1, `${trial}: ${x}, ${y} of ${width} x ${height}`);
    }
  }
  assert.deepEqual(outline(new Uint8Array(12), 4, 3), []);
}
