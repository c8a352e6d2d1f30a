// The page as a person meets it: by accessible names, through real pointers and files.
import { readFile, writeFile } from 'node:fs/promises';
import { PNG } from 'pngjs';

/** @typedef {import('./engines/driver.mjs').Driver} Driver */

export const ROOT = new URL('../../', import.meta.url).pathname;
export const OUT = new URL('./out/', import.meta.url).pathname;

export const pause = (/** @type {number} */ ms) => new Promise((resume) => setTimeout(resume, ms));

/** @param {unknown} ok @param {string} text @returns {asserts ok} */
export function check(ok, text) {
  if (!ok) throw new Error(text);
}

/** A script for the page that keeps every worker which it starts, so that a test can end it. */
export const KEEP_WORKERS = `{
  const Plain = Worker;
  window.workersForTest = [];
  window.Worker = class extends Plain {
    constructor(url, options) {
      super(url, options);
      window.workersForTest.push(this);
    }
  };
}`;

/** How often a wait asks again, in milliseconds. */
const POLL_MS = 30;

/** A person in front of the page, whichever engine shows it. */
export class Visitor {
  /** @param {Driver} driver @param {string} url of the site */
  constructor(driver, url) {
    this.driver = driver;
    this.url = url;
  }

  /** Playwright's page, which only Chromium has: a test that uses it is left out elsewhere. */
  get page() {
    if (!this.driver.page) throw new Error('This test uses Playwright itself, so only Chromium can run it.');
    return this.driver.page;
  }

  /** What must stay empty: errors and warnings, failed requests, requests to other origins. */
  get complaints() {
    return this.driver.complaints;
  }

  /** Another person, with storage of their own. @param {string} url @param {import('./engines/driver.mjs').NewPage} [options] */
  async another(url, options) {
    return new Visitor(await this.driver.fresh(url, options), url);
  }

  async open() {
    await this.driver.goto(this.url);
    await this.reaches(['empty']);
  }

  /** @type {Driver['evaluate']} */
  evaluate(run, argument) {
    return this.driver.evaluate(run, argument);
  }

  /**
   * Waits until a question in the page has a true answer.
   * @template A
   * @param {(argument: A) => unknown} question @param {A} [argument] @param {number} [timeout]
   */
  async until(question, argument, timeout = 15_000) {
    for (const end = Date.now() + timeout; ; await pause(POLL_MS)) {
      if (await this.evaluate(question, argument)) return;
      check(Date.now() < end, `never true: ${question}${argument === undefined ? '' : ` of ${JSON.stringify(argument)}`}`);
    }
  }

  state() {
    return this.evaluate(() => document.querySelector('main')?.dataset.state ?? '');
  }

  status() {
    return this.evaluate(() => /** @type {HTMLElement} */ (document.querySelector('[role=status]')).innerText);
  }

  /** @param {string[]} names @param {number} [timeout] */
  async reaches(names, timeout = 60_000) {
    await this.until((names) => names.includes(document.querySelector('main')?.dataset.state ?? ''), names, timeout);
  }

  /** @param {string} label @param {import('./engines/driver.mjs').Given} file */
  async give(label, file) {
    await this.driver.give(label, file);
  }

  /** @param {import('./engines/driver.mjs').Given} file */
  async openPhoto(file) {
    await this.give('Open photo', file);
    await this.reaches(['ready', 'error']);
  }

  /** A stroke through points relative to the canvas centre, in CSS pixels. @param {[number, number][]} points */
  async paint(points) {
    const centre = await this.evaluate(() => {
      const box = document.querySelector('[role=application]')?.getBoundingClientRect();
      return box && { x: box.x + box.width / 2, y: box.y + box.height / 2 };
    });
    check(centre, 'the canvas has no box');
    await this.driver.drag(points.map(([x, y]) => ({ x: centre.x + x, y: centre.y + y })));
  }

  /** @param {string} role @param {string} name */
  control(role, name) {
    return this.driver.control(role, name);
  }

  /** @param {string} name */
  button(name) {
    return this.control('button', name);
  }

  async inpaint(timeout = 120_000) {
    await this.button('Inpaint').click();
    await this.reaches(['running', 'done', 'error'], 5000);
    await this.reaches(['done', 'error'], timeout);
    check((await this.state()) === 'done', `the fill failed: ${await this.status()}`);
  }

  /** Presses a button that saves a file; returns its bytes. @param {string} name */
  save(name) {
    return this.driver.download(() => this.button(name).click());
  }

  /** Saves in a format that is chosen. @param {'source' | 'jpg' | 'png' | 'webp'} format */
  async saveAs(format) {
    await this.button('How to save').click();
    await this.control('combobox', 'Format').selectOption(format);
    return this.save('Save');
  }

  /** Waits until a status says something. @param {RegExp} pattern @param {number} [timeout] */
  async says(pattern, timeout = 20_000) {
    for (const end = Date.now() + timeout; ; await pause(POLL_MS)) {
      const words = await this.status();
      if (pattern.test(words)) return;
      check(Date.now() < end, `the status says "${words}", not ${pattern}`);
    }
  }

