/**
 * Mouse, touch and pen on the stage: one pointer is the tool's, two pan and pinch, the wheel zooms.
 * @module
 */

/** @typedef {import('./stage.js').Stage} Stage */
/** @typedef {import('../document/document.js').Document} Document */
/** @typedef {import('../tools/tool.js').Handler} Handler */
/** @typedef {import('../tools/tool.js').Point} Point */
/** @typedef {import('../tools/toolbox.js').Toolbox} Toolbox */

/** A second finger this soon after the first means a pinch, not a stroke. */
const PINCH_MS = 250;
/** How far from a thing a pointer may be to touch it, in CSS pixels. */
const SLOP = { mouse: 8, touch: 22 };
/** The ring of a tool that draws no dabs, for those who move it by keys, in CSS pixels. */
const PLAIN_RING = 14;
/** The pen's other end, in `buttons` and as `button`. */
const PEN_ERASER = 32;
const PEN_ERASER_BUTTON = 5;

export class PointerInput {
  #stage;
  #toolbox;
  #document;
  #element;
  #cursor;
  #down = /** @type {Map<number, {x: number, y: number}>} */ (new Map());
  /** Whom the pressed pointer belongs to. */
  #handler = /** @type {Handler | null} */ (null);
  #isPinching = false;
  #start = 0;
  #pointer = -1;
  /** Whether Space is held. */
  #isSpace = false;

