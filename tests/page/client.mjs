// The worker's client against a worker that is none: a loopback under the test's control.
import assert from 'node:assert/strict';
import { BuildChoice, candidates } from '../../www/worker/builds.js';
import { WorkerClient } from '../../www/worker/client.js';
import { Threads } from '../../www/worker/threads.js';

class Loopback extends EventTarget {
  /** @type {any[]} */
  received = [];
  isTerminated = false;

  /** @param {any} message */
  postMessage(message) {
    this.received.push(message);
  }

  terminate() {
    this.isTerminated = true;
  }

  /** @param {any} data */
  say(data) {
    this.dispatchEvent(Object.assign(new Event('message'), { data }));
  }

  get last() {
    return this.received.at(-1);
  }
}

const SURE = [{ name: 'simd128', threads: 1 }];

/** @param {import('../../www/worker/builds.js').Build[]} [list] @param {{idleMs?: number}} [options] */
function setUp(list = SURE, options = {}) {
  /** @type {Loopback[]} */
  const workers = [];
  /** @type {Loopback[]} */
  const helpers = [];
  const names = /** @type {string[]} */ ([]);
  /** @param {Loopback[]} all @returns {any} */
  const spawn = (all) => {
    const worker = new Loopback();
    all.push(worker);
    return worker;
  };
  const builds = new BuildChoice(list);
  const threads = new Threads(() => spawn(helpers));
  const client = new WorkerClient(({ name }) => (names.push(name), spawn(workers)), { builds, threads, ...options });
  return { client, workers, helpers, names, builds, ready: () => workers.at(-1)?.say({ kind: 'ready', lock: '' }) };
}

/** @param {string} handle @returns {any} */
const unload = (handle) => ({ kind: 'unload', handle });
const turn = () => new Promise((resolve) => setTimeout(resolve));
const fault = { code: 'worker-crash', message: '', keys: [] };

export async function requests_are_sent_one_after_another() {
  const { client, workers, ready } = setUp();
  const first = client.request(unload('a'));
  const second = client.request(unload('b'));
  assert.equal(workers.length, 1);
  assert.equal(workers[0].received.length, 0, 'nothing is sent before the worker is ready');
  ready();
  await turn();
  assert.deepEqual(workers[0].received.map(({ handle }) => handle), ['a']);
  workers[0].say({ kind: 'done', id: workers[0].last.id, value: 1 });
  assert.equal(await first, 1);
  await turn();
  workers[0].say({ kind: 'error', id: workers[0].last.id, fault: { code: 'io', message: 'no', keys: ['k'] } });
  await assert.rejects(second, (/** @type {any} */ error) => error.code === 'io' && error.keys[0] === 'k');
}

export async function cancel_terminates_and_the_next_request_gets_a_new_worker() {
  const { client, workers, ready } = setUp();
  const stop = new AbortController();
  const run = client.request(unload('run'), { signal: stop.signal });
  const after = client.request(unload('after'));
  ready();
  await turn();
  const { generation } = client;
  const { id } = workers[0].last;
  stop.abort();
  stop.abort();
  await assert.rejects(run, { code: 'run-cancelled' });
  assert.ok(workers[0].isTerminated);
  assert.ok(client.generation > generation, 'what the old worker held is gone');
  workers[0].say({ kind: 'done', id, value: 'late' });
  ready();
  await turn();
  assert.equal(workers[1].last.handle, 'after');
  workers[1].say({ kind: 'done', id, value: 'of another task' });
  workers[1].say({ kind: 'done', id: workers[1].last.id, value: 'right' });
  assert.equal(await after, 'right');
}

export async function a_brief_task_that_nobody_waits_for_leaves_the_worker_alone() {
  const { client, workers, ready } = setUp();
  const stop = new AbortController();
  const brief = client.request(unload('a'), { signal: stop.signal, isBrief: true });
  const after = client.request(unload('b'));
  ready();
  await turn();
  stop.abort();
  await assert.rejects(brief, { code: 'run-cancelled' });
  assert.deepEqual([workers[0].isTerminated, workers[0].received.length], [false, 1], 'one after the other all the same');
  workers[0].say({ kind: 'done', id: workers[0].last.id, value: 'unheard' });
  await turn();
  workers[0].say({ kind: 'done', id: workers[0].last.id, value: 'heard' });
  assert.equal(await after, 'heard');
}

