/**
 * The benchmark's page: one worker for every engine with its threads.
 * @module
 */
import { peak } from './peak.js';
import { startThread } from './threads.js';

/** @type {Map<string, Subject>} */
const subjects = new Map();
let next = 1;

class Subject {
  #worker;
  #threads = /** @type {Worker[]} */ ([]);

  /** @param {any} request */
  constructor(request) {
    this.#worker = new Worker(new URL(request.engine === 'onnxruntime-web' ? 'onnx_worker.js' : 'infill_worker.js', import.meta.url), { type: 'module' });
  }

  /** @param {any} message @returns {Promise<any>} */
  ask(message) {
    return new Promise((resolve, reject) => {
      this.#worker.onmessage = async ({ data }) => {
        if (data.kind === 'threads') {
          this.#threads = await Promise.all(Array.from({ length: data.count }, () => startThread(data)));
          this.#worker.postMessage({ kind: 'joined' });
        } else if (data.kind === 'error') reject(new Error(data.message));
        else resolve(data);
      };
      this.#worker.onerror = (event) => reject(new Error(`the worker died: ${event.message}`));
      this.#worker.postMessage(message);
    });
  }

  close() {
    for (const worker of [this.#worker, ...this.#threads]) worker.terminate();
  }
}

/** @param {string} id */
function subject(id) {
  const found = subjects.get(id);
  if (!found) throw new Error(`no subject ${id}`);
  return found;
}

Object.assign(window, {
  bench: {
    peak,
    async open(/** @type {any} */ request) {
      const id = String(next++);
      subjects.set(id, new Subject(request));
      return { id, ...(await subject(id).ask({ kind: 'open', ...request })) };
    },
    run: (/** @type {string} */ id, /** @type {number} */ side) => subject(id).ask({ kind: 'run', side }),
    async output(/** @type {string} */ id) {
      const { values } = await subject(id).ask({ kind: 'output' });
      const bytes = new Uint8Array(values.buffer);
      let text = '';
      for (let i = 0; i < bytes.length; i += 8192) text += String.fromCharCode(...bytes.subarray(i, i + 8192));
      return btoa(text);
    },
    close(/** @type {string} */ id) {
      subject(id).close();
      subjects.delete(id);
    },
  },
});
