/**
 * `infill.json`, and the other files of the site that whoever hosts it names.
 * @module
 */
import { LineFault } from '../document/lined_json.js';
import { isInside, ownSite, siteOf } from '../document/site.js';
import { Failure } from '../worker/protocol.js';
import { text } from '../strings/index.js';

/** @typedef {import('../document/site.js').Site} Site */

/** Where the page lies. */
const ROOT = new URL('../../', import.meta.url);
const FILE = 'infill.json';
/** Bytes that are read of it. */
const MOST_BYTES = 1 << 18;
/** The page does not wait longer for it. */
const PATIENCE_MS = 10_000;
/** What a host answers for what is not there. */
const GONE = [404, 410];

/** @param {string} path from the page, within the site */
export const addressOf = (path) => new URL(path, ROOT).href;

/**
 * The site as it is described; where the description is at fault, as if there were none.
 * @returns {Promise<{site: Site, fault: string}>} what is wrong, for people; empty if nothing
 */
export async function fetchSite() {
  try {
    const json = await fetchText();
    return { site: json === null ? ownSite() : siteOf(json), fault: '' };
  } catch (error) {
    return { site: ownSite(), fault: text.siteFault(error instanceof LineFault ? lineOf(error) : String(/** @type {Error} */ (error).message)) };
  }
}

/** @param {LineFault} fault */
function lineOf({ line, what, given }) {
  const words = /** @type {Record<string, (...given: any[]) => string>} */ (text.siteFaults)[what];
  return text.atLine(line, words(...given));
}

/** @returns {Promise<string | null>} null where there is none */
async function fetchText() {
  let response;
  try {
    response = await fetch(addressOf(FILE), { signal: AbortSignal.timeout(PATIENCE_MS) });
  } catch {
    // Offline before the first visit was over: nothing says that there is one.
    return null;
  }
  if (GONE.includes(response.status)) return null;
  if (!response.ok || !response.body) throw new Error(text.siteStatus(response.status));
  // A page in its place: some hosts answer so, with 200, what they do not have.
  if (response.headers.get('content-type')?.startsWith('text/html')) return null;
  const reader = response.body.getReader();
  const parts = [];
  let bytes = 0;
  for (;;) {
    const { done, value } = await reader.read();
    if (done) break;
    bytes += value.length;
    if (bytes > MOST_BYTES) {
      void reader.cancel().catch(() => {});
      throw new Error(text.siteTooLong(MOST_BYTES));
    }
    parts.push(value);
  }
  return new Blob(parts).text();
}

/**
 * A file that whoever hosts the site, or who made a link to it, names.
 * @param {string} path relative to the page
 * @param {(done: number) => void} [progress] share of the bytes, as far as the host tells how many there are
 * @returns {Promise<File>}
 * @throws {Failure} `site-outside` for a path that leaves the site, `site-missing` for a file that is not there, `site-fetch` where the host cannot be reached
 */
export async function fetchOwn(path, progress = () => {}) {
  if (!isInside(path)) throw new Failure({ code: 'site-outside', message: text.siteOutside(path), keys: [] });
  let response;
  try {
    response = await fetch(addressOf(path));
  } catch {
    throw new Failure({ code: 'site-fetch', message: text.siteUnreachable(path), keys: [] });
  }
  if (GONE.includes(response.status)) throw missing(path);
  if (!response.ok) throw new Failure({ code: 'site-fetch', message: text.siteUnreachable(path), keys: [] });
  const parts = await partsOf(response, 0, progress);
  return new File(parts, nameOf(path), { type: response.headers.get('content-type') ?? '' });
}

/** The name of a file as people read it. @param {string} path */
function nameOf(path) {
  const name = path.slice(path.lastIndexOf('/') + 1);
  try {
    return decodeURIComponent(name);
  } catch {
    return name;
  }
}

/** @param {string} path */
function missing(path) {
  return new Failure({ code: 'site-missing', message: text.siteMissing(path), keys: [] });
}

/**
 * What a host sends, with progress.
 * @param {Response} response
 * @param {number} expected bytes; 0 takes what the host says
 * @param {(done: number) => void} progress
 */
export async function partsOf(response, expected, progress) {
  const total = expected || Number(response.headers.get('content-length')) || Infinity;
  const reader = /** @type {ReadableStream<Uint8Array<ArrayBuffer>>} */ (response.body).getReader();
  const parts = [];
  let received = 0;
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return parts;
    parts.push(value);
    received += value.length;
    progress(Math.min(1, received / total));
  }
}

/** Fails where a host says that it has not the file. @param {Response} response @param {string} path */
export function checkThere(response, path) {
  if (GONE.includes(response.status)) throw missing(path);
  if (!response.ok || !response.body) throw new Error(`HTTP ${response.status}`);
}
