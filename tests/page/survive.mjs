// Work that outlives the page: written as it changes, read again after every way in which writing can end.
import assert from 'node:assert/strict';
import { Document } from '../../www/document/document.js';
import { Photo } from '../../www/document/photo.js';
import { Plane } from '../../www/document/plane.js';
import { Reader } from '../../www/document/reader.js';
import { Recorder } from '../../www/document/recorder.js';
import { crc32, entries, frame } from '../../www/storage/frames.js';
import { Keeper } from '../../www/storage/keeper.js';
import { KeptModels, MOST_MODELS, NoRoom } from '../../www/storage/kept_models.js';
import { KEPT_MS, MOST_WORKS, Works } from '../../www/storage/works.js';
import { Failure } from '../../www/worker/protocol.js';
import { FakeDisk, Killed } from './fake_disk.mjs';
import { random } from './random.mjs';

/** @typedef {import('../../www/document/recorder.js').KeptRecord} KeptRecord */

const NOBODY = { photo() {}, mask() {}, edges() {}, history() {} };
const [WIDTH, HEIGHT] = [300, 200];

function photo() {
  const next = random(7);
  const rgba = Uint8ClampedArray.from({ length: WIDTH * HEIGHT * 4 }, () => next() * 256);
  return new Photo({ name: 'p.png', width: WIDTH, height: HEIGHT, rgba, hasAlpha: false, isGray: false });
}

/** All that makes up a document, also what undoing and redoing would bring. @param {Document} d */
function looks(d) {
  const { done, undone } = d.history.steps;
  const now = () => [crc32(d.photo.rgba), ...[d.mask.painted, d.mask.exact, d.mask.shown, d.edges.drawn, d.edges.erased].map((plane) => crc32(plane.toBytes()))];
  return { now: now(), labels: [...done, ...undone.toReversed()].map(({ label }) => label), made: done.length, grow: d.mask.grow, isUnsaved: d.history.isUnsaved, opened: crc32(d.photo.opened()) };
}

/** Every state that undoing and redoing lead through. @param {Document} d */
function walk(d) {
  const seen = [];
  let turned = 0;
  while (d.history.canUndo) {
    d.undo();
    turned++;
    seen.push(looks(d).now);
  }
  while (turned-- > 0) d.redo();
  while (d.history.canRedo) {
    d.redo();
    seen.push(looks(d).now);
  }
  return seen;
}

/** Does something, as people do. @param {Document} d @param {() => number} next */
function act(d, next) {
  const place = () => [next() * WIDTH, next() * HEIGHT];
  const what = next();
  const patch = () => {
    const [x, y] = [Math.floor(next() * (WIDTH - 60)), Math.floor(next() * (HEIGHT - 60))];
    const [width, height] = [1 + Math.floor(next() * 60), 1 + Math.floor(next() * 60)];
    return { x, y, width, height, rgba: Uint8Array.from({ length: width * height * 4 }, () => next() * 256) };
  };
  if (what < 0.35) {
    const [x, y] = place();
    const [tx, ty] = place();
    d.beginStroke(x, y, 2 + next() * 20, { erase: next() < 0.3, isEdge: next() < 0.2 });
    d.extendStroke(tx, ty);
    d.endStroke();
  } else if (what < 0.55) {
    // Patches of one fill overlap.
    d.fill(Array.from({ length: 1 + Math.floor(next() * 3) }, patch), d.mask.shown.clone());
  } else if (what < 0.75) {
    for (let count = Math.floor(next() * 4); count >= 0; count--) d.undo();
  } else if (what < 0.85) d.redo();
  else if (what < 0.9) d.setGrow(Math.floor(next() * 10));
  else if (what < 0.94) d.change('mask', (mask) => mask.replace(Plane.from(WIDTH, HEIGHT, Uint8Array.from({ length: WIDTH * HEIGHT }, (_, i) => (i % 640 < 200 ? 255 : 0)))));
  else if (what < 0.97) d.clearEdges();
  else d.history.markSaved();
}

/** @param {readonly KeptRecord[]} records */
function readBack(records) {
  const reader = new Reader(photo());
  for (const record of records) assert.ok(reader.take(structuredClone(record)), `${record.json.kind} is not taken`);
  return reader;
}

