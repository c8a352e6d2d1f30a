// Shapes of pixels, held against brute force.
import assert from 'node:assert/strict';
import { capsuleRows, clip, dilate, expand, growRows, rowsOf } from '../../www/document/raster.js';
import { decode, encode } from '../../www/document/runs.js';
import { inside, insideSize, outputSize, taps } from '../../www/ui/explain.js';
import { random } from './random.mjs';

export function a_disc_dilates_like_brute_force() {
  const next = random(1);
  for (let round = 0; round < 60; round++) {
    const [width, height, radius] = [1 + Math.floor(next() * 24), 1 + Math.floor(next() * 24), Math.floor(next() * 8)];
    const source = Uint8Array.from({ length: width * height }, () => (next() < 0.05 ? 255 : 0));
    const x = Math.floor(next() * width);
    const y = Math.floor(next() * height);
    const rect = { x, y, width: 1 + Math.floor(next() * (width - x)), height: 1 + Math.floor(next() * (height - y)) };
    const reach = /** @type {typeof rect} */ (clip(expand(rect, radius), width, height));
    const window = Uint8Array.from({ length: reach.width * reach.height }, (_, i) => source[(reach.y + Math.floor(i / reach.width)) * width + reach.x + (i % reach.width)]);
    const found = dilate(window, reach, rect, radius);
    for (let j = 0; j < rect.height; j++) {
      for (let i = 0; i < rect.width; i++) {
        let near = 0;
        for (let p = 0; p < source.length; p++) {
          const [dx, dy] = [(p % width) - x - i, Math.floor(p / width) - y - j];
          if (source[p] && dx * dx + dy * dy <= radius * radius) near = 255;
        }
        assert.equal(found[j * rect.width + i], near, `round ${round}, pixel ${x + i}, ${y + j}, radius ${radius}`);
      }
    }
  }
}

/** Capsules of any thinness, whose rows may not even touch. */
export function grown_rows_are_the_dilated_shape() {
  const next = random(11);
  const [width, height] = [40, 34];
  const whole = { x: 0, y: 0, width, height };
  for (let round = 0; round < 300; round++) {
    const [ax, ay, bx, by] = [next() * 50 - 5, next() * 44 - 5, next() * 50 - 5, next() * 44 - 5];
    const radius = Math.floor(next() * 7);
    const rows = rowsOf((row) => capsuleRows(ax, ay, bx, by, 0.3 + next() * 5, width, height, row));
    const [source, grown] = [new Uint8Array(width * height), new Uint8Array(width * height)];
    rows.from.forEach((from, i) => source.fill(255, (rows.top + i) * width + from, (rows.top + i) * width + rows.to[i]));
    growRows(rows, radius, width, height, (y, x0, x1) => grown.fill(255, y * width + x0, y * width + x1));
    assert.deepEqual(grown, dilate(source, whole, whole, radius), `round ${round}`);
  }
}

export function a_capsule_covers_the_pixels_near_its_segment() {
  const next = random(2);
  const [width, height] = [30, 26];
  for (let round = 0; round < 200; round++) {
    const [ax, ay, bx, by] = [next() * 40 - 5, next() * 36 - 5, next() * 40 - 5, next() * 36 - 5];
    const radius = 0.6 + next() * 9;
    const found = new Set();
    capsuleRows(ax, ay, bx, by, radius, width, height, (y, x0, x1) => {
      for (let x = x0; x < x1; x++) found.add(y * width + x);
    });
    for (let p = 0; p < width * height; p++) {
      const [px, py] = [(p % width) + 0.5, Math.floor(p / width) + 0.5];
      const length = (bx - ax) ** 2 + (by - ay) ** 2;
      const t = Math.min(1, Math.max(0, ((px - ax) * (bx - ax) + (py - ay) * (by - ay)) / length));
      const distance = Math.hypot(px - ax - t * (bx - ax), py - ay - t * (by - ay));
      if (Math.abs(distance - radius) < 1e-9) continue;
      const isFallback = found.size === 1;
      if (!isFallback) assert.equal(found.has(p), distance < radius, `round ${round}, pixel ${px}, ${py}, ${distance} of ${radius}`);
    }
  }
}

export function the_smallest_brush_still_marks_its_pixel() {
  /** @type {number[][]} */
  const rows = [];
  capsuleRows(3.1, 4.9, 3.1, 4.9, 0.2, 10, 10, (...row) => rows.push(row));
  assert.deepEqual(rows, [[4, 3, 4]]);
}

export function runs_come_back_as_they_were() {
  const next = random(3);
  for (const length of [0, 1, 2, 1000]) {
    const bytes = Uint8Array.from({ length }, () => (next() < 0.9 ? 0 : 255));
    assert.deepEqual(decode(encode(bytes), length), bytes);
  }
}

export function taps_are_those_of_the_convolution() {
  const next = random(4);
  const upTo = (/** @type {number} */ n) => Math.floor(next() * n);
  for (let round = 0; round < 300; round++) {
    const [k, s, d, size] = [1 + upTo(5), 1 + upTo(3), 1 + upTo(2), 3 + upTo(6)];
    const p = upTo(k);
    const transposed = next() < 0.5;
    const op = transposed ? upTo(Math.max(s, d)) : 0;
    const g = { transposed, input: [size, size], kernel_size: [k, k], stride: [s, s], padding: [p, p], output_padding: [op, op], dilation: [d, d], groups: 1, padding_mode: 'zeros' };
    const out = outputSize(g, 0, size);
    // The definition: a convolution gathers, its transpose scatters the same pairs.
    const pairs = new Set();
    for (let i = 0; i < (transposed ? size : out); i++) {
      for (let tap = 0; tap < k; tap++) {
        const other = i * s - p + tap * d;
        const [from, to] = transposed ? [i, other] : [other, i];
        if (from >= 0 && from < size && to >= 0 && to < out) pairs.add(`${to}:${from}:${tap}`);
      }
    }
    const found = new Set();
    for (let o = 0; o < out; o++) for (const { input, kernel } of taps(g, 0, size, o)) found.add(`${o}:${input}:${kernel}`);
    assert.deepEqual([...found].sort(), [...pairs].sort(), JSON.stringify(g));
  }
}

/** The inside view is an ordinary convolution: reading it with stride 1 must meet the same inputs as the taps do. */
export function the_inside_view_reads_what_the_taps_read() {
  const next = random(8);
  const pick = (/** @type {number} */ low, /** @type {number} */ high) => low + Math.floor(next() * (high - low + 1));
  for (let round = 0; round < 300; round++) {
    const [k, s, d, size] = [pick(1, 5), pick(1, 3), pick(1, 3), pick(1, 6)];
    const [p, op] = [pick(0, 3), pick(0, Math.max(s, d) - 1)];
    const g = { transposed: true, input: [size, size], kernel_size: [k, k], stride: [s, s], padding: [p, p], output_padding: [op, op], dilation: [d, d], groups: 1, padding_mode: 'zeros' };
    const out = outputSize(g, 0, size);
    if (out < 1) continue;
    assert.equal(insideSize(g, 0, size), out + d * (k - 1));
    for (let o = 0; o < out; o++) {
      const read = Array.from({ length: k }, (_, j) => inside(g, 0, size, o + d * j)).filter((at) => typeof at === 'number');
      assert.deepEqual(read, taps(g, 0, size, o).map(({ input }) => input).reverse(), `${JSON.stringify(g)}, output ${o}`);
    }
  }
}
