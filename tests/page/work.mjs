// Photo, mask, history and state.
import assert from 'node:assert/strict';
import { command } from '../../www/document/commands.js';
import { Document } from '../../www/document/document.js';
import { History } from '../../www/document/history.js';
import { Photo } from '../../www/document/photo.js';
import { Plane } from '../../www/document/plane.js';
import { sniff } from '../../www/document/sniff.js';
import { PageState } from '../../www/document/state.js';
import { random } from './random.mjs';

/** @param {number} width @param {number} height @param {number} [grow] */
function open(width, height, grow = 4) {
  const next = random(width * height);
  const rgba = Uint8ClampedArray.from({ length: width * height * 4 }, () => next() * 256);
  const photo = new Photo({ name: 'p.png', width, height, rgba, hasAlpha: false, isGray: false });
  return new Document(photo, grow, { photo() {}, mask() {}, edges() {}, history() {} });
}

/** A patch of noise that differs from the photo. @param {number} x @param {number} y @param {number} width @param {number} height */
function patch(x, y, width, height) {
  return { x, y, width, height, rgba: new Uint8Array(width * height * 4).fill(x + y + 1) };
}

/** No plane changes. */
const none = () => ({ painted: [], exact: [], drawn: [], erased: [] });

export function the_count_is_that_of_the_shown_mask() {
  const d = open(60, 50);
  const next = random(9);
  for (let i = 0; i < 40; i++) {
    d.beginStroke(next() * 70 - 5, next() * 60 - 5, next() * 9, { erase: next() < 0.4 });
    d.extendStroke(next() * 60, next() * 50);
    d.endStroke();
    if (next() < 0.3) d.undo();
    if (next() < 0.1) d.setGrow(Math.floor(next() * 12));
    const shown = d.mask.shown.toBytes().reduce((sum, value) => sum + (value ? 1 : 0), 0);
    assert.equal(d.mask.count, shown);
  }
}

export function undoing_everything_gives_everything_back() {
  const d = open(300, 280, 3);
  const before = d.photo.rgba.slice();
  d.beginStroke(50, 50, 20);
  d.extendStroke(120, 60);
  d.endStroke();
  const holes = d.mask.shown.clone();
  d.fill([patch(10, 10, 150, 100), patch(100, 20, 180, 90)], holes);
  assert.ok(d.mask.isEmpty);
  d.beginStroke(200, 200, 10);
  d.endStroke();
  d.loadMask(new Uint8Array(300 * 280).fill(255, 0, 900));
  d.clearMask();
  const after = d.photo.rgba.slice();
  const steps = [];
  while (d.history.canUndo) steps.push(d.undo());
  assert.equal(steps.length, 5);
  assert.ok(d.mask.isEmpty);
  assert.deepEqual(d.photo.rgba, before);
  while (d.history.canRedo) d.redo();
  assert.deepEqual(d.photo.rgba, after);
  d.undo();
  d.undo();
  d.undo();
  d.undo();
  assert.deepEqual(d.mask.shown.toBytes(), holes instanceof Plane ? holes.toBytes() : holes);
}

export function the_opened_photo_can_still_be_seen() {
  const d = open(300, 280);
  const before = d.photo.rgba.slice();
  d.loadMask(new Uint8Array(300 * 280).fill(255));
  d.fill([patch(250, 250, 40, 20)], d.mask.shown.clone());
  for (const [x, y] of [[0, 0], [255, 255], [256, 256], [289, 269], [299, 279]]) {
    const { bytes, at } = d.photo.openedAt(x, y);
    const p = (y * 300 + x) * 4;
    assert.deepEqual([...bytes.subarray(at, at + 4)], [...before.subarray(p, p + 4)], `${x}, ${y}`);
  }
}

