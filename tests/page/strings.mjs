// The words of the page: one table a language, each with the keys, kinds and arguments of the English one.
import assert from 'node:assert/strict';
import { readdir, readFile } from 'node:fs/promises';
import vm from 'node:vm';
import { crateWords } from '../../www/strings/crate.js';
import { text as english } from '../../www/strings/en.js';
import { languageNames, onLanguage, setLanguage, text } from '../../www/strings/index.js';
import { LANGUAGES } from '../../www/strings/languages.js';
import { TOOLS } from '../../www/tools/index.js';
import { runStage } from '../../www/document/run_stage.js';

const WWW = new URL('../../www/', import.meta.url);

/** @param {string} path from `www/` */
const read = (path) => readFile(new URL(path, WWW), 'utf8');

/** Every script of the page but its tables, by path. @returns {Promise<[string, string][]>} */
async function scripts() {
  const paths = (await readdir(WWW, { recursive: true })).map(String).filter((path) => path.endsWith('.js') && !path.startsWith('strings'));
  return Promise.all(paths.map(async (path) => /** @type {[string, string]} */ ([path, await read(path)])));
}

/** What kind of entry it is; functions with the number of their arguments. @param {any} entry */
const kindOf = (entry) => (typeof entry === 'function' ? `function of ${entry.length}` : Array.isArray(entry) ? `list of ${entry.length}` : typeof entry);

/**
 * Where a table differs from the model: what it lacks, has too much, or has of another kind.
 * @param {any} model @param {any} table @param {string} at
 * @returns {string[]}
 */
function differences(model, table, at = 'text') {
  const [wanted, found] = [kindOf(model), kindOf(table)];
  if (wanted !== found) return [`${at} is ${found} instead of ${wanted}`];
  if (wanted === 'string') return model === '' || table !== '' ? [] : [`${at} is empty`];
  if (wanted.startsWith('function')) return [];
  const lacks = Object.keys(model).filter((key) => !Object.hasOwn(table, key)).map((key) => `${at}.${key} is missing`);
  const more = Object.keys(table).filter((key) => !Object.hasOwn(model, key)).map((key) => `${at}.${key} is too much`);
  const both = Object.keys(model).filter((key) => Object.hasOwn(table, key));
  return [...lacks, ...more, ...both.flatMap((key) => differences(model[key], table[key], `${at}.${key}`))];
}

export async function every_table_has_what_the_english_one_has() {
  for (const [id, load] of Object.entries(LANGUAGES)) {
    const { codes, sentences, ...own } = (await load()).text;
    const { codes: _, sentences: __, ...model } = english;
    assert.deepEqual(differences(model, own), [], id);
    assert.ok(codes && sentences, id);
  }
}

export function a_table_that_differs_is_found_out() {
  const model = { a: 'x', b: { c: (/** @type {number} */ n) => `${n}` }, d: ['x', 'y'] };
  assert.deepEqual(differences(model, model), []);
  assert.deepEqual(differences(model, { a: '', b: { c: () => '' }, d: ['x'], e: '' }), ['text.e is too much', 'text.a is empty', 'text.b.c is function of 0 instead of function of 1', 'text.d is list of 1 instead of list of 2']);
  assert.deepEqual(differences(model, { a: () => '', b: {}, d: ['x', 'y'] }), ['text.a is function of 0 instead of string', 'text.b.c is missing']);
}

/** What the crate says, as `tests/sentences.rs` lists it. */
async function ofTheCrate() {
  const list = JSON.parse(await readFile(new URL('sentences.json', import.meta.url), 'utf8'));
  return /** @type {{codes: string[], sentences: {id: string, code: string, english: string, values: string[]}[]}} */ (list);
}

const names = (/** @type {string} */ sentence) => [...sentence.matchAll(/\{(\w+)\}/g)].map(([, name]) => name).sort();

