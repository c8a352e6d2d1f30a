// The runs of `cargo xtask bench`, interleaved: node bench/run.mjs CONFIG
// Every engine and thread count has a worker of its own (PyTorch a process); a round runs each of them once.
import { readFile, writeFile } from 'node:fs/promises';
import os from 'node:os';
import { chromium } from 'playwright-core';
import { serve } from '../tests/e2e/server.mjs';
import { PyTorch } from './pytorch.mjs';
import { printTables, markdown } from './tables.mjs';

const ROOT = new URL('../', import.meta.url).pathname;
/** Rounds of an engine end after this long, in ms, but not before `LEAST_RUNS`: some take seconds a run. */
const MOST_MS = 10_000;
const LEAST_RUNS = 3;
/** A run longer than this, in ms, is neither warmed up twice nor repeated: the reference at 512 takes 20 s. */
const LONG_MS = 5000;
const GROWTH = [256, 512, 768, 1024];

const [load] = os.loadavg();
const config = JSON.parse(await readFile(process.argv[2], 'utf8'));
const site = await serve(ROOT, {}, '/', { 'Cross-Origin-Opener-Policy': 'same-origin', 'Cross-Origin-Embedder-Policy': 'require-corp' });
const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM,
  args: ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking', '--disable-component-update', '--disable-sync'],
});
const page = await browser.newPage();
page.on('console', (message) => console.error(`page: ${message.text()}`));
page.on('pageerror', (error) => console.error(`page: ${error.message}`));
await page.goto(`${site.url}bench/page.html`);
if (!(await page.evaluate(() => crossOriginIsolated))) throw new Error('the page is not cross-origin isolated');

/** @param {string} path below the repository, or below the target folder */
const urlOf = (path) => `${site.url}${path.slice(ROOT.length)}`;
const median = (/** @type {number[]} */ list) => {
  const sorted = [...list].sort((a, b) => a - b);
  const half = sorted.length >> 1;
  return sorted.length % 2 ? sorted[half] : (sorted[half - 1] + sorted[half]) / 2;
};

/** One engine with its threads, in a worker of the page. */
class InPage {
  /** @param {string} engine @param {number} threads @param {string} simd */
  constructor(engine, threads, simd) {
    Object.assign(this, { engine, threads, simd: engine === 'onnxruntime-web' ? 'simd128' : simd, id: '' });
  }

  /** @param {any} network */
  async open(network) {
    const build = `${this.simd === 'relaxed-simd' ? 'relaxed' : 'simd128'}${this.threads > 1 ? '-threads' : ''}`;
    const isBefore = this.engine === 'before';
    const pkg = isBefore ? urlOf(config.before) : `${site.url}pkg`;
    const request = {
      engine: isBefore ? 'fast' : this.engine, threads: this.threads, glue: `${pkg}/${build}/infill.js`, model: network.id,
      file: urlOf(this.engine === 'onnxruntime-web' ? network.onnx : network.weights),
      inputs: network.inputs.map((/** @type {any} */ { name, shape, file }) => ({ name, shape, url: urlOf(file) })),
    };
    const opened = await page.evaluate((request) => /** @type {any} */ (window).bench.open(request), request);
    this.id = opened.id;
    return opened;
  }

  run(side = 0) {
    return page.evaluate(([id, side]) => /** @type {any} */ (window).bench.run(id, side), /** @type {const} */ ([this.id, side]));
  }

  close() {
    return page.evaluate((id) => /** @type {any} */ (window).bench.close(id), this.id);
  }
}

/** @param {any} network @returns {any[]} */
function enginesFor(network) {
  const all = [];
  for (const engine of config.before ? ['before', ...config.engines] : config.engines) {
    for (const threads of config.threads) {
      // candle's wasm build has no threads.
      if (engine === 'reference' && threads > 1) continue;
      all.push(engine === 'pytorch' ? new PyTorch(config.python, threads) : new InPage(engine, threads, config.simd));
    }
  }
  return all;
}

