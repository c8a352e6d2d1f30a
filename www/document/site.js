/**
 * What a site is made of: its title, models and samples, and what it does not show. Whoever hosts it says so in
 * `infill.json`; where that says nothing, the page's own stand.
 * @module
 */
import { text } from '../strings/index.js';
import { LANGUAGES } from '../strings/languages.js';
import { LineFault, readLined } from './lined_json.js';

/** @typedef {import('./lined_json.js').Lined} Lined */
/** @typedef {import('../worker/protocol.js').FillOptions} FillOptions */

/**
 * A model that comes with the site. Paths are relative to the page.
 * @typedef {object} Shipped
 * @property {string} handle in the list of models
 * @property {string} name for people
 * @property {string} file path of its weights
 * @property {number} bytes 0 where nobody says
 * @property {string} sha256 of the file (`sha256sum` gives it): a copy that is older, damaged or foreign is thrown away; empty where nobody says
 * @property {string} [licenceFile] path of the licence's text
 * @property {string} [licence] one line
 * @property {string} [description] one line for people
 * @property {OwnClass | null} [class] the class that its weights are run with
 * @property {FillOptions} [feed] how it is fed, where that is not as the crate guesses
 * @property {number} [line] of `infill.json`; none for those that the page itself knows
 */

/**
 * A class of a Python file, and what is said of it; as `Paste`, but for the source.
 * @typedef {{file: string, classArgs: string, returned: number | null, side: number | null, leavesOut: boolean}} OwnClass
 */

/**
 * A photo to try.
 * @typedef {object} Sample
 * @property {string} file path from the page
 * @property {string} name for people
 * @property {string} thumbnail path of a small copy
 * @property {string | null} mask path of its mask
 * @property {number} line of `infill.json`; 0 for those that the page itself knows
 */

/**
 * @typedef {object} Site
 * @property {string} title empty for the page's own
 * @property {string} language as a translation is called, such as `zh-Hans`; empty for the browser's
 * @property {readonly Shipped[]} models
 * @property {string} defaultModel the handle that is selected at first
 * @property {readonly Sample[]} samples
 * @property {ReadonlySet<string>} hidden of `PARTS`
 */

/** What a site may hide. */
export const PARTS = /** @type {const} */ (['weights', 'class', 'samples', 'speed']);
/** No model: holes are filled from the photo alone. */
export const NO_MODEL = 'none';
/** Characters of what is shown in one line. */
const MOST_TITLE = 80;
const MOST_LINE = 200;
const MOST_PATH = 300;
const MOST_MODELS = 32;
const MOST_SAMPLES = 24;

/** The models of the page itself. @type {readonly Shipped[]} */
export const SHIPPED = [
  { handle: 'default', get name() { return text.shipped; }, file: 'www/models/default.safetensors', bytes: 15_724_804, sha256: '2603650a24dad54af3c593b39d88c074b472af8bd2a943a424ab9f307d77e9a8' },
  { handle: 'migan-512', name: 'MI-GAN', file: 'www/models/migan-512.safetensors', bytes: 13_198_360, sha256: '2d7a1b9fd5dfae052668c9ecf9840684aa381d280ed5331106fe88ecaab161fa', licenceFile: 'www/models/migan-512.LICENSE.txt' },
];

/** The samples of the page itself. */
const SAMPLES = /** @type {const} */ (['kingfisher', 'pig', 'sheep', 'montStMichel']);

/** The site as it is where nobody says otherwise. @returns {Site} */
export function ownSite() {
  const samples = SAMPLES.map((name) => ({ file: `www/samples/${name}.jpg`, get name() { return text.samples[name]; }, thumbnail: `www/samples/thumb-${name}.jpg`, mask: null, line: 0 }));
  return { title: '', language: '', models: SHIPPED, defaultModel: SHIPPED[0].handle, samples, hidden: new Set() };
}

/**
 * The site that an `infill.json` describes.
 * @param {string} json
 * @returns {Site}
 * @throws {LineFault} naming the line and the key
 */
export function siteOf(json) {
  const own = ownSite();
  const said = SITE(readLined(json), 'infill.json');
  const models = said.models ? modelsOf(said.models.map(modelOf)) : own.models;
  return {
    title: said.title?.value ?? own.title,
    language: said.language?.value ?? own.language,
    models,
    defaultModel: said.default ? defaultOf(models, said.default) : (models[0]?.handle ?? NO_MODEL),
    samples: said.samples ? said.samples.map(sampleOf) : own.samples,
    hidden: new Set(said.hide?.map((/** @type {Said} */ { value }) => value)),
  };
}

