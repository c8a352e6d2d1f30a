/**
 * infill's engines in a worker of the benchmark.
 * @module
 */
let crate = /** @type {any} */ (null);
let wasm = /** @type {any} */ (null);
let forward = /** @type {any} */ (null);
let inputs = /** @type {Float32Array[]} */ ([]);
let shape = /** @type {number[]} */ ([]);
let output = new Float32Array(0);
let joined = () => {};

/** @param {any} request */
async function open({ engine, threads, glue, model, file, inputs: wanted }) {
  const blob = await (await fetch(file)).blob();
  inputs = await Promise.all(wanted.map(async (/** @type {any} */ { url }) => new Float32Array(await (await fetch(url)).arrayBuffer())));
  shape = wanted[0].shape;
  const began = performance.now();
  crate = await import(glue);
  const module = await WebAssembly.compileStreaming(fetch(glue.replace('.js', '_bg.wasm')));
  wasm = await crate.default({ module_or_path: module });
  if (threads > 1) {
    const done = new Promise((resolve) => { joined = () => resolve(undefined); });
    postMessage({ kind: 'threads', count: threads - 1, glue, module, memory: crate.memory?.() ?? wasm.memory });
    await done;
  }
  const opening = performance.now();
  forward = new crate.Forward(blob, 'weights.safetensors', model, engine);
  const now = performance.now();
  return { load_ms: now - began, opening_ms: now - opening, bytes: wasm.memory.buffer.byteLength };
}

/** Values for another side of the picture. @param {number} side */
function resized(side) {
  return inputs.map((values) => {
    const channels = values.length / shape[2] / shape[3];
    return Float32Array.from({ length: channels * side * side }, (_, i) => values[i % values.length]);
  });
}

/** @param {number} side 0: as given */
function run(side) {
  const given = side ? resized(side) : inputs;
  const began = performance.now();
  const values = forward.run(given[0], given[1], side || shape[2], side || shape[3]);
  const ms = performance.now() - began;
  if (!side) output = values;
  return { ms, bytes: wasm.memory.buffer.byteLength, report: JSON.parse(forward.report?.() ?? 'null') };
}

onmessage = async ({ data }) => {
  if (data.kind === 'joined') return joined();
  try {
    const answer = data.kind === 'open' ? await open(data) : data.kind === 'run' ? run(data.side) : { values: output };
    postMessage(answer);
  } catch (error) {
    postMessage({ kind: 'error', message: String(/** @type {any} */ (error)?.stack ?? error) });
  }
};
