// The four builds of the crate: which one a page takes, and what happens when threads or their memory fail.
import { ChromiumDriver } from './engines/chromium.mjs';
import { check, file, pause, photo, ROOT, Visitor } from './page.mjs';
import { serve } from './server.mjs';

const ISOLATION = { 'Cross-Origin-Opener-Policy': 'same-origin', 'Cross-Origin-Embedder-Policy': 'require-corp' };

/**
 * A visitor of a host that isolates its pages, on a machine of four cores.
 * @param {Visitor} v @param {(visitor: Visitor, builds: string[]) => Promise<void>} test
 * @param {{query?: string, headers?: Record<string, string>, init?: () => void}} [options]
 */
async function isolated(v, test, { query = '', headers = ISOLATION, init = () => {} } = {}) {
  const site = await serve(`${ROOT}dist`, {}, '/some/where/', headers);
  const browser = /** @type {import('playwright-core').Browser} */ (v.page.context().browser());
  const context = await browser.newContext({ viewport: { width: 1280, height: 800 }, serviceWorkers: 'block' });
  context.setDefaultTimeout(15_000);
  await context.addInitScript(() => Object.defineProperty(Navigator.prototype, 'hardwareConcurrency', { get: () => 4 }));
  await context.addInitScript(init);
  try {
    const visitor = new Visitor(new ChromiumDriver(await context.newPage(), site.url), `${site.url}${query}`);
    const builds = /** @type {string[]} */ ([]);
    context.on('request', (request) => {
      const name = /\/pkg\/(.*)\/infill_bg\.wasm$/.exec(request.url())?.[1];
      if (name && !['pictures', 'saving'].includes(name) && builds.at(-1) !== name) builds.push(name);
    });
    await visitor.open();
    await test(visitor, builds);
    await visitor.quiet();
  } finally {
    await context.close();
    await site.close();
  }
}

/** @param {Visitor} v */
async function paint(v) {
  await v.openPhoto(file('photo.png', photo(300, 200), 'image/png'));
  await v.paint([[-30, 0], [30, 10]]);
}

/** What the speed tab says of the last fill. @param {Visitor} v */
async function speed(v) {
  if (await v.page.getByRole('complementary', { name: 'Settings and details' }).isHidden()) await v.button('Settings and details').click();
  await v.page.getByRole('tab', { name: 'Speed' }).click();
  return v.page.getByRole('tabpanel', { name: 'Speed' }).innerText();
}

/** @param {Visitor} v */
export async function threads_take_part_where_the_page_is_isolated(v) {
  await isolated(v, async (visitor, builds) => {
    await paint(visitor);
    await visitor.inpaint();
    check(builds.join() === 'relaxed-threads', `it fetched ${builds}`);
    const words = await speed(visitor);
    check(/Threads\s+4/.test(words), `the speed tab says: ${words}`);
    check(/relaxed/.test(words), `the speed tab says: ${words}`);
    check((await visitor.page.locator('.times li').count()) > 3, 'no layers are shown');
  });
}

/** @param {Visitor} v */
export async function one_thread_works_where_it_is_not(v) {
  await isolated(v, async (visitor, builds) => {
    await paint(visitor);
    await visitor.inpaint();
    check(builds.join() === 'relaxed', `it fetched ${builds}`);
    const words = await speed(visitor);
    check(/Threads\s+1/.test(words) && /next visit/.test(words), `the speed tab says: ${words}`);
  }, { headers: {} });
}

/** @param {Visitor} v */
export async function less_can_be_wished_for(v) {
  for (const [query, build] of [['?threads=1', 'relaxed'], ['?simd=simd128', 'simd128-threads'], ['?threads=1&simd=simd128', 'simd128']]) {
    await isolated(v, async (visitor, builds) => {
      await paint(visitor);
      await visitor.inpaint();
      check(builds.join() === build, `${query} fetched ${builds}`);
    }, { query });
  }
}

