/**
 * Draws photo and mask. Two canvases of the stage's size lie on each other, so painting never redraws the photo.
 * @module
 */
import { expand, union } from '../document/raster.js';
import { context2d, imageData } from './color_space.js';
import { Tiles, maskPainter, photoPainter, rgbaPainter } from './tiles.js';
import { Viewport } from './viewport.js';

/** @typedef {import('../document/raster.js').Rect} Rect */
/** @typedef {import('../document/document.js').Document} Document */

/** Time for new tiles in one frame. */
const BUDGET_MS = 10;
/** Long side of the picture that stands in while tiles are made, in pixels. */
const PREVIEW_SIDE = 768;
/** The mask's colour, as `--mask` in the style sheet. */
const MASK = /** @type {[number, number, number]} */ ([255, 86, 48]);
const TINT = 0.38;
const FADE_MS = 150;

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
  #stripes = /** @type {CanvasPattern | null} */ (null);
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
    this.#photoTiles = this.#openedTiles = this.#maskTiles = this.#preview = null;
    if (!next) return;
    const { photo, mask } = next;
    const { width, height } = photo;
    const { colorSpace } = photo;
    const paint = rgbaPainter(width, height, photo.rgba);
    this.#photoTiles = new Tiles(width, height, paint, colorSpace);
    this.#openedTiles = new Tiles(width, height, photoPainter(width, height, (x, y) => photo.openedAt(x, y)), colorSpace);
    this.#maskTiles = new Tiles(width, height, maskPainter(width, height, mask.shown, MASK));
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
    this.view.setPhoto(photo);
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
    const reach = 4 * ratio + 2 * Math.max(1, scale);
    const box = expand({ x: x * ratio, y: y * ratio, width: rect.width * scale, height: rect.height * scale }, reach);
    this.#overlayOld = union(this.#overlayOld, box);
    this.#schedule();
  }

  /** @param {number | null} share see `#compare` */
  compare(share) {
    this.#compare = share;
    this.#overlay.hidden = share !== null;
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
    this.#stripes = this.#checks = null;
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
    const line = Math.max(1, Math.round(this.#ratio));
    const area = { x: x - line, y: y - line, width: width + 2 * line, height: height + 2 * line };
    scratch.clearRect(area.x, area.y, area.width, area.height);
    context.clearRect(x, y, width, height);
    if (!this.#document || !this.#maskTiles || this.#document.mask.isEmpty) return;
    scratch.save();
    scratch.beginPath();
    scratch.rect(area.x, area.y, area.width, area.height);
    scratch.clip();
    scratch.imageSmoothingEnabled = false;
    this.#maskTiles.draw(scratch, this.view, this.#ratio, area);
    scratch.restore();

    context.save();
    context.beginPath();
    context.rect(x, y, width, height);
    context.clip();
    /** @param {number} dx @param {number} dy */
    const stamp = (dx, dy) =>
      context.drawImage(this.#scratch, x - line, y - line, width + 2 * line, height + 2 * line, x - line + dx, y - line + dy, width + 2 * line, height + 2 * line);
    for (const [dx, dy] of [[line, 0], [-line, 0], [0, line], [0, -line]]) stamp(dx, dy);
    context.globalCompositeOperation = 'destination-out';
    stamp(0, 0);
    context.globalCompositeOperation = 'source-in';
    context.fillStyle = this.#dashes(context);
    context.fillRect(x, y, width, height);
    context.globalCompositeOperation = 'destination-over';
    context.globalAlpha = TINT;
    stamp(0, 0);
    context.restore();
  }

  /** @param {CanvasRenderingContext2D} context */
  #dashes(context) {
    this.#stripes ??= pattern(context, 8 * Math.max(1, Math.round(this.#ratio)), (tile, side) => {
      tile.fillStyle = '#fff';
      tile.fillRect(0, 0, side, side);
      tile.fillStyle = '#161616';
      tile.beginPath();
      for (const shift of [-side, 0, side]) {
        tile.moveTo(shift, 0);
        tile.lineTo(shift + side / 2, 0);
        tile.lineTo(shift + side / 2 + side, side);
        tile.lineTo(shift + side, side);
      }
      tile.fill();
    });
    return this.#stripes ?? '#fff';
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
