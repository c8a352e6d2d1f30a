// Tiles that are copied when they are written to, held against plain arrays.
import assert from 'node:assert/strict';
import { planePainter } from '../../www/canvas/tiles.js';
import { read, write } from '../../www/document/commands.js';
import { Document } from '../../www/document/document.js';
import { Mask } from '../../www/document/mask.js';
import { FULL, Plane } from '../../www/document/plane.js';
import { Photo } from '../../www/document/photo.js';
import { random } from './random.mjs';

/** @param {Plane} plane @param {Uint8Array} array */
function hold(plane, array) {
  assert.deepEqual(plane.toBytes(), array);
  assert.equal(plane.count, array.reduce((sum, value) => sum + (value ? 1 : 0), 0));
  assert.equal(plane.isEmpty, array.every((value) => value === 0));
  const { width } = plane;
  const marked = [...array.keys()].filter((i) => array[i]);
  const box = plane.bounds();
  if (!marked.length) return assert.equal(box, null);
  const xs = marked.map((i) => i % width);
  const ys = marked.map((i) => Math.floor(i / width));
  const [x, y] = [Math.min(...xs), ys[0]];
  assert.deepEqual(box, { x, y, width: Math.max(...xs) - x + 1, height: /** @type {number} */ (ys.at(-1)) - y + 1 });
}

export function a_plane_does_what_a_plain_array_does() {
  for (let round = 0; round < 12; round++) {
    const next = random(100 + round);
    const upTo = (/** @type {number} */ n) => Math.floor(next() * n);
    const [width, height] = [1 + upTo(300), 1 + upTo(300)];
    const plane = new Plane(width, height);
    const array = new Uint8Array(width * height);
    /** @type {{tiles: any, array: Uint8Array}[]} */
    const kept = [];
    /** @type {{changes: import('../../www/document/plane.js').TileChange[], before: Uint8Array, after: Uint8Array}[]} */
    const steps = [];
    for (let i = 0; i < 30; i++) {
      const before = { tiles: plane.snapshot(), array: array.slice() };
      kept.push(before);
      for (let n = upTo(40); n > 0; n--) {
        const [y, rows, x0, value] = [upTo(height), upTo(40), upTo(width), next() < 0.6 ? 255 : 0];
        const x1 = x0 + 1 + upTo(width - x0);
        if (next() < 0.1) kept.push({ tiles: plane.snapshot(), array: array.slice() });
        for (let row = y; row < Math.min(height, y + rows); row++) {
          plane.span(row, x0, x1, value);
          array.fill(value, row * width + x0, row * width + x1);
        }
      }
      if (next() < 0.2) {
        for (let y = 0; y < height; y++) plane.span(y, 0, width);
        array.fill(255);
      }
      if (next() < 0.3) plane.tidy();
      steps.push({ changes: plane.changesSince(before.tiles), before: before.array, after: array.slice() });
      hold(plane, array);
      const [x, y] = [upTo(width), upTo(height)];
      const rect = { x, y, width: 1 + upTo(width - x), height: 1 + upTo(height - y) };
      const part = plane.read(rect);
      part.forEach((value, at) => assert.equal(value, array[(y + Math.floor(at / rect.width)) * width + x + (at % rect.width)]));
      const spans = new Uint8Array(width * height);
      plane.eachSpan((row, from, to) => spans.fill(255, row * width + from, row * width + to), rect);
      array.forEach((value, at) => {
        const isInside = at % width >= x && at % width < x + rect.width && Math.floor(at / width) >= y && Math.floor(at / width) < y + rect.height;
        assert.equal(spans[at], isInside ? value : 0);
      });
      assert.equal(plane.has(x, y), array[y * width + x] !== 0);
    }
    // What was kept is as it was, and every step leads back.
    for (const { tiles, array } of kept) {
      const copy = new Plane(width, height);
      copy.restore(tiles);
      hold(copy, array);
    }
    for (const { changes, before } of steps.toReversed()) {
      for (const { index, before } of changes) plane.put(index, before);
      assert.deepEqual(plane.toBytes(), before);
    }
    for (const { changes, after } of steps) {
      for (const { index, after } of changes) plane.put(index, after);
      assert.deepEqual(plane.toBytes(), after);
    }
    assert.deepEqual(Plane.from(width, height, array).toBytes(), array);
  }
}

