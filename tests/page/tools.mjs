// Tools as people use them, without a page: each by the points of a pointer.
import assert from 'node:assert/strict';
import { Document } from '../../www/document/document.js';
import { OPERATIONS } from '../../www/document/operations.js';
import { Photo } from '../../www/document/photo.js';
import { Plane } from '../../www/document/plane.js';
import { ellipseRows, polygonRows } from '../../www/document/raster.js';
import { findAlike } from '../../www/document/wand.js';
import { TOOLS } from '../../www/tools/index.js';
import { Toolbox, wordsOfStep } from '../../www/tools/toolbox.js';
import { random } from './random.mjs';
import { stamp } from './stamp_tool.mjs';

/** Work on a photo of these pixels, with the tools at hand. @param {number} width @param {number} height @param {(x: number, y: number) => number[]} [colour] */
function open(width, height, colour = () => [90, 90, 90]) {
  const rgba = new Uint8ClampedArray(width * height * 4);
  for (let i = 0; i < width * height; i++) rgba.set([...colour(i % width, Math.floor(i / width)), 255], i * 4);
  const document = new Document(new Photo({ name: 'p.png', width, height, rgba, hasAlpha: false, isGray: false }), 0, { photo() {}, mask() {}, edges() {}, history() {} });
  const ended = /** @type {boolean[]} */ ([]);
  /** @type {any} */
  const view = { scale: 1, moved: [0, 0], pan(/** @type {number} */ x, /** @type {number} */ y) { view.moved = [view.moved[0] + x, view.moved[1] + y]; } };
  const editor = { document, view, options: { tolerance: 20, isContiguous: true, mode: /** @type {'add' | 'remove'} */ ('add') }, diameter: 10, penWidth: 1, grow: 0, redraw() {}, say() {}, act: () => undefined, done: (/** @type {boolean} */ isAdded) => void ended.push(isAdded) };
  const toolbox = new Toolbox([...TOOLS, stamp], editor, () => {});
  /** @param {number} x @param {number} y @param {object} [how] */
  const point = (x, y, how) => ({ x, y, stageX: x, stageY: y, pressure: 1, isStraight: false, isOther: false, slop: 8, ...how });
  /** Presses at the first place and releases at the last. @param {[number, number][]} places @param {object} [how] */
  const drag = (places, how) => {
    const points = places.map(([x, y]) => point(x, y, how));
    toolbox.handler.down(points[0]);
    for (const each of points.slice(1)) toolbox.handler.move(each);
    toolbox.handler.up(points[points.length - 1]);
  };
  return { document, editor, toolbox, drag, point, ended, view };
}

/** Waits until a tool that works in slices is done. @param {{isBusy: boolean}} handler */
async function rest(handler) {
  while (handler.isBusy) await new Promise((resume) => setTimeout(resume));
}

export function every_tool_has_an_icon_words_and_a_key_of_its_own() {
  const keys = TOOLS.flatMap(({ key }) => key ?? []);
  assert.equal(new Set(keys).size, keys.length);
  assert.equal(new Set(TOOLS.map(({ id }) => id)).size, TOOLS.length);
  for (const { id, icon, words, options, cursor } of TOOLS) {
    assert.match(icon, /^[Mm][-\d. MmLlHhVvCcSsAaZz]+$/, id);
    assert.ok(words.name && words.tip, id);
    if (cursor === 'ring') assert.ok(options.includes('size'), id);
    if (cursor !== 'hand') assert.ok(words.undone && words.redone, id);
  }
}

/** A tool of one file that nothing else knows. */
export function a_tool_is_added_by_one_file_and_its_line_in_the_list() {
  const { document, toolbox, drag, ended } = open(60, 50);
  toolbox.choose('stamp');
  assert.equal(toolbox.current, stamp);
  drag([[20, 20]]);
  assert.equal(document.mask.count, 25);
  assert.deepEqual(ended, [true]);
  const step = document.undo();
  assert.equal(wordsOfStep([stamp], step?.label ?? '', 'undone'), 'Stamp undone.');
  assert.ok(document.mask.isEmpty);
}

