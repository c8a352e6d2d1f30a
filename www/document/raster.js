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
 * Half the width of a disc's rows, from its middle row on: `half[d]` pixels to either side at `d` rows from the middle.
 * @param {number} radius whole pixels
 * @returns {number[]}
 */
export function discRows(radius) {
  return Array.from({ length: radius + 1 }, (_, d) => Math.floor(Math.sqrt(radius * radius - d * d)));
}

/**
 * Rows with one run of pixels each, below each other: row `top + i` reaches from `from[i]` to `to[i]`, exclusive.
 * @typedef {{top: number, from: number[], to: number[]}} Rows
 */

/**
 * The rows that a shape writes, which must come from the top down and without a gap.
 * @param {(row: (y: number, x0: number, x1: number) => void) => void} shape
 * @returns {Rows}
 */
export function rowsOf(shape) {
  const rows = /** @type {Rows} */ ({ top: 0, from: [], to: [] });
  shape((y, x0, x1) => {
    if (rows.from.length === 0) rows.top = y;
    // A row that the shape passes by without meeting the centre of a pixel.
    while (rows.top + rows.from.length < y) rows.from.push(0), rows.to.push(0);
    rows.from.push(x0);
    rows.to.push(x1);
  });
  return rows;
}

/**
 * Dilates such rows by a disc: calls `row(y, x0, x1)` so that together they cover every pixel within `radius`.
 * @param {Rows} rows
 * @param {number} radius whole pixels
 * @param {number} width
 * @param {number} height
 * @param {(y: number, x0: number, x1: number) => void} row
 */
export function growRows({ top, from, to }, radius, width, height, row) {
  const half = discRows(radius);
  const end = Math.min(height, top + from.length + radius);
  for (let y = Math.max(0, top - radius); y < end; y++) {
    let [low, high] = [0, 0];
    const emit = () => {
      const [x0, x1] = [Math.max(0, low), Math.min(width, high)];
      if (x1 > x0) row(y, x0, x1);
    };
    for (let i = Math.max(0, y - top - radius); i <= Math.min(from.length - 1, y - top + radius); i++) {
      if (to[i] <= from[i]) continue;
      const reach = half[Math.abs(top + i - y)];
      const [x0, x1] = [from[i] - reach, to[i] + reach];
      // Runs of neighbouring rows nearly always overlap; where they do not, the one before is done.
      if (high > low && x0 <= high && x1 >= low) {
        low = Math.min(low, x0);
        high = Math.max(high, x1);
      } else {
        emit();
        [low, high] = [x0, x1];
      }
    }
    emit();
  }
}

/**
 * Dilates by a disc: every pixel of `rect` within `radius` of a set pixel becomes 255 in the result.
 * Two passes over the window, whatever the radius.
 * @param {Uint8Array} window one byte a pixel, set where it is not 0
 * @param {Rect} reach where the window lies: `rect` with `radius` more on every side, as far as there are pixels
 * @param {Rect} rect inside `reach`
 * @param {number} radius whole pixels, at most 254
 * @returns {Uint8Array} `rect.width * rect.height` bytes, 0 or 255
 */
export function dilate(window, reach, rect, radius) {
  const out = new Uint8Array(rect.width * rect.height);
  const far = radius + 1;
  const { width: w, height: h } = reach;
  // Distance to the nearest set pixel of the same column, capped.
  const column = new Uint8Array(w * h);
  for (let y = 0; y < h; y++) {
    for (let x = 0; x < w; x++) {
      const above = y ? column[(y - 1) * w + x] : far;
      column[y * w + x] = window[y * w + x] ? 0 : above < far ? above + 1 : far;
    }
  }
  for (let y = h - 2; y >= 0; y--) {
    for (let x = 0; x < w; x++) {
      const below = column[(y + 1) * w + x] + 1;
      if (below < column[y * w + x]) column[y * w + x] = below;
    }
  }
  const half = discRows(radius);
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
      if (x >= dx) out[y * rect.width + x - dx] = open > 0 ? 255 : 0;
    }
  }
  return out;
}

/**
 * Calls `row(y, x0, x1)` for every row of pixels whose centres lie inside the ellipse that touches the box's sides.
 * @param {Rect} box
 * @param {number} width
 * @param {number} height
 * @param {(y: number, x0: number, x1: number) => void} row
 */
export function ellipseRows(box, width, height, row) {
  const [rx, ry] = [box.width / 2, box.height / 2];
  const [cx, cy] = [box.x + rx, box.y + ry];
  for (let y = Math.max(0, box.y); y < Math.min(height, box.y + box.height); y++) {
    const reach = rx * Math.sqrt(Math.max(0, 1 - ((y + 0.5 - cy) / ry) ** 2));
    const [x0, x1] = [Math.max(0, Math.ceil(cx - reach - 0.5)), Math.min(width, Math.floor(cx + reach - 0.5) + 1)];
    if (x1 > x0) row(y, x0, x1);
  }
}

/**
 * Calls `row(y, x0, x1)` for every run of pixels whose centres lie inside a polygon. What its line goes around more than
 * once is inside (the nonzero rule), as somebody who draws it by hand means it.
 * @param {readonly {x: number, y: number}[]} points
 * @param {number} width
 * @param {number} height
 * @param {(y: number, x0: number, x1: number) => void} row
 */
export function polygonRows(points, width, height, row) {
  const crossings = /** @type {{x: number, turn: number}[][]} */ ([]);
  points.forEach((a, i) => {
    const b = points[(i + 1) % points.length];
    const [upper, lower] = a.y < b.y ? [a, b] : [b, a];
    const end = Math.min(height, Math.ceil(lower.y - 0.5));
    for (let y = Math.max(0, Math.ceil(upper.y - 0.5)); y < end; y++) {
      const x = upper.x + ((y + 0.5 - upper.y) / (lower.y - upper.y)) * (lower.x - upper.x);
      (crossings[y] ??= []).push({ x, turn: a.y < b.y ? 1 : -1 });
    }
  });
  crossings.forEach((line, y) => {
    line.sort((a, b) => a.x - b.x);
    let turns = 0;
    line.forEach(({ x, turn }, i) => {
      turns += turn;
      if (turns === 0 || i + 1 === line.length) return;
      const [x0, x1] = [Math.max(0, Math.ceil(x - 0.5)), Math.min(width, Math.ceil(line[i + 1].x - 0.5))];
      if (x1 > x0) row(y, x0, x1);
    });
  });
}