export function a_broad_shape_is_written_as_its_rows_are() {
  for (let round = 0; round < 60; round++) {
    const next = random(500 + round);
    const upTo = (/** @type {number} */ n) => Math.floor(next() * n);
    const [width, height] = [1 + upTo(700), 1 + upTo(700)];
    const [whole, byRow] = [new Plane(width, height), new Plane(width, height)];
    for (let i = 0; i < 6; i++) {
      const [x, y, radius, value, hasGaps] = [upTo(width), upTo(height), upTo(500), next() < 0.7 ? 255 : 0, next() < 0.2];
      /** @type {import('../../www/document/mask.js').Region} */
      const shape = (row) => {
        for (let line = Math.max(0, y - radius); line < Math.min(height, y + radius); line++) {
          const half = Math.floor(Math.sqrt(radius ** 2 - (line - y) ** 2) * 1.5);
          if (hasGaps && line % 150 === 7) continue;
          row(line, Math.max(0, x - half), Math.min(width, x + half));
          if (hasGaps && line % 90 === 3) row(line, 0, Math.min(width, 5));
        }
      };
      if (next() < 0.5) whole.snapshot();
      whole.write(shape, value);
      shape((line, from, to) => byRow.span(line, from, to, value));
      assert.deepEqual(whole.toBytes(), byRow.toBytes(), `${round}, ${i}`);
      assert.equal(whole.count, byRow.count);
    }
  }
  const plane = new Plane(512, 512);
  plane.write((row) => { for (let y = 0; y < 512; y++) row(y, 0, 500); });
  assert.equal([...Array(plane.length).keys()].filter((index) => plane.tile(index) === FULL).length, 12);
}

export function a_plane_is_painted_where_anything_is_marked_at_any_resolution() {
  for (let round = 0; round < 30; round++) {
    const next = random(900 + round);
    const upTo = (/** @type {number} */ n) => Math.floor(next() * n);
    const [width, height, step] = [1 + upTo(500), 1 + upTo(500), 2 ** upTo(9)];
    const plane = new Plane(width, height);
    for (let i = 0; i < 5; i++) plane.write((row) => { for (let y = 0; y < height; y++) if (y % (i + 2)) row(y, 0, i * 20); });
    plane.write((row) => { for (let y = 20; y < height - 30; y++) row(y, 100, Math.max(100, width - 3)); }, next() < 0.6 ? 255 : 0);
    const [columns, rows] = [Math.ceil(width / step), Math.ceil(height / step)];
    const [x0, y0] = [upTo(columns), upTo(rows)];
    const [w, h] = [1 + upTo(columns - x0), 1 + upTo(rows - y0)];
    const target = new Uint8ClampedArray(w * h * 4);
    planePainter(plane, [1, 2, 3])(target, x0, y0, w, h, step);
    const expected = new Uint8ClampedArray(w * h * 4);
    const bytes = plane.toBytes();
    bytes.forEach((value, i) => {
      const [x, y] = [Math.floor((i % width) / step) - x0, Math.floor(Math.floor(i / width) / step) - y0];
      if (value && x >= 0 && y >= 0 && x < w && y < h) expected.set([1, 2, 3, 255], (y * w + x) * 4);
    });
    assert.deepEqual(target, expected, `${round}: ${width} x ${height}, step ${step}`);
  }
}

