/**
 * onnxruntime-web's wasm backend in a worker of the benchmark.
 * @module
 */
import * as ort from './node_modules/onnxruntime-web/dist/ort.wasm.min.mjs';

let session = /** @type {any} */ (null);
let feeds = /** @type {Record<string, any>} */ ({});
let output = new Float32Array(0);

/** @param {any} request */
async function open({ threads, file, inputs }) {
  ort.env.wasm.numThreads = threads;
  ort.env.wasm.wasmPaths = new URL('./node_modules/onnxruntime-web/dist/', import.meta.url).href;
  const bytes = new Uint8Array(await (await fetch(file)).arrayBuffer());
  for (const { name, shape, url } of inputs) {
    feeds[name] = new ort.Tensor('float32', new Float32Array(await (await fetch(url)).arrayBuffer()), shape);
  }
  const began = performance.now();
  session = await ort.InferenceSession.create(bytes, { executionProviders: ['wasm'], graphOptimizationLevel: 'all' });
  const ms = performance.now() - began;
  return { load_ms: ms, opening_ms: ms, bytes: 0 };
}

async function run() {
  const began = performance.now();
  const results = await session.run(feeds);
  const ms = performance.now() - began;
  output = results[session.outputNames[0]].data;
  return { ms, bytes: 0, report: null };
}

onmessage = async ({ data }) => {
  try {
    postMessage(data.kind === 'open' ? await open(data) : data.kind === 'run' ? await run() : { values: Float32Array.from(output) });
  } catch (error) {
    postMessage({ kind: 'error', message: String(/** @type {any} */ (error)?.stack ?? error) });
  }
};
