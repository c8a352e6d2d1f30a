// Every shipped build: fast engine against reference on networks of several kinds of layers, and sizes that do not fit.
import { readFile } from 'node:fs/promises';
import { check, ROOT, Visitor } from './page.mjs';
import { serve } from './server.mjs';

const ISOLATION = { 'Cross-Origin-Opener-Policy': 'same-origin', 'Cross-Origin-Embedder-Policy': 'require-corp' };
const BUILDS = ['simd128', 'relaxed', 'simd128-threads', 'relaxed-threads'];
/** File, network, channels of the inputs, and a side that the network takes; small widths, so that it is quick. */
const NETWORKS = /** @type {[string, string, number[], number][]} */ ([
  ['tests/reference/networks/context-encoder.pth', 'context-encoder', [4], 512],
  ['tests/reference/networks/edgeconnect-inpaint.pth', 'edgeconnect-inpaint', [4], 68],
  ['tests/reference/networks/image-pair.pth', 'image-pair', [3, 3], 80],
  ['www/models/starter.safetensors', 'default', [4], 72],
]);
/** Sides that no network, or not every one, takes. */
const ODD_SIDES = [1, 2, 7, 33];
/** Needs more memory than a tab has. */
const HUGE_SIDE = 4096;
/** Fused multiply-adds and Winograd's transforms round differently; outputs lie in [-1, 1]. */
const MOST_DIFFERENCE = 1e-3;

const WORKER = `
/** The code of what a run throws, 'done', or what kind of trap it was. */
function outcome(forward, channels, side) {
  try {
    const [x, second] = channels.map((c) => new Float32Array(c * side * side));
    forward.run(x, second, side, side);
    return 'done';
  } catch (error) {
    return error.code ?? String(error);
  }
}
onmessage = async ({ data: { glue, base64, name, id, channels, side, odd } }) => {
  try {
    const crate = await import(glue);
    await crate.default();
    const blob = new Blob([Uint8Array.from(atob(base64), (c) => c.charCodeAt(0))]);
    const inputs = channels.map((c, k) => Float32Array.from({ length: c * side * side }, (_, i) => ((i * 2654435761 + k) % 1000) / 1000));
    const engines = ['fast', 'reference'].map((engine) => new crate.Forward(blob, name, id, engine));
    const odds = odd.map((side) => outcome(engines[0], channels, side));
    // What was refused leaves the engine as it was.
    const [fast, reference] = engines.map((engine) => engine.run(inputs[0], inputs[1], side, side));
    let most = 0;
    fast.forEach((value, i) => { const d = Math.abs(value - reference[i]); if (!(d <= most)) most = d; });
    postMessage({ most, odds, spread: Math.max(...reference.slice(0, 5000)) - Math.min(...reference.slice(0, 5000)) });
  } catch (error) {
    postMessage({ error: String(error) });
  }
};`;

/** @param {Visitor} v */
export async function every_build_agrees_with_the_reference(v) {
  const site = await serve(`${ROOT}dist`, {}, '/', ISOLATION);
  try {
    await v.page.goto(site.url);
    check(await v.page.evaluate(() => crossOriginIsolated), 'the page is not isolated');
    for (const build of BUILDS) {
      for (const [path, id, channels, side] of NETWORKS) {
        const base64 = (await readFile(`${ROOT}${path}`)).toString('base64');
        const found = await v.page.evaluate(([source, message]) => new Promise((resolve) => {
          const url = URL.createObjectURL(new Blob([/** @type {string} */ (source)], { type: 'text/javascript' }));
          const worker = new Worker(url, { type: 'module' });
          worker.onmessage = ({ data }) => (worker.terminate(), resolve(data));
          worker.onerror = (event) => resolve({ error: event.message });
          worker.postMessage(message);
        }), [WORKER, { glue: `${site.url}pkg/${build}/infill.js`, base64, name: path.split('/').at(-1), id, channels, side, odd: id === 'default' ? [...ODD_SIDES, HUGE_SIDE] : ODD_SIDES }]);
        const { error, odds, most, spread } = /** @type {{error?: string, odds: string[], most: number, spread: number}} */ (found);
        check(!error, `${build}, ${id}: ${error}`);
        check(odds.slice(0, ODD_SIDES.length).every((each) => ['done', 'input-shape'].includes(each)), `${build}, ${id}: sides ${ODD_SIDES} end in ${odds}`);
        if (id === 'default') check(odds.at(-1) === 'out-of-memory', `${build}: a side of ${HUGE_SIDE} ends in ${odds.at(-1)}`);
        check(most <= MOST_DIFFERENCE, `${build}, ${id}: fast and reference differ by ${most}`);
        check(spread > 10 * MOST_DIFFERENCE, `${build}, ${id}: the output is flat, so this shows nothing (${spread})`);
      }
    }
  } finally {
    await site.close();
  }
}
