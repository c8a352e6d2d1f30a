// The worker's client against a worker that is none: a loopback under the test's control.
import assert from 'node:assert/strict';
import { WorkerClient } from '../../www/worker/client.js';

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

function setUp() {
  /** @type {Loopback[]} */
  const workers = [];
  const client = new WorkerClient(() => {
    const worker = new Loopback();
    workers.push(worker);
    return /** @type {any} */ (worker);
  });
  return { client, workers, ready: () => workers.at(-1)?.say({ kind: 'ready', lock: '' }) };
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
