/**
 * What a tool is. A tool is one file: what it is called, its icon and key, how the pointer looks, which options it has,
 * and a handler that is told of the pointer in photo pixels. `index.js` lists them; nothing else knows them by name.
 * @module
 */

/** @typedef {import('../app.js').App} App */
/** @typedef {import('../document/document.js').Document} Document */
/** @typedef {import('../canvas/viewport.js').Viewport} Viewport */
/** @typedef {import('../canvas/pen.js').Pen} Pen */

/**
 * A tool's words: a part of every table in `strings/`.
 * @typedef {object} Words
 * @property {string} name also its accessible name
 * @property {string} tip what it does, for the pointer that rests on its button
 * @property {string} [help] how it is used, said when it is chosen
 * @property {string} [undone] said when a step of this tool is undone
 * @property {string} [redone]
 */

/** @typedef {'size' | 'mode' | 'tolerance' | 'contiguous'} OptionName what the bar offers beside the tool */

/**
 * @typedef {object} Tool
 * @property {string} id also the label of its steps in the history
 * @property {string} icon an SVG path of lines on a grid of 20 by 20
 * @property {string} [key] the key that chooses it, lower case
 * @property {'ring' | 'cross' | 'hand'} cursor `ring` is as wide as what is drawn
 * @property {OptionName[]} options
 * @property {boolean} [isRough] what it masks covers things roughly, and may be moved to their edges
 * @property {'edges'} [needs] it is there only while the model takes edges
 * @property {Words} words read anew whenever they are shown: the language may have been switched
 * @property {(editor: Editor) => Handler} create
 */

/**
 * Where the pointer is, and how.
 * @typedef {object} Point
 * @property {number} x photo pixels; pixel centres at .5
 * @property {number} y
 * @property {number} stageX CSS pixels on the stage
 * @property {number} stageY
 * @property {number} pressure of a pen, 0 to 1; 1 for everything else
 * @property {boolean} isStraight whether Shift is held: straight lines, squares, circles
 * @property {boolean} isOther whether Alt is held, or the pen's other end is used: take away instead of adding
 * @property {number} slop how far from a thing the pointer may be to touch it, in photo pixels
 */

/**
 * What people set for tools.
 * @typedef {object} Options
 * @property {number} tolerance difference of colours, 0 to 255, up to which pixels count as alike
 * @property {boolean} isContiguous whether alike pixels must hang together
 * @property {'add' | 'remove'} mode
 */

/**
 * What tools are given of the page.
 * @typedef {object} Editor
 * @property {Document | null} document the open work
 * @property {Viewport} view
 * @property {Options} options
 * @property {number} diameter of the brush, photo pixels
 * @property {number} penWidth of the pen for edges, photo pixels
 * @property {number} grow how far painted pixels are grown, photo pixels
 * @property {() => void} redraw what the tool draws over the photo has changed
 * @property {(words: string) => void} say
 * @property {<A extends unknown[], R>(action: (app: App, ...given: A) => R, ...given: A) => R} act runs one of the page's actions, for a tool that needs a worker
 * @property {(isAdded: boolean) => void} done a change of the mask has ended; whether it added something to fill
 */

/** What a tool does with the pointer; every method may be left as it is. */
export class Handler {
  /** @param {Editor} editor */
  constructor(editor) {
    this.editor = editor;
  }

  /** Whether something has begun that Escape would drop. */
  get isBusy() {
    return false;
  }

  /** Diameter of what a dab of the tool changes, photo pixels. */
  get reach() {
    return 0;
  }

  /** The tool was chosen, or is about to be: what takes time may begin. @param {boolean} _isChosen */
  prepare(_isChosen) {}

  /** The pointer was pressed. @param {Point} _point */
  down(_point) {}

  /** The pressed pointer moved. @param {Point} _point */
  move(_point) {}

  /** The pointer was released. @param {Point} _point */
  up(_point) {}

  /** The pointer moved without being pressed. @param {Point} _point */
  hover(_point) {}

  /** The pointer is no longer over the photo, without being pressed. */
  leave() {}

  /** Whatever has begun is not wanted: another tool was chosen, or Escape pressed. */
  drop() {}

  /**
   * A second finger came: what the first one did was the start of a pinch, unless it took long.
   * @param {boolean} _isEarly
   * @param {Point} _point where the first finger is
   */
  pinched(_isEarly, _point) {
    this.drop();
  }

  /**
   * @param {string} _key Enter, Backspace or Delete
   * @returns {boolean} whether the tool had a use for it
   */
  key(_key) {
    return false;
  }

  /** Draws over the photo. @param {Pen} _pen */
  draw(_pen) {}
}

/**
 * Whether a point takes away instead of adding.
 * @param {Editor} editor
 * @param {Point} point
 */
export function takesAway({ options }, point) {
  return (options.mode === 'remove') !== point.isOther;
}