/** A sentence for every error that the crate knows, with its values: in English the crate says them. */
export async function every_code_and_sentence_of_the_crate_is_in_every_table() {
  const { codes, sentences } = await ofTheCrate();
  assert.ok(codes.length > 20 && sentences.length > 30);
  for (const { id, english: words, values } of sentences) assert.deepEqual(names(words), [...values].sort(), id);
  for (const [id, load] of Object.entries(LANGUAGES)) {
    const { text: table } = await load();
    if (id === 'en') {
      assert.deepEqual([table.codes, table.sentences], [{}, {}]);
      continue;
    }
    assert.deepEqual(Object.keys(table.codes).sort(), [...codes].sort(), id);
    assert.deepEqual(Object.keys(table.sentences).sort(), sentences.map((each) => each.id).sort(), id);
    for (const { id: sentence, values } of sentences) assert.deepEqual(names(table.sentences[sentence]), [...values].sort(), `${id}: ${sentence}`);
  }
}

export async function an_error_of_the_crate_is_said_in_the_chosen_language() {
  const said = { code: 'image-limit', message: 'The picture claims 30000 x 2 pixels; a file of 70 bytes cannot hold them.', sentence: 'picture-too-short', values: { width: 30_000, height: 2, bytes: 70 } };
  const unsaid = { code: 'checkpoint-corrupt', message: 'Two entries overlap.' };
  assert.equal(crateWords(said), said.message);
  assert.equal(crateWords(unsaid), unsaid.message);
  try {
    await setLanguage('zh-Hans');
    assert.equal(crateWords(said), '图片标称为 30,000 × 2 像素；70 字节的文件容纳不下。');
    assert.equal(crateWords(unsaid), '检查点文件已损坏。详细信息：Two entries overlap.');
    assert.equal(crateWords({ code: 'of a later build', message: 'What?', sentence: 'toString' }), 'What?');
    assert.match(crateWords({ ...said, values: {} }), /\{width\}/);
  } finally {
    await setLanguage('en');
  }
}

/** The letters of shortcuts are the same in every language. */
export async function keys_are_no_words() {
  const keys = (/** @type {any} */ table) => Object.values(table.operations).map(({ key }) => key);
  for (const load of Object.values(LANGUAGES)) assert.deepEqual(keys((await load()).text), keys(english));
}

/** Every string of a table, by path; functions are left out. @param {any} table @param {string} at @returns {[string, string][]} */
function strings(table, at = 'text') {
  if (typeof table === 'string') return [[at, table]];
  return typeof table === 'object' ? Object.keys(table).flatMap((key) => strings(table[key], `${at}.${key}`)) : [];
}

/** Two words and more of plain English. */
const SENTENCE = /[A-Za-z]{2,} [a-z]{2,}/;

export async function nothing_is_left_in_english() {
  const model = Object.fromEntries(strings(english));
  for (const [id, load] of Object.entries(LANGUAGES)) {
    if (id === 'en') continue;
    const same = strings((await load()).text).filter(([at, words]) => words === model[at] && SENTENCE.test(words));
    assert.deepEqual(same, [], id);
  }
}

/**
 * What stands between quotes or backticks in a script, without its comments. What an error says to whoever works on the page
 * is left out where a code says what its visitor reads: `message:`, and `Error(...)` in the workers and their storage.
 * @param {string} path @param {string} script
 */
