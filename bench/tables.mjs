// What the benchmark found, as a table on the terminal and as BENCHMARKS.md.

/** Times as fast as onnxruntime-web with 1 and 2 threads, and at most this part of PyTorch's time with as many. */
const TARGETS = /** @type {Record<string, {onnx: Record<number, number>, pytorch: Record<number, number>, two?: number}>} */ ({
  'context-encoder-512': { onnx: { 1: 2.5, 2: 2.4 }, pytorch: { 1: 1.4 } },
  'edgeconnect-256': { onnx: { 1: 3.6, 2: 3.5 }, pytorch: { 1: 1.5 } },
  'image-pair-256': { onnx: { 1: 2.2, 2: 2.1 }, pytorch: { 1: 1.4 } },
  'migan-512': { onnx: { 1: 1.6, 2: 1.6 }, pytorch: { 1: 0.6 } },
  'pix2pix-256': { onnx: { 1: 2.5, 2: 2.5 }, pytorch: { 1: 1 } },
  'cyclegan-256': { onnx: { 1: 2.5, 2: 2.5 }, pytorch: { 1: 1 } },
  'lama-512': { onnx: { 1: 2.5, 2: 2.5 }, pytorch: { 1: 1, 2: 1.1 }, two: 1.7 },
});
const SPEEDUP_OF_TWO = 1.75;
const FIRST_RUN = 1.3;
/** Most ms for packing ContextEncoder's weights, 173 MB. */
const PACKING = 700;
/** Of the peak, on large direct layers. */
const SHARE_OF_PEAK = 0.85;
/** Layers below this share of the time are left out. */
const LEAST_SHARE = 0.01;

const ms = (/** @type {number} */ value) => (value < 99.95 ? value.toFixed(1) : String(Math.round(value)));
const mb = (/** @type {number} */ bytes) => (bytes ? `${Math.round(bytes / 1e6)} MB` : '');
const ratio = (/** @type {number} */ value) => value.toFixed(2);

/** @param {string[]} head @param {(string | number)[][]} body */
function table(head, body) {
  const line = (/** @type {(string | number)[]} */ cells) => `| ${cells.join(' | ')} |`;
  return [line(head), line(head.map(() => '---')), ...body.map(line)].join('\n');
}