/** @param {Visitor} v */
export async function memory_that_cannot_be_shared_leaves_one_thread(v) {
  const init = () => {
    // Workers start from blobs: the refusal travels in their source.
    const refusal = 'const { Memory } = WebAssembly; WebAssembly.Memory = function (limits) { if (limits.shared) throw new RangeError("could not allocate memory"); return new Memory(limits); };';
    const { Blob: Plain } = window;
    window.Blob = class extends Plain {
      /** @param {BlobPart[]} parts @param {BlobPropertyBag} [options] */
      constructor(parts, options) {
        super(options?.type === 'text/javascript' ? [...parts, refusal] : parts, options);
      }
    };
  };
  await isolated(v, async (visitor, builds) => {
    await paint(visitor);
    await visitor.inpaint();
    check(builds.at(-1) === 'relaxed', `it fetched ${builds}`);
    check(/no memory to share/.test(await speed(visitor)), 'the speed tab does not say why');
  }, { init });
}

/** A thread that is killed while the others wait for it: the run is made again with one. @param {Visitor} v */
export async function a_killed_thread_costs_no_work(v) {
  const init = () => {
    const threads = /** @type {Worker[]} */ ([]);
    const Plain = window.Worker;
    window.Worker = class extends Plain {
      /** @param {string | URL} url @param {WorkerOptions} [options] */
      constructor(url, options) {
        super(url, options);
        if (options?.name === 'infill-thread') threads.push(this);
      }
    };
    Object.assign(window, { threads });
  };
  await isolated(v, async (visitor, builds) => {
    // A run of several seconds: a browser takes two to end a worker that is busy in wasm.
    await visitor.openPhoto(file('photo.png', photo(3000, 2300), 'image/png'));
    await visitor.page.getByRole('slider', { name: 'Brush size' }).fill('400');
    await visitor.paint([[-150, -50], [150, 50], [-150, 80], [150, 120], [-150, 150]]);
    const mask = (await visitor.save('Save mask')).bytes;
    await visitor.page.waitForFunction(() => /** @type {any} */ (window).threads.length === 3);
    await visitor.button('Inpaint').click();
    await visitor.reaches(['running']);
    await visitor.page.waitForTimeout(150);
    await visitor.page.evaluate(() => /** @type {any} */ (window).threads[1].terminate());
    await visitor.reaches(['done', 'error'], 120_000);
    check((await visitor.state()) === 'done', `the fill failed: ${await visitor.status()}`);
    await visitor.says(/thread ended.*Done in/s);
    check(builds.join() === 'relaxed-threads,relaxed', `it fetched ${builds}`);
    await visitor.button('Undo').click();
    check(Buffer.compare(mask, (await visitor.save('Save mask')).bytes) === 0, 'the mask was lost');
    // Said once.
    await visitor.inpaint();
    check(!/thread/.test(await visitor.status()), `it says again: ${await visitor.status()}`);
  }, { init });
}

/** @param {Visitor} v */
export async function cancel_ends_the_threads_too(v) {
  await isolated(v, async (visitor) => {
    await visitor.openPhoto(file('photo.png', photo(900, 700), 'image/png'));
    await visitor.paint([[-150, -50], [150, 50], [-150, 80]]);
    for (let i = 0; i < 3; i++) {
      await visitor.button('Inpaint').click();
      await visitor.reaches(['running']);
      await visitor.page.waitForTimeout(200);
      await visitor.button('Cancel').click();
      await visitor.says(/Cancelled/);
    }
    await visitor.inpaint();
    // A browser takes two seconds to end a worker that is busy in wasm.
    for (const end = Date.now() + 10_000; visitor.page.workers().length > 9; await pause(100)) {
      check(Date.now() < end, `${visitor.page.workers().length} workers are alive: three for files, two for what is kept, one for runs, three threads`);
    }
  });
}

/** @param {Visitor} v */
export async function a_browser_without_simd_is_told(v) {
  await v.page.addInitScript(() => { WebAssembly.validate = () => false; });
  await v.page.goto(v.url);
  const words = await v.page.locator('#unsupported').innerText();
  check(/lacks WebAssembly SIMD/.test(words), `the page says: ${words}`);
}
