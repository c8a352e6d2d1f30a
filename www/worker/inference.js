/**
 * The worker that holds the models and runs them: passes requests to the crate and its answers back.
 * @module
 */
import { listen, load, pixelsOf, teller } from './serve.js';

let crate = /** @type {any} */ (null);
let models = /** @type {any} */ (null);
/** Size of the wasm memory. */
let bytes = () => 0;

/**
 * Called by the worker's own source.
 * @param {import('./builds.js').Build} build
 */
export function start(build) {
  return load(build, (loaded) => {
    ({ crate, bytes } = loaded);
    models = new crate.Models();
  });
}

listen(async (request) => {
  switch (request.kind) {
    case 'inspect':
      return { value: JSON.parse(models.inspect(request.blob, request.name)) };
    case 'load':
      return { value: JSON.parse(models.load(request.handle, request.blob, request.name, request.modelId, request.byPosition ?? false)) };
    case 'python':
      return { value: crate.python(request.text) };
    case 'read-class':
      return { value: JSON.parse(models.read_class(JSON.stringify(request.paste), request.blob, request.name)) };
    case 'load-class':
      return { value: JSON.parse(models.load_class(request.handle, request.blob, request.name, JSON.stringify(request.paste))) };
    case 'load-graph':
      return { value: JSON.parse(models.load_graph(request.handle, request.blob, request.name)) };
    case 'combine':
      return { value: models.combine(request.handle, request.from) };
    case 'unload':
      return { value: models.unload(request.handle) };
    case 'inpaint': {
      const { id, handle, key, width, height, isGray, mask, options, second, edges } = request;
      const patches = models.inpaint(handle, pixelsOf(key), width, height, isGray, mask, options, teller(id), second, edges);
      const speed = { threads: crate.thread_count(), simd: crate.simd(), bytes: bytes(), networks: JSON.parse(models.speed(handle)) };
      return { value: { patches, speed }, transfer: patches.map((/** @type {any} */ patch) => patch.rgba.buffer) };
    }
    case 'edges': {
      const { id, handle, key, width, height, mask, options, propose } = request;
      return { value: models.edges(handle, pixelsOf(key), width, height, mask, options, propose, teller(id)) };
    }
    case 'preview': {
      const { handle, key, width, height, mask, options, second, edges } = request;
      return { value: models.preview(handle, pixelsOf(key), width, height, mask, options, second, edges) };
    }
    case 'score': {
      const { id, handle, key, width, height, options } = request;
      return { value: JSON.parse(models.score(handle, pixelsOf(key), width, height, options, teller(id))) };
    }
    case 'check': {
      const { id, blobs, names, byPosition, key, width, height, mask, options, second, edges } = request;
      const { json, columns, rows, values } = crate.check(blobs, names, undefined, byPosition, pixelsOf(key), width, height, mask, options, teller(id), second, edges);
      return { value: { ...JSON.parse(json), columns, rows, values }, transfer: [values.buffer] };
    }
    case 'models':
      return { value: JSON.parse(crate.models()) };
    case 'align':
      return { value: JSON.parse(models.align(request.blob, request.name, request.modelId)) };
    case 'stats':
      return { value: JSON.parse(models.stats(request.blob, request.name, request.keys)) };
    default:
      throw new Error(`${request.kind} is for the worker of the pictures.`);
  }
});
