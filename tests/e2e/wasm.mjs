// Runs the crate's tests, compiled to wasm, in a worker of a real browser: node tests/e2e/wasm.mjs FOLDER
// A build with threads gets one more, so that the tests' layers are shared out.
import { chromium } from 'playwright-core';
import { serve } from './server.mjs';

const folder = process.argv[2];
const WORKER = `
import init, * as wasm from './tests.js';
self.__wbg_test_invoke = (f) => f();
const lines = [];
self.__wbg_test_output_writeln = (...words) => lines.push(words.join(' '));
for (const level of ['debug', 'log', 'info', 'warn', 'error']) {
  console[level] = (...words) => { lines.push(words.join(' ')); self['on_console_' + level]?.(...words); };
}
try {
  const module = await WebAssembly.compileStreaming(fetch('./tests_bg.wasm'));
  const isShared = WebAssembly.Module.imports(module).some(({ kind }) => kind === 'memory');
  const memory = isShared ? new WebAssembly.Memory({ initial: 1024, maximum: 65536, shared: true }) : undefined;
  await init({ module_or_path: module, memory });
  if (isShared) {
    postMessage({ module, memory });
    await new Promise((resolve) => { onmessage = resolve; });
  }
  const context = new wasm.WasmBindgenTestContext(false);
  for (const level of ['debug', 'log', 'info', 'warn', 'error']) self['on_console_' + level] = wasm['__wbgtest_console_' + level];
  const names = Object.keys(wasm.__wasm).filter((name) => name.startsWith('__wbgt_'));
  await context.run(names.map((name) => wasm.__wasm[name]));
  postMessage({ lines });
} catch (error) {
  postMessage({ lines: [...lines, String(error?.stack ?? error)] });
}`;

const THREAD = `
import init, * as wasm from './tests.js';
onmessage = async ({ data: { module, memory } }) => {
  await init({ module_or_path: module, memory });
  postMessage('joined');
  wasm.join_threads();
};`;

const isolation = { 'Cross-Origin-Opener-Policy': 'same-origin', 'Cross-Origin-Embedder-Policy': 'require-corp' };
const site = await serve(folder, { '/worker.js': ['text/javascript', WORKER], '/thread.js': ['text/javascript', THREAD], '/': ['text/html', '<!doctype html><title>tests</title>'] }, '/', isolation);
const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM,
  args: ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run'],
});
const page = await browser.newPage();
await page.goto(site.url);
const lines = await page.evaluate(() => new Promise((resolve) => {
  const worker = new Worker('./worker.js', { type: 'module' });
  worker.onmessage = ({ data }) => {
    if (data.lines) return resolve(data.lines);
    const thread = new Worker('./thread.js', { type: 'module' });
    thread.onmessage = () => setTimeout(() => worker.postMessage('joined'), 50);
    thread.onerror = (event) => resolve([`the thread died: ${event.message}`]);
    thread.postMessage(data);
  };
  worker.onerror = (event) => resolve([`the worker died: ${event.message}`]);
}));
console.log(lines.join('\n').trim());
await browser.close();
await site.close();
process.exit(lines.some((line) => line.includes('test result: ok')) ? 0 : 1);
