/**
 * Selections of objects: how they become a mask, and how further clicks refine them.
 * @module
 */
import { eachRun } from './plane.js';
import { union } from './raster.js';

/** @typedef {import('./document.js').Document} Document */
/** @typedef {import('./commands.js').Command} Command */
/** @typedef {import('../worker/protocol.js').Selected} Selected */

/**
 * A click, or a stroke over a part of an object.
 * @typedef {object} Prompt
 * @property {readonly {x: number, y: number}[]} points photo pixels
 * @property {boolean} adds whether they belong to the selection, or do not
 */

/**
 * The pixels of a selection.
 * @param {Selected} selected
 * @returns {import('./mask.js').Region}
 */
export function regionOf({ x, y, width, height, inside }) {
  return (row) => {
    for (let line = 0; line < height; line++) {
      const start = line * width;
      eachRun(inside, start, start + width, (from, to) => row(y + line, x + from - start, x + to - start));
    }
  };
}

/**
 * One selection for as long as it is refined. Every click is a step of the history that goes from the mask before the
 * selection to the mask with it, so that it can be undone like any other step; after that, the next click goes on from
 * where the history stands.
 */
export class Selection {
  #before;
  #steps = /** @type {{step: Command, prompts: readonly Prompt[]}[]} */ ([]);

  /**
   * @param {Document} document
   * @param {boolean} takes whether what is selected is taken from the mask instead of added to it
   */
  constructor(document, takes) {
    this.document = document;
    this.takes = takes;
    this.#before = document.mask.snapshot();
  }

  /** What led to the mask as it is; null where something else was done since. @returns {readonly Prompt[] | null} */
  get prompts() {
    const { top } = this.document.history;
    return this.#steps.find(({ step }) => step === top)?.prompts ?? null;
  }

  /**
   * The prompts with one more.
   * @param {Prompt['points']} points
   * @param {boolean} takes whether it takes away from the mask
   * @returns {Prompt[]}
   */
  with(points, takes) {
    return [...(this.prompts ?? []), { points, adds: takes === this.takes }];
  }

  /**
   * Puts what was selected into the mask, in the place of what was selected before.
   * @param {readonly Prompt[]} prompts
   * @param {Selected} selected
   * @returns {Command | null} the step; null where nothing changed
   */
  apply(prompts, selected) {
    const region = regionOf(selected);
    const step = this.document.change('select', (mask) => {
      const back = mask.restore(this.#before);
      return union(back, this.takes ? mask.withdraw(region) : mask.add(region, true));
    });
    if (step) this.#steps.push({ step, prompts });
    return step;
  }
}