function quoted(path, script) {
  const code = script.replace(/\/\*[\s\S]*?\*\//g, '').replace(/(^|\s)\/\/.*$/gm, '');
  const lines = code.split('\n').filter((line) => !/\bmessage: /.test(line) && !(/^(worker|storage)\//.test(path) && /(Error|Exception|NoRoom|within)\(/.test(line)));
  return [...lines.join('\n').matchAll(/'((?:[^'\\\n]|\\.)*)'|`((?:[^`\\]|\\.)*)`/g)].map(([, plain, template]) => plain ?? template.replace(/\$\{[^}]*\}/g, '…'));
}

/** A capital, then words: what people read. Selectors, paths of icons and lists of classes are not written so. */
const SPOKEN = /(^|[^\w-])[A-Z][a-z’']*,? [a-z]{2,}/;

export async function no_sentence_is_outside_the_tables() {
  const found = (await scripts()).flatMap(([path, script]) => (path === 'start.js' ? [] : quoted(path, script).filter((words) => SPOKEN.test(words)).map((words) => `${path}: ${words}`)));
  // Faults of the page's own code, which no visitor can bring about, and those of code that calls the module for other pages.
  const faults = /^(trusted\.js|ui\/dom\.js|embed\/filler\.js): /;
  assert.deepEqual(found.filter((each) => !faults.test(each)), []);
  const page = await readFile(new URL('../index.html', WWW), 'utf8');
  const body = page.slice(page.indexOf('<body>')).replace(/<noscript>.*<\/noscript>/, '');
  assert.deepEqual(body.replace(/<[^>]*>/g, '').trim(), '');
  assert.doesNotMatch(body, / (aria-label|title|alt|placeholder)="/);
}

export function a_sentence_outside_the_tables_is_found_out() {
  const script = "// It's a comment.\nshow('Nothing is open.');\nmake('p', { class: 'help quiet' }, `It has ${n} layers`);\nthrow Object.assign(new Error('No file.'), { code });";
  assert.deepEqual(quoted('ui/x.js', script).filter((words) => SPOKEN.test(words)), ['Nothing is open.', 'It has … layers', 'No file.']);
  assert.deepEqual(quoted('worker/x.js', script).filter((words) => SPOKEN.test(words)), ['Nothing is open.', 'It has … layers']);
}

export async function every_word_is_used() {
  const page = await readFile(new URL('../index.html', WWW), 'utf8');
  const used = [page, await read('strings/crate.js'), ...(await scripts()).map(([, script]) => script), await read('strings/en.js').then((table) => table.match(/text\.\w+/g)?.join() ?? '')].join('\n');
  const unused = Object.keys(english).filter((key) => !new RegExp(`\\b${key}\\b`).test(used));
  // Named with what they belong to: `text[`${key}Choices`]`.
  assert.deepEqual(unused.filter((key) => !key.endsWith('Choices')), []);
}

/**
 * Runs `start.js` in a browser of this kind.
 * @param {{search?: string, remembered?: string, languages?: string[], hasSimd?: boolean}} browser
 */
async function start({ search = '', remembered, languages = [], hasSimd = true }) {
  const box = { textContent: '', hidden: true };
  const ahead = /** @type {{href: string}[]} */ ([]);
  const document = {
    documentElement: { lang: 'en', dataset: /** @type {Record<string, string>} */ ({}) },
    getElementById: () => box,
    createElement: () => ({}),
    head: { appendChild: (/** @type {{href: string}} */ link) => ahead.push(link) },
  };
  const localStorage = { getItem: () => remembered ?? null };
  vm.runInNewContext(await read('start.js'), { document, localStorage, location: { protocol: 'https:', search }, navigator: { languages }, WebAssembly: { validate: () => hasSimd } });
  return { isSaid: 'languageSaid' in document.documentElement.dataset, language: document.documentElement.lang, problem: box.textContent, ahead: ahead.map(({ href }) => href) };
}

export async function the_language_is_that_of_the_address_or_the_choice_or_the_browser() {
  const cases = /** @type {[Parameters<typeof start>[0], string][]} */ ([
    [{}, 'en'],
    [{ languages: ['zh-CN', 'en'] }, 'zh-Hans'],
    [{ languages: ['zh-SG'] }, 'zh-Hans'],
    [{ languages: ['zh'] }, 'zh-Hans'],
    [{ languages: ['fr-FR', 'zh-Hans-CN', 'en'] }, 'zh-Hans'],
    [{ languages: ['en-GB', 'zh-CN'] }, 'en'],
    // Traditional characters are others.
    [{ languages: ['zh-TW', 'en-US'] }, 'en'],
    [{ languages: ['zh-TW', 'zh', 'en-US'] }, 'zh-Hans'],
    [{ languages: ['fr', 'not a tag'] }, 'en'],
    [{ remembered: 'en', languages: ['zh-CN'] }, 'en'],
    [{ remembered: 'zh-Hans', languages: ['en'] }, 'zh-Hans'],
    [{ remembered: 'tlh', languages: ['zh-CN'] }, 'zh-Hans'],
    [{ search: '?lang=zh-Hans', remembered: 'en', languages: ['en'] }, 'zh-Hans'],
    [{ search: '?x=1&lang=en', remembered: 'zh-Hans', languages: ['zh-CN'] }, 'en'],
    [{ search: '?lang=zh-CN' }, 'zh-Hans'],
    [{ search: '?lang=%3Cscript%3E' }, 'en'],
  ]);
  for (const [browser, language] of cases) assert.equal((await start(browser)).language, language, JSON.stringify(browser));
  // What the person said wins over what the host prefers.
  const said = [{ search: '?lang=en' }, { remembered: 'en' }, { languages: ['zh-CN'] }, { search: '?lang=x', remembered: 'y' }];
  for (const [i, isSaid] of [true, true, false, false].entries()) assert.equal((await start(said[i])).isSaid, isSaid, JSON.stringify(said[i]));
}

/** What cannot load modules is told so in every language, and what can has its table on the way. */
export async function the_start_knows_every_language() {
  const seen = new Set();
  for (const id of Object.keys(LANGUAGES)) {
    const { language, problem } = await start({ search: `?lang=${id}`, hasSimd: false });
    assert.equal(language, id, `start.js does not know ${id}`);
    assert.match(problem, /SIMD/);
    seen.add(problem);
    const { ahead } = await start({ search: `?lang=${id}` });
    assert.equal(ahead.length, 1);
    assert.ok((await import(new URL(`../${ahead[0]}`, WWW).href)).text, id);
    assert.equal((await import(new URL(`../${ahead[0]}`, WWW).href)).text, (await LANGUAGES[id]()).text);
  }
  assert.equal(seen.size, Object.keys(LANGUAGES).length);
}

export async function another_language_is_spoken_at_once() {
  assert.deepEqual(languageNames(), { en: 'English', 'zh-Hans': '简体中文' });
  let redrawn = 0;
  onLanguage(() => (redrawn += 1));
  try {
    await setLanguage('zh-Hans');
    assert.equal(text.openPhoto, '打开照片');
    assert.equal(TOOLS[0].words.name, '画笔');
    assert.equal(redrawn, 1);
  } finally {
    await setLanguage('en');
  }
  assert.equal(text.openPhoto, 'Open photo');
  assert.equal(redrawn, 2);
}

export async function numbers_are_written_as_the_language_does() {
  const { text: chinese } = await LANGUAGES['zh-Hans']();
  assert.equal(english.bytes(245_000), '245 KB');
  assert.equal(english.bytes(1_540_000), '1.5 MB');
  assert.equal(english.bytes(13_198_360), '13 MB');
  assert.equal(english.bytes(2_500_000_000), '2.5 GB');
  assert.match(chinese.bytes(13_198_360), /^13\s?MB$/);
  assert.equal(english.seconds(820), '0.8 s');
  assert.equal(english.seconds(12_400), '12 s');
  assert.equal(chinese.seconds(820), '0.8 秒');
  assert.equal(english.exact(7_900_123), '7,900,123');
  assert.equal(english.parameters(7_900_123), '7.9 M');
  assert.equal(english.otherLayers(1), '1 other layer');
  assert.equal(english.otherLayers(1234), '1,234 other layers');
  assert.equal(english.workLeft('a.jpg', 0), 'You were working on a.jpg, just now.');
  assert.equal(english.workLeft('a.jpg', 3 * 60_000), 'You were working on a.jpg, 3 minutes ago.');
  assert.match(chinese.workLeft('a.jpg', 3 * 60_000), /3\s?分钟前/);
  assert.match(chinese.workLeft('a.jpg', 30 * 3_600_000), /30\s?小时前/);
}

const rows = (/** @type {[string, number][]} */ list) => list.map(([path, side]) => ({ path, shape: [8, side, side] }));

/** Layers are for the Speed tab: people are told what happens. */
export async function a_run_looks_paints_and_adds_detail() {
  const network = { layers: rows([['input', 64], ['down.0', 32], ['down.1', 16], ['middle', 16], ['up.0', 32], ['out', 64]]) };
  const entry = /** @type {any} */ ({ handle: 'default', result: { report: { networks: [network] } } });
  const stages = ['down.0', 'down.1', 'middle', 'up.0', 'out', 'detail from the photo', 'unheard of'].map((layer) => runStage(entry, layer));
  assert.deepEqual(stages, ['looking', 'looking', 'painting', 'painting', 'painting', 'detail', 'painting']);
  const bare = /** @type {any} */ ({ handle: 'none', result: null });
  assert.equal(runStage(bare, 'detail from the photo'), 'painting');
  const fill = await readFile(new URL('../src/pipeline/fill.rs', WWW), 'utf8');
  assert.ok(fill.includes('layer: "detail from the photo"'), 'the crate calls it otherwise');
}