export function rectangle_ellipse_and_lasso_mask_exactly_what_they_go_around() {
  const { document, toolbox, drag, editor, ended } = open(200, 150);
  toolbox.choose('rectangle');
  drag([[10.2, 20.4], [60, 70], [110.4, 80]]);
  assert.deepEqual(document.mask.shown.bounds(), { x: 10, y: 20, width: 100, height: 60 });
  assert.equal(document.mask.count, 6000);
  drag([[20, 30], [40, 40]], { isOther: true });
  assert.equal(document.mask.count, 5800, 'Alt takes away');
  editor.options.mode = 'remove';
  drag([[90, 30], [80, 40]]);
  assert.equal(document.mask.count, 5700, 'the mode takes away, from any corner');
  editor.options.mode = 'add';
  drag([[150, 10], [190, 20]], { isStraight: true });
  assert.equal(document.mask.count, 5700 + 40 * 40, 'Shift makes a square');
  drag([[5, 5]]);
  assert.equal(document.mask.count, 5700 + 40 * 40, 'a click masks nothing');
  assert.deepEqual(ended, [true, false, false, true]);
  document.clearMask();
  toolbox.choose('ellipse');
  drag([[50, 40], [150, 100]]);
  assert.ok(Math.abs(document.mask.count - Math.PI * 50 * 30) < 30, `${document.mask.count}`);
  document.clearMask();
  toolbox.choose('lasso');
  drag([[10, 10], [110, 10], [110, 60], [10, 60]]);
  assert.equal(document.mask.count, 5000);
  toolbox.handler.down(/** @type {any} */ ({ x: 0, y: 0, stageX: 0, stageY: 0 }));
  toolbox.choose('brush');
  assert.equal(document.mask.count, 5000, 'another tool drops what was begun');
}

export function what_is_dragged_beyond_the_photo_ends_at_its_edge() {
  for (const id of ['rectangle', 'ellipse', 'lasso']) {
    const { document, toolbox, drag } = open(40, 30);
    toolbox.choose(id);
    drag([[-900, -900], [900, -900], [900, 900], [-900, 901], [900, 900]]);
    assert.ok(document.mask.count > 500, `${id}: ${document.mask.count}`);
    drag([[-90, -90], [-50, -70], [-60, -50]]);
  }
}

export function a_polygon_has_points_that_can_be_moved() {
  const { document, toolbox, drag, ended } = open(200, 150);
  toolbox.choose('polygon');
  for (const place of /** @type {[number, number][]} */ ([[20, 20], [120, 20], [120, 70], [60, 140]])) drag([place]);
  assert.ok(toolbox.handler.isBusy && document.mask.isEmpty);
  assert.ok(toolbox.handler.key('Backspace'), 'the last point goes');
  drag([[20, 70]]);
  drag([[20, 20]]);
  assert.equal(document.mask.count, 100 * 50, 'closed by its first point');
  drag([[120, 70], [130, 90], [120, 120]]);
  assert.equal(document.mask.count, 50 * 100 + 50 * 50, 'a point was moved after it was closed');
  document.undo();
  assert.ok(document.mask.isEmpty, 'it is one step all the same');
  document.redo();
  // Somewhere else: the next polygon begins, closed by Enter.
  for (const place of /** @type {[number, number][]} */ ([[150, 10], [190, 10], [190, 30]])) drag([place]);
  drag([[190, 30], [190, 50]]);
  assert.ok(toolbox.handler.key('Enter'));
  assert.equal(document.history.steps.done.length, 2);
  assert.ok(document.mask.shown.has(180, 15) && document.mask.shown.has(60, 40));
  assert.equal(toolbox.handler.key('Enter'), false, 'Enter fills again');
  assert.deepEqual(ended, [true, true, true]);
  drag([[5, 5]]);
  toolbox.handler.drop();
  assert.equal(toolbox.handler.isBusy, false);
}

export function with_shift_the_brush_draws_straight_lines() {
  const { document, toolbox, drag } = open(200, 150);
  drag([[20, 20]]);
  drag([[180, 130]], { isStraight: true });
  assert.ok(document.mask.shown.has(100, 75), 'a click is joined with the last stroke');
  document.undo();
  drag([[20, 100], [100, 30], [180, 100]], { isStraight: true });
  assert.ok(document.mask.shown.has(100, 100) && !document.mask.shown.has(100, 35), 'a drag is straight from where it began');
  drag([[100, 100]], { isOther: true });
  assert.ok(!document.mask.shown.has(100, 100), 'Alt erases');
  assert.equal(document.undo()?.label, 'eraser');
  assert.equal(toolbox.current.id, 'brush');
}

export function a_light_pen_draws_a_thin_line() {
  const { document, drag } = open(200, 150);
  drag([[20, 20], [180, 20]], { pressure: 0.4 });
  assert.equal(document.mask.shown.bounds()?.height, 4);
}