export function a_display_p3_profile_is_seen_by_its_name() {
  const rgba = new Uint8ClampedArray(4);
  const space = (/** @type {Uint8Array | undefined} */ icc) => new Photo({ name: 'p', width: 1, height: 1, rgba, hasAlpha: false, isGray: false, icc }).colorSpace;
  const utf16 = Uint8Array.from([...'Display P3'].flatMap((letter) => [0, letter.charCodeAt(0)]));
  assert.equal(space(Uint8Array.from([1, 2, ...utf16, 0])), 'display-p3');
  assert.equal(space(new TextEncoder().encode('desc....Display P3')), 'display-p3');
  assert.equal(space(new TextEncoder().encode('sRGB IEC61966-2.1')), 'srgb');
  assert.equal(space(undefined), 'srgb');
}

export function what_is_painted_during_a_run_stays() {
  const d = open(200, 100);
  d.beginStroke(30, 50, 10);
  d.endStroke();
  const holes = d.mask.shown.clone();
  d.beginStroke(150, 50, 10);
  d.endStroke();
  const both = d.mask.count;
  d.fill([patch(0, 20, 80, 60)], holes);
  assert.ok(d.mask.count > 0 && d.mask.count < both);
  assert.equal(d.mask.shown.has(150, 50), true);
  assert.equal(d.mask.shown.has(30, 50), false);
}

export function a_loaded_mask_is_not_grown() {
  const d = open(40, 30, 8);
  const holes = new Uint8Array(40 * 30);
  holes[15 * 40 + 20] = 255;
  d.loadMask(holes);
  assert.deepEqual(d.mask.shown.toBytes(), holes instanceof Plane ? holes.toBytes() : holes);
}

export function strokes_are_grown_and_the_eraser_opens_what_it_shows() {
  const d = open(100, 100, 6);
  d.beginStroke(50, 50, 30);
  d.endStroke();
  assert.equal(d.mask.shown.has(50 + 35, 50), true);
  assert.equal(d.mask.shown.has(50 + 37, 50), false);
  d.beginStroke(50, 50, 3, { erase: true });
  d.endStroke();
  assert.equal(d.mask.shown.has(50, 50), false);
  assert.equal(d.mask.shown.has(52, 50), false);
  assert.equal(d.mask.shown.has(56, 50), true);
}

export function a_dropped_stroke_leaves_no_trace() {
  const d = open(50, 50);
  d.beginStroke(25, 25, 5);
  d.dropStroke();
  assert.ok(d.mask.isEmpty && !d.history.canUndo);
}

export function the_history_forgets_the_oldest_beyond_its_bytes() {
  const history = new History(() => {}, 100);
  const step = (/** @type {number} */ bytes) => command('', none(), [{ x: 0, y: 0, width: 1, height: 1, rgba: new Uint8Array(bytes) }]);
  for (let i = 0; i < 10; i++) history.push(step(30));
  let undone = 0;
  while (history.undo()) undone++;
  assert.equal(undone, 3);
  history.push(step(1000));
  assert.ok(history.canUndo, 'the last step is always kept');
}

export function work_is_unsaved_until_it_is_saved() {
  const history = new History(() => {});
  assert.ok(!history.isUnsaved);
  history.push(command('', none()));
  assert.ok(history.isUnsaved);
  history.markSaved();
  assert.ok(!history.isUnsaved);
  history.undo();
  assert.ok(history.isUnsaved);
}

