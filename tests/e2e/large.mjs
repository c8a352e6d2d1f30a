// A full-size ContextEncoder, 173 MB: how long until it is ready, and how much wasm memory it takes. Figures, not limits.
import { check, file, photo } from './page.mjs';

/** @typedef {import('./page.mjs').Visitor} Visitor */

/** The state dict of the published ContextEncoder. */
function shapes() {
  const list = /** @type {[string, number[]][]} */ ([]);
  const conv = (/** @type {string} */ path, /** @type {number[]} */ weight, /** @type {number} */ out) => list.push([`${path}.weight`, weight], [`${path}.bias`, [out]]);
  const norm = (/** @type {string} */ path, /** @type {number} */ c) => list.push(...['weight', 'bias', 'running_mean', 'running_var'].map((name) => /** @type {[string, number[]]} */ ([`${path}.${name}`, [c]])));
  conv('encoder.0', [64, 4, 4, 4], 64);
  [64, 128, 256, 512, 512, 512, 512, 512, 512].reduce((inputs, outputs, i) => {
    conv(`encoder.${3 * i - 1}`, [outputs, inputs, 4, 4], outputs);
    norm(`encoder.${3 * i}`, outputs);
    return outputs;
  });
  [512, 512, 512, 512, 512, 256, 128, 64].reduce((inputs, outputs, i) => {
    conv(`decoder.${3 * i - 3}`, [inputs, outputs, 4, 4], outputs);
    norm(`decoder.${3 * i - 2}`, outputs);
    return outputs;
  });
  conv('decoder.21', [64, 3, 4, 4], 3);
  return list;
}

/** @returns {{bytes: Buffer, weights: number}} a safetensors file of small values */
function checkpoint() {
  let offset = 0;
  const header = Object.fromEntries(shapes().map(([key, shape]) => {
    const start = offset;
    offset += 4 * shape.reduce((product, n) => product * n, 1);
    return [key, { dtype: 'F32', shape, data_offsets: [start, offset] }];
  }));
  const text = Buffer.from(JSON.stringify(header));
  const bytes = Buffer.alloc(8 + text.length + offset);
  bytes.writeBigUInt64LE(BigInt(text.length));
  text.copy(bytes, 8);
  // 0.0078125 in little-endian float32, everywhere.
  bytes.fill(Buffer.from([0, 0, 0, 0x3c]), 8 + text.length);
  return { bytes, weights: offset };
}

/** @param {Visitor} v */
export async function a_full_size_context_encoder_is_ready_soon(v) {
  await v.page.route('**/pkg/{simd128,relaxed}*/infill.js', async (route) => {
    const response = await route.fetch();
    await route.fulfill({ response, body: `${await response.text()}\nself.memoryForTest = () => wasm?.memory.buffer.byteLength ?? 0;` });
  });
  await v.open();
  await v.openPhoto(file('photo.png', photo(600, 600), 'image/png'));
  const { bytes, weights } = checkpoint();
  await v.page.evaluate(() => {
    const input = /** @type {HTMLInputElement} */ (document.querySelector('#load-weights'));
    const clock = { start: 0 };
    Object.assign(window, { clock });
    input.addEventListener('change', () => { clock.start = performance.now(); }, { capture: true });
  });
  // Playwright hands large files over by path only.
  const { writeFile, rm } = await import('node:fs/promises');
  const { OUT } = await import('./page.mjs');
  await writeFile(`${OUT}large.safetensors`, bytes);
  await v.give('Load weights', `${OUT}large.safetensors`);
  await v.says(/ContextEncoder/, 60_000);
  const ms = await v.page.evaluate(() => performance.now() - /** @type {any} */ (window).clock.start);
  const memory = await Promise.all(v.page.workers().map((worker) => worker.evaluate(() => /** @type {any} */ (self).memoryForTest?.() ?? 0)));
  const largest = Math.max(...memory);
  console.log(`  173 MB ready in ${(ms / 1000).toFixed(2)} s; wasm memory ${(largest / 1e6).toFixed(0)} MB, ${(largest / weights).toFixed(2)} times the weights`);
  await v.paint([[-40, 0], [40, 20]]);
  const start = Date.now();
  await v.inpaint();
  const after = await Promise.all(v.page.workers().map((worker) => worker.evaluate(() => /** @type {any} */ (self).memoryForTest?.() ?? 0)));
  console.log(`  filled in ${((Date.now() - start) / 1000).toFixed(1)} s; peak wasm memory ${(Math.max(...after) / weights).toFixed(2)} times the weights`);
  check((await v.model()).includes('ContextEncoder'), 'another model is selected');
  await rm(`${OUT}large.safetensors`);
  await v.quiet();
}
