// The file as it came: format, blocks, metadata and 16 bits, and the ways out of the page.
import { execFileSync } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { PNG } from 'pngjs';
import { check, compare, decode, file, OUT, photo, ROOT, write } from './page.mjs';

/** @typedef {import('./page.mjs').Visitor} Visitor */

const FILES = `${ROOT}tests/reference/metadata/`;
/** Pixels that a block of halved chroma, and what decoders interpolate beside it, reach beyond the hole. */
const REACH = 16;

/** Segments of a JPEG before its first scan: marker and data. @param {Buffer} bytes */
function segments(bytes) {
  const found = [];
  for (let at = 2; bytes[at + 1] !== 0xda; at += 2 + bytes.readUInt16BE(at + 2)) found.push({ marker: bytes[at + 1], data: bytes.subarray(at + 4, at + 2 + bytes.readUInt16BE(at + 2)) });
  return found;
}

/** Those of metadata and comments. @param {Buffer} bytes */
const told = (bytes) => segments(bytes).filter(({ marker }) => marker >= 0xe0);
/** Quantisation tables and frame, which say how it is encoded. @param {Buffer} bytes */
const coding = (bytes) => Buffer.concat(segments(bytes).filter(({ marker }) => marker === 0xdb || (marker >= 0xc0 && marker <= 0xc2)).map(({ data }) => data));

/** A sample with the metadata of a camera: turned by EXIF, with a place, a thumbnail, XMP, IPTC and a profile. */
async function camera() {
  const sample = await readFile(`${ROOT}www/samples/sheep.jpg`);
  const meta = told(await readFile(`${FILES}photo-6.jpg`)).map(({ marker, data }) => {
    const head = Buffer.from([0xff, marker, 0, 0]);
    head.writeUInt16BE(data.length + 2, 2);
    return Buffer.concat([head, data]);
  });
  const rest = segments(sample).filter(({ marker }) => marker >= 0xe0).reduce((at, { data }) => at + data.length + 4, 2);
  return file('sheep.jpg', Buffer.concat([sample.subarray(0, 2), ...meta, sample.subarray(rest)]), 'image/jpeg');
}

/** Pixels as the browser shows a file. @param {Visitor} v @param {Buffer} bytes @returns {Promise<{width: number, height: number, data: Buffer}>} */
async function shown(v, bytes) {
  const { width, height, base64 } = await v.evaluate(async (base64) => {
    const image = new Image();
    image.src = URL.createObjectURL(new Blob([Uint8Array.from(atob(base64), (c) => c.charCodeAt(0))]));
    await image.decode();
    const canvas = Object.assign(document.createElement('canvas'), { width: image.naturalWidth, height: image.naturalHeight });
    const context = canvas.getContext('2d', { willReadFrequently: true });
    context?.drawImage(image, 0, 0);
    URL.revokeObjectURL(image.src);
    const { data } = /** @type {CanvasRenderingContext2D} */ (context).getImageData(0, 0, canvas.width, canvas.height);
    let text = '';
    for (let at = 0; at < data.length; at += 8192) text += String.fromCharCode(...data.subarray(at, at + 8192));
    return { width: canvas.width, height: canvas.height, base64: btoa(text) };
  }, bytes.toString('base64'));
  return { width, height, data: Buffer.from(base64, 'base64') };
}

/** The mask, with everything within that many pixels of it. @param {PNG} mask @param {number} reach */
function widened(mask, reach) {
  const out = new PNG({ width: mask.width, height: mask.height });
  for (let y = 0; y < mask.height; y++) {
    for (let x = 0; x < mask.width; x++) {
      if (mask.data[(y * mask.width + x) * 4] <= 127) continue;
      for (let dy = Math.max(0, y - reach); dy <= Math.min(mask.height - 1, y + reach); dy++) {
        const at = (dy * mask.width + Math.max(0, x - reach)) * 4;
        out.data.fill(255, at, (dy * mask.width + Math.min(mask.width - 1, x + reach) + 1) * 4);
      }
    }
  }
  return out;
}

/** Fills a hole; returns its mask. @param {Visitor} v @param {{name: string, mimeType: string, buffer: Buffer}} image */
async function filled(v, image) {
  await v.openPhoto(image);
  await v.paint([[-20, -15], [15, 10]]);
  const mask = (await v.save('Save mask')).bytes;
  await v.inpaint();
  return mask;
}

