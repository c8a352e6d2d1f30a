// Masks from elsewhere: read in the way that makes most sense or in another, and asked about where they are dropped.
import { PNG } from 'pngjs';
import { check, decode, file, hand, photo } from './page.mjs';

/** @typedef {import('./page.mjs').Visitor} Visitor */

const [WIDTH, HEIGHT] = [200, 150];

/** A picture as a PNG. @param {string} name @param {(x: number, y: number) => number[]} colour */
function picture(name, colour) {
  const png = new PNG({ width: WIDTH, height: HEIGHT });
  for (let y = 0; y < HEIGHT; y++) for (let x = 0; x < WIDTH; x++) png.data.set(colour(x, y), (y * WIDTH + x) * 4);
  return file(name, PNG.sync.write(png), 'image/png');
}

/** Whether a pixel lies in the hole: 50 by 40. @param {number} x @param {number} y */
const isHole = (x, y) => x >= 60 && x < 110 && y >= 50 && y < 90;
const HOLE = 50 * 40;
const white = [255, 255, 255, 255];
const black = [0, 0, 0, 255];
const plain = () => picture('mask.png', (x, y) => (isHole(x, y) ? white : black));

/** @param {Visitor} v */
async function masked(v) {
  return decode((await v.save('Save mask')).bytes).data.reduce((sum, value, i) => sum + Number(i % 4 === 0 && value > 127), 0);
}

/** @param {Visitor} v */
const openPhoto = (v) => v.openPhoto(file('photo.png', photo(WIDTH, HEIGHT), 'image/png'));

/** More than half of the photo: it is more likely meant the other way round. @param {Visitor} v */
export async function a_mask_of_most_of_the_photo_is_shown_before_it_is_taken(v) {
  await openPhoto(v);
  await v.give('Load mask', picture('mask.png', (x, y) => (isHole(x, y) ? black : white)));
  await v.page.getByRole('button', { name: /^What is dark/ }).click();
  await v.says(/Mask loaded.*dark, 7 %/);
  check((await masked(v)) === HOLE, `${await masked(v)} pixels are masked`);
  await v.give('Load mask', picture('mask.png', (x, y) => (isHole(x, y) ? black : white)));
  await v.button('None of these').click();
  await v.says(/stays as it was/);
  check((await masked(v)) === HOLE, 'the mask did not stay');
  await v.quiet();
}

/** @param {Visitor} v */
export async function a_mask_in_the_transparency_is_found_and_can_be_read_otherwise(v) {
  await openPhoto(v);
  await v.give('Load mask', picture('mask.png', (x, y) => (isHole(x, y) ? white : [255, 255, 255, 0])));
  await v.says(/Mask loaded.*transparency/);
  await v.button('Read it otherwise').click();
  await v.page.getByRole('button', { name: /^What is transparent, 93 %/ }).click();
  await v.says(/Mask loaded.*transparent/);
  check((await masked(v)) === WIDTH * HEIGHT - HOLE, 'the other reading was not taken');
  await v.button('Undo').click();
  check((await masked(v)) === HOLE, 'undo does not lead back to the first reading');
  await v.quiet();
}

/** @param {Visitor} v */
export async function a_mask_dropped_onto_a_photo_is_asked_about(v) {
  await openPhoto(v);
  await hand(v, 'drop', [plain()]);
  await v.button('As the mask').click();
  await v.says(/Mask loaded/);
  check((await masked(v)) === HOLE, 'it is not the mask');
  await hand(v, 'drop', [plain()]);
  await v.button('Open as a photo').click();
  await v.button('Open it').click();
  await v.says(/mask\.png, 200/);
  check(await v.button('Save mask').isDisabled(), 'the mask of the photo before is still there');
  await v.quiet();
}

/** In whichever order they come. @param {Visitor} v */
export async function a_photo_and_its_mask_are_dropped_together(v) {
  await hand(v, 'drop', [plain(), file('holiday.png', photo(WIDTH, HEIGHT), 'image/png')]);
  await v.button('Use the mask').click();
  await v.says(/Mask loaded/);
  check((await masked(v)) === HOLE, 'the mask was not taken');
  await v.inpaint();
  await v.quiet();
}

/** @param {Visitor} v */
export async function of_several_photos_the_first_is_opened_and_that_is_said(v) {
  await hand(v, 'drop', ['a', 'b', 'c'].map((name) => file(`${name}.png`, photo(WIDTH, HEIGHT), 'image/png')));
  await v.says(/You gave 3 pictures.*a\.png/);
  await v.quiet();
}

/** @param {Visitor} v */
export async function the_transparency_of_a_photo_is_offered_as_its_mask(v) {
  await v.openPhoto(picture('cut.png', (x, y) => [90 + (x % 40), 120, 60 + (y % 50), isHole(x, y) ? 0 : 255]));
  await v.button('Use its transparency as the mask').click();
  await v.says(/transparent is masked/);
  check((await masked(v)) === HOLE, `${await masked(v)} pixels are masked`);
  await v.inpaint();
  await v.quiet();
}
