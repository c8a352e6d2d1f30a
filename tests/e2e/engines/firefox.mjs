// Firefox, by WebDriver BiDi: JSON over one WebSocket, which Firefox serves itself.
import { mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { WebSocket } from 'ws';
import { pause } from '../page.mjs';
import { RemoteDriver, start } from './remote.mjs';

const START_MS = 60_000;
/** What a command may take, in milliseconds; scripts wait for promises of the page. */
const COMMAND_MS = 120_000;
const EVENTS = ['log.entryAdded', 'network.beforeRequestSent', 'network.fetchError', 'network.responseCompleted'];
/** What saving a file may take, in milliseconds. */
const DOWNLOAD_MS = 15_000;

/** @param {string} downloads */
const preferences = (downloads) => ({
  'browser.download.folderList': 2,
  'browser.download.dir': downloads,
  'browser.download.useDownloadDir': true,
  'browser.download.alwaysOpenPanel': false,
  'browser.download.always_ask_before_handling_new_types': false,
  'browser.shell.checkDefaultBrowser': false,
  'browser.startup.page': 0,
  'datareporting.policy.dataSubmissionEnabled': false,
  'app.update.disabledForTesting': true,
  'toolkit.telemetry.server': '',
  'network.captive-portal-service.enabled': false,
  'network.connectivity-service.enabled': false,
});

/** The connection: commands are answered by their number, events go to who listens. */
class Connection {
  #socket;
  #next = 1;
  #waiting = /** @type {Map<number, {resolve: (result: any) => void, reject: (error: Error) => void}>} */ (new Map());
  #listeners = /** @type {Set<(method: string, params: any) => void>} */ (new Set());

  /** @param {WebSocket} socket */
  constructor(socket) {
    this.#socket = socket;
    socket.on('message', (data) => this.#receive(JSON.parse(String(data))));
    socket.on('close', () => {
      for (const { reject } of this.#waiting.values()) reject(new Error('Firefox is gone'));
    });
  }

  /** @param {any} message */
  #receive(message) {
    if (message.type === 'event') return this.#listeners.forEach((listener) => listener(message.method, message.params));
    const task = this.#waiting.get(message.id);
    this.#waiting.delete(message.id);
    if (message.type === 'success') task?.resolve(message.result);
    else task?.reject(new Error(`${message.error}: ${message.message}`));
  }

  /** @param {string} method @param {object} params @returns {Promise<any>} */
  send(method, params) {
    const id = this.#next++;
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => reject(new Error(`${method} took longer than ${COMMAND_MS} ms`)), COMMAND_MS);
      const settle = (/** @type {(value: any) => void} */ end) => (/** @type {any} */ value) => (clearTimeout(timer), end(value));
      this.#waiting.set(id, { resolve: settle(resolve), reject: settle(reject) });
      this.#socket.send(JSON.stringify({ id, method, params }));
    });
  }

  /** @param {(method: string, params: any) => void} listener @returns {() => void} ends it */
  listen(listener) {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  close() {
    this.#socket.close();
  }
}

/**
 * Starts it with a profile of its own.
 * @param {string} folder for the profile and what is saved
 * @returns {Promise<{firefox: import('node:child_process').ChildProcess, address: string}>}
 */
async function startFirefox(folder) {
  await mkdir(`${folder}/downloads`);
  const lines = Object.entries(preferences(`${folder}/downloads`)).map(([name, value]) => `user_pref(${JSON.stringify(name)}, ${JSON.stringify(value)});`);
  await writeFile(`${folder}/user.js`, lines.join('\n'));
  const firefox = start(process.env.FIREFOX ?? 'firefox', ['--headless', '--no-remote', '--profile', folder, '--remote-debugging-port', '0'], { stdio: ['ignore', 'ignore', 'pipe'] });
  let said = '';
  const address = await new Promise((resolve, reject) => {
    const timer = setTimeout(() => {
      firefox.kill();
      reject(new Error(`Firefox did not start: ${said}`));
    }, START_MS);
    firefox.on('error', reject);
    firefox.on('exit', () => reject(new Error(`Firefox ended: ${said}`)));
    firefox.stderr?.on('data', (data) => {
      said += data;
      const found = /WebDriver BiDi listening on (ws:\S+)/.exec(said);
      if (!found) return;
      clearTimeout(timer);
      resolve(found[1]);
    });
  });
  return { firefox, address };
}

