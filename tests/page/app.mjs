// The words of the status line: an error is not wiped by the success of something else.
import assert from 'node:assert/strict';
import { text } from '../../www/strings/index.js';

/** A page that keeps what it shows. */
async function open() {
  Object.defineProperty(globalThis, 'navigator', { value: { hardwareConcurrency: 2 }, configurable: true });
  Object.assign(globalThis, { location: { search: '' } });
  const { App } = await import('../../www/app.js');
  const shown = { words: '', label: '' };
  const tone = { warns: false };
  const app = new App({
    state() {}, work() {}, models() {}, progress() {}, details() {}, tint() {}, download() {}, kept() {},
    words: (words, action, warns) => {
      Object.assign(shown, { words, label: action?.label ?? '' });
      tone.warns = warns;
    },
  });
  return { app, shown, tone };
}

const action = (/** @type {string} */ label) => ({ label, run() {} });

export async function what_happens_in_the_background_leaves_an_error_in_sight() {
  const { app, shown } = await open();
  app.hint('Fetching: 10 %');
  assert.equal(shown.words, 'Fetching: 10 %');
  app.fail('letter.jpg is no picture.', action('Open a photo'));
  app.hint('Fetching: 90 %');
  app.hint('');
  assert.deepEqual(shown, { words: 'letter.jpg is no picture.', label: 'Open a photo' });
  app.mention('The model could not be fetched.', action('Try again'));
  assert.deepEqual(shown, { words: 'letter.jpg is no picture. The model could not be fetched.', label: 'Open a photo' });
  assert.equal(app.state.value, 'error');
}

export async function an_action_ends_the_errors_before_it_and_no_others() {
  const { app, shown } = await open();
  app.fail('The first went wrong.');
  const slow = app.begin();
  slow('Saved.');
  assert.deepEqual([shown.words, app.state.value], ['Saved.', 'empty']);
  const load = app.begin();
  app.say('Reading gen.pth');
  app.fail('letter.jpg is no picture.');
  load('gen.pth is selected.');
  assert.deepEqual([shown.words, app.state.value], ['letter.jpg is no picture. gen.pth is selected.', 'error']);
  app.begin()('Mask loaded.');
  assert.deepEqual([shown.words, app.state.value], ['Mask loaded.', 'empty']);
}

export async function nothing_is_said_over_a_run() {
  const { app, shown } = await open();
  app.state.started();
  app.say('conv1, 10 %');
  app.begin()('Saved.');
  assert.equal(shown.words, 'conv1, 10 %');
}

/** While the next photo opens, its words are not those of the error before. */
export async function only_the_words_of_an_error_warn() {
  const { app, tone } = await open();
  app.say('Opening a.png');
  assert.equal(tone.warns, false);
  app.fail('a.png is no picture.');
  assert.equal(tone.warns, true);
  app.mention('The model could not be fetched.');
  assert.equal(tone.warns, true, 'the error is still there');
  app.say('Opening b.png');
  assert.deepEqual([tone.warns, app.state.value], [false, 'error']);
}

export function a_long_name_is_shortened_in_its_middle() {
  const name = `${'x'.repeat(200)} the end.png`;
  for (const words of [text.opened(name, 3, 2), text.opening(name), text.reading(name), text.saved(name), text.modelReady('A', name), text.neither(name)]) {
    assert.match(words, /xxx…[x ]*the end\.png/);
    assert.ok(words.length < 160, words);
  }
  assert.match(text.opening('holiday.png'), /holiday\.png$/);
}