/** @param {Visitor} v */
export async function a_jpeg_comes_back_as_it_came(v) {
  const image = await camera();
  const mask = await filled(v, image);
  const { name, bytes } = await v.save('Save image');
  check(name === 'sheep-infill.jpg', `it is called ${name}`);
  const [before, after] = [await shown(v, image.buffer), await shown(v, bytes)];
  const near = widened(decode(mask), REACH);
  check(near.width === before.width && before.width < before.height, 'the photo is not turned: this test shows less');
  const change = compare(before, after, near);
  check(change.inside > 500, 'the fill is not in the file');
  check(change.outside === 0, `${change.outside} values far from the hole changed`);
  // What the command line writes beside the pixels, byte for byte.
  const [photoFile, maskFile, output] = ['camera.jpg', 'camera-mask.png', 'camera-native.jpg'].map((each) => `${OUT}${each}`);
  await Promise.all([write(photoFile, image.buffer), write(maskFile, mask)]);
  execFileSync(/** @type {string} */ (process.env.INFILL), ['inpaint', '--image', photoFile, '--mask', maskFile, '--output', output, '--model', 'none']);
  const native = await readFile(output);
  check(told(bytes).length > 4 && Buffer.compare(Buffer.concat(told(bytes).map(({ data }) => data)), Buffer.concat(told(native).map(({ data }) => data))) === 0, 'page and command line write other metadata');
  check(Buffer.compare(coding(bytes), coding(image.buffer)) === 0, 'it is encoded in another way than its source');
  for (const word of ['Camera', 'Vienna', 'A caption']) check(bytes.includes(word), `${word} is lost`);
  await v.quiet();
}

/** Lines of the dialog, once the file is ready. @param {Visitor} v */
async function lines(v) {
  await v.page.locator('#saving:not([data-busy]) li').first().waitFor();
  return (await v.page.locator('#saving li').allInnerTexts()).join(' ');
}

/** @param {Visitor} v */
export async function a_jpeg_is_encoded_anew_where_that_is_chosen(v) {
  const image = await camera();
  const mask = await filled(v, image);
  await v.button('How to save').click();
  check(/Every block of the JPEG.*profile is kept.*EXIF, XMP, and IPTC are kept.*tells where/.test(await lines(v)), `the dialog says ${await lines(v)}`);
  const kept = await v.page.locator('#saving .made').innerText();
  check(/sheep-infill\.jpg\s+\d+ KB; it came with \d+ KB/.test(kept), `the dialog shows ${kept}`);
  await v.control('combobox', 'Format').selectOption('jpg');
  await v.page.getByLabel('Quality, 1 to 100').fill('35');
  await v.page.keyboard.press('Tab');
  await v.until(() => /at quality 35\./.test(document.querySelector('#saving ul')?.textContent ?? ''));
  await lines(v);
  const { bytes } = await v.save('Save');
  await v.says(/Saved as sheep-infill\.jpg/);
  check(Buffer.compare(coding(bytes), coding(image.buffer)) !== 0 && bytes.length < image.buffer.length, 'it is not encoded anew');
  // Blocks that were encoded anew are seen: so the test of those that are kept could fail.
  const change = compare(await shown(v, image.buffer), await shown(v, bytes), widened(decode(mask), REACH));
  check(change.outside > 10_000, `only ${change.outside} values far from the hole changed`);
  check(bytes.includes('Camera'), 'EXIF is lost');
  // The quality is remembered, the format belongs to the photo.
  await v.open();
  await v.openPhoto(image);
  await v.button('How to save').click();
  check((await v.page.getByRole('combobox', { name: 'Format' }).inputValue()) === 'source', 'the format of another photo is chosen');
  await lines(v);
  await v.control('combobox', 'Format').selectOption('jpg');
  check((await v.page.getByLabel('Quality, 1 to 100').inputValue()) === '35', 'the quality is forgotten');
  await v.page.keyboard.press('Escape');
  await v.quiet();
}

/** @param {Visitor} v */
export async function the_place_is_left_out_where_that_is_chosen(v) {
  const box = v.page.getByLabel('Leave out the place it was taken');
  await v.openPhoto(file('plain.png', photo(200, 150), 'image/png'));
  await v.button('How to save').click();
  await lines(v);
  check(!(await box.isVisible()), 'a photo without a place is asked about it');
  await v.page.keyboard.press('Escape');
  for (const name of ['photo-6.jpg', 'photo.png', 'photo.webp']) {
    const source = await readFile(`${FILES}${name}`);
    check(source.includes('Vienna'), `${name} tells no place: this test shows nothing`);
    await v.openPhoto(file(name, source, ''));
    await v.button('How to save').click();
    await box.waitFor();
    check((await box.isChecked()) === (name !== 'photo-6.jpg'), 'the choice is not remembered');
    await box.check();
    await v.until(() => /place it was taken is left out/.test(document.querySelector('#saving ul')?.textContent ?? ''));
    const dialog = (await v.save('Save')).bytes;
    // And from then on without the dialog.
    const { bytes } = await v.save('Save image');
    await v.says(/Saved as.*place it was taken is left out/);
    check(Buffer.compare(dialog, bytes) === 0, `${name}: the dialog saves another file than the button`);
    check(!bytes.includes('Vienna') && !bytes.includes('GPSL'), `${name}: the place is still there`);
    check(bytes.includes('Camera'), `${name}: EXIF is lost with the place`);
  }
  await v.quiet();
}

