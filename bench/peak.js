/**
 * The most that one thread's SIMD gives in this browser: a loop of independent multiply-adds in registers, nothing else.
 * @module
 */

/** Independent sums: enough to hide the latency of a multiply-add, few enough for the registers. */
const SUMS = 12;
/** Multiply-adds of one pass, times two, times four lanes. */
const FLOP = SUMS * 8;
const WARM = { calls: 400, passes: 50_000 };
const TIMED = { calls: 9, passes: 5_000_000 };

/** A length as LEB128. @param {number} n @returns {number[]} */
const leb = (n) => (n < 128 ? [n] : [(n & 127) | 128, ...leb(n >>> 7)]);
/** @param {number[]} bytes */
const counted = (bytes) => [...leb(bytes.length), ...bytes];
/** @param {number} id @param {number[]} bytes */
const section = (id, bytes) => [id, ...counted(bytes)];
/** @param {number} value */
const f32 = (value) => [0x43, ...new Uint8Array(new Float32Array([value]).buffer)];

/** A module with one function `run(passes) -> f32`. @param {boolean} isRelaxed */
function module(isRelaxed) {
  const [I32, F32, V128] = [0x7f, 0x7d, 0x7b];
  const [get, set, simd] = [0x20, 0x21, 0xfd];
  const [splat, lane, add, mul, madd] = [[simd, 0x13], [simd, 0x1f, 0], [simd, 0xe4, 1], [simd, 0xe6, 1], [simd, 0x85, 2]];
  const [a, b] = [1 + SUMS, 2 + SUMS];
  const sums = Array.from({ length: SUMS }, (_, i) => 1 + i);
  const product = isRelaxed
    ? (/** @type {number} */ sum) => [get, a, get, b, get, sum, ...madd, set, sum]
    : (/** @type {number} */ sum) => [get, a, get, b, ...mul, get, sum, ...add, set, sum];
  const body = [
    1, SUMS + 2, V128,
    ...[...sums, a, b].flatMap((local) => [...f32(0.5 + local / 64), ...splat, set, local]),
    0x03, 0x40, // loop
    ...sums.flatMap(product),
    get, 0, 0x41, 1, 0x6b, 0x22, 0, 0x0d, 0, // passes -= 1, again while not 0
    0x0b,
    get, sums[0], ...sums.slice(1).flatMap((sum) => [get, sum, ...add]), ...lane,
    0x0b,
  ];
  return new Uint8Array([
    0, 0x61, 0x73, 0x6d, 1, 0, 0, 0,
    ...section(1, [1, 0x60, 1, I32, 1, F32]),
    ...section(3, [1, 0]),
    ...section(7, [1, ...counted([...new TextEncoder().encode('run')]), 0, 0]),
    ...section(10, [1, ...counted(body)]),
  ]);
}

/**
 * GFLOP/s of one thread, fused and unfused; null where the browser has none.
 * @returns {Promise<{'relaxed-simd': number | null, simd128: number | null}>}
 */
export async function peak() {
  const rate = async (/** @type {boolean} */ isRelaxed) => {
    const bytes = module(isRelaxed);
    if (!WebAssembly.validate(bytes)) return null;
    const { instance } = await WebAssembly.instantiate(bytes);
    const run = /** @type {(passes: number) => number} */ (instance.exports.run);
    for (let i = 0; i < WARM.calls; i++) run(WARM.passes);
    await new Promise((resume) => setTimeout(resume, 100));
    let best = Infinity;
    for (let i = 0; i < TIMED.calls; i++) {
      const began = performance.now();
      run(TIMED.passes);
      best = Math.min(best, performance.now() - began);
    }
    return (TIMED.passes * FLOP) / best / 1e6;
  };
  return { 'relaxed-simd': await rate(true), simd128: await rate(false) };
}
