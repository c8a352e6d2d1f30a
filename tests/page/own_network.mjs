// A network of the person's own: what is said of it, what goes into it, and answers that come late.
import assert from 'node:assert/strict';
import { openAny } from '../../www/actions/open.js';
import { readOwn, takeClass, takeOwnWeights } from '../../www/actions/own_network.js';
import { channelsOf, offered, relaid } from '../../www/document/input_layout.js';
import { ModelList } from '../../www/document/models.js';
import { callOf, literal, OwnNetwork } from '../../www/document/own_network.js';
import { classBuilds } from '../../www/worker/builds.js';
import { Failure } from '../../www/worker/protocol.js';

export function values_are_written_as_python_has_them() {
  for (const plain of ['4', '-1', '0.5', '.5', '1e-3', 'True', 'None', "'batch'", '"a b"', '[1, 2]', '(1, 2)', 'nn.BatchNorm2d']) assert.equal(literal(plain), plain);
  assert.equal(literal('batch'), "'batch'");
  assert.equal(literal(' instance '), "'instance'");
  assert.equal(literal("it's\\"), "'it\\'s\\\\'");
  assert.equal(callOf('Net', [['a', '4'], ['b', ''], ['norm', 'batch']]), "Net(a=4, norm='batch')");
  assert.equal(callOf('Net', [['a', ' ']]), '');
}

export function words_always_fill_the_channels() {
  assert.deepEqual(relaid(['rgb', 'mask'], 1, 'edges'), ['rgb', 'edges']);
  assert.deepEqual(relaid(['rgb', 'mask'], 0, 'mask'), ['mask', 'mask', 'zeros', 'zeros']);
  assert.deepEqual(relaid(['mask', 'mask', 'zeros', 'zeros'], 1, 'rgb'), ['mask', 'rgb']);
  assert.deepEqual(relaid(['rgb', 'second'], 0, 'mask'), ['mask', 'second', 'zeros', 'zeros']);
  assert.deepEqual(relaid(['rgb'], 0, 'photo'), ['photo']);
  assert.deepEqual(offered(['rgb', 'mask'], 1), ['gray', 'mask', 'known', 'edges', 'noise', 'zeros', 'ones']);
  let state = 7;
  const random = (/** @type {number} */ below) => (state = (state * 1103515245 + 12345) & 0x7fffffff) % below;
  for (let run = 0; run < 500; run++) {
    let words = ['rgb', 'second', 'mask'];
    for (let step = 0; step < 6; step++) {
      const at = random(words.length);
      const choices = offered(words, at);
      words = relaid(words, at, choices[random(choices.length)]);
      assert.equal(channelsOf(words), 7, words.join());
    }
  }
}

export function the_best_build_for_classes_is_tried_first() {
  const here = (/** @type {boolean} */ isIsolated, /** @type {string} */ wishes = '') => classBuilds({ validate: () => true, isIsolated, cores: 4, wishes: new URLSearchParams(wishes) });
  assert.deepEqual(here(true), [{ name: 'classes-relaxed-threads', threads: 4 }, { name: 'classes', threads: 1 }]);
  assert.deepEqual(here(false), [{ name: 'classes', threads: 1 }]);
  assert.deepEqual(here(true, 'simd=simd128'), [{ name: 'classes', threads: 1 }]);
}

/** @param {string} state */
const reportOf = (state, name = 'Net') => ({ state, class: name, classes: [name], message: '', notes: [], arguments: [], faults: [], edit: null, loading: null, instead: null, inputs: [], returned: [], taken: 0, side: 256 });

/**
 * A page whose reader of classes answers as told.
 * @param {(request: any) => any} answer may throw, or be waited for
 */
