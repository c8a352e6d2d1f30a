// Photos that are not plain sRGB: what is stored is shown as what it means, and comes back as it was.
import { deflateSync, inflateSync } from 'node:zlib';
import { check, compare, decode, file, photo } from './page.mjs';

/** @typedef {import('./page.mjs').Visitor} Visitor */

/** Paints a scene in Display P3 with the browser's own encoder. @param {Visitor} v @param {string} type */
async function widePhoto(v, type) {
  const bytes = await v.page.evaluate(async (type) => {
    const canvas = new OffscreenCanvas(320, 240);
    const context = canvas.getContext('2d', { colorSpace: 'display-p3' });
    if (!context) throw new Error('no Display P3 canvas');
    // Outside sRGB.
    context.fillStyle = 'color(display-p3 1 0 0)';
    context.fillRect(0, 0, 320, 240);
    for (let i = 0; i < 200; i++) {
      context.fillStyle = `color(display-p3 ${(i * 37 % 100) / 100} ${(i * 61 % 100) / 100} 0.1)`;
      context.fillRect((i * 97) % 320, 60 + ((i * 53) % 180), 14, 9);
    }
    const blob = await canvas.convertToBlob({ type, quality: 0.9 });
    return [...new Uint8Array(await blob.arrayBuffer())];
  }, type);
  return Buffer.from(bytes);
}

/** The ICC profile of a PNG, or the JPEG's, which here is one segment. @param {Buffer} bytes */
function profile(bytes) {
  if (bytes[0] === 0x89) {
    for (let at = 8; at < bytes.length; at += 12 + bytes.readUInt32BE(at)) {
      if (bytes.toString('latin1', at + 4, at + 8) !== 'iCCP') continue;
      const chunk = bytes.subarray(at + 8, at + 8 + bytes.readUInt32BE(at));
      return inflateSync(chunk.subarray(chunk.indexOf(0) + 2));
    }
    return undefined;
  }
  const at = bytes.indexOf('ICC_PROFILE\0');
  return at < 0 ? undefined : bytes.subarray(at + 14, at - 2 + bytes.readUInt16BE(at - 2));
}

/** Share of the page's picture that is Display P3's own red; as sRGB's it would read 234, 51, 35. @param {Visitor} v */
async function redShown(v) {
  return v.page.locator('canvas.photo').evaluate((element) => {
    const canvas = /** @type {HTMLCanvasElement} */ (element);
    // A copy, which browsers convert as they do for the screen.
    const copy = new OffscreenCanvas(canvas.width, canvas.height).getContext('2d', { colorSpace: 'display-p3', willReadFrequently: true });
    if (!copy) throw new Error('no Display P3 canvas');
    copy.drawImage(canvas, 0, 0);
    const { data } = copy.getImageData(0, 0, canvas.width, canvas.height);
    let [red, all] = [0, 0];
    for (let at = 0; at < data.length; at += 4) {
      all += Number(data[at + 3] === 255);
      red += Number(data[at + 3] === 255 && data[at] > 250 && data[at + 1] < 8);
    }
    return red / all;
  });
}

/** @param {Visitor} v */
export async function a_wide_gamut_photo_keeps_its_colours(v) {
  for (const [type, name] of [['image/png', 'wide.png'], ['image/jpeg', 'wide.jpg']]) {
    const image = await widePhoto(v, type);
    const wanted = profile(image);
    check(wanted, `${name}: the browser wrote no profile`);
    await v.openPhoto(file(name, image, type));
    const red = await redShown(v);
    check(red > 0.3, `${name}: only ${red} of the picture is shown as Display P3's red`);
    const before = decode((await v.saveAs(type === 'image/png' ? 'source' : 'png')).bytes);
    check(before.data[0] > 250 && before.data[1] < 5, `${name}: a pixel was converted to ${before.data.subarray(0, 3).join(', ')}`);
    await v.paint([[-40, 30], [40, 40]]);
    const mask = decode((await v.save('Save mask')).bytes);
    await v.inpaint();
    const saved = (await v.save('Save image')).bytes;
    const kept = profile(saved);
    check(kept && wanted && Buffer.compare(kept, wanted) === 0, `${name}: the profile is not the photo's`);
    const change = compare(before, decode(saved), mask);
    check(change.holes > 100 && change.inside > 0 && change.outside === 0, `${name}: ${JSON.stringify(change)}`);
  }
  await v.quiet();
}

/** PNG's check sum: Node has it from 20.15 on only. @param {Buffer} bytes */
function crc32(bytes) {
  let crc = ~0;
  for (const byte of bytes) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit++) crc = (crc >>> 1) ^ (crc & 1 ? 0xedb88320 : 0);
  }
  return ~crc >>> 0;
}

/** A PNG that says it is in Display P3, without the tables of a real profile. */
function namedP3() {
  const png = photo(120, 80);
  const icc = Buffer.concat([Buffer.alloc(128), Buffer.from('desc Display P3')]);
  const body = Buffer.concat([Buffer.from('iCCPDisplay P3\0\0'), deflateSync(icc)]);
  const chunk = Buffer.alloc(body.length + 8);
  chunk.writeUInt32BE(body.length - 4);
  body.copy(chunk, 4);
  chunk.writeUInt32BE(crc32(body), body.length + 4);
  // Behind the header's chunk, which ends at byte 33.
  return Buffer.concat([png.subarray(0, 33), chunk, png.subarray(33)]);
}

/** Not every browser draws Display P3: then the page says so, and everything else is the same. @param {Visitor} v */
export async function a_display_p3_photo_opens_in_every_engine(v) {
  const image = namedP3();
  await v.openPhoto(file('wide.png', image, 'image/png'));
  await v.says(/120 .* 80/);
  const isDrawn = await v.evaluate(() => {
    try {
      return new ImageData(1, 1, { colorSpace: 'display-p3' }).colorSpace === 'display-p3';
    } catch {
      return false;
    }
  });
  check(/paler/.test(await v.status()) === !isDrawn, `Display P3 is ${isDrawn ? '' : 'not '}drawn, and the page says: ${await v.status()}`);
  // Tiles are drawn frame by frame.
  await v.until(() => {
    const canvas = /** @type {HTMLCanvasElement} */ (document.querySelector('canvas.photo'));
    return canvas.getContext('2d')?.getImageData(canvas.width / 2, canvas.height / 3, 1, 1).data[3] === 255;
  });
  const saved = (await v.save('Save image')).bytes;
  check(profile(saved)?.includes('Display P3'), 'the profile is lost');
  check(Buffer.compare(decode(saved).data, decode(image).data) === 0, 'pixels were converted');
  await v.quiet();
}
