// What the page shows of networks: edges that are drawn, scores, inputs, values, and answers from a file alone.
import { execFileSync } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { check, compare, decode, file, OUT, pause, photo, ROOT, safetensors, defaultShapes, write } from './page.mjs';

/** @typedef {import('./page.mjs').Visitor} Visitor */

const NETWORKS = `${ROOT}tests/reference/networks/`;
const EDGECONNECT = `${NETWORKS}edgeconnect-inpaint.pth`;

/** Text of the panel, once it matches. @param {Visitor} v @param {RegExp} pattern */
async function panelSays(v, pattern) {
  await v.page.waitForFunction(([source, flags]) => new RegExp(source, flags).test(document.querySelector('#panel')?.textContent ?? ''), [pattern.source, pattern.flags]);
}

/** Pixels of the layer above the mask that are not empty. @param {Visitor} v */
function overlayPixels(v) {
  return v.evaluate(() => [...document.querySelectorAll('canvas.layer')].filter((canvas) => canvas.className === 'layer' && !(/** @type {HTMLCanvasElement} */ (canvas).hidden)).reduce((sum, canvas) => {
    const { width, height } = /** @type {HTMLCanvasElement} */ (canvas);
    const copy = new OffscreenCanvas(width, height).getContext('2d', { willReadFrequently: true });
    copy?.drawImage(/** @type {HTMLCanvasElement} */ (canvas), 0, 0);
    const data = copy?.getImageData(0, 0, width, height).data ?? [];
    let found = 0;
    for (let i = 3; i < data.length; i += 4) found += Number(data[i] > 0);
    return sum + found;
  }, 0));
}

/** Waits until the layer above the mask shows more pixels than that. @param {Visitor} v @param {number} least */
async function overlayBeyond(v, least) {
  for (const end = Date.now() + 10_000; ; await pause(50)) {
    const found = await overlayPixels(v);
    if (found > least) return found;
    check(Date.now() < end, `the overlay shows ${found} pixels, not more than ${least}`);
  }
}

/** A disc before a plain ground: edges all around the middle. @param {number} width @param {number} height */
function disc(width, height) {
  const picture = decode(photo(width, height));
  for (let i = 0; i < width * height; i++) {
    const [x, y] = [(i % width) - width / 2, Math.floor(i / width) - height / 2];
    if (x * x + y * y < 70 * 70) picture.data.set([240, 220, 200, 255], i * 4);
  }
  return picture;
}

/** @param {Visitor} v */
export async function a_drawn_edge_changes_the_fill_as_on_the_command_line(v) {
  const { PNG } = await import('pngjs');
  const image = PNG.sync.write(/** @type {any} */ (disc(360, 260)));
  await v.openPhoto(file('photo.png', image, 'image/png'));
  await v.give('Load weights', EDGECONNECT);
  await v.says(/EdgeConnect/);
  await v.paint([[-80, 0], [80, 10]]);
  await v.tab('Edges');
  const found = await overlayBeyond(v, 200);
  await v.inpaint();
  const plain = decode((await v.save('Save image')).bytes);
  await v.button('Undo').click();
  const mask = (await v.save('Save mask')).bytes;

  await v.button('Draw edges').click();
  await v.paint([[-60, 0], [0, 10], [60, 0]]);
  await v.button('Erase edges').click();
  await v.paint([[0, 8], [4, 8]]);
  await overlayBeyond(v, found);
  const edges = (await v.save('Save mine')).bytes;
  const values = new Set(decode(edges).data.filter((_, i) => i % 4 === 0));
  check([...values].sort().join() === '0,128,255', `the saved edges hold ${[...values]}`);
  await v.inpaint();
  const drawn = decode((await v.save('Save image')).bytes);
  const change = compare(plain, drawn, decode(mask));
  check(change.inside > 100 && change.outside === 0, `the drawn edge changed ${JSON.stringify(change)}`);

  const names = ['photo', 'mask', 'edges', 'native'].map((name) => `${OUT}${name}.png`);
  await Promise.all([write(names[0], image), write(names[1], mask), write(names[2], edges)]);
  execFileSync(/** @type {string} */ (process.env.INFILL), ['inpaint', '--image', names[0], '--mask', names[1], '--edges', names[2], '--weights', EDGECONNECT, '--output', names[3]]);
  const same = compare(decode(await readFile(names[3])), drawn, decode(mask));
  check(same.outside === 0 && same.most <= 1, `page and command line differ: ${JSON.stringify(same)}`);

  // The fill used them up; taking everything back brings them back, one by one.
  await v.button('Undo').click();
  await v.says(/Fill undone/);
  await v.button('Undo').click();
  await v.says(/The edge is back/);
  await v.button('Undo').click();
  await v.says(/Edge undone/);
  await v.inpaint();
  const again = compare(plain, decode((await v.save('Save image')).bytes), decode(mask));
  check(again.most === 0, 'an edge that was taken back still counts');
  await v.quiet();
}

