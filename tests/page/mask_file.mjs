// What looks like a mask, and what is asked about the pictures that come in.
import assert from 'node:assert/strict';
import { openAny } from '../../www/actions/open.js';
import { looksLikeMask, transparency } from '../../www/document/mask_file.js';
import { random } from './random.mjs';

const [WIDTH, HEIGHT] = [40, 30];

/** @param {(x: number, y: number) => number[]} colour */
function rgba(colour) {
  return Uint8Array.from({ length: WIDTH * HEIGHT }, (_, i) => i).reduce((out, _, i) => (out.set(colour(i % WIDTH, Math.floor(i / WIDTH)), i * 4), out), new Uint8Array(WIDTH * HEIGHT * 4));
}

const next = random(5);
const noise = () => rgba(() => [next() * 255, next() * 255, next() * 255, 255]);
const mask = () => rgba((x) => (x < 10 ? [255, 255, 255, 255] : [0, 0, 0, 255]));

export function a_mask_is_told_from_a_photo() {
  assert.ok(looksLikeMask(mask()));
  assert.ok(looksLikeMask(rgba((x) => (x < 10 ? [250, 4, 3, 255] : [6, 2, 9, 255]))), 'red on black, with the noise of JPEG');
  assert.ok(!looksLikeMask(noise()));
  assert.ok(!looksLikeMask(rgba(() => [0, 0, 0, 255])) && !looksLikeMask(rgba(() => [255, 255, 255, 255])), 'one colour');
  assert.ok(!looksLikeMask(rgba((x) => [x * 6, x * 6, x * 6, 255])), 'a ramp');
}

export function transparent_pixels_are_those_that_are_less_than_half_there() {
  const plane = transparency({ rgba: rgba((x, y) => [1, 2, 3, y === 4 ? x * 6 : 255]), width: WIDTH, height: HEIGHT });
  assert.deepEqual(plane?.bounds(), { x: 0, y: 4, width: 22, height: 1 });
  assert.equal(transparency({ rgba: noise(), width: WIDTH, height: HEIGHT }), null);
  assert.equal(transparency({ rgba: new Uint8Array(WIDTH * HEIGHT * 4), width: WIDTH, height: HEIGHT }), null, 'nothing else is there');
}

/**
 * Gives pictures to the page, by name, and says what happened.
 * @param {Record<string, Uint8Array>} pictures @param {{open?: Uint8Array, answer?: string}} [how]
 */
async function give(pictures, { open, answer = 'yes' } = {}) {
  const happened = /** @type {string[]} */ ([]);
  const png = new Uint8Array([0x89, 0x50, 0x4e, 0x47]);
  const files = Object.keys(pictures).map((name) => new File([png], name));
  const document = () => ({ photo: { width: WIDTH, height: HEIGHT, rgba: open, hasAlpha: false }, mask: { width: WIDTH, height: HEIGHT }, history: { isUnsaved: false }, loadMask: () => happened.push('masked') });
  /** @type {any} */
  const app = {
    document: open ? document() : null,
    settings: { isKeeping: false },
    run: null,
    opening: null,
    state: { opened() {} },
    decoder: {
      request: async (/** @type {any} */ { kind, blob }) => kind === 'decode-photo'
        ? { width: WIDTH, height: HEIGHT, rgba: pictures[blob.name].slice(), hasAlpha: false, isGray: false, notes: [] }
        : { holes: new Uint8Array(WIDTH * HEIGHT), channel: 'luma', share: 0.25, softPixels: 0, isTurned: false, isPlain: true },
    },
    say() {},
    hint() {},
    begin: () => () => {},
    fail: (/** @type {string} */ words) => happened.push(words),
    mention: (/** @type {string} */ words) => happened.push(words),
  };
  /** @type {any} */
  const page = {
    show: (/** @type {any} */ photo) => {
      happened.push(`opened ${photo.name}`);
      app.document = { ...document(), photo };
    },
    canDraw: () => true,
    ask: async (/** @type {any} */ question) => (happened.push(question.text), answer === 'yes'),
    choose: async (/** @type {any} */ question) => (happened.push(question.text), answer),
  };
  await openAny(app, page, files);
  return happened;
}

export async function pictures_that_come_in_are_opened_taken_as_masks_or_told() {
  const photo = noise();
  const about = 'm.png looks like a mask of this photo. Use it as one?';
  assert.deepEqual(await give({ 'm.png': mask() }), ['opened m.png'], 'nothing else is open');
  assert.deepEqual(await give({ 'm.png': mask() }, { open: photo }), [about, 'masked']);
  assert.deepEqual(await give({ 'm.png': mask() }, { open: photo, answer: 'no' }), [about, 'opened m.png']);
  assert.deepEqual(await give({ 'm.png': mask() }, { open: photo, answer: 'none' }), [about]);
  assert.deepEqual(await give({ 'b.png': noise() }, { open: photo }), ['opened b.png'], 'another photo');
  const beside = 'm.png looks like the mask of a.png. Use it as one?';
  for (const both of [{ 'a.png': photo, 'm.png': mask() }, { 'm.png': mask(), 'a.png': photo }]) {
    assert.deepEqual(await give(both), [beside, 'opened a.png', 'masked']);
    assert.deepEqual(await give(both, { answer: 'no' }), [beside, 'opened a.png']);
  }
  assert.match((await give({ 'a.png': photo, 'b.png': noise() })).join(' '), /^opened a\.png You gave 2 pictures/);
  assert.match((await give({ 'a.png': photo, 'b.png': noise(), 'm.png': mask() })).join(' '), /^opened a\.png You gave 3 pictures/);
}
