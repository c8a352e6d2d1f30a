// infill.json and links: what is said is taken, what is wrong is named with its line, and the page goes on.
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { LineFault, MOST_LEVELS, readLined } from '../../www/document/lined_json.js';
import { isInside, ownSite, SHIPPED, siteOf, startingWith } from '../../www/document/site.js';
import { fetchOwn, fetchSite } from '../../www/storage/site.js';

/** A host that answers everything like this. @param {() => Response | Promise<Response>} answer */
function host(answer) {
  const asked = /** @type {string[]} */ ([]);
  Object.assign(globalThis, { fetch: async (/** @type {URL | string} */ url) => (asked.push(String(url)), answer()) });
  return asked;
}

/** What is said of a faulty infill.json. @param {string} json */
async function faultOf(json) {
  host(() => new Response(json, { headers: { 'content-type': 'application/json' } }));
  const { site, fault } = await fetchSite();
  assert.deepEqual(site, ownSite(), 'the page is not as without the file');
  return fault;
}

/** @param {any} lined @returns {any} */
function bare({ value }) {
  if (Array.isArray(value)) return value.map(bare);
  return value instanceof Map ? Object.fromEntries([...value].map(([key, each]) => [key, bare(each)])) : value;
}

export function json_is_read_as_the_browser_reads_it_with_lines() {
  for (const json of ['{}', '[]', ' [ 1 , -2.5e3,\t"a\\u00e9\\n\\"\\/" ]\r\n', '{"a":{"b":[true,false,null]},"":0}', '0', '"\u2028"', '[[],[[]]]', '{"__proto__": 1, "toString": 2}']) {
    const read = bare(readLined(json));
    assert.equal(JSON.stringify(read), JSON.stringify(bare({ value: entriesOf(JSON.parse(json)) })), json);
  }
  for (const json of ['', '{', '[1,]', '{"a":1,}', '{a:1}', '01', '+1', '.5', '1.', "'a'", '"a\nb"', '"\\x"', '[1 2]', '{"a" 1}', '{} {}', 'nul', '// x\n{}', '{"a":undefined}', 'NaN']) {
    assert.throws(() => readLined(json), LineFault, json);
    assert.throws(() => JSON.parse(json), json);
  }
  assert.equal(/** @type {Map<string, any>} */ (readLined('\ufeff{\n\n"a":\n1}').value).get('a').line, 3);
}

/** As `readLined` holds objects. @param {any} value @returns {any} */
function entriesOf(value) {
  if (Array.isArray(value)) return value.map((each) => ({ value: entriesOf(each) }));
  return value && typeof value === 'object' ? new Map(Object.entries(value).map(([key, each]) => [key, { value: entriesOf(each) }])) : value;
}

export function deep_and_long_files_end_in_an_error() {
  assert.throws(() => readLined('['.repeat(100_000)), { what: 'deep', line: 1 });
  assert.throws(() => readLined(`${'\n{"a":'.repeat(MOST_LEVELS)}{`), { what: 'deep', line: MOST_LEVELS + 1 });
  assert.ok(readLined(`${'['.repeat(MOST_LEVELS)}${']'.repeat(MOST_LEVELS)}`));
  assert.throws(() => readLined(`["${'\\n'.repeat(200_000)}`), { what: 'string' });
}

export async function what_the_page_ships_says_nothing_and_so_its_own_stands() {
  const shipped = String(await readFile(new URL('../../infill.json', import.meta.url)));
  assert.deepEqual(siteOf(shipped), ownSite());
}

