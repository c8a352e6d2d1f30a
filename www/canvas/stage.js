/**
 * Draws photo and mask. Two canvases of the stage's size lie on each other, so painting never redraws the photo.
 * @module
 */
import { expand, union } from '../document/raster.js';
import { context2d, imageData } from './color_space.js';
import { Tiles, photoPainter, planePainter, rgbaPainter } from './tiles.js';
import { secondTone, tintFor, TINTS } from './tint.js';
import { Viewport } from './viewport.js';

/** @typedef {import('../document/raster.js').Rect} Rect */
/** @typedef {import('../document/document.js').Document} Document */
/** @typedef {import('./tint.js').TintName} TintName */

/** Time for new tiles in one frame. */
const BUDGET_MS = 10;
/** Long side of the picture that stands in while tiles are made, in pixels. */
const PREVIEW_SIDE = 768;
/** How much of the photo the mask's two tones cover. */
const OPACITY = 0.45;
/** From one stripe of the mask's second tone to the next, and how broad it is, in CSS pixels across and down. */
const STRIPES = { distance: 12, breadth: 3 };
const FADE_MS = 150;
const LIGHT = '#fff';
const DARK = '#161616';
const AROUND = [[1, 0], [-1, 0], [0, 1], [0, -1], [1, 1], [1, -1], [-1, 1], [-1, -1]];

export class Stage {
  #element;
  #photo;
  #overlay;
  #ghost;
  #sheet;
  #scratch = document.createElement('canvas');
  #ratio = 1;
  #colorSpace = /** @type {PredefinedColorSpace} */ ('srgb');
  #document = /** @type {Document | null} */ (null);
  #photoTiles = /** @type {Tiles | null} */ (null);
  #openedTiles = /** @type {Tiles | null} */ (null);
  #maskTiles = /** @type {Tiles | null} */ (null);
  #preview = /** @type {HTMLCanvasElement | null} */ (null);
  /** The two tones of the mask. */
  #tones = /** @type {CanvasPattern | null} */ (null);
  /** The tint that suits the photo as it was when somebody first looked. */
  #suited = /** @type {TintName | null} */ (null);
  #tint = /** @type {TintName | 'auto'} */ ('auto');
  #checks = /** @type {CanvasPattern | null} */ (null);
  #frame = 0;
  #isPhotoOld = true;
  /** Part of the overlay to draw again, device pixels. */
  #overlayOld = /** @type {Rect | null} */ (null);
  /** null: the photo as it is; 1: as it was opened; between: opened left of this share of the photo's width. */
  #compare = /** @type {number | null} */ (null);