export function a_random_session_is_the_same_when_it_is_read_again() {
  for (let seed = 1; seed <= 30; seed++) {
    const next = random(seed * 99);
    const d = new Document(photo(), 3, NOBODY);
    const recorder = new Recorder(d, () => ({ seed }));
    let records = [...recorder.all(Infinity)];
    for (let i = 0; i < 40; i++) {
      act(d, next);
      if (next() < 0.4) continue;
      const changes = recorder.changes();
      assert.ok(changes, 'the changes are not known');
      records.push(...changes);
      assert.ok(!recorder.isBehind);
      // Sometimes all of it is written anew.
      if (next() < 0.1) records = [...recorder.all(Infinity)];
    }
    records.push(.../** @type {KeptRecord[]} */ (recorder.changes()));
    const reader = readBack(records);
    const again = /** @type {Document} */ (reader.finish());
    assert.deepEqual(looks(again), looks(d), `seed ${seed}`);
    assert.deepEqual(walk(again), walk(d), `seed ${seed}`);
    assert.deepEqual(reader.extra, { seed });
    assert.deepEqual(again.history.steps.done.map(({ bytes }) => bytes), d.history.steps.done.map(({ bytes }) => bytes), 'the steps count otherwise');
  }
}

/** Where there is no room for every step, the oldest are left out, and the present is never. */
export function without_room_for_the_steps_the_present_state_is_still_whole() {
  for (let seed = 1; seed <= 8; seed++) {
    const next = random(seed);
    const d = new Document(photo(), 3, NOBODY);
    const recorder = new Recorder(d);
    const limit = next() * 200_000;
    let records = [...recorder.all(limit)];
    for (let i = 0; i < 40; i++) {
      act(d, next);
      const changes = recorder.changes();
      if (!changes || next() < 0.2) records = [...recorder.all(limit)];
      else records.push(...changes);
      const again = /** @type {Document} */ (readBack(records).finish());
      const [found, expected] = [looks(again), looks(d)];
      assert.deepEqual([found.now, found.grow, found.opened], [expected.now, expected.grow, expected.opened], `seed ${seed}, step ${i}`);
      assert.ok(expected.labels.join().includes(found.labels.join()), 'the steps are others');
      if (expected.isUnsaved) assert.ok(found.isUnsaved, 'unsaved work counts as saved');
    }
  }
}

/** The history forgets its oldest steps beyond its bytes; the records may know them or not. */
export function what_the_history_forgets_does_not_matter() {
  for (let seed = 1; seed <= 8; seed++) {
    const next = random(seed * 7);
    const d = new Document(photo(), 0, NOBODY);
    // A history of a few steps: what is pushed weighs a third of all that fits.
    const push = d.history.push.bind(d.history);
    d.history.push = (step) => push(Object.assign(step, { bytes: 130 * 2 ** 20 }));
    const recorder = new Recorder(d);
    let records = [...recorder.all(next() < 0.5 ? Infinity : 150 * 2 ** 20)];
    for (let i = 0; i < 40; i++) {
      act(d, next);
      if (next() < 0.5) continue;
      const changes = recorder.changes();
      if (changes) records.push(...changes);
      else records = [...recorder.all(150 * 2 ** 20)];
      assert.deepEqual(looks(/** @type {Document} */ (readBack(records).finish())).now, looks(d).now, `seed ${seed}, step ${i}`);
    }
  }
}

