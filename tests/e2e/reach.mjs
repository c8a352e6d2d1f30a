// Within reach: by keyboard, by finger, in forced colours, and at widths between a phone and a desktop.
import { check, file, photo } from './page.mjs';

/** @typedef {import('./page.mjs').Visitor} Visitor */

/** Id of the element that has the focus. @param {Visitor} v */
const focused = (v) => v.evaluate(() => document.activeElement?.id ?? '');

/** @param {Visitor} v */
export async function between_phone_and_desktop_nothing_covers_another(v) {
  await v.openPhoto(file('photo.png', photo(400, 300), 'image/png'));
  await v.paint([[-30, 0], [30, 0]]);
  for (const width of [641, 700, 740, 820, 880, 881, 960, 1100, 1101, 1180, 1181]) {
    await v.page.setViewportSize({ width, height: 700 });
    // The brush has a size, the wand the most options.
    for (const tool of ['Brush', 'Magic wand']) {
      await v.button(tool).click();
      const [bar, zoom] = await Promise.all(['.bar', '.zoom'].map((part) => v.page.locator(part).boundingBox()));
      check(bar && zoom && bar.x >= 0 && bar.x + bar.width <= zoom.x && zoom.x + zoom.width <= width, `with the ${tool} at ${width} the bar lies at ${JSON.stringify(bar)}, the zoom at ${JSON.stringify(zoom)}`);
    }
    const name = await v.page.locator('#model-name').evaluate((element) => ({ wanted: element.scrollWidth, shown: element.clientWidth, text: element.textContent }));
    check(name.text === 'Default' && name.wanted <= name.shown, `at ${width} the model's name has ${name.shown} of ${name.wanted} pixels`);
    const save = await v.button('Save image').boundingBox();
    check(save && save.x + save.width <= width, `at ${width} "Save image" lies outside`);
  }
}

/** @param {Visitor} v */
export async function the_keyboard_goes_on_where_it_was(v) {
  check((await v.page.getByRole('application').getAttribute('tabindex')) === '-1', 'the empty page stops at the canvas');
  await v.openPhoto(file('photo.png', photo(300, 200), 'image/png'));
  check((await v.page.getByRole('application').getAttribute('tabindex')) === '0', 'the canvas cannot be reached');
  await v.paint([[-30, 0], [30, 10]]);
  await v.page.locator('#inpaint').focus();
  await v.page.keyboard.press('Enter');
  await v.reaches(['done'], 120_000);
  check((await focused(v)) === 'canvas', `after a fill the focus is on "${await focused(v)}"`);
  // The brush's slider leaves Enter to the page.
  await v.paint([[-30, 40], [30, 40]]);
  await v.page.getByRole('slider', { name: 'Brush size' }).focus();
  await v.page.keyboard.press('Enter');
  await v.reaches(['running'], 5000);
  await v.reaches(['done'], 120_000);
  // The panel stands far behind its button.
  await v.button('Settings and details').press('Enter');
  check((await focused(v)) === 'tab-fill', `the panel opened, the focus is on "${await focused(v)}"`);
  await v.button('Close').press('Enter');
  check((await focused(v)) === 'panel-toggle', `the panel closed, the focus is on "${await focused(v)}"`);
  await v.page.getByRole('application').focus();
  await v.page.keyboard.press('ArrowRight');
  await v.until(() => /^Across 1\d\d, down 100$/.test(document.querySelector('#where')?.textContent ?? ''));
  await v.page.keyboard.press('?');
  await v.says(/arrow keys/);
  await v.quiet();
}

/** A run says what it does several times a second; a screen reader hears its end. @param {Visitor} v */
export async function a_run_is_not_read_aloud_layer_by_layer(v) {
  await v.openPhoto(file('photo.png', photo(300, 200), 'image/png'));
  await v.paint([[-30, 0], [30, 10]]);
  await v.evaluate(() => {
    const status = /** @type {HTMLElement} */ (document.querySelector('#status'));
    const heard = /** @type {any} */ (window).heardForTest = /** @type {string[]} */ ([]);
    new MutationObserver(() => status.getAttribute('aria-live') !== 'off' && heard.push(status.textContent ?? '')).observe(status, { childList: true, characterData: true, subtree: true });
  });
  await v.inpaint();
  const heard = /** @type {string[]} */ (await v.evaluate(() => /** @type {any} */ (window).heardForTest));
  check(heard.length === 1 && /^Done in/.test(heard[0]), `it said ${heard}`);
}

/** @param {Visitor} v */
export async function the_selected_tool_is_told_apart_in_forced_colours(v) {
  await v.page.emulateMedia({ forcedColors: 'active' });
  await v.openPhoto(file('photo.png', photo(300, 200), 'image/png'));
  const ground = (/** @type {string} */ name) => v.button(name).evaluate((button) => getComputedStyle(button).backgroundColor);
  const [brush, eraser] = [await ground('Brush'), await ground('Eraser')];
  check(brush !== eraser, `both tools are ${brush}`);
  await v.button('Eraser').click();
  // The colour takes a moment to change.
  await v.until((brush) => getComputedStyle(/** @type {HTMLElement} */ (document.querySelector('#tool-eraser'))).backgroundColor === brush, brush);
}

/** @param {Visitor} v */
export async function a_finger_on_a_tablet_meets_large_targets(v) {
  const context = await v.page.context().browser()?.newContext({ viewport: { width: 1024, height: 768 }, hasTouch: true, isMobile: true });
  check(context, 'there is no browser');
  const page = await context.newPage();
  await page.goto(v.url);
  await page.getByLabel('Open photo').setInputFiles(file('photo.png', photo(300, 200), 'image/png'));
  await page.locator('main[data-state=ready]').waitFor();
  await page.getByRole('button', { name: 'Settings and details' }).tap();
  const small = await page.locator('.btn:visible, .pick:visible, select:visible:not(#model), [role=tab]').evaluateAll((all) => all.flatMap((element) => {
    const { width, height } = element.getBoundingClientRect();
    return Math.min(width, height) < 40 ? [`${element.id || element.textContent} ${Math.round(width)} x ${Math.round(height)}`] : [];
  }));
  check(small.length === 0, `too small: ${small.join('; ')}`);
  await context.close();
}
