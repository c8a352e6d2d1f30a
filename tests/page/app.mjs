// The words of the status line: an error is not wiped by the success of something else.
import assert from 'node:assert/strict';

/** A page that keeps what it shows. */
async function open() {
  Object.defineProperty(globalThis, 'navigator', { value: { hardwareConcurrency: 2 }, configurable: true });
  Object.assign(globalThis, { location: { search: '' } });
  const { App } = await import('../../www/app.js');
  const shown = { words: '', label: '' };
  const app = new App({
    state() {}, work() {}, models() {}, progress() {}, details() {}, tint() {},
    words: (words, action) => Object.assign(shown, { words, label: action?.label ?? '' }),
  });
  return { app, shown };
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
