// Every way out of a page that a test can try, and a host that sees what came through.
import { createServer } from 'node:http';

/**
 * What a script tries, as source: each way asks the host for its own name. `at(way)` is the address of a way.
 * Only what the scope has is tried; the ways that a control page shows to work are those that count.
 */
const SHARED_WAYS = `
  const ways = {
    fetch: () => fetch(at('fetch'), { mode: 'no-cors' }),
    xhr: () => { const request = new XMLHttpRequest(); request.open('GET', at('xhr')); request.send(); },
    websocket: () => new WebSocket(at('websocket').replace('http', 'ws')),
    eventsource: () => new EventSource(at('eventsource')),
    import: () => import(at('import')),
    worker: () => new Worker(at('worker')),
    webtransport: () => new WebTransport(at('webtransport').replace('http:', 'https:')),
    eval: () => (0, eval)('fetch("' + at('eval') + '", { mode: "no-cors" })'),
    'nested-worker': () => new Worker(URL.createObjectURL(new Blob(['fetch("' + at('nested-worker') + '", { mode: "no-cors" })'], { type: 'text/javascript' }))),
  };`;

const PAGE_WAYS = `
  const add = (tag, values) => {
    const element = document.createElement(tag);
    for (const [name, value] of Object.entries(values)) element.setAttribute(name, value);
    document.body.append(element);
    return element;
  };
  Object.assign(ways, {
    beacon: () => navigator.sendBeacon(at('beacon'), 'x'),
    img: () => add('img', { src: at('img') }),
    'css-image': () => { add('p', {}).style.backgroundImage = 'url(' + at('css-image') + ')'; },
    stylesheet: () => add('link', { rel: 'stylesheet', href: at('stylesheet') }),
    preload: () => add('link', { rel: 'preload', as: 'image', href: at('preload') }),
    prefetch: () => add('link', { rel: 'prefetch', href: at('prefetch') }),
    modulepreload: () => add('link', { rel: 'modulepreload', href: at('modulepreload') }),
    font: () => new FontFace('canary', 'url(' + at('font') + ')').load(),
    script: () => add('script', { src: at('script') }),
    'inline-script': () => { const script = add('script', {}); script.text = 'fetch("' + at('inline-script') + '", { mode: "no-cors" })'; document.body.append(script.cloneNode(true)); },
    html: () => { add('p', {}).innerHTML = '<img src="' + at('html') + '">'; },
    handler: () => { const image = add('img', { onerror: 'fetch("' + at('handler') + '", { mode: "no-cors" })' }); image.src = 'no-such-picture.png'; },
    audio: () => add('audio', { src: at('audio'), preload: 'auto' }).load(),
    video: () => add('video', { src: at('video'), preload: 'auto' }).load(),
    object: () => add('object', { data: at('object') }),
    embed: () => add('embed', { src: at('embed') }),
    iframe: () => add('iframe', { src: at('iframe') }),
    form: () => { add('iframe', { name: 'sink' }); add('form', { action: at('form'), target: 'sink', method: 'post' }).submit(); },
    ping: () => add('a', { href: '#', ping: at('ping') }).click(),
    'svg-image': () => {
      const svg = document.createElementNS('http://www.w3.org/2000/svg', 'svg');
      const image = document.createElementNS('http://www.w3.org/2000/svg', 'image');
      image.setAttribute('href', at('svg-image'));
      svg.append(image);
      document.body.append(svg);
    },
    'shared-worker': () => new SharedWorker(at('shared-worker')),
  });`;

/** Ways that no policy closes today: what `SECURITY.md` says of them. They are tried and told, and not judged. */
export const OPEN = ['webrtc', 'preconnect'];

const OPEN_WAYS = `
  Object.assign(ways, {
    preconnect: () => add('link', { rel: 'preconnect', href: at('preconnect') }),
    webrtc: async () => {
      const peer = new RTCPeerConnection({ iceServers: [{ urls: 'stun:127.0.0.1:' + new URL(at('')).port }] });
      peer.createDataChannel('canary');
      await peer.setLocalDescription(await peer.createOffer());
      return (await Promise.race([new Promise((resolve) => { peer.onicegatheringstatechange = () => resolve('gathered'); }), new Promise((resolve) => setTimeout(resolve, 500))]));
    },
  });`;

/** Tries all, and waits until what could be asked has been asked. */
const RUN = `
  for (const way of Object.values(ways)) {
    try {
      Promise.resolve(way()).catch(() => {});
    } catch {
      // Refused, or not there in this scope.
    }
  }
  return new Promise((resolve) => setTimeout(() => resolve(Object.keys(ways).length), 1500));`;

/**
 * The body of a function that tries every way of a scope.
 * @param {string} base address of the host, with a path for the scope
 * @param {'page' | 'worker'} scope
 */
export function attempts(base, scope) {
  return `const at = (way) => ${JSON.stringify(base)} + way;${SHARED_WAYS}${scope === 'page' ? PAGE_WAYS + OPEN_WAYS : ''}${RUN}`;
}

/** A host of another origin that notes what it was asked, by path. */
export async function canaryHost() {
  const asked = /** @type {Set<string>} */ (new Set());
  const note = (/** @type {string | undefined} */ url) => asked.add((url ?? '').replace(/^\//, ''));
  const server = createServer((request, response) => {
    note(request.url);
    response.writeHead(200, { 'Content-Type': 'text/javascript', 'Access-Control-Allow-Origin': '*' });
    response.end('');
  });
  server.on('upgrade', (request, socket) => {
    note(request.url);
    socket.destroy();
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', () => resolve(undefined)));
  const { port } = /** @type {import('node:net').AddressInfo} */ (server.address());
  return {
    url: `http://127.0.0.1:${port}/`,
    /** The ways that came through from a scope. @param {string} scope */
    from: (scope) => [...asked].filter((path) => path.startsWith(`${scope}/`)).map((path) => path.slice(scope.length + 1)).sort(),
    close: () => new Promise((resolve) => { server.closeAllConnections(); server.close(() => resolve(undefined)); }),
  };
}