/** @param {any} all */
function sections({ rows, differences, growth, peak }) {
  const networks = /** @type {string[]} */ ([...new Set(rows.map((/** @type {any} */ row) => row.network))]);
  const find = (/** @type {string} */ network, /** @type {string} */ engine, /** @type {number} */ threads) =>
    rows.find((/** @type {any} */ row) => row.network === network && row.engine === engine && row.threads === threads);
  const sections = [];

  sections.push(['Times', 'Medians of interleaved runs after two that are not counted; "first" is the very first run after loading. Memory is the size of the wasm memory, which never shrinks: after the run it is the peak. Opening is reading the weights and packing them.', table(
    ['network', 'engine', 'threads', 'SIMD', 'median ms', 'best ms', 'runs', 'ready ms', 'opening ms', 'packing ms', 'first ms', 'first / median', 'memory loaded', 'peak'],
    rows.map((/** @type {any} */ row) => [row.network, row.engine + (row.notes ? ` (${row.notes})` : ''), row.threads, row.simd, ms(row.median_ms), ms(row.least_ms), row.runs, ms(row.load_ms), ms(row.opening_ms), row.packing_ms === undefined ? '' : ms(row.packing_ms), ms(row.first_ms), ratio(row.first_ms / row.median_ms), mb(row.loaded_bytes), mb(row.peak_bytes)]),
  )]);

  const verdicts = /** @type {string[][]} */ ([]);
  /** A ratio of two rows' times, by medians and, less shaken by what else the machine did, by the best runs. */
  const verdict = (/** @type {string} */ what, /** @type {any} */ over, /** @type {any} */ under, /** @type {number | undefined} */ target, isLeast = true) => {
    if (!over || !under) return;
    const found = over.median_ms / under.median_ms;
    const words = target === undefined ? '' : `${isLeast ? 'at least' : 'at most'} ${target}`;
    const isMet = target === undefined || (isLeast ? found >= target : found <= target);
    verdicts.push([what, ratio(found), over.least_ms ? ratio(over.least_ms / under.least_ms) : '', words, target === undefined ? '' : isMet ? 'met' : 'missed']);
  };
  const threadCounts = /** @type {number[]} */ ([...new Set(rows.map((/** @type {any} */ row) => row.threads))]);
  for (const network of networks) {
    for (const threads of threadCounts) {
      const [fast, before, onnx, torch] = ['fast', 'before', 'onnxruntime-web', 'pytorch'].map((engine) => find(network, engine, threads));
      verdict(`${network}, ${threads} thread(s): time over the earlier version's`, fast, before, 1, false);
      verdict(`${network}, ${threads} thread(s): times as fast as onnxruntime-web`, onnx, fast, TARGETS[network]?.onnx[threads]);
      verdict(`${network}, ${threads} thread(s): time over PyTorch native's`, fast, torch, TARGETS[network]?.pytorch[threads], false);
      if (network === 'context-encoder-512' && fast?.packing_ms) verdicts.push([`${network}, ${threads} thread(s): packing`, `${ms(fast.packing_ms)} ms`, '', `at most ${PACKING} ms`, fast.packing_ms <= PACKING ? 'met' : 'missed']);
      if (fast) verdict(`${network}, ${threads} thread(s): first run over steady`, { median_ms: fast.first_ms }, fast, FIRST_RUN, false);
    }
    for (const engine of ['fast', 'onnxruntime-web', 'pytorch']) {
      const [one, two] = [1, 2].map((threads) => find(network, engine, threads));
      verdict(`${network}: ${engine}, two threads against one`, one, two, engine === 'fast' ? TARGETS[network]?.two ?? SPEEDUP_OF_TWO : undefined);
    }
  }
  if (verdicts.length) sections.push(['Ratios', '', table(['what', 'medians', 'best runs', 'target', ''], verdicts)]);

  if (differences.length) {
    sections.push(['Agreement', 'Absolute difference of the outputs, same weights and inputs.', table(
      ['network', 'engine', 'threads', 'against', 'most', 'mean'],
      differences.map((/** @type {any} */ d) => [d.network, d.engine, d.threads, d.from, d.most.toExponential(1), d.mean.toExponential(1)]),
    )]);
  }

  const peaks = Object.entries(peak).filter(([, value]) => value).map(([simd, value]) => [simd, Number(value).toFixed(1)]);
  const reported = rows.filter((/** @type {any} */ row) => row.report?.layers?.length);
  const layered = reported.filter((/** @type {any} */ row) => row.threads === Math.min(...reported.map((/** @type {any} */ r) => r.threads)));
  const parts = layered.map((/** @type {any} */ row) => {
    const total = row.report.layers.reduce((/** @type {number} */ sum, /** @type {any} */ layer) => sum + layer.ms, 0);
    const rest = row.report.layers.filter((/** @type {any} */ layer) => layer.ms < LEAST_SHARE * total);
    const most = (peak[row.simd] ?? NaN) * row.threads;
    const body = row.report.layers.filter((/** @type {any} */ layer) => layer.ms >= LEAST_SHARE * total).map((/** @type {any} */ layer) => {
      const rate = (2 * layer.macs) / layer.ms / 1e6;
      return [layer.path, layer.op, layer.kernel, ms(layer.ms), `${((100 * layer.ms) / total).toFixed(0)} %`, layer.macs ? rate.toFixed(1) : '', layer.macs ? `${((100 * rate) / most).toFixed(0)} %` : ''];
    });
    if (rest.length) body.push([`${rest.length} others`, '', '', ms(rest.reduce((/** @type {number} */ sum, /** @type {any} */ layer) => sum + layer.ms, 0)), '', '', '']);
    return `### ${row.network}, ${row.threads} thread(s), ${row.report.simd ?? row.simd}\n\nWeights as packed ${mb(row.report.weight_bytes)}, arena ${mb(row.report.arena_bytes)}; the layers' times of one run add up to ${ms(total)} ms.\n\n${table(['layer', 'operation', 'kernel', 'ms', 'share', 'GFLOP/s', 'of the peak'], body)}`;
  });
  sections.push(['SIMD peak', 'Of one thread: a loop of independent multiply-adds in registers, fused or not, two operations each.', table(['SIMD', 'GFLOP/s'], peaks)]);
  if (parts.length) sections.push(['Layers', `Two operations for every multiply-add of the layer as PyTorch defines it, so Winograd's transforms can go past 100 %; direct kernels aim at ${100 * SHARE_OF_PEAK} % on large layers.`, parts.join('\n\n')]);

  if (growth.length) {
    sections.push(['How cost grows', 'The fast engine on squares of these sides.', table(
      ['network', 'threads', 'side', 'median ms', 'ns per pixel', 'wasm memory so far'],
      growth.map((/** @type {any} */ row) => [row.network, row.threads, row.side, ms(row.median_ms), ((1e6 * row.median_ms) / row.side ** 2).toFixed(0), mb(row.bytes)]),
    )]);
  }
  return sections;
}

/** @param {any} all */
export function printTables(all) {
  for (const [title, , body] of sections(all)) if (body) console.log(`\n== ${title}\n${body}`);
}

/** @param {any} all */
export function markdown(all) {
  const { cpu, cores, browser, date, load } = all.machine;
  const head = `# Benchmarks\n\nWritten by \`cargo xtask bench --python PATH --write\` on ${date}: ${cpu}, ${cores} cores, ${browser}, headless; load average before it began ${load.toFixed(1)} (what else runs makes every figure larger). Every engine gets the same seeded weights and inputs; runs are interleaved in one page, so compare within one table only: absolute figures drift by 5 to 10 % from run to run.`;
  return `${[head, ...sections(all).map(([title, words, body]) => [`## ${title}`, words, body].filter(Boolean).join('\n\n'))].join('\n\n')}\n`;
}