export function a_second_finger_takes_back_what_the_first_began() {
  for (const { id, cursor } of TOOLS.filter(({ needs }) => !needs)) {
    const { document, toolbox, point } = open(100, 80);
    toolbox.choose(id);
    toolbox.handler.down(point(20, 20));
    toolbox.handler.pinched(false, point(20, 20));
    assert.ok(document.mask.isEmpty && !document.history.canUndo, `${id}: a finger that rested left a dab`);
    toolbox.handler.down(point(20, 20));
    toolbox.handler.move(point(60, 60));
    toolbox.handler.pinched(true, point(60, 60));
    assert.ok(document.mask.isEmpty && !document.history.canUndo, id);
    assert.ok(cursor === 'hand' || !toolbox.handler.isBusy, id);
  }
}

export async function the_wand_takes_what_hangs_together_or_all_that_is_alike() {
  // Two red squares on gray.
  const isRed = (/** @type {number} */ x, /** @type {number} */ y) => (x >= 20 && x < 50 && y >= 20 && y < 60) || (x >= 100 && x < 120 && y >= 20 && y < 30);
  const { document, toolbox, drag, editor } = open(200, 150, (x, y) => (isRed(x, y) ? [200 + (x % 3), 30, 30] : [90, 90 + (y % 5), 90]));
  toolbox.choose('wand');
  drag([[30, 30]]);
  await rest(toolbox.handler);
  assert.equal(document.mask.count, 30 * 40);
  document.undo();
  editor.options.isContiguous = false;
  drag([[30, 30]]);
  await rest(toolbox.handler);
  assert.equal(document.mask.count, 30 * 40 + 200);
  drag([[105, 25]], { isOther: true });
  await rest(toolbox.handler);
  assert.ok(document.mask.isEmpty);
  editor.options.tolerance = 255;
  drag([[5, 5]]);
  await rest(toolbox.handler);
  assert.ok(document.mask.isFull);
  drag([[-5, 5]]);
  assert.equal(toolbox.handler.isBusy, false, 'there is nothing beside the photo');
}

export function what_the_wand_finds_is_what_a_slow_search_finds() {
  for (let round = 0; round < 30; round++) {
    const next = random(70 + round);
    const upTo = (/** @type {number} */ n) => Math.floor(next() * n);
    const [width, height, tolerance] = [1 + upTo(60), 1 + upTo(60), upTo(60)];
    const rgba = Uint8ClampedArray.from({ length: width * height * 4 }, () => (next() < 0.5 ? 100 : 100 + upTo(90)));
    const photo = /** @type {any} */ ({ rgba, width, height });
    const [x, y] = [upTo(width), upTo(height)];
    const mean = [0, 1, 2].map((c) => {
      let [sum, n] = [0, 0];
      for (let py = Math.max(0, y - 1); py <= Math.min(height - 1, y + 1); py++) for (let px = Math.max(0, x - 1); px <= Math.min(width - 1, x + 1); px++, n++) sum += rgba[(py * width + px) * 4 + c];
      return sum / n;
    });
    const isAlike = (/** @type {number} */ at) => at === y * width + x || mean.every((value, c) => Math.abs(rgba[at * 4 + c] - value) <= tolerance);
    const all = Uint8Array.from({ length: width * height }, (_, at) => (isAlike(at) ? 255 : 0));
    const reached = new Uint8Array(width * height);
    const queue = [y * width + x];
    for (let at = queue.pop(); at !== undefined; at = queue.pop()) {
      if (reached[at] || !all[at]) continue;
      reached[at] = 255;
      const px = at % width;
      if (px > 0) queue.push(at - 1);
      if (px < width - 1) queue.push(at + 1);
      if (at >= width) queue.push(at - width);
      if (at + width < width * height) queue.push(at + width);
    }
    for (const [isContiguous, wanted] of /** @type {const} */ ([[true, reached], [false, all]])) {
      const steps = findAlike(photo, { x, y, tolerance, isContiguous });
      let found = steps.next();
      while (!found.done) found = steps.next();
      assert.deepEqual(found.value.toBytes(), wanted, `round ${round}, ${isContiguous}`);
    }
  }
}

