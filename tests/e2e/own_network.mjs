// "Your network": a class is pasted or dropped, its weights are dropped, and the page says whether they fit, which lines to
// change, or what the file is instead; what fits paints.
import { execFileSync } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { check, compare, decode, file, hand, OUT, pause, photo, ROOT, safetensors, write } from './page.mjs';

/** @typedef {import('./page.mjs').Visitor} Visitor */

const CLASSES = `${ROOT}tests/reference/classes/`;
const NETWORKS = `${ROOT}tests/reference/networks/`;
const WEIGHTS = `${NETWORKS}context-encoder.pth`;
const GRAPH = `${ROOT}tests/reference/onnx/gated-11-open.onnx`;

/** Opens the place for a class, and pastes one. @param {Visitor} v @param {string} source */
async function paste(v, source) {
  await v.tab('Class');
  await v.page.getByLabel('Python of your network').fill(source);
}

/** Waits until the class stands to its weights like this; what is shown then. @param {Visitor} v @param {string} state */
async function stands(v, state) {
  const card = v.page.locator(`[data-own-state="${state}"]`);
  try {
    await card.waitFor({ timeout: 60_000 });
  } catch {
    throw new Error(`the class is not ${state}: ${await v.page.locator('#own-result').innerText()}`);
  }
  return v.page.locator('#own-result').innerText();
}

/** Drops weights on the page. @param {Visitor} v @param {string} name @param {string} path */
const drop = async (v, name, path) => hand(v, 'drop', [file(name, await readFile(path))]);

/** The keys are ['iteration', 'generator']: how do they align with this generator? @param {Visitor} v */
export async function the_first_question_is_answered_for_a_pasted_class(v) {
  await paste(v, await readFile(`${CLASSES}edgeconnect.py`, 'utf8'));
  check(/InpaintGenerator can be followed|EdgeGenerator can be followed/.test(await stands(v, 'waits')), 'the class alone is not read');
  await drop(v, 'gen.pth', `${NETWORKS}edgeconnect-inpaint.pth`);
  const told = await stands(v, 'fits');
  check(/InpaintGenerator fits gen\.pth/.test(told), told);
  await v.page.getByText('Load it in Python').click();
  const code = await v.page.locator('#own-result pre').innerText();
  check(/weights = torch\.load\('gen\.pth', map_location='cpu', weights_only=True\)\['generator'\]\nnet\.load_state_dict\(weights\)/.test(code), code);
  check((await v.model()).includes('InpaintGenerator'), `the model is ${await v.model()}`);
  await v.quiet();
}

/** Missing key(s) in state_dict: what do I change? @param {Visitor} v */
export async function the_second_question_is_answered_for_a_dropped_class(v) {
  await hand(v, 'drop', [file('net.py', await readFile(`${CLASSES}context_encoder.py`), 'text/x-python'), file('InpaintingModel_gen.pth', await readFile(`${NETWORKS}edgeconnect-inpaint.pth`))]);
  const told = await stands(v, 'other');
  check(/InpaintingModel_gen\.pth is an EdgeConnect InpaintGenerator/.test(told), told);
  check(/strict=False would hide this/.test(told), told);
  await v.button('Run it as EdgeConnect InpaintGenerator').click();
  await v.says(/This is an EdgeConnect InpaintGenerator/);
  check((await v.model()).includes('EdgeConnect'), `the model is ${await v.model()}`);
  await v.quiet();
}