/** @param {Visitor} v */
export async function sixteen_bits_stay_where_nothing_is_filled(v) {
  const source = await readFile(`${FILES}ramp-rgb16.png`);
  await v.openPhoto(file('ramp.png', source, 'image/png'));
  await v.says(/16 bits.*keeps its 16/);
  // A hole that its fill does not equal: the ramp is darker there.
  await v.paint([[-20, 0], [20, 0]]);
  const mask = decode((await v.save('Save mask')).bytes);
  await v.inpaint();
  const { name, bytes } = await v.save('Save image');
  check(name === 'ramp-infill.png' && bytes[24] === 16, `${name} has ${bytes[24]} bits`);
  const [before, after] = [source, bytes].map((each) => PNG.sync.read(each, { skipRescale: true }));
  const values = [before, after].map(({ data }) => /** @type {any} */ (data));
  let [outside, deep] = [0, 0];
  for (let at = 0; at < mask.width * mask.height; at++) {
    for (let c = 0; c < 3; c++) {
      if (mask.data[at * 4] <= 127) outside += Number(values[0][at * 4 + c] !== values[1][at * 4 + c]);
      deep += Number(values[1][at * 4 + c] % 257 !== 0);
    }
  }
  check(outside === 0, `${outside} values of 16 bits changed outside the hole`);
  check(deep > 1000, 'the values are those of 8 bits');
  await v.button('How to save').click();
  check(/keeps its 16 bits/.test(await lines(v)), await lines(v));
  await v.control('combobox', 'Format').selectOption('webp');
  await v.until(() => /8 bits a channel/.test(document.querySelector('#saving ul')?.textContent ?? ''));
  await v.page.keyboard.press('Escape');
  await v.quiet();
}

/** @param {Visitor} v */
export async function a_webp_comes_back_as_a_webp_and_others_become_one(v) {
  for (const [name, type] of [['photo.webp', 'image/webp'], ['photo.png', 'image/png']]) {
    const source = await readFile(`${FILES}${name}`);
    await filled(v, file(name, source, type));
    const { name: savedAs, bytes } = name === 'photo.webp' ? await v.save('Save image') : await v.saveAs('webp');
    check(savedAs === 'photo-infill.webp' && bytes.toString('latin1', 8, 12) === 'WEBP', `saved as ${savedAs}`);
    check(bytes.includes('Camera'), `${name}: EXIF is lost`);
    if (name === 'photo.png') await v.says(/text in its file is left out.*colours/);
    // Without loss: as the PNG, and where that says more of its colours than a WebP can, as its numbers.
    const png = (await v.saveAs(name === 'photo.webp' ? 'png' : 'source')).bytes;
    const exact = name === 'photo.webp' ? await shown(v, png) : decode(png);
    const change = compare(await shown(v, bytes), exact, new PNG({ width: exact.width, height: exact.height }));
    check(exact.width === 32 && change.outside === 0, `${name}: ${JSON.stringify(change)}`);
  }
  await v.quiet();
}

/** The browser decodes what infill does not: a format of its own is offered, and what is lost is said. @param {Visitor} v */
export async function a_photo_of_another_format_becomes_a_png(v) {
  const { data } = decode(photo(80, 60));
  const bmp = Buffer.alloc(54 + 80 * 60 * 4);
  bmp.write('BM');
  bmp.writeUInt32LE(bmp.length, 2);
  for (const [at, value] of [[10, 54], [14, 40], [18, 80], [22, -60]]) bmp.writeInt32LE(value, at);
  bmp.writeUInt16LE(1, 26);
  bmp.writeUInt16LE(32, 28);
  for (let i = 0; i < 80 * 60; i++) bmp.set([data[i * 4 + 2], data[i * 4 + 1], data[i * 4], 255], 54 + i * 4);
  await v.openPhoto(file('old.bmp', bmp, 'image/bmp'));
  await v.says(/the browser decoded it/);
  const { name, bytes } = await v.save('Save image');
  check(name === 'old-infill.png', `it is called ${name}`);
  check(Buffer.compare(decode(bytes).data, data) === 0, 'pixels changed');
  await v.says(/is left out: infill does not read this format/);
  await v.button('How to save').click();
  await lines(v);
  const offered = await v.page.getByRole('combobox', { name: 'Format' }).locator('option').allInnerTexts();
  check(offered.join() === 'PNG,JPEG,WebP, without loss', `offered are ${offered}`);
  await v.page.keyboard.press('Escape');
  await v.quiet();
}

