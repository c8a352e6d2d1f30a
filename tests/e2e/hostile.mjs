// Attacks and accidents, read by the site's own wasm in a worker: each ends in its one code, and nothing traps.
import { readFile } from 'node:fs/promises';
import { check, ROOT } from './page.mjs';
import { BLANK } from './server.mjs';

/** @typedef {import('./page.mjs').Visitor} Visitor */

const FOLDER = `${ROOT}tests/hostile/`;
/** Wasm memory that reading any of the files may have taken, in bytes; the files themselves have kilobytes. */
const MOST_MEMORY = 128 << 20;

/** Started from a blob, as the page's own worker is. */
const WORKER = `
const { default: init, Models } = await import(GLUE);
const wasm = await init();
const models = new Models();
/** The code of what a call throws, or 'ok'. */
function outcome(call) {
  try {
    call();
    return { code: 'ok', message: '' };
  } catch (error) {
    return { code: error?.code ?? 'trap', message: String(error?.message ?? error) };
  }
}
onmessage = ({ data: { name, base64, times } }) => {
  const part = new Blob([Uint8Array.from(atob(base64), (c) => c.charCodeAt(0))]);
  // A file that large is never held: it refers to one part over and over.
  const many = (blob, count) => new Blob(Array(count).fill(blob));
  const blob = times ? many(many(part, 1000), times) : part;
  const inspected = outcome(() => JSON.parse(models.inspect(blob, name)));
  const loaded = outcome(() => models.load('x', blob, name));
  models.unload('x');
  postMessage({ inspected, loaded, memory: wasm.memory.buffer.byteLength });
};
postMessage('ready');`;

/** @param {Visitor} v */
export async function hostile_files_end_in_their_codes(v) {
  const expected = /** @type {Record<string, string>} */ (JSON.parse(await readFile(`${FOLDER}expected.json`, 'utf8')));
  const names = Object.keys(expected);
  check(names.length > 90, `only ${names.length} files`);
  await v.page.goto(v.url + BLANK);
  await v.page.evaluate(async (source) => {
    const glue = new URL('pkg/simd128/infill.js', location.href).href;
    const url = URL.createObjectURL(new Blob([`const GLUE = ${JSON.stringify(glue)};${source}`], { type: 'text/javascript' }));
    const worker = new Worker(url, { type: 'module' });
    const next = () => new Promise((resolve, reject) => {
      worker.onmessage = ({ data }) => resolve(data);
      worker.onerror = (event) => reject(new Error(`the worker died: ${event.message}`));
    });
    await next();
    Object.assign(window, { read: (/** @type {unknown} */ file) => { worker.postMessage(file); return next(); } });
  }, WORKER);
  const wrong = [];
  let [memory, slowest, slowestName] = [0, 0, ''];
  for (const name of names) {
    const base64 = (await readFile(`${FOLDER}files/${name}`)).toString('base64');
    const start = Date.now();
    const found = await v.page.evaluate((file) => /** @type {any} */ (window).read(file), { name, base64 });
    const ms = Date.now() - start;
    if (ms > slowest) [slowest, slowestName] = [ms, name];
    memory = Math.max(memory, found.memory);
    const code = expected[name].startsWith('ok') ? 'ok' : expected[name];
    if (found.inspected.code !== code) wrong.push(`${name}: ${found.inspected.code} instead of ${code} (${found.inspected.message})`);
    if (code !== 'ok' && !found.inspected.message.includes(name)) wrong.push(`${name} is not named: ${found.inspected.message}`);
    if (code !== 'ok' && found.loaded.code !== code) wrong.push(`${name}: loading says ${found.loaded.code} (${found.loaded.message})`);
    if (found.loaded.code === 'trap') wrong.push(`${name}: loading trapped: ${found.loaded.message}`);
  }
  const huge = { name: 'huge.pth', base64: Buffer.alloc(100_000, 'PK').toString('base64'), times: 41 };
  const refused = await v.page.evaluate((file) => /** @type {any} */ (window).read(file), huge);
  check(refused.inspected.code === 'checkpoint-limit' && /4100000000/.test(refused.inspected.message), `4.1 GB: ${refused.inspected.message}`);
  console.log(`  ${names.length} files; slowest ${slowestName} ${slowest} ms; wasm memory ${(memory / 1e6).toFixed(0)} MB`);
  check(wrong.length === 0, wrong.join('\n  '));
  check(memory < MOST_MEMORY, `wasm memory grew to ${memory} bytes`);
  await v.quiet();
}
