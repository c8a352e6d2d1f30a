// The page in other languages: chosen by the browser, by hand and by the address, with the work untouched by a switch.
import { readFile } from 'node:fs/promises';
import { text as chinese } from '../../www/strings/zh_hans.js';
import { check, file, photo, ROOT } from './page.mjs';
import { serve } from './server.mjs';

/** @typedef {import('./page.mjs').Visitor} Visitor */

const PHOTO = file('photo.png', photo(640, 480), 'image/png');

/** Somebody whose browser asks for Chinese. @param {Visitor} v @param {string} [url] @param {boolean} [serviceWorkers] */
const chineseVisitor = (v, url = v.url, serviceWorkers = false) => v.another(url, { locale: 'zh-CN', serviceWorkers });

/** The tables that the page has fetched. @param {Visitor} v @returns {Promise<string[]>} */
const tables = (v) => v.evaluate(() => [...new Set(performance.getEntriesByType('resource').map(({ name }) => /strings\/((?:en|zh_hans)\.js)/.exec(name)?.[1] ?? '').filter(Boolean))]);

/** Everything that is read or spoken, but names of files and of networks, and code. @param {Visitor} v @returns {Promise<string[]>} */
function words(v) {
  return v.evaluate(() => {
    const found = /** @type {string[]} */ ([]);
    const isCode = (/** @type {Element} */ element) => element.closest('code, .code, [lang], script, style, option');
    for (const element of document.body.querySelectorAll('*')) {
      if (isCode(element)) continue;
      for (const name of ['aria-label', 'title', 'alt', 'placeholder', 'aria-valuetext']) found.push(element.getAttribute(name) ?? '');
      for (const node of element.childNodes) if (node.nodeType === Node.TEXT_NODE) found.push(node.textContent ?? '');
    }
    return found.map((each) => each.trim()).filter(Boolean);
  });
}

/** What of this is English. @param {string[]} all */
const english = (all) => all.filter((each) => /[A-Za-z]{2,} [a-z]{2,}/.test(each));

/** @param {Visitor} v */
async function paintsAndFills(v) {
  await v.paint([[-30, 0], [30, 10]]);
  await v.button(chinese.inpaint).click();
  await v.reaches(['running', 'done'], 5000);
  await v.reaches(['done'], 120_000);
}

/** @param {Visitor} v */
export async function a_chinese_browser_is_spoken_to_in_chinese(v) {
  const visitor = await chineseVisitor(v);
  await visitor.open();
  check((await visitor.evaluate(() => document.documentElement.lang)) === 'zh-Hans', 'the page does not say its language');
  check((await tables(visitor)).join() === 'zh_hans.js', `fetched: ${await tables(visitor)}`);
  await visitor.give(chinese.openPhoto, PHOTO);
  await visitor.reaches(['ready']);
  await visitor.says(/640 × 480。/);
  await paintsAndFills(visitor);
  await visitor.says(/已完成，用时/);
  const { name, bytes } = await visitor.save(chinese.saveImage);
  check(name === 'photo-infill.png' && bytes.length > 0, `saved as ${name}`);
  await visitor.button(chinese.panel).click();
  check(english(await words(visitor)).length === 0, `left in English: ${english(await words(visitor)).join(' | ')}`);
  await visitor.control('tab', chinese.tabs.speed).click();
  await visitor.button(chinese.howToSave).click();
  await visitor.until((words) => document.querySelector('#saving ul')?.textContent?.includes(words), chinese.keptExactly);
  check(english(await words(visitor)).length === 0, `left in English: ${english(await words(visitor)).join(' | ')}`);
  await visitor.quiet();
  await visitor.driver.close();
}