/** A CMYK JPEG cannot keep its blocks: why, and at which quality it is encoded, is said. @param {Visitor} v */
export async function a_jpeg_that_cannot_keep_its_blocks_is_encoded_at_its_own_quality(v) {
  await v.openPhoto(file('print.jpg', await readFile(`${ROOT}tests/hostile/pictures/jpeg-cmyk.jpg`), 'image/jpeg'));
  const { name, bytes } = await v.save('Save image');
  check(name === 'print-infill.jpg' && bytes[0] === 0xff, `saved as ${name}`);
  await v.says(/encoded anew, at quality \d+, because it is no JPEG of one or three components/);
  await v.quiet();
}

/** @param {Visitor} v */
export async function the_picture_is_copied(v) {
  await v.page.context().grantPermissions(['clipboard-read', 'clipboard-write']);
  const image = await camera();
  await v.openPhoto(image);
  const exact = decode((await v.saveAs('png')).bytes);
  const onClipboard = async () => {
    const { width, height } = await v.page.evaluate(async () => {
      const [item] = await navigator.clipboard.read();
      const { width, height } = await createImageBitmap(await item.getType('image/png'));
      return { width, height };
    });
    return { width, height };
  };
  await v.page.getByRole('application').focus();
  await v.page.keyboard.press('Control+c');
  await v.says(/The picture is copied/);
  const copied = await onClipboard();
  check(copied.width === exact.width && copied.height === exact.height, `${copied.width}x${copied.height} were copied`);
  await v.page.evaluate(() => navigator.clipboard.writeText('none'));
  await v.button('How to save').click();
  await lines(v);
  await v.button('Copy').click();
  await v.says(/The picture is copied/);
  check((await onClipboard()).width === exact.width, 'the button copies nothing');
  check(!(await v.page.locator('#saving').isVisible()), 'the dialog hides what is said');
  await v.quiet();
}

/** A browser that hands files to other apps, as phones do. @param {Visitor} v */
export async function the_file_is_shared_where_there_is_sharing(v) {
  await v.openPhoto(file('plain.png', photo(200, 150), 'image/png'));
  await v.button('How to save').click();
  await lines(v);
  if (!(await v.evaluate(() => 'share' in navigator))) check(!(await v.button('Share').isVisible()), 'sharing is offered where there is none');
  await v.page.addInitScript(() => {
    const shared = /** @type {{name: string, type: string, size: number}[]} */ ([]);
    Object.assign(window, { shared, refuse: '' });
    Object.assign(Navigator.prototype, {
      canShare: (/** @type {any} */ { files }) => files?.length === 1,
      share: async (/** @type {any} */ { files }) => {
        const { refuse } = /** @type {any} */ (window);
        if (refuse) throw new DOMException('no', refuse);
        shared.push(...files.map((/** @type {File} */ { name, type, size }) => ({ name, type, size })));
      },
    });
  });
  await v.page.setViewportSize({ width: 390, height: 844 });
  await v.open();
  const mask = await filled(v, await camera());
  check(mask.length > 0, 'no mask');
  await v.button('Save or share').click();
  await lines(v);
  await v.screenshot('narrow-saving');
  await v.page.evaluate(() => { /** @type {any} */ (window).refuse = 'AbortError'; });
  await v.button('Share').click();
  check(await v.button('Share').isVisible(), 'the dialog is gone although nothing was shared');
  check((await v.state()) === 'done', 'closing the sheet is an error');
  await v.page.evaluate(() => { /** @type {any} */ (window).refuse = 'NotAllowedError'; });
  await v.button('Share').click();
  await v.says(/could not be handed over/);
  await v.save('Save it');
  await v.says(/Saved as sheep-infill\.jpg/);
  await v.page.evaluate(() => { /** @type {any} */ (window).refuse = ''; });
  await v.button('Save or share').click();
  await lines(v);
  await v.button('Share').click();
  await v.says(/was handed over/);
  const [shared, size] = await v.page.evaluate(() => [/** @type {any} */ (window).shared, document.querySelector('#saving')?.hasAttribute('open')]);
  check(shared.length === 1 && shared[0].name === 'sheep-infill.jpg' && shared[0].type === 'image/jpeg' && shared[0].size > 10_000 && !size, JSON.stringify(shared));
  await v.quiet();
}