/** @returns {Promise<import('./driver.mjs').Engine>} */
export async function launch() {
  const folder = await mkdtemp(`${tmpdir()}/infill-firefox-`);
  const { firefox, address } = await startFirefox(folder);
  const socket = new WebSocket(`${address}/session`, { maxPayload: 0 });
  await new Promise((resolve, reject) => socket.once('open', resolve).once('error', reject));
  const connection = new Connection(socket);
  const { capabilities } = await connection.send('session.new', { capabilities: {} });
  await connection.send('session.subscribe', { events: EVENTS });
  return {
    name: `Firefox ${capabilities.browserVersion}`,
    spy: '',
    open: (url) => open(connection, url, `${folder}/downloads`),
    close: async () => {
      const over = new Promise((resolve) => firefox.once('exit', resolve));
      await connection.send('browser.close', {}).catch(() => firefox.kill());
      await over;
      connection.close();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/** @param {Connection} connection @param {string} url @param {string} downloads folder where saved files arrive */
async function open(connection, url, downloads) {
  const { userContext } = await connection.send('browser.createUserContext', {});
  const { context } = await connection.send('browsingContext.create', { type: 'tab', userContext });
  await connection.send('browsingContext.setViewport', { context, viewport: { width: 1280, height: 800 } });
  return new FirefoxDriver(connection, url, { userContext, context, downloads });
}

class FirefoxDriver extends RemoteDriver {
  #connection;
  #userContext;
  #context;
  #downloads;
  #deaf;

  /** @param {Connection} connection @param {string} url @param {{userContext: string, context: string, downloads: string}} places */
  constructor(connection, url, { userContext, context, downloads }) {
    super(url);
    this.#downloads = downloads;
    this.#connection = connection;
    this.#userContext = userContext;
    this.#context = context;
    this.#deaf = connection.listen((method, params) => {
      if ((params.context ?? params.source?.context) === context) this.#complain(method, params);
    });
  }

  /** @param {string} method @param {any} params */
  #complain(method, params) {
    const to = params.request?.url ?? '';
    if (method === 'log.entryAdded' && ['error', 'warn'].includes(params.level)) this.complaints.push(`${params.text}`);
    if (method === 'network.beforeRequestSent' && /^https?:/.test(to) && new URL(to).origin !== new URL(this.url).origin) this.complaints.push(`request to ${to}`);
    // A request that the visitor's own leaving ended is none.
    if (method === 'network.fetchError' && !/ABORTED/.test(params.errorText)) this.complaints.push(`request failed: ${to} (${params.errorText})`);
    if (method === 'network.responseCompleted' && params.response.status >= 400) this.complaints.push(`${params.response.status} ${to}`);
  }

  /** @param {string} url */
  async goto(url) {
    await this.#connection.send('browsingContext.navigate', { context: this.#context, url, wait: 'complete' });
  }

  /** @param {string} run @param {unknown} argument @param {Record<string, string> | null} element */
  async call(run, argument, element) {
    const { result, exceptionDetails } = await this.#connection.send('script.callFunction', {
      functionDeclaration: `async (json, element) => JSON.stringify(await (${run})(JSON.parse(json), element))`,
      arguments: [{ type: 'string', value: JSON.stringify(argument) }, ...(element ? [element] : [])],
      target: { context: this.#context },
      awaitPromise: true,
    });
    if (exceptionDetails) throw new Error(exceptionDetails.text);
    return result.value === undefined ? undefined : JSON.parse(result.value);
  }

  /** @param {string} role @param {string} name */
  async locate(role, name) {
    const locator = { type: 'accessibility', value: { role, name } };
    const { nodes } = await this.#connection.send('browsingContext.locateNodes', { context: this.#context, locator });
    return nodes.map((/** @type {any} */ { sharedId }) => ({ sharedId }));
  }

  /** @param {object[]} actions */
  async act(actions) {
    const mouse = { type: 'pointer', id: 'mouse', parameters: { pointerType: 'mouse' }, actions };
    await this.#connection.send('input.performActions', { context: this.#context, actions: [mouse] });
  }

  /** @param {string} selector @param {string} path */
  async choose(selector, path) {
    const { nodes } = await this.#connection.send('browsingContext.locateNodes', { context: this.#context, locator: { type: 'css', value: selector } });
    if (nodes.length !== 1) throw new Error(`${selector} is there ${nodes.length} times`);
    await this.#connection.send('input.setFiles', { context: this.#context, element: { sharedId: nodes[0].sharedId }, files: [path] });
  }

  /** Older versions tell of no download, so the folder is watched. @param {() => Promise<void>} press */
  async download(press) {
    await press();
    for (let [end, before] = [Date.now() + DOWNLOAD_MS, 0]; ; await pause(50)) {
      const names = await readdir(this.#downloads);
      const [name] = names;
      const path = `${this.#downloads}/${name}`;
      const size = name && !names.some((each) => each.endsWith('.part')) ? await stat(path).then((file) => file.size, () => 0) : 0;
      // The file has its name before it has its bytes.
      if (size > 0 && size === before) {
        const bytes = await readFile(path);
        await rm(path);
        return { name, bytes };
      }
      before = size;
      if (Date.now() > end) throw new Error('nothing was saved');
    }
  }

  /** @param {string} path */
  async screenshot(path) {
    const { data } = await this.#connection.send('browsingContext.captureScreenshot', { context: this.#context });
    await writeFile(path, data, 'base64');
  }

  /** @param {string} url */
  fresh(url) {
    return open(this.#connection, url, this.#downloads);
  }

  async close() {
    this.#deaf();
    await this.#connection.send('browser.removeUserContext', { userContext: this.#userContext });
  }
}
