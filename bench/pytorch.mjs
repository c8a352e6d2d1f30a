// PyTorch in a process of its own, asked for one run at a time so that it takes its turn with the others.
import { spawn } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { createInterface } from 'node:readline';

const SCRIPT = new URL('pytorch.py', import.meta.url).pathname;

export class PyTorch {
  engine = 'pytorch';
  simd = '';
  #python;
  #process = /** @type {import('node:child_process').ChildProcessWithoutNullStreams | null} */ (null);
  #answers = /** @type {AsyncIterator<string> | null} */ (null);
  #output = '';

  /** @param {string} python @param {number} threads */
  constructor(python, threads) {
    this.#python = python;
    this.threads = threads;
  }

  /** @param {any} network */
  async open(network) {
    this.#output = `${network.description}.${this.threads}.f32`;
    this.#process = /** @type {any} */ (spawn(this.#python, [SCRIPT], { stdio: ['pipe', 'pipe', 'inherit'] }));
    this.#answers = createInterface({ input: this.#process.stdout })[Symbol.asyncIterator]();
    const { description, weights, inputs } = network;
    return this.#ask({ description, weights, inputs, threads: this.threads, output: this.#output });
  }

  /** @param {any} request @returns {Promise<any>} */
  async #ask(request) {
    if (!this.#process || !this.#answers) throw new Error('PyTorch is not running');
    this.#process.stdin.write(`${JSON.stringify(request)}\n`);
    const { value, done } = await this.#answers.next();
    if (done) throw new Error('PyTorch ended');
    return JSON.parse(value);
  }

  run() {
    return this.#ask({ run: true });
  }

  async output() {
    await this.#ask({ save: true });
    const bytes = await readFile(this.#output);
    return new Float32Array(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length));
  }

  close() {
    this.#process?.stdin.end();
  }
}