export async function a_released_worker_leaves_no_wait_behind() {
  const { client, workers, ready } = setUp();
  client.release();
  assert.equal(workers.length, 0);
  client.warmUp();
  client.warmUp();
  assert.equal(workers.length, 1, 'it is started once, before it is asked for anything');
  const waits = [client.request(unload('a')), client.request(unload('b'))];
  ready();
  await turn();
  client.release();
  for (const wait of waits) await assert.rejects(wait, { code: 'run-cancelled' });
  assert.ok(workers[0].isTerminated);
  const next = client.request(unload('c'));
  assert.equal(workers.length, 2);
  ready();
  await turn();
  workers[1].say({ kind: 'done', id: workers[1].last.id, value: 3 });
  assert.equal(await next, 3);
}

export async function a_task_that_waits_is_cancelled_without_a_loss() {
  const { client, workers, ready } = setUp();
  const stop = new AbortController();
  const first = client.request(unload('a'));
  const waiting = client.request(unload('b'), { signal: stop.signal });
  ready();
  await turn();
  stop.abort();
  await assert.rejects(waiting, { code: 'run-cancelled' });
  assert.ok(!workers[0].isTerminated);
  workers[0].say({ kind: 'done', id: workers[0].last.id, value: 1 });
  assert.equal(await first, 1);
}

export async function a_crash_fails_its_task_alone() {
  const { client, workers, ready } = setUp();
  const first = client.request(unload('a'));
  const second = client.request(unload('b'));
  ready();
  await turn();
  workers[0].say({ kind: 'dead', fault });
  await assert.rejects(first, { code: 'worker-crash' });
  ready();
  await turn();
  workers[1].say({ kind: 'done', id: workers[1].last.id, value: 2 });
  assert.equal(await second, 2);
}

export async function what_names_a_model_is_not_run_by_a_worker_that_lacks_it() {
  const { client, workers, ready } = setUp();
  const { generation } = client;
  const first = client.request(unload('a'));
  const bound = client.request(unload('b'), { generation });
  const free = client.request(unload('c'));
  ready();
  await turn();
  workers[0].say({ kind: 'dead', fault });
  await assert.rejects(first, { code: 'worker-crash' });
  ready();
  await assert.rejects(bound, { code: 'worker-replaced' });
  await turn();
  assert.deepEqual(workers[1].received.map(({ handle }) => handle), ['c']);
  workers[1].say({ kind: 'done', id: workers[1].last.id, value: 3 });
  assert.equal(await free, 3);
}

/** Timers of the page, under the test's control. */
function fakeWindow() {
  const timers = /** @type {(() => void)[]} */ ([]);
  Object.assign(globalThis, { window: { setTimeout: (/** @type {() => void} */ run) => timers.push(run) } });
  return timers;
}

export async function a_worker_that_is_kept_is_ready_before_it_is_needed_and_stays() {
  const timers = fakeWindow();
  const { client, workers, ready } = setUp(SURE, { idleMs: 1000 });
  assert.equal(workers.length, 0);
  client.keepReady(true);
  assert.equal(workers.length, 1);
  ready();
  client.keepReady(true);
  assert.deepEqual([workers.length, timers.length], [1, 0], 'it ends when idle');
  workers[0].say({ kind: 'dead', fault });
  assert.equal(workers.length, 2, 'its successor waits for a task');
  ready();
  const task = client.request(unload('a'));
  await turn();
  workers[1].say({ kind: 'done', id: workers[1].last.id, value: 1 });
  assert.equal(await task, 1);
  assert.equal(timers.length, 0);
  client.keepReady(false);
  timers.forEach((run) => run());
  assert.ok(workers[1].isTerminated, 'it gives its memory back');
  client.keepReady(true);
  assert.equal(workers.length, 3);
}

export async function a_worker_that_is_kept_is_not_started_for_ever() {
  const { client, workers, ready } = setUp();
  client.keepReady(true);
  for (let i = 0; i < 3; i++) {
    ready();
    workers[i].say({ kind: 'dead', fault });
  }
  assert.equal(workers.length, 3);
  await assert.rejects(client.request(unload('a')), { code: 'worker-gone' });
}

