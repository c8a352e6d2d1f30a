/**
 * A worker as the page uses it: a serial queue, progress, cancel by termination, and a fresh worker after a crash.
 * @module
 */
import { BuildChoice } from './builds.js';
import { watchLock } from './lock.js';
import { Failure } from './protocol.js';
import { Threads } from './threads.js';

/** @typedef {import('./builds.js').Build} Build */
/** @typedef {import('./protocol.js').Request} Request */
/** @typedef {import('./protocol.js').Reply} Reply */
/** @typedef {import('./protocol.js').Fault} Fault */

/**
 * @typedef {object} Options
 * @property {AbortSignal} [signal] ends the task; if it runs, the worker is terminated and replaced
 * @property {boolean} [isBrief] the task runs for a moment only: aborted, it runs to its end unheard, and the worker keeps what it knows
 * @property {(done: number, layer: string) => void} [progress] share of the work done, 0 to 1
 * @property {Transferable[]} [transfer]
 * @property {{key: string, bytes: Uint8Array | Uint8ClampedArray}} [pixels] sent ahead unless the worker has them
 * @property {number} [startMs] how long a worker that is not there yet may take to start before the task is given up, `worker-wait`
 * @property {number} [generation] the worker that holds what the request names: any other answers `worker-replaced`
 */

/**
 * @typedef {object} Task
 * @property {number} id
 * @property {Request} request
 * @property {Options} options
 * @property {(value: any) => void} resolve
 * @property {(error: unknown) => void} reject
 * @property {ReturnType<typeof setTimeout>} [startTimer]
 */

/** More crashes than this within a minute, and no new worker is started until the minute is over. */
const CRASHES_A_MINUTE = 3;
const MINUTE_MS = 60_000;
/** A start fetches a megabyte, perhaps over a bad connection; a worker that says nothing for longer will not come. */
const MAX_START_MS = 200_000;
/** Bytes of pixels that are copied at once. */
const PART_BYTES = 4 << 20;

export class WorkerClient {
  #spawn;
  #builds;
  #threads;
  #idleMs;
  #idleTimer = 0;
  #startTimer = /** @type {ReturnType<typeof setTimeout> | undefined} */ (undefined);
  #isKept = false;
  #worker = /** @type {Worker | null} */ (null);
  #isReady = false;
  #queue = /** @type {Task[]} */ ([]);
  #active = /** @type {Task | null} */ (null);
  #nextId = 1;
  #crashes = /** @type {number[]} */ ([]);
  #sentPixels = '';
  /** Counts the workers: what was loaded into an older one is gone. */
  generation = 1;

  /**
   * @param {(build: Build) => Worker} spawn
   * @param {object} [options]
   * @param {BuildChoice} [options.builds]
   * @param {Threads | null} [options.threads] null: a worker whose tasks need none
   * @param {number} [options.idleMs] an idle worker ends after this time and gives its memory back; 0 is never
   */
  constructor(spawn, { builds = new BuildChoice(), threads = null, idleMs = 0 } = {}) {
    this.#spawn = spawn;
    this.#builds = builds;
    this.#threads = threads;
    this.#idleMs = idleMs;
  }