export function what_is_said_is_taken() {
  const site = siteOf(`{
  "title": " <img src=x onerror=alert(1)> ", "language": "zh-Hans",
  "models": [
    {"name": "Mine", "file": "site/models/gen.pth", "class": "site/net.py", "classArgs": "Net(4)", "returned": 1, "leaveOut": true, "licence": "CC BY 4.0", "description": "for faces",
     "feed": {"inputs": [["rgb", "mask"]], "range": "-1..1", "holeValue": "smooth", "normStatistics": "stored", "side": 128}},
    {"file": "site/models/b.safetensors", "feed": {"side": 512}},
    {"file": "www/models/default.safetensors"}
  ],
  "default": "Mine",
  "samples": [{"file": "site/a.jpg", "mask": "site/a.png", "name": "A cat"}, {"file": "site/b.jpg"}],
  "hide": ["weights", "speed"]
}`);
  assert.equal(site.title, '<img src=x onerror=alert(1)>');
  assert.deepEqual([site.language, site.defaultModel, [...site.hidden]], ['zh-Hans', 'site/models/gen.pth', ['weights', 'speed']]);
  const [mine, other, own] = site.models;
  assert.deepEqual(mine.class, { file: 'site/net.py', classArgs: 'Net(4)', returned: 1, side: 128, leavesOut: true });
  assert.deepEqual(mine.feed, { inputs: [['rgb', 'mask']], range: '-1..1', holeValue: 'smooth', normStatistics: 'stored' });
  assert.deepEqual([mine.line, mine.bytes, mine.sha256, mine.licence, mine.description], [4, 0, '', 'CC BY 4.0', 'for faces']);
  assert.deepEqual([other.name, other.feed, other.class], ['b.safetensors', { side: 512 }, null]);
  const { handle, bytes, sha256, name } = SHIPPED[0];
  assert.deepEqual([own.handle, own.bytes, own.sha256, own.name], [handle, bytes, sha256, name], 'what the page knows of its own file');
  assert.deepEqual(site.samples.map(({ file, mask, name: called, thumbnail, line }) => [file, mask, called, thumbnail, line]), [['site/a.jpg', 'site/a.png', 'A cat', 'site/a.jpg', 10], ['site/b.jpg', null, 'b.jpg', 'site/b.jpg', 10]]);
  assert.equal(siteOf('{"models": []}').defaultModel, 'none');
}

export function an_address_chooses_the_model_that_the_page_begins_with() {
  const site = siteOf('{"models": [{"file": "site/a.pth", "name": "A"}, {"file": "www/models/migan-512.safetensors"}]}');
  const first = (/** @type {string | null} */ wanted) => startingWith(site, wanted).defaultModel;
  assert.deepEqual(['A', 'site/a.pth', 'MI-GAN', 'migan-512', 'none', 'other', '', null].map(first), ['site/a.pth', 'site/a.pth', 'migan-512', 'migan-512', 'none', 'site/a.pth', 'site/a.pth', 'site/a.pth']);
}

export async function every_fault_is_named_with_its_line_and_key() {
  const cases = /** @type {[string, RegExp][]} */ ([
    ['{\n  "titel": "x"\n}', /line 2: there is no key "titel" here\. Known are: title, language/],
    ['{"title": "x"\n "models": []}', /line 2: a comma or \} is expected/],
    ['{\n"title": 7}', /line 2: "title" must be a text of 1 to 80/],
    ['{"title": "  "}', /line 1: "title" must be a text/],
    [`{"title": "${'x'.repeat(81)}"}`, /line 1: "title" must be a text of 1 to 80/],
    ['{"title": "a", "title": "b"}', /line 1: "title" stands there twice/],
    ['[]', /line 1: "infill\.json" must be an object/],
    ['{"language": "zh"}', /"language" must be one of: en, zh-Hans/],
    ['{"models": {}}', /"models" must be a list/],
    ['{"models": [\n{"name": "a"}]}', /line 2: "file" is missing/],
    ['{"models": [{"file": "a.pth",\n"fed": 1}]}', /line 2: there is no key "fed"/],
    ['{"models": [{"file": "https://other/a.pth"}]}', /"file" must be a file of this site/],
    ['{"models": [{"file": "../a.pth"}]}', /"file" must be a file of this site/],
    ['{"models": [{"file": "a.pth", "classArgs": "Net(3)"}]}', /no "class"/],
    ['{"models": [{"file": "a.pth", "sha256": "AB"}]}', /"sha256" must be the 64 digits/],
    ['{"models": [{"file": "a.pth", "bytes": 1.5}]}', /"bytes" must be a whole number/],
    ['{"models": [{"file": "a.pth", "class": "n.py", "leaveOut": 1}]}', /"leaveOut" must be true or false/],
    ['{"models": [{"file": "a.pth", "feed": {"range": "0..2"}}]}', /"range" must be one of: 0\.\.1, -1\.\.1, imagenet/],
    ['{"models": [{"file": "a.pth", "feed": {"inputs": [["rgb", "maks"]]}}]}', /"inputs" must be one of: rgb/],
    ['{"models": [{"file": "a.pth", "feed": {"holeValue": "smoth"}}]}', /"holeValue" must be a number/],
    ['{"models": [{"file": "a.pth"},\n{"file": "a.pth", "name": "b"}]}', /line 2: two models cannot both be a\.pth/],
    ['{"models": [{"file": "a.pth", "name": "x"},\n{"file": "b.pth", "name": "x"}]}', /line 2: two models cannot both be called "x"/],
    ['{"models": [{"file": "a.pth", "name": "x"}],\n"default": "y"}', /line 2: "default" names no model here: "y"\. It can be: x, none/],
    ['{"samples": [{"file": "a.jpg", "mask": 1}]}', /"mask" must be a file/],
    [`{"samples": [${Array(25).fill('{"file": "a.jpg"}')}]}`, /"samples" has more than 24/],
    ['{"hide": ["wieghts"]}', /"hide" must be one of: weights, class, samples, speed/],
    [`{"${'x'.repeat(5000)}": 1}`, /there is no key "xxx.*…x+"/],
    ['{\n"title": "a\nb"}', /line 2: a text has no closing quote/],
  ]);
  for (const [json, expected] of cases) {
    const fault = await faultOf(json);
    assert.match(fault, expected, json);
    assert.match(fault, /^infill\.json, line \d+: .* The page runs as if there were no such file\.$/u, json);
    assert.ok(fault.length < 400, fault);
  }
}

