/**
 * The threads beside the inference worker. The page owns them, because that worker is deaf while it computes: it would
 * wait for ever for a thread that died.
 * @module
 */
import { watchLock } from './lock.js';
import { spawnModule } from './spawn.js';

/** @typedef {import('./protocol.js').ThreadStart} ThreadStart */
/** @typedef {import('./protocol.js').ThreadReply} ThreadReply */

export class Threads {
  #spawn;
  #workers = /** @type {Worker[]} */ ([]);

  /** @param {() => Worker} [spawn] */
  constructor(spawn = () => spawnModule(new URL('./thread.js', import.meta.url), 'infill-thread', 'first.then(module.join)')) {
    this.#spawn = spawn;
  }

  /**
   * @param {number} count
   * @param {ThreadStart} start
   * @param {(why: string) => void} died told once at most: one dead thread ends the use of all
   */
  start(count, start, died) {
    this.stop();
    let isOver = false;
    const workers = this.#workers;
    /** @param {string} why */
    const over = (why) => {
      if (isOver || workers !== this.#workers) return;
      isOver = true;
      died(why);
    };
    try {
      for (let i = 0; i < count; i++) {
        const worker = this.#spawn();
        workers.push(worker);
        worker.addEventListener('message', ({ data }) => {
          const reply = /** @type {ThreadReply} */ (data);
          if (reply.kind === 'dead') over(reply.message);
          else watchLock(reply.lock, () => over('it ended'));
        });
        worker.addEventListener('error', (event) => {
          event.preventDefault();
          over(event.message ?? '');
        });
        worker.postMessage(start);
      }
    } catch (error) {
      over(String(error));
    }
  }

  stop() {
    const workers = this.#workers;
    this.#workers = [];
    for (const worker of workers) worker.terminate();
  }
}
