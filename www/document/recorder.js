/**
 * A document as records: first all of it, then what changes, step by step. Records are JSON with bytes beside it; where
 * they are kept is not known here.
 *
 * The photo itself is no part of them: it is kept as the file that it was opened from.
 * @module
 */
import { PLANES, write, writeTile } from './commands.js';
import { numberOf } from './history.js';
import { FULL } from './plane.js';
import { clip } from './raster.js';

/** @typedef {import('./commands.js').Command} Command */
/** @typedef {import('./document.js').Document} Document */
/** @typedef {import('./photo.js').Patch} Patch */
/** @typedef {import('./photo.js').Photo} Photo */

/**
 * @typedef {object} KeptRecord
 * @property {any} json an object with a `kind`
 * @property {Uint8Array[]} bytes
 */

/** Of the form of the records: others are not read. */
export const VERSION = 1;

/**
 * Where the records stand.
 * @typedef {object} Place
 * @property {number} below the number of the step below the oldest; 0 where there was none
 * @property {number[]} numbers of the steps made, then of those turned back, the next one to be made first
 * @property {number} made how many are made
 * @property {number} cut the number of the next step that was left out because there was no room; 0 where all are here
 */

/** @param {Document} document @returns {Place} */
function placeOf({ history }) {
  const { done, undone } = history.steps;
  return { below: history.forgotten, numbers: [...done, ...undone.toReversed()].map(numberOf), made: done.length, cut: 0 };
}

/** Writes a document: what has changed since it was last asked. */
export class Recorder {
  #document;
  #extra;
  /** What was written last. */
  #written = /** @type {{place: Place, extra: string, grow: number, saved: Command | null} | null} */ (null);

  /**
   * @param {Document} document
   * @param {() => object} extra what else belongs to the work, as JSON
   */
  constructor(document, extra = () => ({})) {
    this.#document = document;
    this.#extra = extra;
  }

