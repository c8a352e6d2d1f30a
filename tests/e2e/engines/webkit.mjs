// WebKitGTK's MiniBrowser, by WebDriver: one request over HTTP for every command. It shows itself on a display of memory.
import { mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { request } from 'node:http';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { pause, RemoteDriver, start } from './remote.mjs';

/** Where Debian and Fedora have the browser. */
const FOLDERS = ['/usr/lib/x86_64-linux-gnu', '/usr/lib/aarch64-linux-gnu', '/usr/libexec'];
const BROWSERS = FOLDERS.flatMap((folder) => ['webkit2gtk-4.1', 'webkitgtk-6.0'].map((version) => `${folder}/${version}/MiniBrowser`));
const START_MS = 30_000;
const STARTS = 3;
const SCRIPT_MS = 120_000;
/** How long a request may take: longer than a script. */
const REQUEST_MS = 150_000;
const DOWNLOAD_MS = 15_000;
/** What the page is given of the window, in CSS pixels. */
const VIEWPORT = { width: 1280, height: 800 };
/** The name that WebDriver gives to what refers to an element. */
const ELEMENT = 'element-6066-11e4-a52e-4f735466cecf';
/** Elements that may have a role, so that not every one is asked. */
const CANDIDATES = /** @type {Record<string, string>} */ ({ button: 'button', tab: '[role=tab]', combobox: 'select', application: '[role=application]' });

/** In the page: whether an element takes a place that can be seen and clicked. */
const IS_SHOWN = `(nothing, element) => element.checkVisibility({ visibilityProperty: true })`;

/** What WebKitGTK calls a `select`, which ARIA calls a combobox. */
const OWN_ROLES = /** @type {Record<string, string>} */ ({ combobox: 'button' });

/** WebDriver tells nothing of the console: this is loaded before the page's own scripts, and asked later. */
const SPY = `(() => {
  const complaints = [];
  window.complaintsForTest = complaints;
  for (const level of ['error', 'warn']) {
    const said = console[level];
    console[level] = (...words) => (complaints.push(words.join(' ')), said.apply(console, words));
  }
  addEventListener('error', (event) => complaints.push('uncaught: ' + (event.message ?? event.target?.outerHTML ?? event)), true);
  addEventListener('unhandledrejection', ({ reason }) => complaints.push('uncaught: ' + reason));
  addEventListener('securitypolicyviolation', ({ blockedURI }) => complaints.push('blocked: ' + blockedURI));
})();`;

/** @returns {Promise<number>} */
function freePort() {
  return new Promise((resolve) => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      const { port } = /** @type {import('node:net').AddressInfo} */ (server.address());
      server.close(() => resolve(port));
    });
  });
}

/** A display that no screen shows. @returns {Promise<{name: string, end: () => void}>} */
async function display() {
  const server = start(process.env.XVFB ?? 'Xvfb', ['-displayfd', '1', '-screen', '0', '1400x1600x24', '-nolisten', 'tcp'], { stdio: ['ignore', 'pipe', 'ignore'] });
  const number = await new Promise((resolve, reject) => {
    server.on('error', reject);
    server.on('exit', () => reject(new Error('Xvfb ended')));
    server.stdout?.once('data', (data) => resolve(String(data).trim()));
  });
  return { name: `:${number}`, end: () => server.kill() };
}

/** The browser that belongs to the driver. */
async function browser() {
  for (const path of BROWSERS) if (await stat(path).catch(() => null)) return path;
  throw new Error(`no MiniBrowser at ${BROWSERS.join(' or ')}`);
}

/** @returns {Promise<import('./driver.mjs').Engine>} */
export async function launch() {
  const binary = await browser();
  const screen = await display();
  const sessions = /** @type {Set<WebkitDriver>} */ (new Set());
  const open = async (/** @type {string} */ url) => {
    const driver = await WebkitDriver.start(url, binary, screen.name, open);
    sessions.add(driver);
    return driver;
  };
  const probe = await open('').catch((error) => {
    screen.end();
    throw error;
  });
  await probe.close();
  return {
    name: `WebKitGTK ${probe.version}`,
    spy: SPY,
    open,
    close: async () => {
      await Promise.all([...sessions].map((driver) => driver.close()));
      screen.end();
    },
  };
}