/** @param {Visitor} v */
export async function an_edge_is_drawn_by_touch_on_a_phone(v) {
  await v.page.setViewportSize({ width: 390, height: 844 });
  await v.openPhoto(file('photo.png', photo(300, 300), 'image/png'));
  await v.give('Load weights', EDGECONNECT);
  await v.says(/EdgeConnect/);
  await v.paint([[-60, 0], [60, 0]]);
  await v.button('Draw edges').click();
  await v.page.evaluate(() => {
    const stage = /** @type {HTMLElement} */ (document.querySelector('#stage'));
    const box = /** @type {HTMLElement} */ (document.querySelector('#canvas')).getBoundingClientRect();
    const at = (/** @type {string} */ type, /** @type {number} */ x) => stage.dispatchEvent(new PointerEvent(type, { pointerId: 7, pointerType: 'touch', isPrimary: true, bubbles: true, clientX: box.x + box.width / 2 + x, clientY: box.y + box.height / 2, button: 0, buttons: 1 }));
    at('pointerdown', -40);
    for (let x = -35; x <= 40; x += 5) at('pointermove', x);
    at('pointerup', 40);
  });
  await v.button('Undo').click();
  await v.says(/Edge undone/);
  await v.quiet();
}

/** @param {Visitor} v */
export async function a_discriminator_scores_the_photo_patch_by_patch(v) {
  await v.openPhoto(file('photo.png', photo(320, 256), 'image/png'));
  await v.give('Load weights', `${NETWORKS}image-pair-both.pth`);
  await v.says(/image-pair Generator/);
  await v.tab('Scores');
  await v.button('Score the photo').click();
  await v.says(/Scored: 0\.\d+ on average/);
  const cells = v.page.locator('.score');
  // 320 x 256 at a long side of 256 is 256 x 208: 13 x 10 patches.
  check((await cells.count()) === 130, `${await cells.count()} patches`);
  await cells.nth(14).hover();
  await panelSays(v, /Row 2, column 2: 0\.\d+/);
  check((await overlayPixels(v)) > 10_000, 'the heat map is not over the photo');
  // On the photo itself.
  const box = await v.page.getByRole('application').boundingBox();
  check(box, 'the canvas has no box');
  await v.page.mouse.move(box.x + box.width / 2, box.y + box.height / 2);
  await panelSays(v, /Row [4-7], column [5-9]: 0\.\d+/);
  await v.paint([[-60, 0], [60, 0]]);
  await v.inpaint();
  await v.button('Score it as opened').click();
  await v.says(/Scored/);
  await v.quiet();
}