export async function a_huge_file_is_not_read_to_its_end() {
  let sent = 0;
  const endless = new ReadableStream({ pull(control) { sent += 65_536; control.enqueue(new Uint8Array(65_536).fill(32)); } });
  host(() => new Response(endless));
  const { site, fault } = await fetchSite();
  assert.deepEqual(site, ownSite());
  assert.match(fault, /^infill\.json, which has more than 262 KB, is not read\. The page runs/);
  assert.ok(sent < 1 << 20, `${sent} bytes were read`);
}

export async function no_file_is_no_fault() {
  for (const answer of [() => new Response('', { status: 404 }), () => new Response('<!doctype html>', { headers: { 'content-type': 'text/html; charset=utf-8' } }), () => Promise.reject(new TypeError('Failed to fetch'))]) {
    host(answer);
    assert.deepEqual(await fetchSite(), { site: ownSite(), fault: '' });
  }
  host(() => new Response('', { status: 500 }));
  assert.match((await fetchSite()).fault, /which the server answers with 500/);
}

export function only_files_below_the_page_belong_to_the_site() {
  for (const path of ['a.png', 'site/a b.png', './a.png', 'site/../a.png', 'a%20b.png', 'größe.png', 'site/猫.jpg', '...png', 'a..b']) assert.ok(isInside(path), path);
  for (const path of ['', '.', '..', '../a.png', 'site/../../a.png', '%2e%2e/a.png', '..%2fa.png', '/a.png', '//host/a.png', 'https://host/a.png', 'https:a.png', 'data:,a', 'blob:x', 'javascript:alert(1)', 'a\\..\\..\\b', '..\\a.png', 'site/', 'a?b', 'a#b', 'a%zz', 'HTTP:a.png', 'a\nb', '\u0000']) assert.ok(!isInside(path), path);
}

export async function what_a_link_names_is_fetched_from_this_site_alone() {
  const asked = host(() => new Response('bytes'));
  const file = await fetchOwn('site/a%20b.png');
  assert.deepEqual([file.name, await file.text(), asked], ['a b.png', 'bytes', [new URL('../../site/a%20b.png', import.meta.url).href]]);
  await assert.rejects(fetchOwn('https://other.example/a.png'), { code: 'site-outside' });
  assert.equal(asked.length, 1, 'another site was asked');
  host(() => new Response('', { status: 404 }));
  await assert.rejects(fetchOwn('a.png'), { code: 'site-missing', message: 'a.png is not there.' });
  host(() => Promise.reject(new TypeError('Failed to fetch')));
  await assert.rejects(fetchOwn('a.png'), { code: 'site-fetch' });
}
