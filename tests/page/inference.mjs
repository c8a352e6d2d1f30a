// The worker's own part, without a crate: what it answers when something does not fit.
import assert from 'node:assert/strict';

let copies = 0;

/** The worker, loaded anew; returns what it posts for a message. */
async function worker() {
  const posted = /** @type {any[]} */ ([]);
  let listener = /** @type {(event: {data: any}) => Promise<void>} */ (async () => {});
  Object.assign(globalThis, { self: { addEventListener: (/** @type {string} */ _, /** @type {any} */ run) => { listener = run; }, postMessage: (/** @type {any} */ reply) => posted.push(reply) } });
  await import(`../../www/worker/inference.js?${copies++}`);
  return async (/** @type {any} */ data) => {
    posted.length = 0;
    await listener({ data });
    return [...posted];
  };
}

export async function pixels_that_do_not_fit_are_told_as_memory() {
  const tell = await worker();
  const part = { kind: 'pixels', key: '1.0', offset: 0, bytes: new Uint8Array(4) };
  assert.deepEqual(await tell({ ...part, total: 4 }), []);
  const [reply, ...more] = await tell({ ...part, total: 2 ** 60 });
  assert.deepEqual([reply.kind, reply.fault.code, more.length], ['dead', 'worker-memory', 0]);
}

export async function a_part_that_lies_outside_is_no_want_of_memory() {
  const tell = await worker();
  const [reply] = await tell({ kind: 'pixels', key: '1.0', total: 4, offset: 2, bytes: new Uint8Array(4) });
  assert.deepEqual([reply.kind, reply.fault.code], ['dead', 'worker-crash']);
}