export function records_of_another_form_or_another_photo_are_refused() {
  const d = new Document(photo(), 3, NOBODY);
  const next = random(5);
  const recorder = new Recorder(d);
  for (let i = 0; i < 12; i++) act(d, next);
  const records = [...recorder.all(Infinity)];
  act(d, next);
  d.beginStroke(20, 20, 9);
  d.endStroke();
  records.push(.../** @type {KeptRecord[]} */ (recorder.changes()));
  const head = structuredClone(records[0]);
  for (const change of [{ version: 2 }, { width: WIDTH + 1 }, { grow: 99 }, { grow: -1 }, { grow: '3' }, { parts: -0.5 }]) {
    assert.ok(!new Reader(photo()).take({ json: { ...head.json, ...change }, bytes: [] }), JSON.stringify(change));
  }
  assert.ok(!new Reader(photo()).take(records[1]), 'it begins in the middle');
  // Each record with each of its values replaced: never an exception, and nothing is written elsewhere.
  let refused = 0;
  for (const [index, record] of records.entries()) {
    for (const path of pathsOf(record.json)) {
      for (const value of [-1, 1e9, null, {}]) {
        const reader = new Reader(photo());
        for (const before of records.slice(0, index)) reader.take(structuredClone(before));
        const changed = structuredClone(record);
        set(changed.json, path, value);
        refused += Number(!reader.take(changed));
        const document = reader.finish();
        if (document) assert.equal(document.photo.rgba.length, WIDTH * HEIGHT * 4);
      }
    }
  }
  assert.ok(refused > 100, `only ${refused} were refused`);
}

/** Where values lie, some of many. @param {any} json @param {(string | number)[]} [at] @returns {(string | number)[][]} */
function pathsOf(json, at = []) {
  if (json === null || typeof json !== 'object') return [at];
  return Object.keys(json).slice(0, 3).flatMap((key) => pathsOf(json[key], [...at, key]));
}

/** @param {any} json @param {(string | number)[]} path @param {unknown} value */
function set(json, path, value) {
  const last = path[path.length - 1];
  let owner = json;
  for (const key of path.slice(0, -1)) owner = owner[key];
  owner[last] = value;
}

export async function frames_end_where_they_are_cut_or_damaged() {
  const all = [frame({ a: 1 }), frame({ b: 'é' }, [Uint8Array.of(1, 2, 3), new Uint8Array(0)]), frame({ c: [] }, [new Uint8Array(500).fill(9)])];
  const file = Buffer.concat(all);
  const read = async (/** @type {Uint8Array} */ bytes) => {
    const found = [];
    const reading = entries(new Blob([/** @type {any} */ (bytes)]));
    for (;;) {
      const { value, done } = await reading.next();
      if (done) return { found, ...value };
      found.push(value);
    }
  };
  const whole = await read(file);
  assert.equal(whole.why, 'end');
  assert.deepEqual(whole.found.map(({ json }) => json), [{ a: 1 }, { b: 'é' }, { c: [] }]);
  assert.deepEqual([...whole.found[1].bytes[0]], [1, 2, 3]);
  const ends = all.reduce((/** @type {number[]} */ sums, { length }) => [...sums, sums[sums.length - 1] + length], [0]);
  for (let cut = 0; cut < file.length; cut++) {
    const { found, why, end } = await read(file.subarray(0, cut));
    const fit = ends.filter((each) => each <= cut).length - 1;
    assert.equal(found.length, fit, `cut at ${cut}`);
    assert.equal(end, ends[fit]);
    assert.equal(why, cut === ends[fit] ? 'end' : 'cut');
  }
  for (let at = 0; at < file.length; at++) {
    const bytes = Uint8Array.from(file);
    bytes[at] ^= 1 << at % 8;
    const { found, why } = await read(bytes);
    assert.equal(found.length, ends.filter((each) => each <= at).length - 1, `damaged at ${at}`);
    assert.notEqual(why, 'end');
  }
  // What a crash of the machine may leave: blocks of zeros.
  assert.equal((await read(new Uint8Array(4096))).why, 'damaged');
  assert.equal(crc32(new TextEncoder().encode('123456789')), 0xcbf43926);
}

/** Locks of one browser; each tab takes them by its name. */
class Locks {
  held = /** @type {Map<string, string>} */ (new Map());

  /** @param {string} tab */
  of(tab) {
    return async (/** @type {string} */ name) => {
      if (this.held.has(name)) return null;
      this.held.set(name, tab);
      return () => void this.held.delete(name);
    };
  }
}