  /**
   * @param {HTMLElement} element the stage
   * @param {HTMLElement} frame the part of it that nothing covers
   * @param {{changed: () => void}} listener told when the photo moved on the stage
   */
  constructor(element, frame, listener) {
    this.#element = element;
    /** @param {string} name */
    const layer = (name) => {
      const canvas = document.createElement('canvas');
      canvas.className = `layer ${name}`;
      canvas.setAttribute('aria-hidden', 'true');
      element.prepend(canvas);
      return canvas;
    };
    this.#ghost = layer('ghost');
    this.#overlay = layer('overlay');
    this.#photo = layer('photo');
    this.#sheet = document.createElement('div');
    this.#sheet.className = 'sheet';
    element.prepend(this.#sheet);
    this.view = new Viewport(() => {
      this.#isPhotoOld = true;
      this.#allOverlay();
      listener.changed();
      this.#schedule();
    });
    const measure = () => this.#resize(frame);
    new ResizeObserver(measure).observe(element);
    new ResizeObserver(measure).observe(frame);
    measure();
  }

  /** @param {Document | null} next */
  setDocument(next) {
    this.#document = next;
    this.#compare = null;
    this.#photoTiles = this.#openedTiles = this.#maskTiles = this.#preview = this.#suited = null;
    if (!next) return;
    const { photo, mask } = next;
    const { width, height } = photo;
    const { colorSpace } = photo;
    const paint = rgbaPainter(width, height, photo.rgba);
    this.#photoTiles = new Tiles(width, height, paint, colorSpace);
    this.#openedTiles = new Tiles(width, height, photoPainter(width, height, (x, y) => photo.openedAt(x, y)), colorSpace);
    this.#maskTiles = new Tiles(width, height, planePainter(mask.shown, [0, 0, 0]));
    const step = Math.ceil(Math.max(width, height) / PREVIEW_SIDE);
    this.#preview = document.createElement('canvas');
    this.#preview.width = Math.ceil(width / step);
    this.#preview.height = Math.ceil(height / step);
    const pixels = imageData(this.#preview.width, this.#preview.height, colorSpace);
    paint(pixels.data, 0, 0, pixels.width, pixels.height, step);
    context2d(this.#preview, colorSpace)?.putImageData(pixels, 0, 0);
    if (colorSpace !== this.#colorSpace) {
      // A canvas keeps the space it began with.
      const fresh = /** @type {HTMLCanvasElement} */ (this.#photo.cloneNode());
      this.#photo.replaceWith(fresh);
      this.#photo = fresh;
      this.#colorSpace = colorSpace;
    }
    this.#showTint();
    this.view.setPhoto(photo);
  }

  /** @param {TintName | 'auto'} tint of the mask; `auto` suits the photo */
  setTint(tint) {
    this.#tint = tint;
    this.#showTint();
  }

  #showTint() {
    this.#tones = null;
    this.#element.style.setProperty('--mask', this.#colour.join(' '));
    this.#allOverlay();
    this.#schedule();
  }

  get #colour() {
    if (this.#tint !== 'auto') return TINTS[this.#tint];
    const photo = this.#document?.photo;
    this.#suited ??= tintFor(photo?.rgba ?? new Uint8Array());
    return TINTS[this.#suited];
  }

  /** @param {Rect} rect photo pixels */
  photoChanged(rect) {
    this.#photoTiles?.invalidate(rect);
    this.#isPhotoOld = true;
    this.#schedule();
  }

  /** @param {Rect} rect photo pixels */
  maskChanged(rect) {
    this.#maskTiles?.invalidate(rect);
    const { x, y } = this.view.toStage(rect.x, rect.y);
    const ratio = this.#ratio;
    const scale = this.view.scale * ratio;
    // A block of the shown resolution may reach further than the rectangle.
    const reach = 6 * ratio + 2 * Math.max(1, scale);
    const box = expand({ x: x * ratio, y: y * ratio, width: rect.width * scale, height: rect.height * scale }, reach);
    this.#overlayOld = union(this.#overlayOld, box);
    this.#schedule();
  }

  /**
   * @param {number | null} share see `#compare`
   * @param {boolean} [isPlain] whether the mask is left out
   */
  compare(share, isPlain = false) {
    this.#compare = share;
    this.#overlay.hidden = isPlain;
    this.#isPhotoOld = true;
    this.#schedule();
  }

  /** @param {boolean} isOn whether the holes shimmer */
  shimmer(isOn) {
    this.#overlay.classList.toggle('shimmer', isOn);
  }

  /** Keeps the mask as it looks now and lets it fade away. */
  fade() {
    this.#draw();
    const context = this.#ghost.getContext('2d');
    context?.clearRect(0, 0, this.#ghost.width, this.#ghost.height);
    context?.drawImage(this.#overlay, 0, 0);
    this.#ghost.animate([{ opacity: 1 }, { opacity: 0 }], { duration: FADE_MS, fill: 'forwards', easing: 'ease-out' });
  }

  /** @param {HTMLElement} frame */
  #resize(frame) {
    const { clientWidth: width, clientHeight: height } = this.#element;
    const ratio = window.devicePixelRatio || 1;
    const pixels = { width: Math.max(1, Math.round(width * ratio)), height: Math.max(1, Math.round(height * ratio)) };
    this.#ratio = ratio;
    for (const canvas of [this.#photo, this.#overlay, this.#ghost, this.#scratch]) {
      if (canvas.width !== pixels.width) canvas.width = pixels.width;
      if (canvas.height !== pixels.height) canvas.height = pixels.height;
    }
    this.#tones = this.#checks = null;
    const stage = this.#element.getBoundingClientRect();
    const box = frame.getBoundingClientRect();
    this.view.setFrame({
      x: box.x - stage.x,
      y: box.y - stage.y,
      width: Math.max(1, box.width),
      height: Math.max(1, box.height),
    });
    // Resizing has cleared the canvases: draw in this very frame.
    this.#draw();
  }

  #allOverlay() {
    this.#overlayOld = { x: 0, y: 0, width: this.#overlay.width, height: this.#overlay.height };
  }

  #schedule() {
    if (!this.#frame) this.#frame = requestAnimationFrame(() => this.#draw());
  }

  #draw() {
    cancelAnimationFrame(this.#frame);
    this.#frame = 0;
    if (this.#isPhotoOld) this.#drawPhoto();
    if (this.#overlayOld) this.#drawOverlay(this.#overlayOld);
  }

  #drawPhoto() {
    this.#isPhotoOld = false;
    const context = context2d(this.#photo, this.#colorSpace);
    if (!context) return;
    const whole = { x: 0, y: 0, width: this.#photo.width, height: this.#photo.height };
    context.setTransform(1, 0, 0, 1, 0, 0);
    context.clearRect(0, 0, whole.width, whole.height);
    const photo = this.#document?.photo;
    this.#sheet.hidden = !photo;
    if (!photo || !this.#photoTiles || !this.#openedTiles) return;
    const { view } = this;
    const ratio = this.#ratio;
    const width = Math.max(1, photo.width * view.scale);
    const height = Math.max(1, photo.height * view.scale);
    const sheet = this.#sheet.style;
    sheet.transform = `translate(${view.x}px, ${view.y}px)`;
    sheet.width = `${width}px`;
    sheet.height = `${height}px`;
    const box = { x: view.x * ratio, y: view.y * ratio, width: width * ratio, height: height * ratio };
    if (photo.hasAlpha) {
      context.fillStyle = this.#checkers(context);
      context.fillRect(box.x, box.y, box.width, box.height);
    }
    context.imageSmoothingEnabled = view.scale * ratio < 3;
    const before = this.#compare;
    let isWhole = true;
    if (before !== 1) isWhole = this.#drawTiles(context, this.#photoTiles, whole, box, photo.hasAlpha);
    if (before !== null) {
      context.save();
      context.beginPath();
      context.rect(box.x, box.y, Math.ceil(box.width * before), box.height);
      context.clip();
      if (photo.hasAlpha) {
        context.fillStyle = this.#checkers(context);
        context.fillRect(box.x, box.y, box.width, box.height);
      }
      isWhole = this.#openedTiles.draw(context, view, ratio, whole, BUDGET_MS) && isWhole;
      context.restore();
    }
    if (!isWhole) {
      this.#isPhotoOld = true;
      this.#schedule();
    }
  }

  /**
   * @param {CanvasRenderingContext2D} context
   * @param {Tiles} tiles
   * @param {Rect} whole
   * @param {Rect} box
   * @param {boolean} hasAlpha
   */
  #drawTiles(context, tiles, whole, box, hasAlpha) {
    // The preview shows through where tiles are still missing; under transparent tiles it would show twice.
    if (this.#preview && !hasAlpha) context.drawImage(this.#preview, box.x, box.y, box.width, box.height);
    return tiles.draw(context, this.view, this.#ratio, whole, BUDGET_MS);
  }

  /** @param {Rect} dirty device pixels */
  #drawOverlay(dirty) {
    this.#overlayOld = null;
    const context = this.#overlay.getContext('2d');
    const scratch = this.#scratch.getContext('2d');
    if (!context || !scratch) return;
    const x = Math.max(0, Math.floor(dirty.x));
    const y = Math.max(0, Math.floor(dirty.y));
    const width = Math.min(this.#overlay.width, Math.ceil(dirty.x + dirty.width)) - x;
    const height = Math.min(this.#overlay.height, Math.ceil(dirty.y + dirty.height)) - y;
    if (width <= 0 || height <= 0) return;
    // The outline lies around the mask: a light line, and a dark one around that.
    const line = Math.max(1, Math.round(this.#ratio));
    const area = expand({ x, y, width, height }, 2 * line);
    scratch.clearRect(area.x, area.y, area.width, area.height);
    context.clearRect(x, y, width, height);
    if (!this.#document || !this.#maskTiles || this.#document.mask.isEmpty) return;
    scratch.save();
    scratch.beginPath();
    scratch.rect(area.x, area.y, area.width, area.height);
    scratch.clip();
    scratch.imageSmoothingEnabled = false;
    this.#maskTiles.draw(scratch, this.view, this.#ratio, area);

    context.save();
    context.beginPath();
    context.rect(x, y, width, height);
    context.clip();
    /** The mask in one colour or pattern. @param {string | CanvasPattern} fill */
    const colour = (fill) => {
      scratch.globalCompositeOperation = 'source-in';
      scratch.fillStyle = fill;
      scratch.fillRect(area.x, area.y, area.width, area.height);
    };
    /** @param {number} reach */
    const stamp = (reach) => {
      for (const [dx, dy] of reach ? AROUND : [[0, 0]]) {
        context.drawImage(this.#scratch, area.x, area.y, area.width, area.height, area.x + dx * reach, area.y + dy * reach, area.width, area.height);
      }
    };
    colour(DARK);
    stamp(2 * line);
    colour(LIGHT);
    stamp(line);
    context.globalCompositeOperation = 'destination-out';
    stamp(0);
    colour(this.#twoTones(scratch));
    context.globalCompositeOperation = 'destination-over';
    context.globalAlpha = OPACITY;
    stamp(0);
    context.restore();
    scratch.restore();
  }

  /** Stripes of the second tone on the tint. @param {CanvasRenderingContext2D} context */
  #twoTones(context) {
    const tint = this.#colour;
    this.#tones ??= pattern(context, Math.round(STRIPES.distance * this.#ratio), (tile, side) => {
      tile.fillStyle = `rgb(${tint.join()})`;
      tile.fillRect(0, 0, side, side);
      tile.strokeStyle = `rgb(${secondTone(tint).join()})`;
      tile.lineWidth = (STRIPES.breadth * this.#ratio) / Math.SQRT2;
      for (const shift of [-side, 0, side]) {
        tile.moveTo(shift - side, 2 * side);
        tile.lineTo(shift + 2 * side, -side);
      }
      tile.stroke();
    });
    return this.#tones ?? `rgb(${tint.join()})`;
  }

  /** @param {CanvasRenderingContext2D} context */
  #checkers(context) {
    this.#checks ??= pattern(context, 16, (tile) => {
      tile.fillStyle = '#fff';
      tile.fillRect(0, 0, 16, 16);
      tile.fillStyle = '#d4d4d4';
      tile.fillRect(0, 0, 8, 8);
      tile.fillRect(8, 8, 8, 8);
    });
    return this.#checks ?? '#fff';
  }
}

/**
 * @param {CanvasRenderingContext2D} context
 * @param {number} side device pixels
 * @param {(tile: CanvasRenderingContext2D, side: number) => void} draw
 * @returns {CanvasPattern | null}
 */
function pattern(context, side, draw) {
  const canvas = document.createElement('canvas');
  canvas.width = canvas.height = side;
  const tile = canvas.getContext('2d');
  if (!tile) return null;
  draw(tile, side);
  return context.createPattern(canvas, 'repeat');
}