/**
 * The handle of a model of the site that is called so, or lies there; null where there is none.
 * @param {Site} site
 * @param {string} wanted
 */
export function modelNamed({ models }, wanted) {
  if (wanted === NO_MODEL) return NO_MODEL;
  return models.find(({ handle, name, file }) => [handle, name, file].includes(wanted))?.handle ?? null;
}

/** The site with another model selected at first, if it has that. @param {Site} site @param {string | null} wanted @returns {Site} */
export function startingWith(site, wanted) {
  return { ...site, defaultModel: (wanted && modelNamed(site, wanted)) || site.defaultModel };
}

/** What was read, and the line where it stands. @typedef {{line: number, value: any}} Said */
/** Takes a value, or says what is wrong with it. @typedef {(lined: Lined, key: string) => any} Check */

/** @param {Lined} lined @param {string} key @param {string} what @param {...any} given @returns {never} */
function refuse({ line }, key, what, ...given) {
  throw new LineFault(line, what, key, ...given);
}

/** @param {number} most characters @returns {Check} */
const words = (most) => (lined, key) => {
  const { value, line } = lined;
  if (typeof value !== 'string' || value.length > most || value.trim() === '') return refuse(lined, key, 'text', most);
  return { value: value.trim(), line };
};

/** A file of this site: relative, and not above the page. @type {Check} */
const path = (lined, key) => {
  const { value, line } = lined;
  if (typeof value !== 'string' || value.length > MOST_PATH || !isInside(value)) return refuse(lined, key, 'path');
  return { value, line };
};

/**
 * Whether a path stays within the site, whatever address that has.
 * @param {string} path
 */