/** The store as the page asks it. @param {Works} works @param {(request: any) => void} [before] */
function storeOf(works, before = () => {}) {
  return {
    generation: 1,
    /** @param {any} request */
    async request(request) {
      before(request);
      try {
        switch (request.kind) {
          case 'work-begin': return await works.begin(request.photo, request.name);
          case 'work-write': return await works.write(structuredClone(request.records), request.isAside);
          case 'work-turn': return await works.turn();
          case 'work-drop': return await works.dropAside();
          case 'work-forget': return await works.forgetOwn();
          case 'model-forget': return;
          default: throw new Error(request.kind);
        }
      } catch (error) {
        if (error instanceof Killed) throw error;
        const code = error instanceof DOMException && error.name === 'QuotaExceededError' ? 'store-full' : 'store-failed';
        throw new Failure({ code, message: String(error), keys: [] });
      }
    },
  };
}

const FILE = Uint8Array.from({ length: 4000 }, (_, i) => i * 7);

/**
 * A session whose browser is killed after so many bytes.
 * @param {FakeDisk} disk
 * @param {number} seed
 * @returns {Promise<{states: object[], kept: number, d: Document, keeper: Keeper}>} what it went through, and the last state that was said to be kept
 */
async function session(disk, seed) {
  const next = random(seed);
  const d = new Document(photo(), 2, NOBODY);
  const works = new Works(disk.root, new Locks().of('tab'));
  const keeper = new Keeper(storeOf(works), () => {}, () => {}, { growth: 60_000, steps: 40_000 });
  keeper.keep(d, { photo: new Blob([FILE]), extra: () => ({}) });
  const states = [pixelsOf(d)];
  let kept = -1;
  for (let i = 0; i < 16; i++) {
    await keeper.flush();
    if (keeper.standing === 'kept') kept = states.length - 1;
    act(d, next);
    states.push(pixelsOf(d));
  }
  await keeper.flush();
  if (keeper.standing === 'kept') kept = states.length - 1;
  await keeper.flush();
  return { states, kept, d, keeper };
}

/** @param {Document} d */
const pixelsOf = (d) => looks(d).now;

/** What another visit finds. @param {FakeDisk} disk */
async function restore(disk) {
  const works = new Works(disk.root, new Locks().of('next'));
  const [found] = await works.list(disk.now);
  if (!found) return null;
  const taken = await works.take(found.id);
  assert.ok(taken, 'what was listed cannot be taken');
  assert.equal(crc32(new Uint8Array(await taken.photo.arrayBuffer())), taken.crc ?? crc32(FILE), 'the photo is another');
  const reader = new Reader(photo());
  let isWhole = true;
  const reading = entries(taken.journal);
  for (;;) {
    const { value, done } = await reading.next();
    if (done) {
      isWhole &&= value.why === 'end';
      break;
    }
    if (!reader.take(value)) {
      isWhole = false;
      break;
    }
  }
  return { works, document: reader.finish(), isWhole, name: taken.name, at: reader.at };
}

/** Killed at any byte, the last state that was kept is there, or a later one. */
export async function a_browser_that_is_killed_at_any_byte_loses_nothing_that_was_kept() {
  const whole = new FakeDisk();
  await session(whole, 3);
  const cuts = new Set(Array.from({ length: 110 }, (_, i) => Math.floor((whole.used * i) / 110)));
  for (let near = 0; near < 20; near++) cuts.add(FILE.length + near * 6);
  let found = 0;
  for (const cut of cuts) {
    const disk = new FakeDisk();
    disk.left = cut;
    const { states, kept } = await session(disk, 3);
    const back = await restore(disk.after());
    if (kept >= 0) assert.ok(back, `nothing is left after ${cut} bytes, although state ${kept} was kept`);
    if (!back) continue;
    found++;
    // Only the photo was there yet.
    if (!back.document && kept < 0) continue;
    assert.ok(back.document, `nothing can be read after ${cut} bytes`);
    const at = states.findLastIndex((state) => JSON.stringify(state) === JSON.stringify(pixelsOf(/** @type {Document} */ (back.document))));
    assert.ok(at >= Math.max(0, kept), `after ${cut} bytes state ${at} came back, and ${kept} was kept`);
    // And it goes on from there: another visit finds what this one does.
    const keeper = new Keeper(storeOf(back.works), () => {}, () => {});
    keeper.keep(back.document, { photo: null, extra: () => ({}) });
    back.document.beginStroke(50, 60, 30);
    back.document.endStroke();
    await keeper.flush();
    assert.equal(keeper.standing, 'kept');
  }
  assert.ok(found > 60, `only ${found} of ${cuts.size} left anything`);
}