function page(answer) {
  const asked = /** @type {string[]} */ ([]);
  const said = /** @type {string[]} */ ([]);
  const classes = {
    generation: 1,
    /** @param {any} request */
    async request(request) {
      asked.push(request.kind);
      return answer(request);
    },
  };
  const app = {
    classes,
    inference: { generation: 1, request: async () => assert.fail('the other worker was asked') },
    workerOf: (/** @type {any} */ { paste }) => (paste ? classes : app.inference),
    own: new OwnNetwork(),
    ownChanged() {},
    showOwn: () => said.push('shown'),
    models: new ModelList(() => {}),
    begin: () => (/** @type {string} */ words) => said.push(words),
    misfit: null,
    settings: { isKeeping: false },
    say: (/** @type {string} */ words) => said.push(words),
    hint() {},
    fail: (/** @type {string} */ words) => said.push(words),
  };
  return { app: /** @type {any} */ (app), asked, said };
}

const LOADED = { report: { networks: [{ id: 'class' }], tensors: [] }, loaded: [{ id: 'class', name: 'Net', role: 'paints', parameters: 1, conventions: { words: [['rgb', 'mask']], channels: [['rgb', 'mask']] } }] };

export async function what_fits_is_loaded_and_what_was_said_of_it_stays() {
  const { app, asked } = page(({ kind }) => (kind === 'load-class' ? structuredClone(LOADED) : reportOf('fits')));
  await takeClass(app, 'class Net: ...', '');
  assert.deepEqual(asked, ['read-class']);
  await takeOwnWeights(app, new Blob(['w']), 'w.pth');
  assert.deepEqual(asked.slice(1), ['read-class', 'load-class']);
  const first = app.models.selected;
  assert.equal(first.paste.source, 'class Net: ...');
  first.options.inputs = [['mask', 'rgb']];
  await takeClass(app, 'class Net: ... # changed', '');
  assert.notEqual(app.models.selected, first);
  assert.deepEqual(app.models.selected.options.inputs, [['mask', 'rgb']]);
  // The one before is gone, from the list and from the worker.
  assert.equal(app.models.find(first.handle), null);
  assert.equal(asked.at(-1), 'unload');
}

export async function a_late_answer_does_not_undo_a_later_one() {
  /** @type {((report: any) => void)[]} */
  const open = [];
  const { app } = page(() => new Promise((resolve) => open.push(resolve)));
  const first = takeClass(app, 'one', '');
  const second = takeClass(app, 'two', '');
  await new Promise((resume) => setTimeout(resume));
  open[1](reportOf('waits', 'Two'));
  await second;
  open[0](reportOf('waits', 'One'));
  await first;
  assert.equal(app.own.report.class, 'Two');
  assert.equal(app.own.isReading, false);
}

export async function a_notebook_becomes_its_code() {
  const { app, asked } = page(({ kind }) => (kind === 'python' ? '# %% code cell 1\nx = 1\n' : reportOf('unread')));
  await takeClass(app, ' {"cells": []}', 'net.ipynb');
  assert.deepEqual(asked, ['python', 'read-class']);
  assert.equal(app.own.source, '# %% code cell 1\nx = 1\n');
  assert.equal(app.own.file, 'net.ipynb');
}

export async function a_reader_that_cannot_be_fetched_is_said() {
  const { app } = page(() => {
    throw new Failure({ code: 'wasm-missing', message: 'HTTP 204', keys: [] });
  });
  await takeClass(app, 'class Net: ...', '');
  assert.match(app.own.failure, /could not be fetched/);
  // An empty paste needs no reader.
  await takeClass(app, '  ', '');
  assert.equal(app.own.failure, '');
  assert.equal(app.own.report, null);
  await readOwn(app);
}

export async function a_class_and_weights_that_are_dropped_together_belong_together() {
  const { app, asked, said } = page(({ kind }) => (kind === 'load-class' ? structuredClone(LOADED) : reportOf(kind === 'read-class' ? 'fits' : '')));
  const files = [new File(['class Net: ...'], 'net.py'), new File([new Uint8Array([0x50, 0x4b, 3, 4])], 'w.pth')];
  await openAny(app, /** @type {any} */ ({ isClassOpen: () => false }), files);
  assert.equal(said[0], 'shown');
  assert.deepEqual(asked, ['read-class', 'read-class', 'load-class']);
  assert.equal(app.own.weights.file, 'w.pth');
}