export function a_copy_shares_tiles_until_one_of_the_two_is_written_to() {
  const plane = new Plane(600, 600);
  for (let y = 0; y < 300; y++) plane.span(y, 10, 500);
  plane.tidy();
  const copy = plane.clone();
  for (let i = 0; i < 25; i++) assert.equal(copy.tile(i), plane.tile(i));
  assert.equal(plane.tile(plane.indexAt(200, 200)), FULL);
  copy.span(5, 0, 600);
  assert.ok(!plane.has(0, 5) && copy.has(0, 5));
  plane.span(400, 0, 600);
  assert.ok(!copy.has(0, 400) && plane.has(0, 400));
  assert.equal(copy.tile(copy.indexAt(0, 400)), null);
}

/** 120 megapixels: the stroke's own tiles are kept, and no plane is. */
export function a_stroke_on_120_megapixels_keeps_the_tiles_it_touches() {
  const photo = /** @type {any} */ ({ width: 12000, height: 10000 });
  const d = new Document(photo, 4, { photo() {}, mask() {}, edges() {}, history() {} });
  d.beginStroke(6000, 5000, 20);
  d.extendStroke(6300, 5000);
  d.endStroke();
  d.beginStroke(6100, 5000, 20);
  d.extendStroke(6200, 5060);
  const step = d.endStroke();
  assert.ok(step && step.changes.painted.length <= 4, `${step?.changes.painted.length} tiles`);
  assert.ok(step.bytes <= 4 * 128 * 128, `${step.bytes} bytes`);
  assert.equal(d.mask.shown.snapshot().filter((tile) => tile).length, 8);
}

/** @param {Mask} mask @returns {Uint8Array} what is shown, pixel by pixel from the definition */
function shownBySlowMeans(mask) {
  const { width, height, grow } = mask;
  const [painted, exact] = [mask.painted.toBytes(), mask.exact.toBytes()];
  return exact.map((value, at) => {
    if (value) return 255;
    const [x, y] = [at % width, Math.floor(at / width)];
    for (let dy = -grow; dy <= grow; dy++) {
      for (let dx = -grow; dx <= grow; dx++) {
        const [px, py] = [x + dx, y + dy];
        if (px >= 0 && py >= 0 && px < width && py < height && dx * dx + dy * dy <= grow * grow && painted[py * width + px]) return 255;
      }
    }
    return 0;
  });
}

export function what_is_shown_follows_from_what_was_painted_and_loaded() {
  for (let round = 0; round < 6; round++) {
    const next = random(40 + round);
    const [width, height] = [100 + Math.floor(next() * 120), 90 + Math.floor(next() * 120)];
    const mask = new Mask(width, height, Math.floor(next() * 7));
    for (let i = 0; i < 25; i++) {
      const [ax, ay, bx, by, radius] = [next() * width, next() * height, next() * width, next() * height, 0.4 + next() * 14];
      const before = mask.shown.toBytes();
      /** @type {import('../../www/document/mask.js').Region} */
      const box = (row) => {
        for (let y = Math.floor(ay); y < Math.min(height, ay + 30); y++) row(y, Math.floor(ax), Math.min(width, Math.floor(ax) + 25));
      };
      const way = Math.floor(next() * 6);
      if (way === 0) {
        mask.settle(mask.stroke(ax, ay, bx, by, radius, true));
      } else if (way < 3) {
        mask.stroke(ax, ay, bx, by, radius, false);
      } else if (way === 3) {
        mask.add(box, next() < 0.5);
      } else if (way === 4) {
        mask.remove(box);
        // Exactly these pixels are gone.
        const gone = new Uint8Array(width * height);
        box((y, x0, x1) => gone.fill(1, y * width + x0, y * width + x1));
        assert.deepEqual(mask.shown.toBytes(), before.map((value, at) => (gone[at] ? 0 : value)));
      } else {
        mask.setGrow(Math.floor(next() * 7));
      }
      assert.deepEqual(mask.shown.toBytes(), shownBySlowMeans(mask), `round ${round}, step ${i}, way ${way}`);
    }
  }
}