/** @param {any} network */
async function measure(network) {
  const subjects = enginesFor(network);
  const results = [];
  for (const subject of subjects) {
    let opened;
    try {
      opened = await subject.open(network);
    } catch (error) {
      // An earlier version knows fewer networks.
      if (subject.engine !== 'before') throw error;
      process.stderr.write(`${network.name}: left out before: ${/** @type {any} */ (error).message.split('\n')[0]}\n`);
      continue;
    }
    const first = await subject.run();
    // A second run ends the warming up; what differs between engines is seen in its output.
    const second = first.ms > LONG_MS ? first : await subject.run();
    if (subject.engine === 'pytorch') subject.simd = opened.simd;
    results.push({ subject, opened, first, second, times: [], last: second, budget: MOST_MS });
    process.stderr.write(`${network.name}: ${subject.engine} ${subject.threads}: ready in ${opened.load_ms.toFixed(0)} ms, first run ${first.ms.toFixed(0)} ms, then ${second.ms.toFixed(0)} ms\n`);
  }
  for (let round = 0; round < config.runs; round++) {
    for (const result of results) {
      if (result.budget < 0 && result.times.length >= (result.last.ms > LONG_MS ? 1 : LEAST_RUNS)) continue;
      result.last = await result.subject.run();
      result.times.push(result.last.ms);
      result.budget -= result.last.ms;
    }
  }
  const rows = [];
  for (const { subject, opened, first, times, last } of results) {
    rows.push({
      network: network.name, engine: subject.engine, threads: subject.threads, simd: subject.simd, median_ms: median(times),
      least_ms: Math.min(...times), runs: times.length, load_ms: opened.load_ms, opening_ms: opened.opening_ms, packing_ms: last.report?.packing_ms, first_ms: first.ms,
      loaded_bytes: opened.bytes, peak_bytes: last.bytes, report: last.report, notes: last.notes,
    });
  }
  const differences = await compare(results);
  for (const { subject } of results) await subject.close();
  return { rows, differences };
}

/** Largest and mean absolute difference of every engine's output from the last in the list that is trusted more. */
async function compare(/** @type {any[]} */ results) {
  const trusted = ['pytorch', 'reference', 'onnxruntime-web', 'fast', 'before'];
  const base = [...results].sort((a, b) => trusted.indexOf(a.subject.engine) - trusted.indexOf(b.subject.engine))[0];
  const outputs = await Promise.all(results.map(async ({ subject }) => subject.engine === 'pytorch' ? subject.output() : decode(await page.evaluate((id) => /** @type {any} */ (window).bench.output(id), subject.id))));
  const expected = outputs[results.indexOf(base)];
  return results.flatMap((result, i) => {
    if (result === base) return [];
    let [most, sum] = [0, 0];
    if (outputs[i].length !== expected.length) throw new Error(`${result.subject.engine}: ${outputs[i].length} values instead of ${expected.length}`);
    for (let k = 0; k < expected.length; k++) {
      const difference = Math.abs(outputs[i][k] - expected[k]);
      most = Math.max(most, Number.isNaN(difference) ? Infinity : difference);
      sum += difference;
    }
    return [{ engine: result.subject.engine, threads: result.subject.threads, from: base.subject.engine, most, mean: sum / expected.length }];
  });
}

/** @param {string} base64 */
function decode(base64) {
  const bytes = Buffer.from(base64, 'base64');
  return new Float32Array(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length));
}

/** How the fast engine's time and memory grow with the side of the picture. @param {any} network */
async function growth(network) {
  const rows = [];
  for (const threads of config.threads) {
    const subject = new InPage('fast', threads, config.simd);
    await subject.open(network);
    for (const side of GROWTH) {
      await subject.run(side);
      const runs = [await subject.run(side), await subject.run(side), await subject.run(side)];
      rows.push({ network: network.id, threads, side, median_ms: median(runs.map(({ ms }) => ms)), bytes: runs[2].bytes });
    }
    await subject.close();
  }
  return rows;
}

const peak = await page.evaluate(() => /** @type {any} */ (window).bench.peak());
const rows = [];
const differences = [];
for (const network of config.networks) {
  const found = await measure(network);
  rows.push(...found.rows);
  differences.push(...found.differences.map((each) => ({ network: network.name, ...each })));
}
const grown = [];
if (config.growth) {
  // One side each: what has a fixed size does not grow.
  const free = config.networks.filter((/** @type {any} */ { id, fixed }, /** @type {number} */ i, /** @type {any[]} */ all) => !fixed && all.findIndex((other) => other.id === id) === i);
  for (const network of free) grown.push(...(await growth(network)));
}
const machine = { cpu: os.cpus()[0]?.model ?? 'unknown', cores: os.cpus().length, load, browser: `Chromium ${browser.version()}`, date: new Date().toISOString().slice(0, 10) };
const everything = { rows, differences, growth: grown, peak, machine };
printTables(everything);
const plain = rows.map(({ network, engine, threads, simd, median_ms }) => ({ network, engine, threads, simd, median_ms }));
if (config.json) await writeFile(config.json, `${JSON.stringify({ rows: plain }, null, 1)}\n`);
if (config.markdown) await writeFile(config.markdown, markdown(everything));
await browser.close();
await site.close();
