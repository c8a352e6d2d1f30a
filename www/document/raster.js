/**
 * Binary raster shapes: capsules (a round brush dragged along a segment) and disc dilation.
 * @module
 */

/**
 * A rectangle in photo pixels; `x + width` and `y + height` are exclusive ends.
 * @typedef {{x: number, y: number, width: number, height: number}} Rect
 */

/**
 * The part of `rect` inside `0..width` by `0..height`, or null if there is none.
 * @param {Rect} rect
 * @param {number} width
 * @param {number} height
 * @returns {Rect | null}
 */
export function clip(rect, width, height) {
  const x = Math.max(0, Math.floor(rect.x));
  const y = Math.max(0, Math.floor(rect.y));
  const right = Math.min(width, Math.ceil(rect.x + rect.width));
  const bottom = Math.min(height, Math.ceil(rect.y + rect.height));
  return right > x && bottom > y ? { x, y, width: right - x, height: bottom - y } : null;
}

/**
 * The smallest rectangle that holds both.
 * @param {Rect | null} a
 * @param {Rect | null} b
 * @returns {Rect | null}
 */
export function union(a, b) {
  if (!a) return b;
  if (!b) return a;
  const x = Math.min(a.x, b.x);
  const y = Math.min(a.y, b.y);
  return {
    x,
    y,
    width: Math.max(a.x + a.width, b.x + b.width) - x,
    height: Math.max(a.y + a.height, b.y + b.height) - y,
  };
}

/**
 * `rect` with `by` more pixels on every side.
 * @param {Rect} rect
 * @param {number} by
 * @returns {Rect}
 */
export function expand(rect, by) {
  return { x: rect.x - by, y: rect.y - by, width: rect.width + 2 * by, height: rect.height + 2 * by };
}

/**
 * A copy of a rectangle of a raster.
 * @param {Uint8Array} raster one byte a pixel
 * @param {number} width of the raster
 * @param {Rect} rect inside it
 * @returns {Uint8Array}
 */
export function readRect(raster, width, rect) {
  const out = new Uint8Array(rect.width * rect.height);
  for (let y = 0; y < rect.height; y++) {
    const from = (rect.y + y) * width + rect.x;
    out.set(raster.subarray(from, from + rect.width), y * rect.width);
  }
  return out;
}

/**
 * Puts such a copy back.
 * @param {Uint8Array} raster one byte a pixel
 * @param {number} width of the raster
 * @param {Rect} rect inside it
 * @param {Uint8Array} bytes
 */
export function writeRect(raster, width, rect, bytes) {
  for (let y = 0; y < rect.height; y++) {
    raster.set(bytes.subarray(y * rect.width, (y + 1) * rect.width), (rect.y + y) * width + rect.x);
  }
}

/**
 * Calls `row(y, x0, x1)` (x1 exclusive) for every row of pixels whose centres lie within `radius` of the segment.
 * At least the pixel under the start is covered, however small the radius.
 * @param {number} ax
 * @param {number} ay
 * @param {number} bx
 * @param {number} by
 * @param {number} radius
 * @param {number} width
 * @param {number} height
 * @param {(y: number, x0: number, x1: number) => void} row
 */
export function capsuleRows(ax, ay, bx, by, radius, width, height, row) {
  const top = Math.max(0, Math.ceil(Math.min(ay, by) - radius - 0.5));
  const bottom = Math.min(height - 1, Math.floor(Math.max(ay, by) + radius - 0.5));
  const length = Math.hypot(bx - ax, by - ay);
  const nx = length ? (-(by - ay) / length) * radius : 0;
  const ny = length ? ((bx - ax) / length) * radius : 0;
  const corners = [ax + nx, ay + ny, bx + nx, by + ny, bx - nx, by - ny, ax - nx, ay - ny];
  let drawn = false;
  for (let y = top; y <= bottom; y++) {
    const cy = y + 0.5;
    let low = Infinity;
    let high = -Infinity;
    for (const [px, py] of [[ax, ay], [bx, by]]) {
      const half = radius * radius - (cy - py) * (cy - py);
      if (half < 0) continue;
      const reach = Math.sqrt(half);
      low = Math.min(low, px - reach);
      high = Math.max(high, px + reach);
    }
    for (let i = 0; length > 0 && i < 8; i += 2) {
      const x0 = corners[i];
      const y0 = corners[i + 1];
      const x1 = corners[(i + 2) % 8];
      const y1 = corners[(i + 3) % 8];
      if ((cy - y0) * (cy - y1) > 0 || y0 === y1) continue;
      const x = x0 + ((cy - y0) / (y1 - y0)) * (x1 - x0);
      low = Math.min(low, x);
      high = Math.max(high, x);
    }
    const from = Math.max(0, Math.ceil(low - 0.5));
    const to = Math.min(width, Math.floor(high - 0.5) + 1);
    if (to > from) {
      row(y, from, to);
      drawn = true;
    }
  }
  const px = Math.floor(ax);
  const py = Math.floor(ay);
  if (!drawn && px >= 0 && py >= 0 && px < width && py < height) row(py, px, px + 1);
}

/**
 * Dilates by a disc: every pixel of `rect` within `radius` of a set pixel becomes 1 in the result.
 * Two passes over the rectangle, whatever the radius.
 * @param {Uint8Array} source one byte a pixel
 * @param {number} bit pixels with this bit are set
 * @param {number} width of the source
 * @param {number} height of the source
 * @param {Rect} rect inside the source
 * @param {number} radius whole pixels, at most 254
 * @returns {Uint8Array} `rect.width * rect.height` bytes, 0 or 1
 */
export function dilate(source, bit, width, height, rect, radius) {
  const reach = clip(expand(rect, radius), width, height);
  const out = new Uint8Array(rect.width * rect.height);
  if (!reach) return out;
  const far = radius + 1;
  const { width: w, height: h } = reach;
  // Distance to the nearest set pixel of the same column, capped.
  const column = new Uint8Array(w * h);
  for (let y = 0; y < h; y++) {
    const from = (reach.y + y) * width + reach.x;
    for (let x = 0; x < w; x++) {
      const above = y ? column[(y - 1) * w + x] : far;
      column[y * w + x] = source[from + x] & bit ? 0 : above < far ? above + 1 : far;
    }
  }
  for (let y = h - 2; y >= 0; y--) {
    for (let x = 0; x < w; x++) {
      const below = column[(y + 1) * w + x] + 1;
      if (below < column[y * w + x]) column[y * w + x] = below;
    }
  }
  const half = Array.from({ length: far }, (_, d) => Math.floor(Math.sqrt(radius * radius - d * d)));
  const edges = new Int16Array(w + 1);
  const dx = rect.x - reach.x;
  for (let y = 0; y < rect.height; y++) {
    const row = (rect.y + y - reach.y) * w;
    edges.fill(0);
    let any = false;
    for (let x = 0; x < w; x++) {
      const d = column[row + x];
      if (d > radius) continue;
      any = true;
      edges[Math.max(0, x - half[d])]++;
      edges[Math.min(w, x + half[d] + 1)]--;
    }
    if (!any) continue;
    let open = 0;
    for (let x = 0; x < dx + rect.width; x++) {
      open += edges[x];
      if (x >= dx) out[y * rect.width + x - dx] = open > 0 ? 1 : 0;
    }
  }
  return out;
}
