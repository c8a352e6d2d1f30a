// End to end in real Chromium, against dist/ under a sub-path of a plain static server: node tests/e2e/run.mjs [FILTER]
import { mkdir } from 'node:fs/promises';
import { chromium } from 'playwright-core';
import { OUT, ROOT, Visitor } from './page.mjs';
import { serve } from './server.mjs';
import * as bad from './bad_input.mjs';
import * as builds from './builds.mjs';
import * as colours from './colours.mjs';
import * as hostile from './hostile.mjs';
import * as inside from './inside.mjs';
import * as large from './large.mjs';
import * as main from './main_path.mjs';
import * as offline from './offline.mjs';
import * as screens from './screens.mjs';
import * as threads from './threads.mjs';
import * as waysIn from './ways_in.mjs';

const filter = process.argv[2] ?? '';
const tests = Object.entries({ ...main, ...waysIn, ...colours, ...bad, ...builds, ...inside, ...hostile, ...offline, ...large, ...threads, ...screens }).filter(([name]) => name.includes(filter));
await mkdir(OUT, { recursive: true });
const site = await serve(`${ROOT}dist`, {}, '/some/where/');
const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM,
  args: ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking', '--disable-component-update', '--disable-sync'],
});
let [passed, failed] = [0, 0];
for (const [name, test] of tests) {
  const context = await browser.newContext({ viewport: { width: 1280, height: 800 }, acceptDownloads: true, serviceWorkers: 'block' });
  context.setDefaultTimeout(15_000);
  const visitor = new Visitor(await context.newPage(), site.url);
  const start = Date.now();
  try {
    await visitor.open();
    await test(visitor);
    passed += 1;
    console.log(`test ${name} ... ok (${((Date.now() - start) / 1000).toFixed(1)} s)`);
  } catch (error) {
    failed += 1;
    await visitor.screenshot(`failed-${name}`).catch(() => {});
    console.log(`test ${name} ... FAILED\n  ${/** @type {Error} */ (error).message}\n  console: ${visitor.complaints.join('; ') || 'quiet'}`);
  }
  await context.close();
}
await browser.close();
await site.close();
console.log(`\ntest result: ${failed ? 'FAILED' : 'ok'}. ${passed} passed; ${failed} failed`);
process.exit(failed ? 1 : 0);