export async function what_is_brought_back_is_kept_on_and_killed_again() {
  const disk = new FakeDisk();
  await session(disk, 3);
  let last = disk.after();
  for (let visit = 0; visit < 4; visit++) {
    const back = await restore(last);
    assert.ok(back?.document);
    const keeper = new Keeper(storeOf(back.works), () => {}, () => {});
    keeper.keep(back.document, { photo: null, extra: () => ({}) });
    const before = looks(back.document);
    await keeper.flush();
    back.document.undo();
    back.document.beginStroke(10 + visit * 20, 60, 9);
    back.document.endStroke();
    await keeper.flush();
    const after = looks(back.document);
    assert.notDeepEqual(after, before);
    last = last.after();
    assert.equal([...last.files.keys()].filter((path) => path.includes('journal')).length, 1, 'old journals stay');
    const again = await restore(last.after());
    assert.deepEqual(looks(/** @type {Document} */ (again?.document)), after);
  }
}

/** One wrong bit anywhere: an earlier whole state comes back, or it is known that none does. */
export async function damage_anywhere_is_noticed_and_never_believed() {
  const disk = new FakeDisk();
  const { states } = await session(disk, 8);
  const next = random(1);
  const known = new Set(states.map((state) => JSON.stringify(state)));
  const outcomes = { earlier: 0, nothing: 0 };
  for (const [path, { bytes }] of disk.files) {
    if (path.endsWith('photo')) continue;
    for (let i = 0; i < 60; i++) {
      const damaged = disk.after();
      const at = Math.floor(next() * bytes.length);
      /** @type {any} */ (damaged.files.get(path)).bytes[at] ^= 1 << Math.floor(next() * 8);
      const back = await restore(damaged);
      assert.ok(back, `damage at ${at} of ${path} hid the work`);
      if (path.includes('journal')) assert.equal(back.isWhole, false);
      if (back.document) assert.ok(known.has(JSON.stringify(pixelsOf(back.document))), `damage at ${at} of ${path} made a state that never was`);
      outcomes[back.document ? 'earlier' : 'nothing']++;
    }
  }
  assert.ok(outcomes.earlier > 20, JSON.stringify(outcomes));
}

export async function a_full_disk_costs_steps_first_and_then_says_so() {
  const room = new FakeDisk();
  const d = new Document(photo(), 0, NOBODY);
  const big = () => d.fill([{ x: 0, y: 0, width: 250, height: 150, rgba: new Uint8Array(250 * 150 * 4).fill(d.history.steps.done.length + 1) }], new Plane(WIDTH, HEIGHT));
  const failed = /** @type {string[]} */ ([]);
  const keeper = new Keeper(storeOf(new Works(room.root, new Locks().of('a'))), () => {}, (code) => failed.push(code));
  // The photo as it is now, changed all over, fits twice; four fills do not.
  room.quota = 4000 + 2.7 * WIDTH * HEIGHT * 4;
  keeper.keep(d, { photo: new Blob([FILE]), extra: () => ({}) });
  await keeper.flush();
  for (let i = 0; i < 4; i++) {
    big();
    await keeper.flush();
    await keeper.flush();
  }
  assert.deepEqual([failed, keeper.standing], [[], 'kept']);
  assert.deepEqual(pixelsOf(/** @type {Document} */ ((await restore(room.after()))?.document)), pixelsOf(d));
  const before = pixelsOf(d);
  room.quota = 5000;
  big();
  await keeper.flush();
  await keeper.flush();
  assert.deepEqual([failed, keeper.standing, keeper.reason], [['store-full'], 'off', 'store-full']);
  await new Promise((resume) => setTimeout(resume, 10));
  assert.deepEqual(pixelsOf(/** @type {Document} */ ((await restore(room.after()))?.document)), before, 'what was kept before is gone');
  keeper.touch();
  await keeper.flush();
  assert.equal(failed.length, 1, 'it is said again and again');
}