/** @param {Visitor} v */
export async function another_language_leaves_the_work_as_it_is(v) {
  await v.openPhoto(PHOTO);
  await v.paint([[-30, 0], [30, 10]]);
  await v.inpaint();
  await v.paint([[-60, 60], [60, 60]]);
  const before = [await v.save('Save image'), await v.save('Save mask')].map(({ bytes }) => bytes.toString('base64'));
  await v.button('Settings and details').click();
  await v.control('combobox', 'Language').selectOption('zh-Hans');
  await v.says(/简体中文/);
  check((await v.evaluate(() => document.activeElement?.id)) === 'language', 'the focus is lost');
  check((await v.evaluate(() => document.documentElement.lang)) === 'zh-Hans', 'the page does not say its language');
  check(english(await words(v)).length === 0, `left in English: ${english(await words(v)).join(' | ')}`);
  const after = [await v.save(chinese.saveImage), await v.save(chinese.saveMask)].map(({ bytes }) => bytes.toString('base64'));
  check(before.join() === after.join(), 'photo or mask is another');
  await v.button(chinese.undo).click();
  await v.says(/已撤销涂抹/);
  await v.button(chinese.undo).click();
  await v.says(/已撤销修复/);
  // It is remembered; an address wins, and is forgotten once another language is chosen by hand.
  await v.driver.goto(`${v.url}?lang=en`);
  await v.button('Settings and details').click();
  await v.control('combobox', 'Language').selectOption('zh-Hans');
  await v.until(() => document.documentElement.lang === 'zh-Hans');
  check(!(await v.evaluate(() => location.search)), 'the address still wins');
  await v.open();
  check(await v.button(chinese.undo).isVisible(), 'the choice is forgotten');
  await v.control('button', chinese.panel).click();
  await v.page.getByLabel(chinese.language).selectOption('en');
  await v.until(() => document.documentElement.lang === 'en');
  check(await v.button('Undo').isVisible(), 'it is not English again');
  await v.quiet();
}

/** Another language of a site that was visited once is there without the host, too. @param {Visitor} v */
export async function another_language_works_offline(v) {
  const site = await serve(`${ROOT}dist`, {}, '/some/where/');
  const visitor = await chineseVisitor(v, site.url, true);
  await visitor.open();
  await visitor.evaluate(() => navigator.serviceWorker.ready.then(() => true));
  await visitor.until(() => (document.querySelector('#model-size')?.textContent ?? '').trim() !== '');
  await visitor.driver.goto('about:blank');
  await site.close();
  for (const [address, name] of [['', chinese.undo], ['?lang=en', 'Undo']]) {
    await visitor.driver.goto(site.url + address);
    await visitor.reaches(['empty']);
    check(await visitor.button(name).isVisible(), `${address || 'the browser'} is not heard`);
  }
  await visitor.driver.close();
}

/** Both languages in all their states, to be looked at; no control's words may be cut. @param {Visitor} v */
export async function languages_fit_the_page(v) {
  const pig = file('pig.jpg', await readFile(`${ROOT}www/samples/pig.jpg`), 'image/jpeg');
  for (const [width, height] of [[1280, 800], [390, 844]]) {
    for (const locale of ['en-US', 'zh-CN']) {
      const visitor = await v.another(v.url, { locale });
      const shot = (/** @type {string} */ state) => visitor.screenshot(`${locale}-${width}-${state}`);
      await visitor.page.setViewportSize({ width, height });
      await visitor.open();
      await shot('empty');
      await visitor.page.locator('#open-photo').setInputFiles(pig);
      await visitor.reaches(['ready']);
      await visitor.paint([[-40, -20], [50, 20]]);
      await shot('painted');
      check((await cut(visitor)).length === 0, `${locale} at ${width}: cut: ${(await cut(visitor)).join(' | ')}`);
      await visitor.page.locator('#mask-menu').click();
      await shot('menu');
      check((await cut(visitor)).length === 0, `${locale} at ${width}: cut: ${(await cut(visitor)).join(' | ')}`);
      await visitor.page.keyboard.press('Escape');
      await visitor.page.locator('#panel-toggle').click();
      for (const tab of ['fill', 'details', 'layers', 'own', 'speed']) {
        await visitor.page.locator(`#tab-${tab}`).click();
        await shot(tab);
        check((await cut(visitor)).length === 0, `${locale} at ${width}: cut: ${(await cut(visitor)).join(' | ')}`);
      }
      await visitor.quiet();
      await visitor.driver.close();
    }
  }
}

/** Controls whose words do not fit into them. @param {Visitor} v @returns {Promise<string[]>} */
function cut(v) {
  return v.evaluate(() => [...document.querySelectorAll('button, label.btn, [role=tab], label, h1, h2, h3')].flatMap((element) => {
    const box = element.getBoundingClientRect();
    if (!(element instanceof HTMLElement) || !element.checkVisibility() || !box.width || element.classList.contains('file')) return [];
    return element.scrollWidth > element.clientWidth + 1 && getComputedStyle(element).overflow !== 'visible' ? [element.innerText] : [];
  }));
}