export async function three_crashes_a_minute_end_the_attempts() {
  const { client, workers, ready } = setUp();
  for (let i = 0; i < 3; i++) {
    const task = client.request(unload('a'));
    ready();
    await turn();
    workers[i].dispatchEvent(Object.assign(new Event('error', { cancelable: true }), { message: 'boom' }));
    await assert.rejects(task, { code: 'worker-crash' });
  }
  await assert.rejects(client.request(unload('a')), { code: 'worker-gone' });
  assert.equal(workers.length, 3);
}

export async function a_worker_that_cannot_start_fails_every_task() {
  const { client, workers } = setUp();
  const tasks = [client.request(unload('a')), client.request(unload('b'))];
  workers[0].say({ kind: 'dead', fault: { code: 'wasm-missing', message: '404', keys: [] } });
  for (const task of tasks) await assert.rejects(task, { code: 'wasm-missing' });
}

export async function a_worker_that_never_answers_is_given_up() {
  const { setTimeout: plain } = globalThis;
  const timers = /** @type {{run: () => void, ms: number}[]} */ ([]);
  globalThis.setTimeout = /** @type {any} */ ((/** @type {() => void} */ run, /** @type {number} */ ms) => timers.push({ run, ms }));
  try {
    const { client, workers } = setUp();
    const task = client.request(unload('a'));
    assert.equal(timers.length, 1);
    assert.ok(timers[0].ms > 60_000, 'a slow connection is given up too soon');
    timers[0].run();
    await assert.rejects(task, { code: 'worker-start' });
    assert.ok(workers[0].isTerminated);
  } finally {
    globalThis.setTimeout = plain;
  }
}

export async function pixels_travel_in_parts_and_only_once() {
  const { client, workers, ready } = setUp();
  const bytes = Uint8Array.from({ length: 9 << 20 }, (_, i) => i % 251);
  const pixels = { key: '1.0', bytes };
  const first = client.request(unload('a'), { pixels });
  ready();
  while (workers[0].last?.kind !== 'unload') await turn();
  const parts = workers[0].received.filter(({ kind }) => kind === 'pixels');
  assert.ok(parts.length > 1);
  const joined = new Uint8Array(parts[0].total);
  for (const part of parts) joined.set(part.bytes, part.offset);
  assert.ok(Buffer.compare(joined, bytes) === 0);
  workers[0].say({ kind: 'done', id: workers[0].last.id, value: null });
  await first;
  void client.request(unload('b'), { pixels });
  await turn();
  assert.equal(workers[0].received.filter(({ kind }) => kind === 'pixels').length, parts.length);
}

const BEST = [{ name: 'relaxed-threads', threads: 3 }, { name: 'relaxed', threads: 1 }, ...SURE];
const join = { kind: 'threads', start: { build: 'b', module: 'm', memory: 's' } };

export async function threads_are_started_on_the_workers_memory_and_end_with_it() {
  const { client, workers, helpers, ready } = setUp(BEST);
  const stop = new AbortController();
  const run = client.request(unload('a'), { signal: stop.signal });
  workers[0].say(join);
  ready();
  await turn();
  assert.equal(helpers.length, 2, 'the worker itself is one of the three');
  assert.deepEqual(helpers.map(({ last }) => last), [join.start, join.start]);
  stop.abort();
  await assert.rejects(run, { code: 'run-cancelled' });
  assert.ok([...workers, ...helpers].every(({ isTerminated }) => isTerminated));
}

export async function a_thread_that_dies_ends_its_run_and_the_use_of_threads() {
  for (const death of [(/** @type {Loopback} */ w) => w.say({ kind: 'dead', message: 'trap' }), (/** @type {Loopback} */ w) => w.dispatchEvent(Object.assign(new Event('error', { cancelable: true }), { message: 'boom' }))]) {
    const { client, workers, helpers, names, builds, ready } = setUp(BEST);
    const run = client.request(unload('a'));
    const { generation } = client;
    workers[0].say(join);
    ready();
    await turn();
    death(helpers[1]);
    death(helpers[0]);
    await assert.rejects(run, { code: 'threads-lost' });
    assert.ok([...workers, ...helpers].every(({ isTerminated }) => isTerminated));
    assert.ok(client.generation > generation);
    const again = client.request(unload('b'));
    ready();
    await turn();
    assert.deepEqual(names, ['relaxed-threads', 'relaxed']);
    assert.equal(builds.reason, 'threads-lost');
    workers[1].say({ kind: 'done', id: workers[1].last.id, value: 2 });
    assert.equal(await again, 2);
    assert.equal(helpers.length, 2);
  }
}