/** @param {string} method @param {string} url @param {string} body @param {number} limit in milliseconds @returns {Promise<string>} */
function exchange(method, url, body, limit) {
  return new Promise((resolve, reject) => {
    const read = async (/** @type {import('node:http').IncomingMessage} */ response) => {
      let text = '';
      for await (const part of response.setEncoding('utf8')) text += part;
      return text;
    };
    const signal = AbortSignal.timeout(limit);
    const asked = request(url, { method, agent: false, signal }, (response) => read(response).then(resolve, reject));
    asked.on('error', reject);
    asked.end(body);
  });
}

/** A browser of its own for every tab: its storage lives as long as it. */
class WebkitDriver extends RemoteDriver {
  version = '';
  #address = '';
  #process;
  #folder;
  #again;

  /**
   * @param {string} url
   * @param {import('node:child_process').ChildProcess} process
   * @param {string} folder
   * @param {(url: string) => Promise<import('./driver.mjs').Driver>} again
   */
  constructor(url, process, folder, again) {
    super(url);
    this.#process = process;
    this.#folder = folder;
    this.#again = again;
  }

  /**
   * The driver can wait forever for a browser that ended while it started: such a start is tried again.
   * @param {string} url @param {string} binary @param {string} display @param {(url: string) => Promise<import('./driver.mjs').Driver>} again
   */
  static async start(url, binary, display, again) {
    for (let left = STARTS - 1; ; left -= 1) {
      try {
        return await WebkitDriver.#start(url, binary, display, again);
      } catch (error) {
        if (left === 0) throw error;
      }
    }
  }

