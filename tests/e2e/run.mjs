// End to end against dist/ under a sub-path of a plain static server: node tests/e2e/run.mjs [ENGINE] [FILTER]
// ENGINE is chromium (all tests), firefox or webkit (those that only use what every engine has).
import { mkdir } from 'node:fs/promises';
import { setTimeout as wait } from 'node:timers/promises';
import { launch } from './engines/driver.mjs';
import { OUT, ROOT, Visitor } from './page.mjs';
import { serve } from './server.mjs';
import * as apis from './apis.mjs';
import * as bad from './bad_input.mjs';
import * as builds from './builds.mjs';
import * as colours from './colours.mjs';
import * as forty from './forty.mjs';
import * as hostile from './hostile.mjs';
import * as hosting from './hosting.mjs';
import * as inside from './inside.mjs';
import * as languages from './languages.mjs';
import * as large from './large.mjs';
import * as main from './main_path.mjs';
import * as maskFiles from './mask_files.mjs';
import * as offline from './offline.mjs';
import * as ownNetwork from './own_network.mjs';
import * as privacy from './privacy.mjs';
import * as reach from './reach.mjs';
import * as saving from './saving.mjs';
import * as screens from './screens.mjs';
import * as select from './select.mjs';
import * as survive from './survive.mjs';
import * as threads from './threads.mjs';
import * as tools from './tools.mjs';
import * as waysIn from './ways_in.mjs';

/** The core: what must work in every engine. */
const EVERYWHERE = [
  main.default_model_fills_like_the_command_line,
  main.a_jpeg_is_filled_like_the_command_line,
  main.own_context_encoder_is_dropped_and_run,
  main.a_fill_is_undone_and_redone,
  main.a_mask_is_loaded_and_saved_as_it_is,
  main.a_run_is_cancelled_and_the_next_one_works,
  main.tiny_and_odd_photos_come_out_at_their_size,
  main.a_mask_of_everything_is_refused,
  main.a_bmp_is_loaded_as_a_mask,
  main.a_sample_is_one_click_away,
  bad.not_an_image,
  bad.not_a_checkpoint,
  bad.a_truncated_checkpoint,
  bad.a_mask_of_another_size,
  bad.a_worker_that_dies_without_a_word,
  colours.a_display_p3_photo_opens_in_every_engine,
  inside.a_drawn_edge_changes_the_fill_as_on_the_command_line,
  bad.an_icon_is_opened_and_blocks_nothing,
  saving.a_jpeg_comes_back_as_it_came,
  offline.the_site_works_offline_once_visited,
  offline.a_model_is_fetched_when_it_is_chosen_and_works_offline_from_then_on,
  offline.a_kept_file_that_was_rewritten_is_fetched_anew,
  apis.what_the_page_uses_is_there_or_has_a_fallback,
  privacy.case_39_nothing_is_asked_of_another_origin,
  survive.work_is_back_after_a_reload,
];

/** Most ms of one test, and of what follows it: a question that a page never answers ends here. */
const MOST_MS = 300_000;
const LEAVING_MS = 20_000;

/**
 * @template T
 * @param {Promise<T>} work
 * @param {number} ms
 * @returns {Promise<T>}
 */
async function within(work, ms) {
  const late = new AbortController();
  const end = wait(ms, undefined, { signal: late.signal }).then(() => { throw new Error(`it has not ended after ${ms / 1000} s`); });
  return Promise.race([work, end]).finally(() => {
    late.abort();
    end.catch(() => {});
  });
}

const [which = 'chromium', filter = ''] = process.argv.slice(2);
const all = Object.values({ ...main, ...apis, ...waysIn, ...colours, ...bad, ...builds, ...inside, ...languages, ...hostile, ...hosting, ...offline, ...ownNetwork, ...privacy, ...large, ...threads, ...reach, ...tools, ...select, ...screens, ...maskFiles, ...forty, ...saving, ...survive });
const helper = all.find(({ name }) => !name.includes('_'));
if (helper) throw new Error(`${helper.name} is exported beside tests, but its name is no sentence: it belongs into a module of its own`);
const tests = (which === 'chromium' ? all : EVERYWHERE).filter(({ name }) => name.includes(filter));
await mkdir(OUT, { recursive: true });
const engine = await launch(/** @type {any} */ (which));
const site = await serve(`${ROOT}dist`, {}, '/some/where/', {}, engine.spy);
let [passed, failed] = [0, 0];
for (const test of tests) {
  const start = Date.now();
  /** @type {Visitor | undefined} */
  let visitor;
  try {
    visitor = new Visitor(await engine.open(site.url), site.url);
    await within(visitor.open().then(() => test(/** @type {Visitor} */ (visitor))), MOST_MS);
    passed += 1;
    console.log(`test ${test.name} ... ok (${((Date.now() - start) / 1000).toFixed(1)} s)`);
  } catch (error) {
    failed += 1;
    await within(Promise.resolve(visitor?.screenshot(`failed-${which}-${test.name}`)), LEAVING_MS).catch(() => {});
    await within(Promise.resolve(visitor?.driver.settle()), LEAVING_MS).catch(() => {});
    console.log(`test ${test.name} ... FAILED\n  ${/** @type {Error} */ (error).message}\n  console: ${visitor?.complaints.join('; ') || 'quiet'}`);
  }
  await within(Promise.resolve(visitor?.driver.close()), LEAVING_MS).catch(() => {});
}
await engine.close();
await site.close();
console.log(`\n${tests.length} tests ran in ${engine.name}`);
console.log(`test result: ${failed ? 'FAILED' : 'ok'}. ${passed} passed; ${failed} failed`);
process.exit(failed ? 1 : 0);
