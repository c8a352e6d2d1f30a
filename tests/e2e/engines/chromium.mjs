// Chromium, by Playwright.
import { readFile } from 'node:fs/promises';
import { chromium } from 'playwright-core';

/** @typedef {import('playwright-core').Page} Page */
/** @typedef {import('playwright-core').Browser} Browser */
/** @typedef {import('./driver.mjs').Driver} Driver */

const ARGUMENTS = ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking', '--disable-component-update', '--disable-sync'];

/** @returns {Promise<import('./driver.mjs').Engine>} */
export async function launch() {
  const browser = await chromium.launch({ executablePath: process.env.CHROMIUM, args: ARGUMENTS });
  return {
    name: `Chromium ${browser.version()}`,
    spy: '',
    open: (url, options) => open(browser, url, options),
    close: () => browser.close(),
  };
}

/** @param {Browser} browser @param {string} url @param {import('./driver.mjs').NewPage} [options] */
async function open(browser, url, { serviceWorkers = false, locale } = {}) {
  const context = await browser.newContext({ locale, viewport: { width: 1280, height: 800 }, acceptDownloads: true, serviceWorkers: serviceWorkers ? 'allow' : 'block' });
  context.setDefaultTimeout(15_000);
  return new ChromiumDriver(await context.newPage(), url);
}

/** @implements {Driver} */
export class ChromiumDriver {
  complaints = /** @type {string[]} */ ([]);

  /** @param {Page} page @param {string} url of the site: what goes elsewhere is complained of */
  constructor(page, url) {
    this.page = page;
    this.url = url;
    const { complaints } = this;
    page.on('console', (message) => {
      const ours = !message.text().includes('blocked by Playwright');
      if (ours && ['error', 'warning'].includes(message.type())) complaints.push(`${message.text()} (${message.location().url})`);
    });
    page.on('pageerror', (error) => complaints.push(`uncaught: ${error.message}`));
    page.on('request', (request) => {
      const to = new URL(request.url());
      if (!['data:', 'blob:'].includes(to.protocol) && to.origin !== new URL(url).origin) complaints.push(`request to ${to.origin}`);
    });
    page.on('requestfailed', (request) => {
      // A request that the visitor's own leaving ended is none.
      const why = request.failure()?.errorText ?? '';
      if (!why.includes('ERR_ABORTED')) complaints.push(`request failed: ${request.url()} (${why})`);
    });
    page.on('response', (response) => {
      if (response.status() >= 400) complaints.push(`${response.status()} ${response.url()}`);
    });
  }

  /** @param {string} url */
  async goto(url) {
    await this.page.goto(url);
  }

  /** @type {Driver['evaluate']} */
  evaluate(run, argument) {
    return this.page.evaluate(/** @type {any} */ (run), argument);
  }

  /** @param {string} role @param {string} name */
  control(role, name) {
    return this.page.getByRole(/** @type {any} */ (role), { name, exact: true });
  }

  /** @param {string} label @param {import('./driver.mjs').Given} file */
  async give(label, file) {
    await this.page.getByLabel(label, { exact: true }).setInputFiles(/** @type {any} */ (file));
  }

  /** @param {{x: number, y: number}[]} points */
  async drag(points) {
    const { mouse } = this.page;
    await mouse.move(points[0].x, points[0].y);
    await mouse.down();
    for (const { x, y } of points) await mouse.move(x, y, { steps: 4 });
    await mouse.up();
  }

  /** @param {() => Promise<void>} press */
  async download(press) {
    const [download] = await Promise.all([this.page.waitForEvent('download'), press()]);
    return { bytes: await readFile(await download.path()), name: download.suggestedFilename() };
  }

  /** @param {string} path */
  async screenshot(path) {
    await this.page.screenshot({ path });
  }

  /** @param {string} url @param {import('./driver.mjs').NewPage} [options] */
  fresh(url, options) {
    return open(/** @type {Browser} */ (this.page.context().browser()), url, options);
  }

  async settle() {}

  async close() {
    await this.page.context().close();
  }
}