export function polygons_and_ellipses_hold_the_pixels_whose_centres_they_hold() {
  const next = random(21);
  const [width, height] = [50, 40];
  for (let round = 0; round < 200; round++) {
    const points = Array.from({ length: 3 + Math.floor(next() * 7) }, () => ({ x: next() * 70 - 10, y: next() * 60 - 10 }));
    const found = new Uint8Array(width * height);
    polygonRows(points, width, height, (y, x0, x1) => found.fill(1, y * width + x0, y * width + x1));
    const box = { x: Math.floor(next() * 60) - 10, y: Math.floor(next() * 50) - 10, width: 1 + Math.floor(next() * 40), height: 1 + Math.floor(next() * 40) };
    const round_ = new Uint8Array(width * height);
    ellipseRows(box, width, height, (y, x0, x1) => round_.fill(1, y * width + x0, y * width + x1));
    for (let at = 0; at < width * height; at++) {
      const [x, y] = [(at % width) + 0.5, Math.floor(at / width) + 0.5];
      // How often the line goes around the centre, by the crossings of a ray to the right.
      let turns = 0;
      points.forEach((a, i) => {
        const b = points[(i + 1) % points.length];
        if (a.y <= y === b.y <= y) return;
        if (a.x + ((y - a.y) / (b.y - a.y)) * (b.x - a.x) > x) turns += a.y < b.y ? 1 : -1;
      });
      assert.equal(found[at], turns ? 1 : 0, `round ${round}, ${x}, ${y}`);
      const far = ((x - box.x - box.width / 2) / (box.width / 2)) ** 2 + ((y - box.y - box.height / 2) / (box.height / 2)) ** 2;
      if (Math.abs(far - 1) > 1e-9) assert.equal(round_[at], far < 1 ? 1 : 0, `round ${round}, ${x}, ${y} in ${JSON.stringify(box)}`);
    }
  }
}

export function operations_do_what_their_names_say() {
  const next = random(31);
  for (let round = 0; round < 10; round++) {
    const [width, height, amount] = [20 + Math.floor(next() * 160), 20 + Math.floor(next() * 160), 1 + Math.floor(next() * 5)];
    const bytes = new Uint8Array(width * height);
    for (let i = 0; i < 12; i++) {
      const box = { x: Math.floor(next() * width) - 10, y: Math.floor(next() * height) - 10, width: 3 + Math.floor(next() * 50), height: 3 + Math.floor(next() * 50) };
      const value = next() < 0.7 ? 255 : 0;
      ellipseRows(box, width, height, (y, x0, x1) => bytes.fill(value, y * width + x0, y * width + x1));
    }
    const plane = Plane.from(width, height, bytes);
    const result = (/** @type {keyof typeof OPERATIONS} */ name) => OPERATIONS[name].run(plane, amount).toBytes();
    assert.deepEqual(result('invert'), bytes.map((value) => 255 - value));
    /** Whether any pixel within the amount has this value. @param {number} at @param {number} value */
    const near = (at, value) => {
      for (let dy = -amount; dy <= amount; dy++) {
        for (let dx = -amount; dx <= amount; dx++) {
          const [x, y] = [(at % width) + dx, Math.floor(at / width) + dy];
          if (dx * dx + dy * dy <= amount * amount && x >= 0 && y >= 0 && x < width && y < height && bytes[y * width + x] === value) return true;
        }
      }
      return false;
    };
    assert.deepEqual(result('grow'), bytes.map((_, at) => (near(at, 255) ? 255 : 0)), `round ${round}`);
    assert.deepEqual(result('shrink'), bytes.map((_, at) => (near(at, 0) ? 0 : 255)), `round ${round}`);
    // From every pixel of the edge as far as nothing is masked: what remains is surrounded.
    const open = new Uint8Array(width * height);
    const queue = [...bytes.keys()].filter((at) => at % width === 0 || at % width === width - 1 || at < width || at >= width * (height - 1));
    for (let at = queue.pop(); at !== undefined; at = queue.pop()) {
      if (bytes[at] || open[at]) continue;
      open[at] = 1;
      const x = at % width;
      queue.push(...[x > 0 ? at - 1 : at, x < width - 1 ? at + 1 : at, at >= width ? at - width : at, at + width < width * height ? at + width : at]);
    }
    assert.deepEqual(result('fillHoles'), bytes.map((_, at) => (open[at] ? 0 : 255)), `round ${round}`);
    const smooth = Plane.from(width, height, result('smooth'));
    assert.ok(Math.abs(smooth.count - plane.count) < 0.35 * plane.count + 60, `${plane.count} became ${smooth.count}`);
  }
}

/** A speck goes, a notch closes, and a straight edge stays where it is, at the photo's edges too. */
export function smoothing_rounds_and_leaves_straight_edges() {
  const plane = new Plane(300, 200);
  for (let y = 0; y < 200; y++) plane.span(y, 100, 300);
  plane.span(50, 20, 23);
  plane.span(80, 160, 163, 0);
  const smooth = OPERATIONS.smooth.run(plane, 4);
  assert.deepEqual(smooth.bounds(), { x: 100, y: 0, width: 200, height: 200 });
  assert.equal(smooth.count, 200 * 200);
}