/** @param {Visitor} v */
export async function batch_norms_take_the_statistics_that_are_chosen(v) {
  await v.openPhoto(file('photo.png', photo(160, 120), 'image/png'));
  await v.give('Load weights', `${NETWORKS}pix2pix-unet-bn.pth`);
  await v.says(/selected/);
  await v.tab('Details');
  const choice = v.page.getByLabel('Batch norms take the statistics');
  const fill = async (/** @type {string} */ statistics) => {
    check((await choice.inputValue()) === statistics, `the statistics are ${await choice.inputValue()}, not ${statistics}`);
    await v.paint([[-60, 0], [-20, 10]]);
    const mask = decode((await v.save('Save mask')).bytes);
    await v.inpaint();
    const filled = decode((await v.save('Save image')).bytes);
    await v.button('Undo').click();
    await v.button('Undo').click();
    return { filled, mask };
  };
  const guessed = await fill('picture');
  await choice.selectOption('stored');
  const stored = await fill('stored');
  const change = compare(guessed.filled, stored.filled, stored.mask);
  check(change.inside > 100 && change.outside === 0, `the stored statistics changed ${JSON.stringify(change)}`);
  await v.button('Back to the guess').click();
  const again = await fill('picture');
  check(compare(guessed.filled, again.filled, again.mask).most === 0, 'the guess is another one than before');
  // A network that stores none is not asked.
  await v.give('Load weights', EDGECONNECT);
  await v.says(/EdgeConnect/);
  check((await choice.count()) === 0, 'EdgeConnect is asked for statistics that it does not store');
  await v.quiet();
}

/** @param {Visitor} v */
export async function the_licence_of_every_model_is_shown(v) {
  await v.tab('Details');
  await panelSays(v, /Licence ?CC BY-SA 4\.0/);
  await v.give('Load weights', EDGECONNECT);
  await panelSays(v, /Licence ?published weights: CC BY-NC 4\.0/);
  await v.control('combobox', 'Model').selectOption('migan-512');
  await panelSays(v, /MIT, copyright 2024 Picsart AI Research \(PAIR\)/);
  const notice = await v.evaluate(async () => (await fetch(/** @type {HTMLAnchorElement} */ (document.querySelector('#panel dd a')).href)).text());
  check(/Permission is hereby granted/.test(notice), 'the text of the licence is not where the link leads');
  await v.quiet();
}

/** @param {Visitor} v */
export async function what_goes_in_is_shown_and_follows_the_settings(v) {
  await v.openPhoto(file('photo.png', photo(320, 256), 'image/png'));
  await v.paint([[-40, 0], [40, 0]]);
  await v.give('Load weights', `${NETWORKS}context-encoder.pth`);
  await v.says(/ContextEncoder/);
  const pictures = v.page.locator('.channels canvas');
  await pictures.nth(3).waitFor();
  check((await pictures.count()) === 4, `${await pictures.count()} channels`);
  /** The middle pixel of the first channel. */
  const red = () => pictures.first().evaluate((canvas) => {
    const { width, height } = /** @type {HTMLCanvasElement} */ (canvas);
    const copy = new OffscreenCanvas(1, 1).getContext('2d', { willReadFrequently: true });
    copy?.drawImage(/** @type {HTMLCanvasElement} */ (canvas), -width / 2, -height / 2);
    return copy?.getImageData(0, 0, 1, 1).data[0];
  });
  check((await red()) === 0, `the hole is ${await red()}, not 0`);
  await v.page.getByLabel('Holes are set to').fill('1');
  await v.page.getByLabel('Holes are set to').press('Tab');
  for (const end = Date.now() + 10_000; (await red()) !== 255; await v.page.waitForTimeout(50)) check(Date.now() < end, 'the picture did not follow');
  await v.quiet();
}

