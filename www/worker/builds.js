/**
 * Which of the crate's builds this browser can run: `pkg/<name>/`, best first, the sure one last.
 * @module
 */

/**
 * @typedef {object} Build
 * @property {string} name folder below `pkg/`
 * @property {number} threads that work on a run, the inference worker included
 */

/**
 * What the choice depends on.
 * @typedef {object} Surroundings
 * @property {(bytes: Uint8Array<ArrayBuffer>) => boolean} validate `WebAssembly.validate`
 * @property {boolean} isIsolated whether memory may be shared
 * @property {number} cores logical ones: no browser tells the physical
 * @property {URLSearchParams} wishes `?threads=1` and `?simd=simd128` choose less than the best, for measurements
 */

/**
 * More threads find no work in layers of this size. Below that every logical core gets one: work is handed out in
 * small pieces, so a core shared with another thread costs nothing, but one left idle costs its whole share.
 */
const MOST_THREADS = 8;

/** `f32x4.relaxed_madd` of three splats: 2.3 of the specification's "relaxed SIMD". `sw.js` has the same bytes. */
const RELAXED = new Uint8Array([0, 97, 115, 109, 1, 0, 0, 0, 1, 5, 1, 96, 0, 1, 123, 3, 2, 1, 0, 10, 19, 1, 17, 0, 65, 0, 253, 15, 65, 0, 253, 15, 65, 0, 253, 15, 253, 133, 2, 11]);
/** `i32.atomic.load` from a shared memory. */
const ATOMICS = new Uint8Array([0, 97, 115, 109, 1, 0, 0, 0, 1, 4, 1, 96, 0, 0, 3, 2, 1, 0, 5, 4, 1, 3, 1, 1, 10, 11, 1, 9, 0, 65, 0, 254, 16, 2, 0, 26, 11]);

/** What decodes and encodes; every browser runs it, and a photo can be open before anything that fills it has arrived. */
export const PICTURES = { name: 'pictures', threads: 1 };
/** What saves, with what a photo's file tells: a build of its own, so that neither needs the other. */
export const SAVING = { name: 'saving', threads: 1 };
/** What selects objects. */
export const SELECTING = { name: 'selecting', threads: 1 };
/** What compares the engines. */
export const REFERENCE = { name: 'reference', threads: 1 };
/** What keeps work on the device needs no crate. */
export const NO_CRATE = { name: '', threads: 1 };

/** What also reads pasted classes: the one that every browser runs. */
const CLASSES = { name: 'classes', threads: 1 };

/**
 * The builds that read pasted classes and run them.
 * @param {Surroundings} [surroundings]
 * @returns {Build[]} never empty
 */
export function classBuilds(surroundings = here()) {
  const best = candidates(surroundings)[0];
  return best.name === 'relaxed-threads' ? [{ ...best, name: 'classes-relaxed-threads' }, CLASSES] : [CLASSES];
}

/**
 * The builds that fill photos.
 * @param {Surroundings} surroundings
 * @returns {Build[]} never empty; plain SIMD is taken for granted (`start.js` says where it is missing)
 */
export function candidates({ validate, isIsolated, cores, wishes }) {
  const simd = wishes.get('simd') !== 'simd128' && validate(RELAXED) ? 'relaxed' : 'simd128';
  const threads = Math.min(cores || 1, Number(wishes.get('threads')) || MOST_THREADS);
  const list = [];
  if (isIsolated && threads > 1 && validate(ATOMICS)) list.push({ name: `${simd}-threads`, threads });
  list.push({ name: simd, threads: 1 });
  if (simd !== 'simd128') list.push({ name: 'simd128', threads: 1 });
  return list;
}

/** @returns {Surroundings} this page's */
function here() {
  return {
    validate: (bytes) => WebAssembly.validate(bytes),
    isIsolated: globalThis.crossOriginIsolated && typeof SharedArrayBuffer === 'function',
    cores: navigator.hardwareConcurrency,
    wishes: new URLSearchParams(location.search),
  };
}

/** The build in use, shared by the workers that could use the same: what does not work for one works for none. */
export class BuildChoice {
  #left;
  /** Why the best build is not used: the code of the fault; empty if it is. */
  reason = '';

  /** @param {Build[]} [list] */
  constructor(list = candidates(here())) {
    this.#left = [...list];
  }

  get current() {
    return this.#left[0];
  }

  /**
   * A build does not work here.
   * @param {Build} build
   * @param {string} reason
   * @returns {boolean} whether there is another
   */
  giveUp(build, reason) {
    // Another worker may have found out before.
    if (this.#left[0] !== build) return true;
    if (this.#left.length === 1) return false;
    this.#left.shift();
    this.reason = reason;
    return true;
  }
}
