// The page's modules that need no DOM, in Node: node tests/page/run.mjs [FILTER]
import * as app from './app.mjs';
import * as browserDecode from './browser_decode.mjs';
import * as brushSize from './brush_size.mjs';
import * as client from './client.mjs';
import * as colorSpace from './color_space.mjs';
import * as geometry from './geometry.mjs';
import * as inference from './inference.mjs';
import * as maskFile from './mask_file.mjs';
import * as open from './open.mjs';
import * as ownNetwork from './own_network.mjs';
import * as plane from './plane.mjs';
import * as policy from './policy.mjs';
import * as save from './save.mjs';
import * as select from './select.mjs';
import * as shipped from './shipped.mjs';
import * as site from './site.mjs';
import * as strings from './strings.mjs';
import * as survive from './survive.mjs';
import * as tint from './tint.mjs';
import * as tools from './tools.mjs';
import * as weights from './weights.mjs';
import * as work from './work.mjs';

const filter = process.argv[2] ?? '';
const tests = Object.entries({ ...geometry, ...work, ...client, ...colorSpace, ...browserDecode, ...weights, ...inference, ...app, ...shipped, ...open, ...ownNetwork, ...policy, ...brushSize, ...tint, ...plane, ...tools, ...select, ...maskFile, ...save, ...site, ...strings, ...survive }).filter(([name]) => name.includes(filter));
let [passed, failed] = [0, 0];
for (const [name, test] of tests) {
  try {
    await test();
    passed += 1;
    console.log(`test ${name} ... ok`);
  } catch (error) {
    failed += 1;
    console.log(`test ${name} ... FAILED\n  ${/** @type {Error} */ (error).stack}`);
  }
}
console.log(`\ntest result: ${failed ? 'FAILED' : 'ok'}. ${passed} passed; ${failed} failed`);
process.exit(failed ? 1 : 0);