/** @param {Visitor} v */
export async function the_inspector_explains_a_layer_and_reads_its_values(v) {
  await v.give('Load weights', `${NETWORKS}image-pair.pth`);
  await v.says(/image-pair Generator/);
  await v.tab('Layers');
  await v.page.getByRole('cell', { name: 'decoder.0', exact: true }).click();
  await panelSays(v, /\(16 - 1\)\*2 - 2\*1 \+ 1\*\(3 - 1\) \+ 1 \+ 1 = 32/);
  for (const words of [/crops that many rows/, /output_padding does not add zeros/, /Tuples are \(height, width\)/, /There is no padding_mode but zeros/, /output_size/]) await panelSays(v, words);
  await v.page.locator('.drawing .cells.point rect').nth(30).hover();
  await panelSays(v, /kernel taps meet an input pixel/);
  check((await v.page.locator('.drawing rect.window').count()) === 9, 'the inside view does not show the kernel');
  // The values of this layer: weight and bias, each with its histogram.
  await v.page.locator('.explained .hist').nth(1).waitFor();
  check((await v.page.locator('.explained .hist').count()) === 2, 'not two tensors');
  await v.button('Read the values').click();
  const tensors = v.page.locator('section', { has: v.page.getByRole('heading', { name: 'Tensors', exact: true }) }).last().locator('tbody tr');
  await tensors.locator('.hist').first().waitFor();
  const [bars, tensorRows] = [await tensors.locator('.hist').count(), await tensors.count()];
  check(bars === tensorRows, `${bars} histograms for ${tensorRows} tensors`);
  // A module closes and opens.
  const rows = v.page.getByRole('cell', { name: 'encoder.0', exact: true });
  await v.page.getByRole('button', { name: 'encoder', exact: true }).click();
  check((await rows.count()) === 0, 'the module did not close');
  await panelSays(v, /What stands out/);
  await v.quiet();
}

