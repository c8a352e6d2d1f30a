// The page as a person meets it: by accessible names, through real pointers and files.
import { readFile, writeFile } from 'node:fs/promises';
import { PNG } from 'pngjs';

/** @typedef {import('playwright-core').Page} Page */

export const ROOT = new URL('../../', import.meta.url).pathname;
export const OUT = new URL('./out/', import.meta.url).pathname;

/** @param {unknown} ok @param {string} text */
export function check(ok, text) {
  if (!ok) throw new Error(text);
}

/** A visitor's page, with everything that must stay empty recorded. */
export class Visitor {
  /** @param {Page} page @param {string} url */
  constructor(page, url) {
    this.page = page;
    this.url = url;
    /** @type {string[]} */
    this.complaints = [];
    page.on('console', (message) => {
      const ours = !message.text().includes('blocked by Playwright');
      if (ours && ['error', 'warning'].includes(message.type())) this.complaints.push(`${message.text()} (${message.location().url})`);
    });
    page.on('pageerror', (error) => this.complaints.push(`uncaught: ${error.message}`));
    page.on('request', (request) => {
      const to = new URL(request.url());
      if (!['data:', 'blob:'].includes(to.protocol) && to.origin !== new URL(url).origin) this.complaints.push(`request to ${to.origin}`);
    });
    page.on('requestfailed', (request) => {
      // A request that the visitor's own leaving ended is none.
      const why = request.failure()?.errorText ?? '';
      if (!why.includes('ERR_ABORTED')) this.complaints.push(`request failed: ${request.url()} (${why})`);
    });
    page.on('response', (response) => {
      if (response.status() >= 400) this.complaints.push(`${response.status()} ${response.url()}`);
    });
  }

  async open() {
    await this.page.goto(this.url);
    await this.page.waitForFunction(() => document.querySelector('main')?.dataset.state === 'empty');
  }

  state() {
    return this.page.locator('main').getAttribute('data-state');
  }

  status() {
    return this.page.getByRole('status').innerText();
  }

  /** @param {string[]} names @param {number} [timeout] */
  async reaches(names, timeout = 60_000) {
    await this.page.waitForFunction((names) => names.includes(document.querySelector('main')?.dataset.state ?? ''), names, { timeout });
  }

  /** @param {string} label @param {string | {name: string, mimeType: string, buffer: Buffer}} file */
  async give(label, file) {
    await this.page.getByLabel(label, { exact: true }).setInputFiles(/** @type {any} */ (file));
  }

  /** @param {string | {name: string, mimeType: string, buffer: Buffer}} file */
  async openPhoto(file) {
    await this.give('Open photo', file);
    await this.reaches(['ready', 'error']);
  }

  /** A stroke through points relative to the canvas centre, in CSS pixels. @param {[number, number][]} points */
  async paint(points) {
    const box = await this.page.getByRole('application', { name: 'Photo and mask' }).boundingBox();
    check(box, 'the canvas has no box');
    const at = (/** @type {[number, number]} */ [x, y]) => /** @type {[number, number]} */ ([box.x + box.width / 2 + x, box.y + box.height / 2 + y]);
    await this.page.mouse.move(...at(points[0]));
    await this.page.mouse.down();
    for (const point of points) await this.page.mouse.move(...at(point), { steps: 4 });
    await this.page.mouse.up();
  }

  /** @param {string} name */
  button(name) {
    return this.page.getByRole('button', { name, exact: true });
  }

  async inpaint(timeout = 120_000) {
    await this.button('Inpaint').click();
    await this.reaches(['running', 'done', 'error'], 5000);
    await this.reaches(['done', 'error'], timeout);
    check((await this.state()) === 'done', `the fill failed: ${await this.status()}`);
  }

  /** Presses a button that saves a file; returns its bytes. @param {string} name */
  async save(name) {
    const [download] = await Promise.all([this.page.waitForEvent('download'), this.button(name).click()]);
    const path = await download.path();
    return { bytes: await readFile(path), name: download.suggestedFilename() };
  }

  /** Waits until a status says something. @param {RegExp} pattern @param {number} [timeout] */
  async says(pattern, timeout = 20_000) {
    const status = this.page.getByRole('status');
    const end = Date.now() + timeout;
    while (!pattern.test(await status.innerText())) {
      check(Date.now() < end, `the status says "${await status.innerText()}", not ${pattern}`);
      await this.page.waitForTimeout(50);
    }
  }

  /** Resolves to the model combobox's visible choice. */
  async model() {
    return this.page.getByRole('combobox', { name: 'Model', exact: true }).evaluate((select) => {
      const list = /** @type {HTMLSelectElement} */ (select);
      return list.selectedOptions[0]?.textContent ?? '';
    });
  }

  /** @param {string} name */
  async screenshot(name) {
    await this.page.screenshot({ path: `${OUT}${name}.png` });
  }

  quiet() {
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