  /** Whether something has changed. */
  get isBehind() {
    const written = this.#written;
    if (!written) return true;
    const { moves } = difference(written.place, placeOf(this.#document));
    return !moves || moves.length > 0 || this.#hasNews(written);
  }

  /** Whether something has changed that is no step. @param {{extra: string, grow: number, saved: Command | null}} written */
  #hasNews({ extra, grow, saved }) {
    const { mask, history } = this.#document;
    return extra !== JSON.stringify(this.#extra()) || grow !== mask.grow || (saved !== history.steps.saved && !history.isUnsaved);
  }

  /**
   * What has changed since the last time.
   * @returns {KeptRecord[] | null} null where only `all` can tell it
   */
  changes() {
    if (!this.#written) return null;
    const { history, mask } = this.#document;
    const { done, undone, saved } = history.steps;
    const steps = [...done, ...undone.toReversed()];
    const { moves, place } = difference(this.#written.place, placeOf(this.#document));
    if (!moves) return null;
    const at = Date.now();
    const records = moves.map((move) => (typeof move === 'number' ? record({ kind: move < 0 ? 'undo' : 'redo', count: Math.abs(move), at }) : this.#forwards(steps, done.length, steps.findIndex((step) => numberOf(step) === move.number), at)));
    const before = this.#written;
    const extra = JSON.stringify(this.#extra());
    if (before.grow !== mask.grow) records.push(record({ kind: 'grow', pixels: mask.grow, at }));
    if (before.saved !== saved && !history.isUnsaved) records.push(record({ kind: 'saved', at }));
    if (extra !== before.extra) records.push(record({ kind: 'extra', extra: JSON.parse(extra), at }));
    this.#written = { place, extra, grow: mask.grow, saved };
    return records;
  }

  /**
   * A step as it is made; what was before is known by whoever reads it.
   * @param {readonly Command[]} steps those made, then those turned back, the next one to be made first
   * @param {number} made
   * @param {number} index
   * @param {number} at milliseconds
   */
  #forwards(steps, made, index, at) {
    const bytes = /** @type {Uint8Array[]} */ ([]);
    const step = steps[index];
    const patches = index < made ? putBy(this.#document.photo, steps.slice(0, made), index) : step.patches;
    return { json: { kind: 'step', step: write({ ...step, changes: onlyOne(step.changes, 'after'), patches }, bytes), at }, bytes };
  }

  /**
   * The whole document, record by record. Between two of them the photo must not change: it and the steps are read as
   * they are written.
   * @param {number} limit bytes for the steps that can be turned back: beyond it the oldest are left out
   * @returns {Generator<KeptRecord>}
   */
  *all(limit) {
    const { photo, mask, history } = this.#document;
    const { saved } = history.steps;
    const [newestFirst, nextFirst] = [history.steps.done.toReversed(), history.steps.undone.toReversed()];
    const extra = JSON.stringify(this.#extra());
    const place = placeOf(this.#document);
    const { grow } = mask;
    const at = Date.now();
    // Painting goes on meanwhile: the tiles as they are now are everybody's.
    const planes = PLANES.map((name) => ({ name, tiles: this.#document.plane(name).snapshot() }));
    const changed = photo.changed();
    const { name, width, height } = photo;
    // How many parts the present state has: whoever reads them knows when it is here.
    yield record({ kind: 'work', version: VERSION, parts: planes.length + changed.length, name, width, height, grow, extra: JSON.parse(extra), at });
    for (const plane of planes) yield tilesOf(plane);
    for (const rect of changed) yield { json: { kind: 'pixels', ...rect }, bytes: [new Uint8Array(photo.read(rect).buffer)] };
    let left = limit;
    const kept = { done: 0, undone: 0 };
    for (const [list, side, count] of /** @type {const} */ ([[newestFirst, 'before', 'done'], [nextFirst, 'after', 'undone']])) {
      for (const step of list) {
        left -= step.bytes;
        if (left < 0) break;
        kept[count]++;
        const bytes = /** @type {Uint8Array[]} */ ([]);
        yield { json: { kind: 'kept', isDone: count === 'done', isSaved: step === saved, step: write({ ...step, changes: onlyOne(step.changes, side) }, bytes), at }, bytes };
      }
    }
    const gone = newestFirst.length - kept.done;
    yield record({ kind: 'whole', isSavedBefore: saved === null && place.below === 0 && gone === 0, at });
    const { numbers } = place;
    this.#written = {
      place: { below: gone ? numbers[gone - 1] : place.below, numbers: numbers.slice(gone, newestFirst.length + kept.undone), made: kept.done, cut: numbers[newestFirst.length + kept.undone] ?? 0 },
      extra, grow, saved,
    };
  }
}

/** @param {any} json @returns {KeptRecord} */
const record = (json) => ({ json, bytes: [] });

/**
 * @param {{name: string, tiles: import('./plane.js').Tile[]}} plane
 * @returns {KeptRecord}
 */
function tilesOf({ name, tiles }) {
  const bytes = /** @type {Uint8Array[]} */ ([]);
  const written = /** @type {[number, number][]} */ ([]);
  // A place of -1 is a tile in which everything is marked.
  tiles.forEach((tile, index) => tile && written.push([index, tile === FULL ? -1 : bytes.push(writeTile(tile)) - 1]));
  return { json: { kind: 'tiles', plane: name, tiles: written }, bytes };
}

/**
 * Changes of which only one side is written: the other is what the reader has.
 * @param {Command['changes']} changes
 * @param {'before' | 'after'} side
 */
function onlyOne(changes, side) {
  const other = side === 'before' ? 'after' : 'before';
  return /** @type {Command['changes']} */ (Object.fromEntries(PLANES.map((name) => [name, changes[name].map((change) => ({ ...change, [other]: null }))])));
}

/**
 * The pixels that a fill put into the photo, which has been changed since.
 * @param {Photo} photo
 * @param {readonly Command[]} done all steps that are made
 * @param {number} index of the fill
 * @returns {Patch[]}
 */
function putBy(photo, done, index) {
  return done[index].patches.map((patch, i) => {
    const rgba = photo.read(patch);
    // What came later lies above it; the patches of later steps hold what they covered.
    for (let s = done.length - 1; s >= index; s--) {
      const { patches } = done[s];
      for (let p = patches.length - 1; p >= 0 && (s > index || p > i); p--) overlay({ ...patch, rgba }, patches[p]);
    }
    return { ...patch, rgba };
  });
}

/** Copies what two rectangles share from one to the other. @param {Patch} target @param {Patch} from */
function overlay(target, from) {
  const shared = clip({ ...from, x: from.x - target.x, y: from.y - target.y }, target.width, target.height);
  if (!shared) return;
  for (let y = shared.y; y < shared.y + shared.height; y++) {
    const at = ((y + target.y - from.y) * from.width + shared.x + target.x - from.x) * 4;
    target.rgba.set(from.rgba.subarray(at, at + shared.width * 4), (y * target.width + shared.x) * 4);
  }
}

/**
 * How to get from one place to another: steps to turn back (below 0) or to make again, and new ones by their number.
 * @param {Place} from
 * @param {Place} to
 * @returns {{moves: (number | {number: number})[] | null, place: Place}} no moves where the steps between are not all here;
 *   the place that they lead to
 */
function difference(from, to) {
  const ends = reach(from, to);
  if (!ends) return { moves: null, place: to };
  const { known, below } = ends;
  let wanted = ends.wanted;
  let same = 0;
  while (same < known.length && same < wanted.length && known[same] === wanted[same]) same++;
  // What was left out for want of room stays out until it is made again.
  const isCut = from.cut > 0 && same === known.length && wanted[same] === from.cut && ends.to <= same;
  if (isCut) wanted = wanted.slice(0, same);
  if (same === wanted.length && same < known.length) return { moves: null, place: to };
  const moves = /** @type {(number | {number: number})[]} */ ([]);
  let made = ends.from;
  const move = (/** @type {number} */ place) => {
    if (place !== made) moves.push(place - made);
    made = place;
  };
  if (same < wanted.length) move(same);
  for (const number of wanted.slice(same)) {
    moves.push({ number });
    made++;
  }
  move(ends.to);
  return { moves, place: { below, numbers: wanted, made: ends.to, cut: isCut ? from.cut : 0 } };
}

/**
 * Both places counted from the same step: the older of the two ends is cut off.
 * @param {Place} from
 * @param {Place} to
 * @returns {{known: number[], wanted: number[], from: number, to: number, below: number} | null}
 */
function reach(from, to) {
  const isEven = from.below === to.below;
  // The history has forgotten what the records still have, or they began later than it does.
  const [older, younger] = [isEven ? 0 : from.numbers.indexOf(to.below) + 1, isEven ? 0 : to.numbers.indexOf(from.below) + 1];
  if ((!isEven && !older && !younger) || to.made < younger) return null;
  return { known: from.numbers.slice(older), wanted: to.numbers.slice(younger), from: from.made - older, to: to.made - younger, below: older ? to.below : from.below };
}