/** The two questions that people ask, answered from a dropped file alone. @param {Visitor} v */
export async function the_two_questions_are_answered_from_a_file_alone(v) {
  await v.give('Load weights', file('gen.pth', await readFile(`${NETWORKS}context-encoder.pth`)));
  await v.says(/This is a ContextEncoder \(gen\.pth\)/);
  await panelSays(v, /weights are under \['generator'\].*torch\.load\('gen\.pth', map_location='cpu', weights_only=True\)\['generator'\].*Unexpected key\(s\) in state_dict: "iteration", "generator"/);
  await v.give('Load weights', file('InpaintingModel_gen.pth', await readFile(EDGECONNECT)));
  await v.says(/This is an EdgeConnect InpaintGenerator/);
  await panelSays(v, /Missing key\(s\) in state_dict: "encoder\.0\.weight", "encoder\.0\.bias".*not a ContextEncoder.*import torch; net = InpaintGenerator\(\); net\.load_state_dict\(torch\.load\('[^']+', map_location='cpu', weights_only=True\)\['generator'\]\)/);
  // Side by side, filtered.
  await v.tab('Layers');
  const held = v.page.getByLabel('Hold the keys against');
  const offered = await held.locator('option').evaluateAll((options) => options.map((option) => /** @type {HTMLOptionElement} */ (option).value));
  const { models } = JSON.parse(execFileSync(/** @type {string} */ (process.env.INFILL), ['models', '--json']).toString());
  const known = models.map((/** @type {{id: string}} */ { id }) => id).filter((/** @type {string} */ id) => id !== 'none');
  check(offered.slice(1).join() === known.join(), `the page offers ${offered}, the command line ${known}`);
  await held.selectOption('context-encoder');
  const table = v.page.locator('section', { has: v.page.getByRole('heading', { name: 'Key alignment' }) }).last();
  await table.getByRole('searchbox').fill('encoder.0.weight');
  const rows = await table.locator('tbody tr').allInnerTexts();
  check(rows.length === 1 && /encoder\.0\.weight.*missing/s.test(rows[0]), `the alignment shows ${rows}`);
  // What GAN is this: three sentences.
  await v.give('Load weights', `${NETWORKS}image-pair.pth`);
  await panelSays(v, /conditional.*discriminator sees one picture.*pix2pix/);
  await v.quiet();
}

/** @param {Visitor} v */
export async function keys_under_other_names_are_taken_by_position_when_told(v) {
  // In the order in which PyTorch would have saved them.
  const place = (/** @type {string} */ key) => {
    const [module, ...rest] = key.split('.');
    const order = [['stem', 'down1', 'down2', 'down3', 'body', 'up3', 'up2', 'up1', 'head', 'skip'].indexOf(module), ...rest.map((part) => Number.isNaN(Number(part)) ? ['conv1', 'conv2', 'down', 'wide', 'mix', 'weight', 'bias'].indexOf(part) : Number(part))];
    return order.map((n) => String(n).padStart(2, '0')).join('.');
  };
  const shapes = Object.entries(await defaultShapes()).sort(([a], [b]) => (place(a) < place(b) ? -1 : 1));
  const renamed = Object.fromEntries(shapes.map(([key, shape], i) => [`net.${i}.${key.split('.').at(-1)}`, shape]));
  await v.openPhoto(file('photo.png', photo(300, 200), 'image/png'));
  await v.give('Load weights', file('mine.safetensors', safetensors(renamed)));
  await v.reaches(['error']);
  await panelSays(v, /net\.0\.weight.*stands for stem\.0\.weight/);
  await v.button('Use it by position').click();
  await v.says(/mine\.safetensors.*selected/);
  await v.paint([[-30, 0], [30, 10]]);
  await v.inpaint();
  await v.quiet();
}

/** @param {Visitor} v */
export async function a_file_that_nearly_fits_is_told_by_what_is_the_matter(v) {
  const shapes = await defaultShapes();
  const channels = { ...shapes, 'stem.0.weight': shapes['stem.0.weight'].with(1, 7) };
  await v.openPhoto(file('photo.png', photo(200, 150), 'image/png'));
  await v.give('Load weights', file('mine.safetensors', safetensors(channels)));
  await v.reaches(['error']);
  await panelSays(v, /Only the ends differ: stem\.0\.weight.*another number of input channels/);
  const lama = { 'generator.model.1.ffc.convl2l.weight': [8, 4, 3, 3] };
  await v.give('Load weights', file('best.safetensors', safetensors(lama)));
  await panelSays(v, /They look like LaMa, which infill does not run/);
  check((await v.page.locator('#panel code').allInnerTexts()).includes('infill forward --class net.py'), 'code is not shown as code');
  const owners = Object.fromEntries(Object.entries(shapes).map(([key, shape]) => [`inpainter.${key}`, shape]));
  await v.give('Load weights', file('owners.safetensors', safetensors(owners)));
  await v.says(/owners\.safetensors.*selected/);
  await panelSays(v, /Every key began with inpainter\./);
  await v.quiet();
}

/** @param {Visitor} v */
export async function the_fast_engine_is_checked_against_the_reference_on_the_hole_at_hand(v) {
  await v.openPhoto(file('photo.png', photo(320, 256), 'image/png'));
  await v.button('Settings and details').click();
  await v.page.getByRole('tab', { name: 'Speed' }).click();
  const button = v.button('Check against the reference');
  check(await button.isDisabled(), 'there is nothing to check before a hole is painted');
  await v.give('Load weights', EDGECONNECT);
  await v.says(/EdgeConnect/);
  await v.page.getByRole('tab', { name: 'Speed' }).click();
  await v.paint([[-30, -40], [20, -30]]);
  await button.click();
  await panelSays(v, /The largest difference in the picture is \d/);
  const words = await v.page.getByRole('tabpanel', { name: 'Speed' }).innerText();
  const largest = Number(/largest difference in the picture is (\S+)\./.exec(words)?.[1]);
  check(largest > 0 && largest < 1e-3, `the engines differ by ${largest}`);
  const layers = await v.page.locator('#panel .times li').count();
  check(layers > 15 && /decoder\.3/.test(words), `${layers} layers: ${words}`);
  const { width, height } = await v.page.locator('.apart canvas').evaluate((canvas) => {
    const { width, height } = /** @type {HTMLCanvasElement} */ (canvas);
    return { width, height };
  });
  check(width > 0 && width % 4 === 0 && height % 4 === 0, `the picture is ${width} x ${height}`);
  await v.screenshot('checked');
  // The check is no fill: nothing of the work has changed.
  check((await v.state()) === 'ready', `the state is ${await v.state()}`);
  await v.quiet();
}