export async function nothing_is_written_during_a_stroke() {
  const disk = new FakeDisk();
  const asked = /** @type {string[]} */ ([]);
  const d = new Document(photo(), 0, NOBODY);
  const keeper = new Keeper(storeOf(new Works(disk.root, new Locks().of('a')), ({ kind }) => asked.push(kind)), () => {}, () => {});
  keeper.keep(d, { photo: new Blob([FILE]), extra: () => ({}) });
  await keeper.flush();
  d.beginStroke(20, 20, 9);
  d.endStroke();
  d.beginStroke(80, 20, 9);
  asked.length = 0;
  await keeper.flush();
  assert.deepEqual([asked, keeper.standing], [[], 'kept']);
  keeper.touch();
  assert.equal(keeper.standing, 'behind');
  d.endStroke();
  await keeper.flush();
  assert.deepEqual([asked, keeper.standing], [['work-write'], 'kept']);
  // When the page goes, what is done is written, and half a stroke is not.
  d.beginStroke(120, 20, 9);
  d.endStroke();
  const whole = pixelsOf(d);
  d.beginStroke(220, 20, 9);
  await keeper.flush(true);
  assert.deepEqual(pixelsOf(/** @type {Document} */ ((await restore(disk.after()))?.document)), whole);
  d.dropStroke();
}

export async function a_photo_that_changes_while_it_is_written_is_written_again() {
  const disk = new FakeDisk();
  const d = new Document(photo(), 0, NOBODY);
  d.fill([{ x: 0, y: 0, width: WIDTH, height: HEIGHT, rgba: new Uint8Array(WIDTH * HEIGHT * 4).fill(5) }], new Plane(WIDTH, HEIGHT));
  let turns = 0;
  let isChanging = true;
  const keeper = new Keeper(storeOf(new Works(disk.root, new Locks().of('a')), ({ kind, isAside }) => {
    if (kind === 'work-turn') turns++;
    if (kind === 'work-write' && isAside && isChanging) {
      isChanging = false;
      d.undo();
    }
  }), () => {}, () => {}, { growth: 2 ** 30, steps: 2 ** 30, part: 1 });
  keeper.keep(d, { photo: new Blob([FILE]), extra: () => ({}) });
  await keeper.flush();
  assert.equal(turns, 0, 'half of one state and half of another were kept');
  await keeper.flush();
  assert.equal(turns, 1);
  assert.deepEqual(pixelsOf(/** @type {Document} */ ((await restore(disk.after()))?.document)), pixelsOf(d));
}

export async function two_tabs_keep_their_own_and_never_take_each_others() {
  const [disk, locks] = [new FakeDisk(), new Locks()];
  const [a, b] = [new Works(disk.root, locks.of('a')), new Works(disk.root, locks.of('b'))];
  const open = async (/** @type {Works} */ works) => {
    const d = new Document(photo(), 0, NOBODY);
    const keeper = new Keeper(storeOf(works), () => {}, () => {});
    keeper.keep(d, { photo: new Blob([FILE]), extra: () => ({}) });
    await keeper.flush();
    return { d, keeper };
  };
  const first = await open(a);
  assert.deepEqual(await b.list(disk.now), [], 'work is offered that a tab has open');
  await open(b);
  first.d.beginStroke(40, 40, 9);
  first.d.endStroke();
  await first.keeper.flush();
  assert.deepEqual(await a.list(disk.now), []);
  await a.leave();
  const c = new Works(disk.root, locks.of('c'));
  const [left] = await c.list(disk.now);
  assert.equal(left?.name, 'p.png');
  assert.ok(await c.take(left.id));
  const late = new Works(disk.root, locks.of('d'));
  assert.equal(await late.take(left.id), null, 'two tabs took the same');
  // A tab that took over something and opens another photo instead leaves it as it was.
  await open(c);
  assert.deepEqual((await late.list(disk.now)).map(({ id }) => id), [left.id]);
  await late.forget(left.id);
  assert.deepEqual(await late.list(disk.now), []);
}

