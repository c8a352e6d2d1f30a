/**
 * Mouse, touch and pen on the stage: one pointer paints, two pan and pinch, the wheel zooms.
 * @module
 */

/** @typedef {import('./stage.js').Stage} Stage */
/** @typedef {import('../document/document.js').Document} Document */

/** @typedef {'brush' | 'eraser' | 'edge' | 'edge-eraser' | 'pan'} Tool */

/**
 * @typedef {object} Host
 * @property {() => Document | null} document
 * @property {() => number} diameter of the brush, photo pixels
 * @property {() => number} reach diameter of what a dab will have filled, photo pixels
 * @property {() => Tool} tool
 * @property {() => void} painted a stroke has ended
 */

/** A second finger this soon after the first means a pinch, not a stroke. */
const PINCH_MS = 250;

/** @param {Tool} tool */
export const drawsEdges = (tool) => tool.startsWith('edge');

export class PointerInput {
  #stage;
  #host;
  #element;
  #cursor;
  #down = /** @type {Map<number, {x: number, y: number}>} */ (new Map());
  #mode = /** @type {'none' | 'stroke' | 'pan' | 'pinch'} */ ('none');
  #strokeStart = 0;
  #strokePointer = -1;
  /** Whether Space is held. */
  #isSpace = false;

  /**
   * @param {HTMLElement} element the stage
   * @param {HTMLElement} cursor the circle at the pointer
   * @param {Stage} stage
   * @param {Host} host
   */
  constructor(element, cursor, stage, host) {
    this.#element = element;
    this.#cursor = cursor;
    this.#stage = stage;
    this.#host = host;
    element.addEventListener('pointerdown', (event) => this.#onDown(event));
    element.addEventListener('pointermove', (event) => this.#onMove(event));
    for (const type of /** @type {const} */ (['pointerup', 'pointercancel'])) {
      element.addEventListener(type, (event) => this.#onUp(event));
    }
    element.addEventListener('pointerleave', () => this.#hideCursor());
    element.addEventListener('wheel', (event) => this.#onWheel(event), { passive: false });
    element.addEventListener('dblclick', (event) => this.#onDoubleClick(event));
    element.addEventListener('contextmenu', (event) => this.#host.document() && event.preventDefault());
  }

  /** @param {boolean} isHeld */
  holdSpace(isHeld) {
    this.#isSpace = isHeld;
    this.refresh();
  }

  /** Brings the cursor up to date after a change of tool, size or zoom. */
  refresh() {
    const isPan = this.#isSpace || this.#host.tool() === 'pan';
    this.#element.dataset.pointer = this.#mode === 'pan' ? 'panning' : isPan ? 'pan' : 'paint';
    const size = Math.max(2, this.#host.reach() * this.#stage.view.scale);
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

  #hideCursor() {
    this.#cursor.hidden = true;
  }

  /** @param {MouseEvent} event */
  #at(event) {
    const box = this.#element.getBoundingClientRect();
    return { x: event.clientX - box.x, y: event.clientY - box.y };
  }

  /** @param {PointerEvent} event */
  #onDown(event) {
    const edited = this.#host.document();
    if (!edited || (event.target instanceof Element && event.target.closest('[data-chrome]'))) return;
    if (event.button > 1) return;
    const at = this.#at(event);
    this.#down.set(event.pointerId, at);
    try {
      this.#element.setPointerCapture(event.pointerId);
    } catch {
      // The pointer is gone already: its end will come as pointercancel.
    }
    if (this.#down.size === 2) {
      if (this.#mode === 'stroke') {
        if (event.timeStamp - this.#strokeStart < PINCH_MS) edited.dropStroke();
        else this.#endStroke();
      }
      this.#mode = 'pinch';
      this.#hideCursor();
    } else if (this.#down.size === 1) {
      const isPan = this.#isSpace || event.button === 1 || this.#host.tool() === 'pan';
      this.#mode = isPan ? 'pan' : 'stroke';
      if (!isPan) {
        this.#strokeStart = event.timeStamp;
        this.#strokePointer = event.pointerId;
        const { x, y } = this.#stage.view.toPhoto(at.x, at.y);
        edited.beginStroke(x, y, this.#host.diameter() / 2, this.#erases(event), drawsEdges(this.#host.tool()));
      }
    }
    if (event.button === 1) event.preventDefault();
    this.refresh();
  }

  /** @param {PointerEvent} event */
  #erases(event) {
    // A pen's other end is an eraser.
    return this.#host.tool().endsWith('eraser') || (event.pointerType === 'pen' && (event.buttons & 32) !== 0);
  }

  /** @param {PointerEvent} event */
  #onMove(event) {
    const edited = this.#host.document();
    if (!edited) return;
    const at = this.#at(event);
    const isTouch = event.pointerType === 'touch';
    const isChrome = this.#mode === 'none' && event.target instanceof Element && event.target.closest('[data-chrome]');
    if (isChrome || (isTouch && this.#mode !== 'stroke')) this.#hideCursor();
    else this.showCursor(at.x, at.y);
    const last = this.#down.get(event.pointerId);
    if (!last) return this.refresh();
    if (this.#mode === 'stroke' && event.pointerId === this.#strokePointer) {
      const events = event.getCoalescedEvents?.() ?? [];
      for (const each of events.length ? events : [event]) {
        const { x, y } = this.#at(each);
        const point = this.#stage.view.toPhoto(x, y);
        edited.extendStroke(point.x, point.y);
      }
    } else if (this.#mode === 'pan') {
      this.#stage.view.pan(at.x - last.x, at.y - last.y);
    } else if (this.#mode === 'pinch' && this.#down.size === 2) {
      const other = [...this.#down].find(([id]) => id !== event.pointerId)?.[1];
      if (other) {
        const before = Math.hypot(last.x - other.x, last.y - other.y);
        const after = Math.hypot(at.x - other.x, at.y - other.y);
        this.#stage.view.pan((at.x - last.x) / 2, (at.y - last.y) / 2);
        if (before > 8) this.#stage.view.zoom(after / before, (at.x + other.x) / 2, (at.y + other.y) / 2);
      }
    }
    this.#down.set(event.pointerId, at);
  }

  /** @param {PointerEvent} event */
  #onUp(event) {
    if (!this.#down.delete(event.pointerId)) return;
    if (this.#mode === 'stroke' && event.pointerId === this.#strokePointer) this.#endStroke();
    // After a pinch the remaining finger does nothing until it is lifted.
    if (this.#down.size === 0) this.#mode = 'none';
    this.refresh();
  }

  #endStroke() {
    this.#strokePointer = -1;
    this.#host.document()?.endStroke();
    this.#host.painted();
  }

  /** @param {WheelEvent} event */
  #onWheel(event) {
    if (!this.#host.document() || (event.target instanceof Element && event.target.closest('[data-scroll]'))) return;
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
    const photo = this.#host.document()?.photo;
    if (!photo || (event.target instanceof Element && event.target.closest('[data-chrome]'))) return;
    const at = this.#at(event);
    const { x, y } = this.#stage.view.toPhoto(at.x, at.y);
    const isOutside = x < 0 || y < 0 || x > photo.width || y > photo.height;
    // Inside, with the brush, two quick clicks are two dabs.
    if (isOutside || this.#isSpace || this.#host.tool() === 'pan') this.#stage.view.fit();
  }
}
