// What the page's policy rests on: nothing inline, no HTML from text, and workers from blobs only.
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';

const ROOT = new URL('../../', import.meta.url).pathname;
const page = readFileSync(`${ROOT}index.html`, 'utf8');
const scripts = readdirSync(`${ROOT}www`, { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.js')).map((name) => `www/${name}`);

/** Sinks that turn text into HTML or code. */
const SINKS = /\b(innerHTML|outerHTML|insertAdjacentHTML|createContextualFragment|parseFromString|setHTMLUnsafe|parseHTMLUnsafe|document\.write|srcdoc|eval|new Function|importScripts)\b/;

export function the_page_has_nothing_inline() {
  assert.doesNotMatch(page, /<script(?![^>]*\bsrc=)/i, 'an inline script');
  assert.doesNotMatch(page, /<style\b|\sstyle=/i, 'an inline style');
  assert.doesNotMatch(page, /\son[a-z]+=/i, 'an inline handler');
  assert.doesNotMatch(page, /\b(javascript:\S|data:|https?:)/i, 'an address elsewhere');
}

export function the_policy_allows_the_site_alone() {
  const policy = /Content-Security-Policy" content="([^"]*)"/.exec(page)?.[1] ?? '';
  const directives = Object.fromEntries(policy.split('; ').map((directive) => directive.split(/ (.*)/s, 2)));
  for (const [name, value] of Object.entries({
    'default-src': "'self'", 'script-src': "'self' 'wasm-unsafe-eval'", 'worker-src': "'self' blob:", 'connect-src': "'self'", 'img-src': "'self' blob:",
    'style-src': "'self'", 'frame-src': "'none'", 'object-src': "'none'", 'base-uri': "'none'", 'form-action': "'none'", 'require-trusted-types-for': "'script'", 'trusted-types': 'infill',
  })) assert.equal(directives[name], value, name);
}

export function no_script_turns_text_into_html_or_code() {
  assert.ok(scripts.length > 40);
  for (const name of [...scripts, 'sw.js']) {
    readFileSync(`${ROOT}${name}`, 'utf8').split('\n').forEach((line, index) => {
      const code = line.replace(/^\s*(\*|\/\/|\/\*).*/, '');
      assert.doesNotMatch(code, SINKS, `${name}:${index + 1}`);
    });
  }
}

export function workers_and_the_service_worker_start_in_one_place_each() {
  const holding = (/** @type {RegExp} */ pattern) => scripts.filter((name) => pattern.test(readFileSync(`${ROOT}${name}`, 'utf8')));
  assert.deepEqual(holding(/new (Shared)?Worker\(/), ['www/worker/spawn.js']);
  assert.deepEqual(holding(/serviceWorker\.register\(/), ['www/storage/offline.js']);
  assert.deepEqual(holding(/createPolicy\(/), ['www/trusted.js']);
}

export async function a_thread_imports_its_own_build_and_nothing_else() {
  const said = /** @type {any[]} */ ([]);
  Object.assign(globalThis, { self: { postMessage: (/** @type {any} */ reply) => said.push(reply) } });
  const { join } = await import('../../www/worker/thread.js');
  for (const build of ['../../evil', 'https://elsewhere.example/x', 'data:text/javascript,1', '', 'a/b', 'A']) {
    await join(/** @type {any} */ ({ build, module: null, memory: null }));
    assert.equal(said.at(-1).kind, 'dead');
    assert.match(said.at(-1).message, /is no build/, build);
  }
}
