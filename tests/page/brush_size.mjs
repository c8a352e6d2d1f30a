// The brush's slider: logarithmic, without a size that it cannot reach.
import assert from 'node:assert/strict';
import { scaled, shareOf, sizeAt } from '../../www/ui/brush_size.js';

export function equal_ways_on_the_slider_are_equal_ratios() {
  for (const most of [300, 2000]) {
    assert.deepEqual([sizeAt(0, most), sizeAt(1, most)], [1, most]);
    assert.deepEqual([shareOf(1, most), shareOf(most, most)], [0, 1]);
    const [quarter, half, threeQuarters] = [0.25, 0.5, 0.75].map((share) => sizeAt(share, most));
    // Each is rounded by half a pixel at most.
    assert.ok(Math.abs(half * half - quarter * threeQuarters) <= half + (quarter + threeQuarters) / 2 + 0.5, `${quarter}, ${half}, ${threeQuarters}`);
    assert.deepEqual([sizeAt(-1, most), sizeAt(2, most)], [1, most], 'beyond the ends');
  }
  assert.equal(shareOf(1, 1), 0);
}

export function two_pixels_of_a_slider_of_150_change_the_brush_by_a_sixth_at_most() {
  for (let share = 0.3; share <= 1; share += 0.05) {
    const size = sizeAt(share, 2000);
    assert.ok(sizeAt(share + 2 / 150, 2000) <= size * 1.16 + 1, `at ${size}`);
  }
}

export function a_size_stands_where_it_is_read() {
  for (let size = 1; size <= 2000; size++) assert.equal(sizeAt(shareOf(size, 2000), 2000), size);
}

export function a_step_is_a_pixel_at_least() {
  assert.deepEqual([scaled(1, 1.15), scaled(3, 1 / 1.15), scaled(100, 1.15)], [2, 2, 115]);
}
