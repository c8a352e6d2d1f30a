// Any static host, and none at all; and the reader in the browser's own wasm.
import { readFile, readdir } from 'node:fs/promises';
import { check, file, photo, ROOT } from './page.mjs';

/** @typedef {import('./page.mjs').Visitor} Visitor */

/** @param {Visitor} v */
export async function offline_once_visited(v) {
  await v.page.evaluate(async () => {
    await navigator.serviceWorker.ready;
    // The shipped model is fetched once and kept.
    const kept = async () => (await Promise.all((await caches.keys()).map(async (name) => (await (await caches.open(name)).keys()).map((r) => r.url)))).flat();
    for (let i = 0; i < 100 && !(await kept()).some((url) => url.includes('starter')); i++) await new Promise((resolve) => setTimeout(resolve, 100));
  });
  await v.page.context().setOffline(true);
  await v.page.reload();
  await v.page.waitForFunction(() => document.querySelector('main')?.dataset.state === 'empty');
  await v.openPhoto(file('photo.png', photo(200, 150), 'image/png'));
  await v.paint([[-20, 0], [20, 0]]);
  await v.inpaint();
}

/** Every hostile file up to 64 KB, through the page's own wasm in a worker. @param {Visitor} v */
export async function hostile_files_end_in_their_codes(v) {
  const expected = JSON.parse(await readFile(`${ROOT}tests/hostile/expected.json`, 'utf8'));
  const files = [];
  for (const name of await readdir(`${ROOT}tests/hostile/files`)) {
    const bytes = await readFile(`${ROOT}tests/hostile/files/${name}`);
    if (bytes.length <= 64 << 10) files.push({ name, code: expected[name], base64: bytes.toString('base64') });
  }
  const wrong = await v.page.evaluate(async (files) => {
    const source = `
      import init, { Models } from '${new URL('pkg/infill.js', document.baseURI)}';
      await init();
      const models = new Models();
      onmessage = ({ data }) => postMessage(data.map(({ name, base64 }) => {
        const bytes = Uint8Array.from(atob(base64), (c) => c.charCodeAt(0));
        const start = performance.now();
        try {
          models.inspect(new Blob([bytes]), name);
          return { name, found: 'ok', ms: performance.now() - start };
        } catch (error) {
          return { name, found: error.code ?? 'trap: ' + error.message, ms: performance.now() - start };
        }
      }));
      postMessage('ready');`;
    const worker = new Worker(URL.createObjectURL(new Blob([source], { type: 'text/javascript' })), { type: 'module' });
    const next = () => new Promise((resolve, reject) => { worker.onmessage = ({ data }) => resolve(data); worker.onerror = reject; });
    await next();
    const answer = next();
    worker.postMessage(files);
    const results = /** @type {{name: string, found: string, ms: number}[]} */ (await answer);
    worker.terminate();
    const slow = results.filter(({ ms }) => ms > 1000).map(({ name, ms }) => `${name} took ${ms} ms`);
    const other = results.filter(({ found }, i) => found !== files[i].code.split('-but-')[0]).map(({ name, found }) => `${name}: ${found}`);
    return [...slow, ...other];
  }, files);
  console.log(`  ${files.length} hostile files`);
  check(files.length > 80, `only ${files.length} files`);
  check(wrong.length === 0, wrong.join('; '));
}