  /** @param {string} url @param {string} binary @param {string} display @param {(url: string) => Promise<import('./driver.mjs').Driver>} again */
  static async #start(url, binary, display, again) {
    const folder = await mkdtemp(`${tmpdir()}/infill-webkit-`);
    await mkdir(`${folder}/config`);
    await mkdir(`${folder}/downloads`);
    await writeFile(`${folder}/config/user-dirs.dirs`, `XDG_DOWNLOAD_DIR="${folder}/downloads"\n`);
    const port = await freePort();
    const env = { ...process.env, DISPLAY: display, XDG_CONFIG_HOME: `${folder}/config`, XDG_CACHE_HOME: `${folder}/cache`, XDG_DATA_HOME: `${folder}/data`, NO_AT_BRIDGE: '1' };
    const server = start(process.env.WEBKIT_DRIVER ?? 'WebKitWebDriver', [`--port=${port}`], { env, stdio: 'ignore' });
    const driver = new WebkitDriver(url, server, folder, again);
    try {
      await driver.#begin(`http://127.0.0.1:${port}`, binary);
      return driver;
    } catch (error) {
      server.kill();
      throw error;
    }
  }

  /** @param {string} address @param {string} binary */
  async #begin(address, binary) {
    this.#address = address;
    const options = { binary, args: ['--automation'] };
    const wanted = { capabilities: { alwaysMatch: { 'webkitgtk:browserOptions': options, timeouts: { script: SCRIPT_MS } } } };
    for (const end = Date.now() + START_MS; ; await pause(50)) {
      try {
        const { sessionId, capabilities } = await this.#send('POST', '/session', wanted, START_MS);
        this.version = capabilities.browserVersion;
        this.#address += `/session/${sessionId}`;
        break;
      } catch (error) {
        if (Date.now() > end) throw error;
      }
    }
    await this.#fit();
  }

  /** Gives the page its size: MiniBrowser's bars take a part of the window, and one more for every file that it saves. */
  async #fit() {
    for (const end = Date.now() + START_MS; Date.now() < end; await pause(30)) {
      const inner = await this.evaluate(() => ({ width: innerWidth, height: innerHeight }));
      if (inner.width === VIEWPORT.width && inner.height === VIEWPORT.height) return;
      const { width, height } = await this.#send('GET', '/window/rect');
      await this.#send('POST', '/window/rect', { width: width + VIEWPORT.width - inner.width, height: height + VIEWPORT.height - inner.height });
    }
    throw new Error('the window does not take the size of the page');
  }

  /** @param {string} method @param {string} path @param {object} [body] @param {number} [limit] in milliseconds @returns {Promise<any>} */
  async #send(method, path, body, limit = REQUEST_MS) {
    const { value } = JSON.parse(await exchange(method, this.#address + path, body ? JSON.stringify(body) : '', limit));
    if (value?.error) throw new Error(`${path}: ${value.error} ${value.message}`);
    return value;
  }

  /** @param {string} url */
  async goto(url) {
    await this.#collect();
    await this.#send('POST', '/url', { url });
  }

  async #collect() {
    this.complaints.push(...(await this.call('() => window.complaintsForTest?.splice(0) ?? []', null, null)));
  }

  async settle() {
    await this.#collect();
  }

  /** @param {string} run @param {unknown} argument @param {Record<string, string> | null} element */
  async call(run, argument, element) {
    const script = `const [json, element, done] = arguments; (async () => JSON.stringify(await (${run})(JSON.parse(json), element)))().then((value) => done({ value }), (error) => done({ error: String(error) }));`;
    const { value, error } = await this.#send('POST', '/execute/async', { script, args: [JSON.stringify(argument), element] });
    if (error) throw new Error(error);
    return value === undefined || value === null ? undefined : JSON.parse(value);
  }

  /** @param {string} role @param {string} name */
  async locate(role, name) {
    const all = await this.#send('POST', '/elements', { using: 'css selector', value: CANDIDATES[role] ?? `[role=${role}]` });
    const found = [];
    for (const element of all) {
      const path = `/element/${element[ELEMENT]}`;
      // WebDriver's "displayed" is false for what is transparent: such a `select` lies over the page's own drawing of it.
      if (!(await this.call(IS_SHOWN, null, element))) continue;
      if ((await this.#send('GET', `${path}/computedlabel`)) !== name) continue;
      const own = await this.#send('GET', `${path}/computedrole`);
      if (own === role || own === OWN_ROLES[role]) found.push(element);
    }
    return found;
  }

  /** @param {object[]} actions */
  async act(actions) {
    const mouse = { type: 'pointer', id: 'mouse', parameters: { pointerType: 'mouse' }, actions };
    await this.#send('POST', '/actions', { actions: [mouse] });
  }

  /** @param {string} selector @param {string} path */
  async choose(selector, path) {
    const element = await this.#send('POST', '/element', { using: 'css selector', value: selector });
    await this.#send('POST', `/element/${element[ELEMENT]}/value`, { text: path });
  }

  /** @param {() => Promise<void>} press */
  async download(press) {
    const folder = `${this.#folder}/downloads`;
    await press();
    for (let [end, before] = [Date.now() + DOWNLOAD_MS, 0]; ; await pause(100)) {
      const names = await readdir(folder);
      const isWriting = names.some((each) => each.endsWith('.wkdownload'));
      const [name] = names;
      const size = name && !isWriting ? await stat(`${folder}/${name}`).then((file) => file.size, () => 0) : 0;
      // The file has its name before it has its bytes.
      if (size > 0 && size === before) {
        const bytes = await readFile(`${folder}/${name}`);
        await rm(`${folder}/${name}`);
        await this.#fit();
        return { name, bytes };
      }
      before = size;
      if (Date.now() > end) throw new Error('nothing was saved');
    }
  }

  /** @param {string} path */
  async screenshot(path) {
    await writeFile(path, await this.#send('GET', '/screenshot'), 'base64');
  }

  /** @param {string} url */
  fresh(url) {
    return this.#again(url);
  }

  async close() {
    if (this.#process.exitCode !== null || this.#process.killed) return;
    await this.#send('DELETE', '', undefined, START_MS).catch(() => {});
    this.#process.kill();
    // The browser may still be writing when it is told to end.
    await rm(this.#folder, { recursive: true, force: true, maxRetries: 20, retryDelay: 100 });
  }
}