export async function a_build_that_does_not_work_here_gives_way_to_the_next() {
  const { client, workers, names, builds, ready } = setUp(BEST);
  const task = client.request(unload('a'));
  workers[0].say({ kind: 'dead', fault: { code: 'memory-refused', message: '', keys: [] } });
  workers[1].say({ kind: 'dead', fault: { code: 'wasm-missing', message: '204', keys: [] } });
  ready();
  await turn();
  assert.deepEqual(names, ['relaxed-threads', 'relaxed', 'simd128']);
  assert.equal(builds.reason, 'wasm-missing');
  workers[2].say({ kind: 'done', id: workers[2].last.id, value: 1 });
  assert.equal(await task, 1, 'the task never knew');
  // What one worker of the page finds out, no other has to.
  assert.equal(builds.giveUp(BEST[0], 'late'), true);
  assert.equal(builds.current.name, 'simd128');
}

/** Work is saved otherwise then; once the worker is there, its task takes what it takes. */
export async function a_task_waits_for_a_worker_only_as_long_as_it_says() {
  const slow = setUp();
  await assert.rejects(slow.client.request(unload('a'), { startMs: 5 }), { code: 'worker-wait' });
  const patient = slow.client.request(unload('b'));
  slow.ready();
  await turn();
  assert.equal(slow.workers[0].last.handle, 'b', 'what was given up is not sent');
  const waits = slow.client.request(unload('c'), { startMs: 5 });
  await new Promise((resume) => setTimeout(resume, 20));
  slow.workers[0].say({ kind: 'done', id: slow.workers[0].last.id, value: 1 });
  assert.equal(await patient, 1);
  await turn();
  slow.workers[0].say({ kind: 'done', id: slow.workers[0].last.id, value: 2 });
  assert.equal(await waits, 2, 'a worker that is busy is there');
  const quick = setUp();
  const task = quick.client.request(unload('a'), { startMs: 5 });
  quick.ready();
  await new Promise((resume) => setTimeout(resume, 20));
  quick.workers[0].say({ kind: 'done', id: quick.workers[0].last.id, value: 3 });
  assert.equal(await task, 3);
}

export function builds_follow_what_the_browser_can() {
  /** @param {object} change @param {string} [query] */
  const names = (change, query = '') => candidates({ validate: () => true, isIsolated: true, cores: 4, wishes: new URLSearchParams(query), ...change }).map(({ name, threads }) => `${name} ${threads}`);
  assert.deepEqual(names({}), ['relaxed-threads 4', 'relaxed 1', 'simd128 1']);
  assert.deepEqual(names({ cores: 64 })[0], 'relaxed-threads 8');
  assert.deepEqual(names({ isIsolated: false }), ['relaxed 1', 'simd128 1']);
  assert.deepEqual(names({ cores: 1 }), ['relaxed 1', 'simd128 1']);
  assert.deepEqual(names({}, 'threads=1'), ['relaxed 1', 'simd128 1']);
  assert.deepEqual(names({}, 'threads=2&simd=simd128'), ['simd128-threads 2', 'simd128 1']);
  // The real bytes; not every Node has relaxed SIMD, but all have atomics.
  const real = candidates({ validate: (bytes) => WebAssembly.validate(bytes), isIsolated: true, cores: 2, wishes: new URLSearchParams() });
  assert.match(real[0].name, /^(relaxed|simd128)-threads$/);
  const without = (/** @type {number} */ opcode) => names({ validate: (/** @type {Uint8Array} */ bytes) => !bytes.includes(opcode) });
  assert.deepEqual(without(133), ['simd128-threads 4', 'simd128 1'], 'no relaxed SIMD');
  assert.deepEqual(without(254), ['relaxed 1', 'simd128 1'], 'no atomics');
}