  /**
   * @param {HTMLElement} element the stage
   * @param {HTMLElement} cursor the circle at the pointer
   * @param {Stage} stage
   * @param {Toolbox} toolbox
   * @param {() => Document | null} opened
   */
  constructor(element, cursor, stage, toolbox, opened) {
    this.#element = element;
    this.#cursor = cursor;
    this.#stage = stage;
    this.#toolbox = toolbox;
    this.#document = opened;
    element.addEventListener('pointerdown', (event) => this.#onDown(event));
    element.addEventListener('pointermove', (event) => this.#onMove(event));
    for (const type of /** @type {const} */ (['pointerup', 'pointercancel'])) {
      element.addEventListener(type, (event) => this.#onUp(event));
    }
    element.addEventListener('pointerleave', () => this.#onLeave());
    element.addEventListener('wheel', (event) => this.#onWheel(event), { passive: false });
    element.addEventListener('dblclick', (event) => this.#onDoubleClick(event));
    element.addEventListener('contextmenu', (event) => opened() && event.preventDefault());
  }

  /** @param {boolean} isHeld */
  holdSpace(isHeld) {
    this.#isSpace = isHeld;
    this.refresh();
  }

  /** The tool that pans, whichever is chosen. */
  get #pan() {
    return this.#toolbox.tools.find(({ cursor }) => cursor === 'hand');
  }

  /** Brings the cursor up to date after a change of tool, size or zoom. */
  refresh() {
    const { current } = this.#toolbox;
    const tool = (this.#isSpace && this.#pan) || current;
    const isPanning = this.#pan && this.#handler === this.#toolbox.handlerOf(this.#pan);
    this.#element.dataset.pointer = isPanning ? 'panning' : tool.cursor;
    const size = tool.cursor === 'ring' ? Math.max(2, this.#toolbox.handler.reach * this.#stage.view.scale) : PLAIN_RING;
    this.#cursor.style.width = this.#cursor.style.height = `${size}px`;
  }

  /**
   * Shows the circle at a place on the stage.
   * @param {number} x CSS pixels
   * @param {number} y
   */
  showCursor(x, y) {
    this.#cursor.hidden = false;
    this.#cursor.style.transform = `translate(${x}px, ${y}px) translate(-50%, -50%)`;
  }

  #onLeave() {
    this.#hideCursor();
    if (!this.#handler) this.#toolbox.handler.leave();
  }

  #hideCursor() {
    this.#cursor.hidden = true;
  }

  /** @param {MouseEvent} event */
  #at(event) {
    const box = this.#element.getBoundingClientRect();
    return { x: event.clientX - box.x, y: event.clientY - box.y };
  }

  /** @param {PointerEvent} event @returns {Point} */
  #point(event) {
    const at = this.#at(event);
    const { view } = this.#stage;
    const isPen = event.pointerType === 'pen';
    return {
      ...view.toPhoto(at.x, at.y),
      stageX: at.x,
      stageY: at.y,
      // A pen without pressure says 0.5 throughout, or 0.
      pressure: isPen && event.pressure > 0 ? event.pressure : 1,
      isStraight: event.shiftKey,
      isOther: event.altKey || (isPen && (event.buttons & PEN_ERASER) !== 0),
      slop: (event.pointerType === 'touch' ? SLOP.touch : SLOP.mouse) / view.scale,
    };
  }

  /** @param {PointerEvent} event */
  #onDown(event) {
    if (!this.#document() || isChrome(event) || (event.button > 1 && event.button !== PEN_ERASER_BUTTON)) return;
    this.#down.set(event.pointerId, this.#at(event));
    try {
      this.#element.setPointerCapture(event.pointerId);
    } catch {
      // The pointer is gone already: its end will come as pointercancel.
    }
    if (this.#down.size === 2) {
      const first = this.#down.get(this.#pointer);
      if (this.#handler && first) this.#handler.pinched(event.timeStamp - this.#start < PINCH_MS, this.#placed(this.#point(event), first));
      this.#handler = null;
      this.#isPinching = true;
      this.#hideCursor();
    } else if (this.#down.size === 1) {
      const pans = this.#isSpace || event.button === 1;
      this.#handler = pans && this.#pan ? this.#toolbox.handlerOf(this.#pan) : this.#toolbox.handler;
      this.#start = event.timeStamp;
      this.#pointer = event.pointerId;
      this.#handler.down(this.#point(event));
    }
    if (event.button === 1) event.preventDefault();
    this.refresh();
  }

  /** The same kind of point at another place on the stage. @param {Point} point @param {{x: number, y: number}} at */
  #placed(point, at) {
    return { ...point, ...this.#stage.view.toPhoto(at.x, at.y), stageX: at.x, stageY: at.y };
  }

  /** @param {PointerEvent} event */
  #onMove(event) {
    if (!this.#document()) return;
    const at = this.#at(event);
    const isTouch = event.pointerType === 'touch';
    if ((!this.#handler && isChrome(event)) || (isTouch && (!this.#handler || this.#toolbox.current.cursor !== 'ring'))) this.#hideCursor();
    else if (this.#toolbox.current.cursor === 'ring') this.showCursor(at.x, at.y);
    else this.#hideCursor();
    const last = this.#down.get(event.pointerId);
    if (!last) {
      if (!isTouch && !isChrome(event)) this.#toolbox.handler.hover(this.#point(event));
      return this.refresh();
    }
    if (this.#handler && event.pointerId === this.#pointer) {
      const events = event.getCoalescedEvents?.() ?? [];
      for (const each of events.length ? events : [event]) this.#handler.move(this.#point(each));
    } else if (this.#isPinching && this.#down.size === 2) {
      const other = [...this.#down].find(([id]) => id !== event.pointerId)?.[1];
      if (other) this.#pinch(last, at, other);
    }
    this.#down.set(event.pointerId, at);
  }

  /**
   * One of two fingers moved.
   * @param {{x: number, y: number}} last
   * @param {{x: number, y: number}} at
   * @param {{x: number, y: number}} other
   */
  #pinch(last, at, other) {
    const before = Math.hypot(last.x - other.x, last.y - other.y);
    const after = Math.hypot(at.x - other.x, at.y - other.y);
    this.#stage.view.pan((at.x - last.x) / 2, (at.y - last.y) / 2);
    if (before > 8) this.#stage.view.zoom(after / before, (at.x + other.x) / 2, (at.y + other.y) / 2);
  }

  /** @param {PointerEvent} event */
  #onUp(event) {
    if (!this.#down.delete(event.pointerId)) return;
    if (this.#handler && event.pointerId === this.#pointer) {
      const handler = this.#handler;
      this.#handler = null;
      handler.up(this.#point(event));
    }
    // After a pinch the remaining finger does nothing until it is lifted.
    if (this.#down.size === 0) this.#isPinching = false;
    this.refresh();
  }

  /** @param {WheelEvent} event */
  #onWheel(event) {
    if (!this.#document() || (event.target instanceof Element && event.target.closest('[data-scroll]'))) return;
    event.preventDefault();
    const at = this.#at(event);
    const lines = event.deltaMode === WheelEvent.DOM_DELTA_LINE ? 16 : 1;
    if (event.shiftKey) return this.#stage.view.pan(-(event.deltaX || event.deltaY) * lines, 0);
    // A pinch on a trackpad comes as a wheel with ctrlKey and small steps.
    const speed = event.ctrlKey ? 0.01 : 0.0016;
    const delta = Math.max(-240, Math.min(240, event.deltaY * lines));
    this.#stage.view.zoom(Math.exp(-delta * speed), at.x, at.y);
    this.refresh();
  }

  /** @param {MouseEvent} event */
  #onDoubleClick(event) {
    const photo = this.#document()?.photo;
    if (!photo || isChrome(event)) return;
    const at = this.#at(event);
    const { x, y } = this.#stage.view.toPhoto(at.x, at.y);
    const isOutside = x < 0 || y < 0 || x > photo.width || y > photo.height;
    // Inside, two quick clicks are the tool's.
    if (isOutside || this.#isSpace || this.#toolbox.current.cursor === 'hand') this.#stage.view.fit();
  }
}

/** Whether an event is one of the controls over the stage. @param {Event} event */
function isChrome({ target }) {
  return target instanceof Element && target.closest('[data-chrome]') !== null;
}