/** @param {Visitor} v */
export async function the_file_is_dragged_out_of_the_page(v) {
  const image = await camera();
  await v.openPhoto(image);
  await v.button('How to save').click();
  await lines(v);
  const carried = await v.page.evaluate(async () => {
    const picture = /** @type {HTMLImageElement} */ (document.querySelector('#saving img'));
    await picture.decode();
    const data = new DataTransfer();
    picture.dispatchEvent(new DragEvent('dragstart', { dataTransfer: data, bubbles: true }));
    // Over the page, it is no file that wants to be opened.
    data.items.add(new File(['x'], 'x.png', { type: 'image/png' }));
    picture.dispatchEvent(new DragEvent('dragover', { dataTransfer: data, bubbles: true, cancelable: true }));
    const isCovered = !(/** @type {HTMLElement} */ (document.querySelector('#dragging')).hidden);
    picture.dispatchEvent(new DragEvent('dragend', { bubbles: true }));
    return { address: data.getData('DownloadURL'), src: picture.src, size: [picture.naturalWidth, picture.naturalHeight], isCovered };
  });
  check(carried.address === `image/jpeg:sheep-infill.jpg:${carried.src}` && carried.src.startsWith('blob:'), `it carries ${carried.address}`);
  check(carried.size[0] > 0 && carried.size[0] < carried.size[1], 'what is dragged is not the photo');
  check(!carried.isCovered, 'the page takes its own picture for a new one');
  await v.page.keyboard.press('Escape');
  await v.quiet();
}

/** @param {Visitor} v */
export async function everything_about_saving_is_done_by_keyboard(v) {
  await v.openPhoto(await camera());
  await v.page.getByRole('application').focus();
  await v.page.keyboard.press('Control+Shift+s');
  await lines(v);
  const visited = [];
  for (let presses = 0; presses < 8; presses++) {
    visited.push(await v.page.evaluate(() => document.activeElement?.id || document.activeElement?.textContent || document.activeElement?.getAttribute('aria-label')));
    await v.page.keyboard.press('Tab');
  }
  for (const stop of ['save-format', 'without-place', 'Copy', 'Save']) check(visited.includes(stop), `Tab does not reach ${stop}: ${visited}`);
  await v.page.locator('#save-format').focus();
  await v.page.keyboard.press('p');
  await v.until(() => /\.png/.test(document.querySelector('#saving .made')?.textContent ?? ''));
  const { name } = await v.driver.download(() => v.page.keyboard.press('Control+s'));
  check(name === 'sheep-infill.png', `Ctrl+S in the dialog saves ${name}`);
  check(!(await v.page.locator('#saving').isVisible()), 'the dialog stays');
  await v.page.keyboard.press('Control+Shift+s');
  await lines(v);
  await v.page.keyboard.press('Escape');
  check((await v.page.evaluate(() => document.activeElement?.id)) === 'canvas', 'the focus is lost');
  await v.quiet();
}

/** @param {Visitor} v */
export async function without_the_build_that_saves_a_photo_is_saved_as_a_png(v) {
  await v.page.route('**/pkg/saving/**', (route) => route.fulfill({ status: 204 }));
  const image = await camera();
  await filled(v, image);
  const { name, bytes } = await v.save('Save image');
  check(name === 'sheep-infill.png' && decode(bytes).width > 100, `saved as ${name}`);
  await v.says(/this is a PNG of the picture alone/);
  await v.button('How to save').click();
  check(/PNG of the picture alone/.test(await lines(v)), await lines(v));
  await v.save('Save');
  await v.quiet();
}

/** The photo lives on the page; what its file told does not. @param {Visitor} v */
export async function a_photo_whose_file_is_gone_is_saved_and_that_is_said(v) {
  const folder = await mkdtemp(`${tmpdir()}/infill-`);
  try {
    await writeFile(`${folder}/sheep.jpg`, (await camera()).buffer);
    await v.give('Open photo', `${folder}/sheep.jpg`);
    await v.reaches(['ready']);
    await v.paint([[-20, -15], [15, 10]]);
    await v.inpaint();
    await rm(`${folder}/sheep.jpg`);
    const { name, bytes } = await v.save('Save image');
    check(name === 'sheep-infill.png' && decode(bytes).width > 100, `saved as ${name}`);
    await v.says(/moved or changed/);
  } finally {
    await rm(folder, { recursive: true });
  }
  await v.quiet();
}