  /** Shows a tab of the panel. @param {string} name */
  async tab(name) {
    const toggle = this.button('Settings and details');
    if ((await toggle.getAttribute('aria-expanded')) !== 'true') await toggle.click();
    await this.control('tab', name).click();
  }

  /** The visible choice of the model's combobox. */
  model() {
    return this.evaluate(() => /** @type {HTMLSelectElement} */ (document.querySelector('main select[aria-label="Model"]')).selectedOptions[0]?.textContent ?? '');
  }

  /** @param {string} name */
  async screenshot(name) {
    await this.driver.screenshot(`${OUT}${name}.png`);
  }

  async quiet() {
    await this.driver.settle();
    check(this.complaints.length === 0, `the console is not quiet: ${this.complaints.join('; ')}`);
  }
}

/** @param {Buffer | Uint8Array} bytes */
export function decode(bytes) {
  return PNG.sync.read(Buffer.from(bytes));
}

/**
 * A PNG of a smooth scene with some texture, the same every time.
 * @param {number} width @param {number} height
 */
export function photo(width, height) {
  const png = new PNG({ width, height });
  let seed = 12345;
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      seed = (seed * 1103515245 + 12345) & 0x7fffffff;
      const grain = (seed >> 16) % 24;
      const at = (y * width + x) * 4;
      png.data[at] = 60 + (x * 120) / width + grain;
      png.data[at + 1] = 90 + (y * 100) / height + grain;
      png.data[at + 2] = 140 - (x * 60) / width + grain;
      png.data[at + 3] = 255;
    }
  }
  return PNG.sync.write(png);
}

/**
 * Drops or pastes files onto the page, as the browser would.
 * @param {Visitor} v @param {'drop' | 'paste'} how @param {{name: string, mimeType: string, buffer: Buffer}[]} files
 */
export async function hand(v, how, files) {
  const list = files.map(({ name, mimeType, buffer }) => ({ name, type: mimeType, base64: buffer.toString('base64') }));
  await v.page.evaluate(({ how, list }) => {
    const data = new DataTransfer();
    for (const { name, type, base64 } of list) data.items.add(new File([Uint8Array.from(atob(base64), (c) => c.charCodeAt(0))], name, { type }));
    const where = document.activeElement ?? document.body;
    const rest = { bubbles: true, cancelable: true };
    if (how === 'paste') where.dispatchEvent(new ClipboardEvent('paste', { clipboardData: data, ...rest }));
    else for (const kind of ['dragenter', 'dragover', 'drop']) where.dispatchEvent(new DragEvent(kind, { dataTransfer: data, ...rest }));
  }, { how, list });
}

/** @param {string} name @param {Buffer} buffer @param {string} [mimeType] */
export function file(name, buffer, mimeType = 'application/octet-stream') {
  return { name, mimeType, buffer };
}

/**
 * Holds two pictures against a mask.
 * @param {{width: number, height: number, data: Uint8Array}} a @param {typeof a} b @param {typeof a} mask
 */
export function compare(a, b, mask) {
  check(a.width === b.width && a.height === b.height, `sizes ${a.width}x${a.height} and ${b.width}x${b.height}`);
  const found = { outside: 0, inside: 0, most: 0, holes: 0 };
  for (let i = 0; i < a.width * a.height; i++) {
    const hole = mask.data[i * 4] > 127;
    found.holes += Number(hole);
    for (let c = 0; c < 4; c++) {
      const difference = Math.abs(a.data[i * 4 + c] - b.data[i * 4 + c]);
      if (difference && hole) found.inside += 1;
      if (difference && !hole) found.outside += 1;
      if (hole) found.most = Math.max(found.most, difference);
    }
  }
  return found;
}

/** @param {string} path @param {Uint8Array} bytes */
export const write = (path, bytes) => writeFile(path, bytes);

/**
 * A safetensors file of these shapes, zeros inside.
 * @param {Record<string, number[]>} shapes
 */
export function safetensors(shapes) {
  let offset = 0;
  const header = Object.fromEntries(Object.entries(shapes).map(([key, shape]) => {
    const bytes = 4 * shape.reduce((product, n) => product * n, 1);
    offset += bytes;
    return [key, { dtype: 'F32', shape, data_offsets: [offset - bytes, offset] }];
  }));
  const text = Buffer.from(JSON.stringify(header));
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(text.length));
  return Buffer.concat([length, text, Buffer.alloc(offset)]);
}

/** The default model's shapes, read from its own header. */
export async function defaultShapes() {
  const bytes = await readFile(`${ROOT}www/models/default.safetensors`);
  const header = JSON.parse(bytes.subarray(8, 8 + Number(bytes.readBigUInt64LE())).toString());
  delete header.__metadata__;
  return /** @type {Record<string, number[]>} */ (Object.fromEntries(Object.entries(header).map(([key, value]) => [key, /** @type {any} */ (value).shape])));
}