export function files_are_told_apart_by_their_bytes() {
  const file = (/** @type {string} */ name, type = '') => ({ name, type });
  const bytes = (/** @type {number[]} */ ...list) => Uint8Array.from(list);
  const text = (/** @type {string} */ words) => new TextEncoder().encode(words);
  assert.equal(sniff(bytes(0x89, 0x50, 0x4e, 0x47, 13, 10), file('gen.pth')).kind, 'photo');
  assert.equal(sniff(text('RIFF....WEBP'), file('x')).format, 'webp');
  assert.equal(sniff(text('....ftypavif'), file('x')).kind, 'photo');
  assert.equal(sniff(text('PK\x03\x04'), file('photo.jpg', 'image/jpeg')).kind, 'weights');
  assert.equal(sniff(bytes(0x80, 2, 0x8a, 10), file('x')).kind, 'weights');
  assert.equal(sniff(bytes(8, 1, 0, 0, 0, 0, 0, 0, 0x7b), file('x')).format, 'safetensors');
  assert.equal(sniff(bytes(8, 8, 0x12, 7, 0x70), file('x')).format, 'onnx');
  assert.equal(sniff(bytes(8, 8, 0x12, 0, 0, 0, 0, 0, 0x7b), file('x')).format, 'safetensors');
  assert.equal(sniff(text('<!doctype html>'), file('gen.pth')).kind, 'weights');
  assert.equal(sniff(text('<svg'), file('a.svg', 'image/svg+xml')).kind, 'photo');
  assert.equal(sniff(text('Dear Sir'), file('letter.txt', 'text/plain')).kind, 'unknown');
  assert.equal(sniff(bytes(), file('empty')).kind, 'unknown');
}

export function the_state_follows_what_happened() {
  /** @type {string[]} */
  const seen = [];
  const state = new PageState((value) => seen.push(value));
  assert.equal(state.value, 'empty');
  state.failed();
  assert.equal(state.value, 'error');
  state.opened();
  assert.equal(state.value, 'ready');
  state.started();
  state.succeeded();
  assert.equal(state.value, 'running');
  state.stopped();
  assert.equal(state.value, 'ready');
  state.started();
  state.filled();
  state.started();
  state.stopped();
  state.failed();
  assert.equal(state.value, 'error');
  state.succeeded();
  assert.equal(state.value, 'done');
  state.opened();
  assert.equal(state.value, 'ready');
}

export function edges_are_drawn_inside_the_hole_only_and_undone() {
  const d = open(80, 60, 0);
  d.beginStroke(40, 30, 10);
  d.endStroke();
  d.beginStroke(0, 30, 2, { isEdge: true });
  d.extendStroke(79, 30);
  d.endStroke();
  assert.equal(d.edges.drawn.has(40, 30), true);
  assert.equal(d.edges.drawn.has(10, 30), false, 'an edge was drawn outside the hole');
  d.beginStroke(40, 30, 3, { erase: true, isEdge: true });
  d.endStroke();
  const bytes = d.edges.toBytes();
  assert.deepEqual([bytes?.[30 * 80 + 40], bytes?.[30 * 80 + 33], bytes?.[0]], [0, 255, 128]);
  d.undo();
  assert.equal(d.edges.drawn.has(40, 30), true);
  d.clearEdges();
  assert.ok(d.edges.isEmpty && d.edges.toBytes() === undefined);
  d.undo();
  d.undo();
  assert.ok(d.edges.isEmpty);
  d.redo();
  assert.equal(d.edges.drawn.has(40, 30), true);
}

export function a_fill_uses_the_edges_up_and_its_undo_brings_them_back() {
  const d = open(80, 60, 0);
  d.beginStroke(40, 30, 10);
  d.beginStroke(35, 30, 1, { isEdge: true });
  d.extendStroke(45, 30);
  const strokes = d.edges.toBytes();
  d.fill([patch(30, 20, 20, 20)], d.mask.shown.clone());
  assert.ok(d.edges.isEmpty);
  d.undo();
  assert.deepEqual(d.edges.toBytes(), strokes);
}

export function a_dropped_edge_leaves_no_trace() {
  const d = open(80, 60, 0);
  d.beginStroke(40, 30, 10);
  d.beginStroke(35, 30, 1, { isEdge: true });
  d.dropStroke();
  assert.ok(d.edges.isEmpty);
}

export function the_opened_photo_comes_back_whole() {
  const d = open(300, 280);
  const before = d.photo.rgba.slice();
  d.loadMask(new Uint8Array(300 * 280).fill(255));
  d.fill([patch(200, 250, 90, 20)], d.mask.shown.clone());
  assert.notDeepEqual(d.photo.rgba, before);
  assert.deepEqual(d.photo.opened(), before);
}
