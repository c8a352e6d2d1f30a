// A plain static server, as any host is: no special headers unless a test asks for them.
import { createServer } from 'node:http';
import { readFile } from 'node:fs/promises';
import { extname, join, normalize } from 'node:path';

const TYPES = {
  '.html': 'text/html; charset=utf-8', '.js': 'text/javascript; charset=utf-8', '.mjs': 'text/javascript; charset=utf-8', '.css': 'text/css; charset=utf-8',
  '.wasm': 'application/wasm', '.svg': 'image/svg+xml', '.png': 'image/png', '.jpg': 'image/jpeg', '.json': 'application/json',
};

const INJECTED = 'injected-for-test.js';
/** A page of the site's origin without the site's policy, for tests that start workers of their own. */
export const BLANK = 'blank-for-test.html';

/**
 * @param {string} folder what is served
 * @param {Record<string, [string, string]>} [extra] type and body by path
 * @param {string} [prefix] sub-path under which the folder lies
 * @param {Record<string, string>} [headers] sent with every answer
 * @param {string} [inject] a script that runs before the page's own; the service worker then finds that the page is
 *   not of its version, and keeps nothing
 */
export async function serve(folder, extra = {}, prefix = '/', headers = {}, inject = '') {
  const server = createServer(async (request, response) => {
    for (const [name, value] of Object.entries(headers)) response.setHeader(name, value);
    const path = decodeURIComponent(new URL(request.url ?? '/', 'http://x').pathname);
    if (extra[path]) {
      response.writeHead(200, { 'Content-Type': extra[path][0] });
      return response.end(extra[path][1]);
    }
    try {
      if (!path.startsWith(prefix)) throw new Error('outside');
      const name = path.slice(prefix.length) || 'index.html';
      let body = name === INJECTED ? inject : name === BLANK ? '<!doctype html><title>blank</title><link rel="icon" href="data:,"><body>' : await readFile(join(folder, normalize(name)));
      if (inject && name === 'index.html') body = String(body).replace('<head>', `<head><script src="${INJECTED}"></script>`);
      response.writeHead(200, { 'Content-Type': TYPES[extname(name)] ?? 'application/octet-stream' });
      response.end(body);
    } catch {
      response.writeHead(404, { 'Content-Type': 'text/plain' });
      response.end('Not found');
    }
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', () => resolve(undefined)));
  const { port } = /** @type {import('node:net').AddressInfo} */ (server.address());
  return { url: `http://127.0.0.1:${port}${prefix}`, close: () => new Promise((resolve) => { server.closeAllConnections(); server.close(() => resolve(undefined)); }) };
}