  /**
   * Starts the worker before it is needed, and does not let it end when idle: what must not fail later, for instance
   * because the host is gone by then, is ready now.
   * @param {boolean} isKept
   */
  keepReady(isKept) {
    if (isKept === this.#isKept) return;
    this.#isKept = isKept;
    this.#next();
  }

  /** Starts the worker before it is needed; it ends when it stays idle. */
  warmUp() {
    if (!this.#worker) this.#start();
  }

  /** Ends the worker and whatever it was asked for: what it holds is not wanted any more. */
  release() {
    const tasks = this.#queue.splice(0);
    if (this.#active) tasks.push(this.#active);
    this.#active = null;
    this.#stop();
    for (const task of tasks) {
      clearTimeout(task.startTimer);
      task.reject(cancelled());
    }
    this.#next();
  }

  /**
   * Queues a request.
   * @param {Request} request
   * @param {Options} [options]
   * @returns {Promise<any>}
   */
  request(request, options = {}) {
    return new Promise((resolve, reject) => {
      const task = /** @type {Task} */ ({ id: this.#nextId++, request, options, resolve, reject });
      const { signal } = options;
      if (signal?.aborted) return reject(cancelled());
      signal?.addEventListener('abort', () => this.#abort(task), { once: true });
      if (options.startMs) task.startTimer = setTimeout(() => this.#giveUp(task), options.startMs);
      this.#queue.push(task);
      this.#next();
    });
  }

  /** No worker has come in the time that the task gave it: what has none to wait for goes on. @param {Task} task */
  #giveUp(task) {
    const at = this.#queue.indexOf(task);
    if (at < 0 || this.#isReady) return;
    this.#queue.splice(at, 1);
    task.reject(new Failure({ code: 'worker-wait', message: 'No worker has started in time.', keys: [] }));
  }

  /** @param {Task} task */
  #abort(task) {
    if (this.#active === task) {
      if (task.options.isBrief) return task.reject(cancelled());
      // Termination is the only sure cancel: the wasm call cannot be interrupted.
      this.#active = null;
      this.#stop();
    } else {
      const at = this.#queue.indexOf(task);
      if (at < 0) return;
      this.#queue.splice(at, 1);
    }
    task.reject(cancelled());
    this.#next();
  }

  #stop() {
    clearTimeout(this.#idleTimer);
    clearTimeout(this.#startTimer);
    this.#threads?.stop();
    this.#worker?.terminate();
    this.#worker = null;
    this.#isReady = false;
    this.#sentPixels = '';
    this.generation++;
  }

  /** @returns {void} */
  #next() {
    clearTimeout(this.#idleTimer);
    if (this.#active) return;
    if (this.#queue.length === 0) {
      if (this.#isKept && !this.#worker) return this.#start();
      if (this.#idleMs && this.#worker && !this.#isKept) this.#idleTimer = window.setTimeout(() => this.#stop(), this.#idleMs);
      return;
    }
    if (!this.#worker) return this.#start();
    if (!this.#isReady) return;
    const task = this.#queue.shift();
    if (!task) return;
    clearTimeout(task.startTimer);
    const { generation = this.generation } = task.options;
    if (generation !== this.generation) {
      task.reject(new Failure({ code: 'worker-replaced', message: 'The worker that held the model is gone.', keys: [] }));
      return this.#next();
    }
    this.#active = task;
    void this.#post(task, this.#worker);
  }

  /**
   * @param {Task} task
   * @param {Worker} worker
   */
  async #post(task, worker) {
    const { pixels, transfer } = task.options;
    if (pixels && pixels.key !== this.#sentPixels) {
      const { bytes, key } = pixels;
      for (let offset = 0; offset < bytes.length; offset += PART_BYTES) {
        const part = new Uint8Array(bytes.subarray(offset, offset + PART_BYTES));
        worker.postMessage({ kind: 'pixels', key, total: bytes.length, offset, bytes: part }, [part.buffer]);
        if (bytes.length > PART_BYTES) await new Promise((resume) => setTimeout(resume));
        if (this.#active !== task) return;
      }
      this.#sentPixels = key;
    }
    worker.postMessage({ ...task.request, id: task.id }, transfer ?? []);
  }

  #start() {
    const now = Date.now();
    this.#crashes = this.#crashes.filter((time) => now - time < MINUTE_MS);
    if (this.#crashes.length >= CRASHES_A_MINUTE) {
      return this.#failAll({ code: 'worker-gone', message: 'The worker keeps crashing.', keys: [] });
    }
    const build = this.#builds.current;
    let worker;
    try {
      worker = this.#spawn(this.#threads ? build : { ...build, threads: 1 });
    } catch (error) {
      return this.#failAll({ code: 'worker-start', message: String(error), keys: [] });
    }
    this.#worker = worker;
    this.#startTimer = setTimeout(() => {
      this.#fatal({ code: 'worker-start', message: `It was not ready after ${MAX_START_MS / 1000} s.`, keys: [] }, build);
    }, MAX_START_MS);
    worker.addEventListener('message', (event) => {
      if (this.#worker === worker) this.#onReply(event.data, worker, build);
    });
    worker.addEventListener('error', (event) => {
      event.preventDefault();
      if (this.#worker !== worker) return;
      if (this.#isReady) this.#crash({ code: 'worker-crash', message: event.message ?? '', keys: [] });
      else this.#fatal({ code: 'worker-start', message: event.message ?? '', keys: [] }, build);
    });
  }

  /**
   * @param {Reply} reply
   * @param {Worker} worker
   * @param {Build} build
   */
  #onReply(reply, worker, build) {
    if (reply.kind === 'ready') {
      clearTimeout(this.#startTimer);
      this.#isReady = true;
      watchLock(reply.lock, () => {
        if (this.#worker === worker) this.#crash({ code: 'worker-crash', message: '', keys: [] });
      });
      return this.#next();
    }
    if (reply.kind === 'threads') {
      return this.#threads?.start(build.threads - 1, reply.start, (why) => this.#lostThreads(worker, build, why));
    }
    if (reply.kind === 'dead') return this.#isReady ? this.#crash(reply.fault) : this.#fatal(reply.fault, build);
    const task = this.#active;
    // A late word from a task that is over.
    if (!task || reply.id !== task.id) return;
    if (reply.kind === 'progress') return task.options.progress?.(reply.done, reply.layer);
    this.#active = null;
    if (reply.kind === 'done') task.resolve(reply.value);
    else task.reject(new Failure(reply.fault));
    this.#next();
  }

  /**
   * A thread is gone, and the worker may wait for it for ever: from now on it works alone.
   * @param {Worker} worker
   * @param {Build} build
   * @param {string} message
   */
  #lostThreads(worker, build, message) {
    if (this.#worker !== worker) return;
    this.#builds.giveUp(build, 'threads-lost');
    const task = this.#active;
    this.#active = null;
    this.#stop();
    task?.reject(new Failure({ code: 'threads-lost', message, keys: [] }));
    this.#next();
  }

  /**
   * The worker died while it was in use: its task fails, the others go on in a new one.
   * @param {Fault} fault
   */
  #crash(fault) {
    this.#crashes.push(Date.now());
    const task = this.#active;
    this.#active = null;
    this.#stop();
    task?.reject(new Failure(fault));
    this.#next();
  }

  /**
   * The worker did not start: a new one would not either, but one of another build may.
   * @param {Fault} fault
   * @param {Build} build
   */
  #fatal(fault, build) {
    this.#stop();
    if (this.#builds.giveUp(build, fault.code)) return this.#next();
    this.#failAll(fault);
  }

  /** @param {Fault} fault */
  #failAll(fault) {
    const tasks = this.#queue.splice(0);
    for (const task of tasks) {
      clearTimeout(task.startTimer);
      task.reject(new Failure(fault));
    }
  }
}

function cancelled() {
  return new Failure({ code: 'run-cancelled', message: 'Cancelled.', keys: [] });
}