export async function old_and_many_works_are_forgotten_and_halves_cleared_away() {
  const [disk, locks] = [new FakeDisk(), new Locks()];
  for (let i = 0; i < MOST_WORKS + 2; i++) {
    const works = new Works(disk.root, locks.of(`${i}`));
    const keeper = new Keeper(storeOf(works), () => {}, () => {});
    const d = new Document(photo(), 0, NOBODY);
    d.photo.name = `${i}.png`;
    keeper.keep(d, { photo: new Blob([FILE]), extra: () => ({}) });
    await keeper.flush();
    await works.leave();
  }
  const works = new Works(disk.root, locks.of('x'));
  assert.deepEqual((await works.list(disk.now)).map(({ name }) => name), ['4.png', '3.png', '2.png']);
  assert.equal(disk.folders.size, 1 + MOST_WORKS);
  assert.deepEqual(await works.list(disk.now + KEPT_MS + 10), []);
  assert.equal(disk.size, 0, 'forgotten work takes room');
}

export async function weights_are_kept_once_and_the_oldest_make_room() {
  const disk = new FakeDisk();
  let free = Infinity;
  const models = new KeptModels(disk.root, async () => free);
  const about = (/** @type {string} */ file) => ({ file, title: 'A', modified: 5, byPosition: false, paste: null });
  const bytes = (/** @type {number} */ n) => new Blob([new Uint8Array(n).fill(n)]);
  const first = await models.keep(bytes(1), about('1.pth'), 1);
  assert.equal(await models.keep(bytes(1), about('1.pth'), 2), first, 'the same file is kept twice');
  for (let n = 2; n <= MOST_MODELS; n++) await models.keep(bytes(n), about(`${n}.pth`), n + 1);
  // Chosen again, it is the newest.
  const opened = await models.open(first, 100);
  assert.deepEqual([...new Uint8Array(await /** @type {File} */ (opened?.file).arrayBuffer())], [1]);
  await models.keep(bytes(50), about('50.pth'), 200);
  const names = (await models.list()).map(({ file }) => file);
  assert.deepEqual([names.length, names[0], names[1], names.includes('2.pth')], [MOST_MODELS, '50.pth', '1.pth', false]);
  free = 0;
  await assert.rejects(models.keep(bytes(9), about('9.pth')), NoRoom);
  assert.equal((await models.list()).length, MOST_MODELS, 'others went for one that does not fit');
  free = Infinity;
  // A wrong bit, and it is not used.
  const path = [...disk.files.keys()].find((each) => each.includes(first) && each.endsWith('/file'));
  /** @type {any} */ (disk.files.get(path ?? '')).bytes[0] ^= 4;
  assert.equal(await models.open(first), null);
  assert.ok(![...disk.files.keys()].some((each) => each.includes(first)), 'the damaged copy stays');
}

export async function a_copy_of_weights_that_was_cut_off_is_none() {
  const whole = new FakeDisk();
  const about = { file: 'a.pth', title: 'A', modified: 5, byPosition: true, paste: null };
  await new KeptModels(whole.root, async () => Infinity).keep(new Blob([FILE]), about, 1);
  for (let cut = 0; cut < whole.used; cut += 13) {
    const disk = new FakeDisk();
    disk.left = cut;
    await new KeptModels(disk.root, async () => Infinity).keep(new Blob([FILE]), about, 1).catch(() => {});
    const after = disk.after();
    assert.deepEqual(await new KeptModels(after.root, async () => Infinity).list(), [], `cut at ${cut}`);
    assert.equal(after.size, 0, 'half a copy takes room');
  }
}

export async function a_pasted_class_is_kept_with_its_weights() {
  const disk = new FakeDisk();
  const models = new KeptModels(disk.root, async () => Infinity);
  const paste = { source: 'class Net(nn.Module): ...', classArgs: 'Net(4)', returned: 1, side: null, leavesOut: true };
  const id = await models.keep(new Blob([FILE]), { file: 'a.pth', title: 'Net', modified: 5, byPosition: false, paste }, 1);
  assert.deepEqual((await models.open(id))?.about.paste, paste);
  // Dropped again for a network that the crate knows, it is that.
  assert.equal(await models.keep(new Blob([FILE]), { file: 'a.pth', title: 'A', modified: 5, byPosition: false, paste: null }, 2), id);
  assert.deepEqual([(await models.list())[0].paste, (await models.list())[0].title], [null, 'A']);
}
