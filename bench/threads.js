/**
 * A helper thread of the benchmark, started as the page starts its own.
 * @module
 */
const SOURCE = `onmessage = async ({ data: { glue, module, memory } }) => {
  const crate = await import(glue);
  await crate.default({ module_or_path: module, memory });
  postMessage('joined');
  crate.join_threads();
};`;

/** @param {{glue: string, module: WebAssembly.Module, memory: WebAssembly.Memory}} build @returns {Promise<Worker>} */
export function startThread({ glue, module, memory }) {
  const worker = new Worker(URL.createObjectURL(new Blob([SOURCE], { type: 'text/javascript' })), { type: 'module' });
  return new Promise((resolve, reject) => {
    // It says so just before it joins: a moment more, and it is there.
    worker.onmessage = () => setTimeout(() => resolve(worker), 20);
    worker.onerror = (event) => reject(new Error(`a thread died: ${event.message}`));
    worker.postMessage({ glue, module, memory });
  });
}
