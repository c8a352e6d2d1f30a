// The mask's colour stands out from the photo.
import assert from 'node:assert/strict';
import { secondTone, tintFor, TINTS } from '../../www/canvas/tint.js';
import { recall, remember } from '../../www/storage/preference.js';
import { random } from './random.mjs';

/** A photo in these colours, in equal parts. @param {number[][]} colours */
const photo = (...colours) => Uint8Array.from(Array.from({ length: 1000 }, (_, i) => [...colours[i % colours.length], 255]).flat());

export function the_tint_is_none_of_the_colours_of_the_photo() {
  for (const [name, colour] of Object.entries(TINTS)) {
    assert.notEqual(tintFor(photo([...colour])), name);
    assert.notEqual(tintFor(photo([...colour], [255, 255, 255], [0, 0, 0])), name);
  }
  assert.ok(['blue', 'green'].includes(tintFor(photo([200, 30, 30], [240, 130, 40], [250, 210, 60]))), 'reds and yellows');
  assert.ok(!['green', 'yellow'].includes(tintFor(photo([60, 120, 40], [120, 150, 70]))), 'grass');
  assert.ok(tintFor(new Uint8Array()) in TINTS);
}

export function a_speck_does_not_decide() {
  const colours = Array.from({ length: 50 }, () => [128, 128, 128]);
  const plain = tintFor(photo(...colours));
  assert.equal(tintFor(photo(...colours, [...TINTS[plain]])), plain);
}

export function what_resembles_the_tint_does_not_resemble_the_second_tone() {
  const next = random(3);
  for (const tint of Object.values(TINTS)) {
    const second = secondTone(tint);
    for (let i = 0; i < 2000; i++) {
      const colour = [next() * 255, next() * 255, next() * 255];
      const [a, b] = [tint, second].map((tone) => Math.max(...tone.map((value, c) => Math.abs(value - colour[c]))));
      // Of 255; the mask lets less than half of it be seen.
      assert.ok(Math.max(a, b) > 90, `${colour} is near ${tint} and ${second}`);
    }
  }
}

export function a_choice_is_remembered_and_what_is_none_is_not() {
  const kept = /** @type {Map<string, string>} */ (new Map());
  const storage = { getItem: (/** @type {string} */ key) => kept.get(key) ?? null, setItem: (/** @type {string} */ key, /** @type {string} */ value) => void kept.set(key, value) };
  Object.defineProperty(globalThis, 'localStorage', { value: storage, configurable: true });
  try {
    assert.equal(recall('colour', ['red', 'blue'], 'red'), 'red');
    remember('colour', 'blue');
    assert.equal(recall('colour', ['red', 'blue'], 'red'), 'blue');
    assert.equal(recall('colour', ['red', 'green'], 'red'), 'red');
  } finally {
    Reflect.deleteProperty(globalThis, 'localStorage');
  }
  remember('colour', 'blue');
  assert.equal(recall('colour', ['red', 'blue'], 'red'), 'red', 'without storage');
}