export function isInside(path) {
  const base = 'https://site/a/b/';
  if (path === '' || /^[a-z][a-z0-9+.-]*:|^\/|[?#\u0000-\u001f\\]|%2f|%5c|%(?![0-9a-f]{2})/iu.test(path) || !URL.canParse(path, base)) return false;
  const { href } = new URL(path, base);
  return href.startsWith(base) && href !== base && !href.endsWith('/');
}

/** @param {readonly string[]} choices @returns {Check} */
const oneOf = (choices) => (lined, key) => {
  const { value, line } = lined;
  if (typeof value !== 'string' || !choices.includes(value)) return refuse(lined, key, 'oneOf', choices);
  return { value, line };
};

/** @param {number} least @param {number} most @returns {Check} */
const whole = (least, most) => (lined, key) => {
  const { value, line } = lined;
  if (!Number.isSafeInteger(value) || Number(value) < least || Number(value) > most) return refuse(lined, key, 'whole', least, most);
  return { value, line };
};

/** @type {Check} */
const yesOrNo = (lined, key) => (typeof lined.value === 'boolean' ? { value: lined.value, line: lined.line } : refuse(lined, key, 'yesOrNo'));

/** @type {Check} */
const digest = (lined, key) => (typeof lined.value === 'string' && /^[0-9a-f]{64}$/u.test(lined.value) ? { value: lined.value, line: lined.line } : refuse(lined, key, 'digest'));

/** @type {Check} */
const holeValue = (lined, key) => {
  const { value, line } = lined;
  if (value !== 'smooth' && (typeof value !== 'number' || Math.abs(value) > 1000)) return refuse(lined, key, 'holeValue');
  return { value, line };
};

/** @param {number} most @param {Check} check @returns {Check} */
const listOf = (most, check) => (lined, key) => {
  const { value } = lined;
  if (!Array.isArray(value)) return refuse(lined, key, 'list');
  if (value.length > most) return refuse(lined, key, 'tooMany', most);
  return value.map((each) => check(each, key));
};

/** @param {Record<string, Check>} checks @param {string[]} [needed] @returns {Check} */
const objectOf = (checks, needed = []) => (lined, key) => {
  const { value, line } = lined;
  if (!(value instanceof Map)) return refuse(lined, key, 'object');
  const found = /** @type {Record<string, any>} */ ({});
  for (const [name, each] of value) {
    if (!Object.hasOwn(checks, name)) return refuse(each, name, 'unknownKey', Object.keys(checks));
    found[name] = checks[name](each, name);
  }
  for (const name of needed) if (!(name in found)) return refuse(lined, name, 'missing');
  return { ...found, line };
};

/** How a network is fed: the words of the command line's `--feed`. */
const FEED = objectOf({
  inputs: listOf(8, listOf(64, oneOf(Object.keys(text.inputWords)))),
  range: oneOf(Object.keys(text.rangeChoices)),
  outputRange: oneOf(Object.keys(text.rangeChoices)),
  holeValue,
  maskMeans: oneOf(Object.keys(text.maskMeansChoices)),
  outputCovers: oneOf(Object.keys(text.outputCoversChoices)),
  normStatistics: oneOf(Object.keys(text.normStatisticsChoices)),
  side: whole(64, 1024),
});

const SITE = objectOf({
  title: words(MOST_TITLE),
  language: oneOf(Object.keys(LANGUAGES)),
  models: listOf(MOST_MODELS, objectOf({
    name: words(MOST_TITLE),
    file: path,
    bytes: whole(1, 2 ** 33),
    sha256: digest,
    class: path,
    classArgs: words(2000),
    returned: whole(0, 1000),
    leaveOut: yesOrNo,
    feed: FEED,
    description: words(MOST_LINE),
    licence: words(MOST_LINE),
    licenceFile: path,
  }, ['file'])),
  default: words(MOST_TITLE),
  samples: listOf(MOST_SAMPLES, objectOf({ file: path, name: words(MOST_LINE), mask: path, thumbnail: path }, ['file'])),
  hide: listOf(PARTS.length, oneOf(PARTS)),
});

/** The name of a file without its folders. @param {string} path */
export const fileName = (path) => path.slice(path.lastIndexOf('/') + 1);

/** One model as it was said; of those that the page knows, the rest is known. @param {Record<string, any>} said @returns {Shipped} */
function modelOf({ name, file, bytes, sha256, class: source, classArgs, returned, leaveOut, feed, description, licence, licenceFile, line }) {
  const known = SHIPPED.find((each) => each.file === file.value);
  for (const each of [classArgs, returned, leaveOut]) if (each && !source) throw new LineFault(each.line, 'needsClass');
  const { side, ...fed } = plain(feed);
  const own = source ? { file: source.value, classArgs: classArgs?.value ?? '', returned: returned?.value ?? null, side: side ?? null, leavesOut: leaveOut?.value ?? false } : null;
  return {
    handle: known?.handle ?? file.value,
    get name() { return name?.value ?? known?.name ?? fileName(file.value); },
    file: file.value,
    bytes: bytes?.value ?? known?.bytes ?? 0,
    sha256: sha256?.value ?? known?.sha256 ?? '',
    licenceFile: licenceFile?.value ?? known?.licenceFile,
    licence: licence?.value,
    description: description?.value,
    class: own,
    feed: own || side === undefined ? fed : { ...fed, side },
    line: file.line ?? line,
  };
}

/** The values alone. @param {Record<string, any>} [feed] @returns {Record<string, any>} */
function plain(feed = {}) {
  /** @type {(said: any) => any} */
  const bare = (said) => (Array.isArray(said) ? said.map(bare) : said.value);
  return Object.fromEntries(Object.entries(feed).flatMap(([key, said]) => (key === 'line' ? [] : [[key, bare(said)]])));
}

/** @param {Shipped[]} models */
function modelsOf(models) {
  for (const [index, { name, handle, line = 0 }] of models.entries()) {
    const before = models.slice(0, index);
    if (name === NO_MODEL || before.some((other) => other.name === name)) throw new LineFault(line, 'sameName', name);
    if (before.some((other) => other.handle === handle)) throw new LineFault(line, 'sameFile', handle);
  }
  return models;
}

/** The handle of the model of this name. @param {readonly Shipped[]} models @param {Said} said */
function defaultOf(models, { value, line }) {
  if (value === NO_MODEL) return NO_MODEL;
  const found = models.find(({ name }) => name === value);
  if (!found) throw new LineFault(line, 'noSuchModel', value, [...models.map(({ name }) => name), NO_MODEL]);
  return found.handle;
}

/** @param {Record<string, any>} said @returns {Sample} */
function sampleOf({ file, name, mask, thumbnail, line }) {
  return { file: file.value, name: name?.value ?? fileName(file.value), thumbnail: (thumbnail ?? file).value, mask: mask?.value ?? null, line: file.line ?? line };
}
