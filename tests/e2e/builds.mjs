// Every shipped build: fast engine against reference on networks of several kinds of layers, and sizes that do not fit.
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { check, ROOT, Visitor } from './page.mjs';
import { BLANK, serve } from './server.mjs';

const ISOLATION = { 'Cross-Origin-Opener-Policy': 'same-origin', 'Cross-Origin-Embedder-Policy': 'require-corp' };
const BUILDS = ['simd128', 'relaxed', 'simd128-threads', 'relaxed-threads'];
/** File, network, channels of the inputs, and a side that the network takes; small widths, so that it is quick. */
const NETWORKS = /** @type {[string, string, number[], number][]} */ ([
  ['tests/reference/networks/context-encoder.pth', 'context-encoder', [4], 512],
  ['tests/reference/networks/edgeconnect-inpaint.pth', 'edgeconnect-inpaint', [4], 68],
  ['tests/reference/networks/image-pair.pth', 'image-pair', [3, 3], 80],
  ['www/models/default.safetensors', 'default', [4], 96],
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
    const engine = new crate.Forward(blob, name, id, 'fast');
    const odds = odd.map((side) => outcome(engine, channels, side));
    // What was refused leaves the engine as it was.
    postMessage({ odds, values: Array.from(engine.run(inputs[0], inputs[1], side, side)) });
  } catch (error) {
    postMessage({ error: String(error) });
  }
};`;

/**
 * What the command line's reference engine says to the inputs that the worker makes.
 * @param {string} path @param {string} id @param {number[]} channels @param {number} side
 */
function reference(path, id, channels, side) {
  const folder = mkdtempSync(`${tmpdir()}/infill-builds-`);
  const names = channels.length === 1 ? ['x'] : ['x1', 'x2'];
  const inputs = channels.map((c, k) => Float32Array.from({ length: c * side * side }, (_, i) => ((i * 2654435761 + k) % 1000) / 1000));
  /** @type {Record<string, object>} */
  const header = {};
  let end = 0;
  inputs.forEach((input, k) => {
    header[names[k]] = { dtype: 'F32', shape: [1, channels[k], side, side], data_offsets: [end, (end += input.byteLength)] };
  });
  const text = Buffer.from(JSON.stringify(header));
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(text.length));
  writeFileSync(`${folder}/in.safetensors`, Buffer.concat([length, text, ...inputs.map((input) => Buffer.from(input.buffer))]));
  const files = ['--input', `${folder}/in.safetensors`, '--output', `${folder}/out.safetensors`];
  execFileSync(/** @type {string} */ (process.env.INFILL), ['forward', '--weights', ROOT + path, '--model', id, ...files, '--engine', 'reference']);
  const out = readFileSync(`${folder}/out.safetensors`);
  const start = 8 + Number(out.readBigUInt64LE(0));
  return new Float32Array(out.buffer.slice(out.byteOffset + start, out.byteOffset + out.length));
}

/** @param {Visitor} v */
export async function every_build_agrees_with_the_reference(v) {
  const site = await serve(`${ROOT}dist`, {}, '/', ISOLATION);
  try {
    await v.page.goto(site.url + BLANK);
    check(await v.page.evaluate(() => crossOriginIsolated), 'the page is not isolated');
    for (const [path, id, channels, side] of NETWORKS) {
      const base64 = readFileSync(`${ROOT}${path}`).toString('base64');
      const expected = reference(path, id, channels, side);
      const spread = Math.max(...expected.slice(0, 5000)) - Math.min(...expected.slice(0, 5000));
      for (const build of BUILDS) {
        const found = await v.page.evaluate(([source, message]) => new Promise((resolve) => {
          const url = URL.createObjectURL(new Blob([/** @type {string} */ (source)], { type: 'text/javascript' }));
          const worker = new Worker(url, { type: 'module' });
          worker.onmessage = ({ data }) => (worker.terminate(), resolve(data));
          worker.onerror = (event) => resolve({ error: event.message });
          worker.postMessage(message);
        }), [WORKER, { glue: `${site.url}pkg/${build}/infill.js`, base64, name: path.split('/').at(-1), id, channels, side, odd: id === 'default' ? [...ODD_SIDES, HUGE_SIDE] : ODD_SIDES }]);
        const { error, odds, values } = /** @type {{error?: string, odds: string[], values: number[]}} */ (found);
        check(!error, `${build}, ${id}: ${error}`);
        const most = expected.reduce((worst, value, i) => Math.max(worst, Math.abs(value - values[i])), 0);
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