/** A line is changed by a click, and the class paints as it does on the command line. @param {Visitor} v */
export async function a_class_that_nearly_fits_is_changed_by_a_click_and_paints(v) {
  const image = photo(700, 600);
  await v.openPhoto(file('photo.png', image, 'image/png'));
  await v.tab('Fill');
  await v.control('combobox', 'Sharpen from the photo').selectOption('off');
  const source = await readFile(`${CLASSES}context_encoder.py`, 'utf8');
  await paste(v, source.replace('channels=4', 'channels=3'));
  await stands(v, 'waits');
  await drop(v, 'gen.pth', WEIGHTS);
  const told = await stands(v, 'nearly');
  check(/ContextEncoder nearly fits gen\.pth: change 1 line/.test(told), told);
  const diff = await v.page.getByRole('group', { name: 'The lines to change' }).innerText();
  check(/line 8\s+- +def __init__\(self, channels=3.*\s+line 8\s+\+ +def __init__\(self, channels=4/s.test(diff), diff);
  await v.button('Change these lines').click();
  await stands(v, 'fits');
  check((await v.page.getByLabel('Python of your network').inputValue()) === source, 'the paste was changed otherwise');
  await v.says(/ContextEncoder/);
  await v.paint([[-60, -20], [40, 30], [60, -10]]);
  await v.screenshot('own-network');
  // What goes in is shown as pictures.
  await v.page.getByRole('img', { name: /^mask, 0 to 1$/ }).waitFor();
  const mask = (await v.save('Save mask')).bytes;
  await v.inpaint();
  const saved = decode((await v.save('Save image')).bytes);
  const same = compare(await native(image, mask), saved, decode(mask));
  check(same.holes > 100 && same.outside === 0 && same.most <= 1, `page and command line differ: ${JSON.stringify(same)}`);
  // Another order of the channels is another picture, on both.
  await v.button('Undo').click();
  await v.page.getByLabel('What goes in, part 1').selectOption('mask');
  await v.page.getByLabel('What goes in, part 2').selectOption('rgb');
  // The mask is the first picture then.
  await v.page.waitForFunction(() => /^mask/.test(document.querySelector('.channels figure [role=img]')?.getAttribute('aria-label') ?? ''));
  await v.inpaint();
  const swapped = decode((await v.save('Save image')).bytes);
  const other = compare(await native(image, mask, '--takes', 'mask,rgb'), swapped, decode(mask));
  check(other.outside === 0 && other.most <= 1, `swapped, they differ: ${JSON.stringify(other)}`);
  await v.quiet();
}

/** What the command line makes of it. @param {Buffer} image @param {Buffer | Uint8Array} mask @param {string[]} more */
async function filled(image, mask, more) {
  const [a, b, c] = ['photo.png', 'mask.png', 'native.png'].map((name) => `${OUT}own-${name}`);
  await write(a, image);
  await write(b, mask);
  execFileSync(/** @type {string} */ (process.env.INFILL), ['inpaint', '--image', a, '--mask', b, '--output', c, '--sharpen', 'off', ...more]);
  return decode(await readFile(c));
}

/** A generator that its author exported runs by its own graph, as on the command line. @param {Visitor} v */
export async function an_exported_graph_paints_without_its_class(v) {
  const image = photo(700, 600);
  await v.openPhoto(file('photo.png', image, 'image/png'));
  await v.tab('Fill');
  await v.control('combobox', 'Sharpen from the photo').selectOption('off');
  await drop(v, 'own.onnx', GRAPH);
  // What reads graphs starts first.
  await v.until(() => (/** @type {HTMLSelectElement} */ (document.querySelector('#model')).selectedOptions[0]?.textContent ?? '').includes('own'), undefined, 60_000);
  await v.paint([[-60, -20], [40, 30], [60, -10]]);
  const mask = (await v.save('Save mask')).bytes;
  await v.inpaint();
  const saved = decode((await v.save('Save image')).bytes);
  const same = compare(await filled(image, mask, ['--weights', GRAPH]), saved, decode(mask));
  check(same.holes > 100 && same.outside === 0 && same.most <= 1, `page and command line differ: ${JSON.stringify(same)}`);
  await v.quiet();
}

/** @param {Buffer} image @param {Buffer | Uint8Array} mask @param {string[]} more */
const native = (image, mask, ...more) => filled(image, mask, ['--weights', WEIGHTS, '--class', `${CLASSES}context_encoder.py`, ...more]);

/** @param {Visitor} v */
export async function what_the_weights_do_not_say_is_asked_for(v) {
  const source = 'import torch.nn as nn\n\nclass Net(nn.Module):\n    def __init__(self, width, slope: float):\n        super().__init__()\n        self.a = nn.Conv2d(3, width, 3, padding=1)\n        self.b = nn.LeakyReLU(slope)\n        self.c = nn.Conv2d(width, 3, 3, padding=1)\n\n    def forward(self, x):\n        return self.c(self.b(self.a(x)))\n';
  await paste(v, source);
  await stands(v, 'waits');
  const weights = safetensors({ 'a.weight': [8, 3, 3, 3], 'a.bias': [8], 'c.weight': [3, 8, 3, 3], 'c.bias': [3] });
  await hand(v, 'drop', [file('w.safetensors', weights)]);
  await stands(v, 'asks');
  await v.page.getByLabel('width').fill('8');
  await v.page.getByLabel('slope (float)').fill('0.2');
  await v.button('Use these').click();
  const told = await stands(v, 'fits');
  check(/Net\(width=8, slope=0\.2\)/.test(told), told);
  await v.quiet();
}

/** Names of classes and keys are texts, and a notebook is its code. @param {Visitor} v */
export async function a_notebook_and_hostile_names_are_read_as_what_they_are(v) {
  const source = (await readFile(`${CLASSES}context_encoder.py`, 'utf8')).replace('code = self.encoder(x)', 'code = torch.topk(x, 3)');
  const cells = [{ cell_type: 'markdown', source: '# Mine' }, { cell_type: 'code', source: ['!pip install torch\n', 'x = 1\n'] }, { cell_type: 'code', source, outputs: [{ data: { 'image/png': 'AAAA'.repeat(1000) } }] }];
  await hand(v, 'drop', [file('net.ipynb', Buffer.from(JSON.stringify({ cells, nbformat: 4 })), 'application/json')]);
  const told = await stands(v, 'unread');
  check(/code cell 2, line 20/.test(told), told);
  const shown = await v.page.getByLabel('Python of your network').inputValue();
  check(shown.startsWith('# %% code cell 1\npass  # !pip install torch\n'), shown.slice(0, 80));
  await paste(v, 'class <img src=x onerror=alert(1)>(nn.Module):\n    def forward(self, x):\n        return x\n');
  await stands(v, 'unread');
  await paste(v, 'import torch.nn as nn\nclass Net(nn.Module):\n    def __init__(self):\n        super().__init__()\n        self.a = nn.Conv2d(3, 3, 1)\n    def forward(self, x):\n        return self.a(x)\n');
  await stands(v, 'waits');
  await hand(v, 'drop', [file('<img src=x onerror=alert(1)>.safetensors', safetensors({ '<img src=x onerror=alert(1)>.weight': [2, 2] }))]);
  const other = await stands(v, 'other');
  check(other.includes('<img src=x onerror=alert(1)>.weight'), other);
  check((await v.evaluate(() => document.querySelectorAll('#panel img').length)) === 0, 'a name became an element');
  await v.quiet();
}

/** What is typed is read when it rests, and an answer that comes late does not undo it. @param {Visitor} v */
export async function typing_into_the_class_is_not_disturbed(v) {
  await v.tab('Class');
  const field = v.page.getByLabel('Python of your network');
  await field.fill('import torch.nn as nn\nclass Net(nn.Module):\n');
  await field.press('End');
  await field.pressSequentially('    def forward(self, x):\n        return x', { delay: 20 });
  await stands(v, 'waits');
  const [value, isFocused] = [await field.inputValue(), await field.evaluate((element) => element === document.activeElement)];
  check(value.endsWith('return x') && isFocused, `the field has ${value}, focus ${isFocused}`);
  await pause(200);
  await v.quiet();
}