/** What is left of a stroke whose middle was taken away may lie in another tile. */
export function what_is_taken_away_leaves_the_rest_across_tiles() {
  const mask = new Mask(256, 64, 6);
  /** @param {number} x0 @param {number} x1 @returns {import('../../www/document/mask.js').Region} */
  const box = (x0, x1) => (row) => {
    for (let y = 20; y < 40; y++) row(y, x0, x1);
  };
  mask.add(box(110, 126), true);
  const before = mask.count;
  assert.ok(mask.shown.has(131, 30));
  mask.remove(box(100, 121));
  assert.ok(mask.shown.has(131, 30));
  assert.equal(mask.count, before - 20 * (121 - 104));
  assert.deepEqual(mask.shown.toBytes(), shownBySlowMeans(mask));
}

/** A photo of noise. @param {number} width @param {number} height */
function photo(width, height) {
  const next = random(width);
  return new Photo({ name: 'p.png', width, height, rgba: Uint8ClampedArray.from({ length: width * height * 4 }, () => next() * 256), hasAlpha: false, isGray: false });
}

export function a_history_is_written_and_read_in_another_visit() {
  const quiet = { photo() {}, mask() {}, edges() {}, history() {} };
  const d = new Document(photo(300, 200), 4, quiet);
  const opened = d.photo.rgba.slice();
  d.beginStroke(50, 50, 20);
  d.extendStroke(250, 150);
  d.beginStroke(120, 100, 2, { isEdge: true });
  d.endStroke();
  d.fill([{ x: 20, y: 20, width: 270, height: 170, rgba: new Uint8Array(270 * 170 * 4).fill(9) }], d.mask.shown.clone());
  d.change('mask', (mask) => mask.add((row) => row(7, 0, 300), false));
  d.undo();
  const filled = d.photo.rgba.slice();
  const { done, undone } = d.history.steps;
  /** @type {Uint8Array[]} */
  const bytes = [];
  const json = JSON.stringify({ done: done.map((step) => write(step, bytes)), undone: undone.map((step) => write(step, bytes)) });

  const again = new Document(new Photo({ ...d.photo, rgba: filled.slice(), name: 'p.png' }), 4, quiet);
  const steps = JSON.parse(json);
  again.history.resume({ done: steps.done.map((/** @type {any} */ step) => read(step, bytes)), undone: steps.undone.map((/** @type {any} */ step) => read(step, bytes)) });
  assert.equal(again.history.top?.bytes, d.history.top?.bytes);
  again.redo();
  assert.equal(again.mask.count, 300);
  while (again.history.canUndo) again.undo();
  assert.ok(again.mask.isEmpty && again.edges.isEmpty);
  assert.deepEqual(again.photo.rgba, opened);
  while (again.history.canRedo) again.redo();
  while (d.history.canRedo) d.redo();
  assert.deepEqual(again.photo.rgba, filled);
  assert.deepEqual(again.mask.shown.toBytes(), d.mask.shown.toBytes());
}

export function a_straight_stroke_leaves_nothing_of_the_way_it_took_before() {
  const quiet = { photo() {}, mask() {}, edges() {}, history() {} };
  const [d, direct] = [0, 1].map(() => new Document(photo(300, 200), 5, quiet));
  d.beginStroke(20, 20, 6);
  d.extendStroke(150, 190);
  d.straightenStroke({ x: 20, y: 20 }, { x: 30, y: 150 });
  d.straightenStroke({ x: 20, y: 20 }, { x: 280, y: 40 });
  d.endStroke();
  direct.beginStroke(20, 20, 6);
  direct.extendStroke(280, 40);
  direct.endStroke();
  assert.deepEqual(d.mask.shown.toBytes(), direct.mask.shown.toBytes());
  d.undo();
  assert.ok(d.mask.isEmpty);
}
