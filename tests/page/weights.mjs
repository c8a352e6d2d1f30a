// Models in the worker: loaded again after it was replaced, joined wholly or not at all.
import assert from 'node:assert/strict';
import { selectKept } from '../../www/actions/recent.js';
import { askModel, loadWeights } from '../../www/actions/weights.js';
import { bundled } from '../../www/document/bundle.js';
import { completesEdges, entry, ModelList, NONE, paints, scores, takesEdges, takesSecond } from '../../www/document/models.js';
import { Failure } from '../../www/worker/protocol.js';

const replaced = () => new Failure({ code: 'worker-replaced', message: '', keys: [] });

/**
 * A page whose worker answers as told; it keeps what was asked of it.
 * @param {(request: any, generation: number | undefined) => any} answer may throw
 */
function page(answer) {
  const asked = /** @type {string[]} */ ([]);
  const said = /** @type {string[]} */ ([]);
  const inference = {
    generation: 1,
    /** @param {any} request @param {{generation?: number}} [options] */
    async request(request, options = {}) {
      if (options.generation && options.generation !== inference.generation) throw replaced();
      asked.push(`${request.kind} ${request.handle}`);
      return answer(request, options.generation);
    },
  };
  const app = {
    inference,
    workerOf: () => inference,
    models: new ModelList(() => {}),
    begin: () => (/** @type {string} */ words) => said.push(words),
    misfit: null,
    settings: { isKeeping: false },
    say: (/** @type {string} */ words) => said.push(words),
    fail: (/** @type {string} */ words) => said.push(words),
  };
  return { app: /** @type {any} */ (app), inference, asked, said };
}

/** What loading a file of one network gives. @param {string} id @param {string} [role] @param {string[]} [channels] of its input */
const loaded = (id, role = 'paints', channels = ['rgb', 'mask']) => ({ loaded: [{ id, name: id, role, conventions: { channels: [channels] } }], report: { networks: [{ id }], tensors: [] } });

/** Networks of which neither the page nor the crate ever heard. */
const PAINTER = loaded('lines-to-picture', 'paints', ['rgb', 'edges']);
const HELPER = loaded('picture-to-lines', 'gives-edges', ['gray', 'edges', 'mask']);
/** @param {any} result */
const copy = (result) => structuredClone(result);

export async function a_question_that_its_worker_did_not_live_to_hear_is_asked_again_of_a_worker_with_the_model() {
  let crashes = 2;
  const { app, inference, asked } = page((request) => {
    if (request.kind === 'load') return loaded('context-encoder');
    if (crashes-- > 0) {
      inference.generation += 1;
      throw replaced();
    }
    return 'scores';
  });
  const model = entry('file-1', 'a.pth', new Blob(['a']));
  app.models.add(model);
  assert.equal(await askModel(app, model, (handle) => /** @type {any} */ ({ kind: 'score', handle })), 'scores');
  assert.deepEqual(asked, ['load file-1', 'score file-1', 'load file-1', 'score file-1', 'load file-1', 'score file-1']);
  assert.equal(model.generation, inference.generation);
}

export async function other_errors_are_not_asked_away() {
  const { app, asked } = page((request) => {
    if (request.kind === 'load') return loaded('context-encoder');
    throw new Failure({ code: 'input-shape', message: 'no', keys: [] });
  });
  const model = entry('file-1', 'a.pth', new Blob(['a']));
  await assert.rejects(askModel(app, model, (handle) => /** @type {any} */ ({ kind: 'score', handle })), { code: 'input-shape' });
  assert.equal(asked.length, 2);
}

export async function without_a_network_any_worker_will_do() {
  const { app, asked } = page((_, generation) => generation);
  const none = app.models.find(NONE);
  assert.equal(await askModel(app, none, (handle) => /** @type {any} */ ({ kind: 'inpaint', handle })), undefined);
  assert.deepEqual(asked, ['inpaint ']);
}

export async function two_halves_that_do_not_join_leave_the_first_as_it_was() {
  let isBroken = true;
  const { app, asked, said } = page((request) => {
    if (request.kind === 'combine' && isBroken) throw new Failure({ code: 'out-of-memory', message: 'Both need 3 GB.', keys: [] });
    if (request.kind === 'load') return copy(request.name.startsWith('edge') ? HELPER : PAINTER);
    return null;
  });
  await loadWeights(app, [/** @type {any} */ (new File(['p'], 'painter.pth'))]);
  const painter = app.models.selected;
  await loadWeights(app, [/** @type {any} */ (new File(['e'], 'edge.pth'))]);
  assert.match(said.at(-1) ?? '', /Both need 3 GB/, 'the crate says more than the page');
  assert.deepEqual(painter.partners, []);
  assert.equal(painter.result.loaded.length, 1);
  // It runs alone, after it was loaded anew: what the worker holds under its handle is half of something.
  asked.length = 0;
  await askModel(app, painter, (handle) => /** @type {any} */ ({ kind: 'inpaint', handle }));
  assert.deepEqual(asked, [`load ${painter.handle}`, `inpaint ${painter.handle}`]);
  // And the second half can be given again.
  isBroken = false;
  await loadWeights(app, [/** @type {any} */ (new File(['e'], 'edge.pth'))]);
  assert.equal(painter.partners.length, 1);
  assert.equal(painter.result.loaded.length, 2);
}

const given = (/** @type {string} */ name) => /** @type {any} */ (new File([name], name));

export async function what_paints_and_what_it_takes_are_joined_in_either_order() {
  for (const order of [['painter', 'helper'], ['helper', 'painter']]) {
    const { app, said } = page((request) => (request.kind === 'load' ? copy(request.name === 'helper' ? HELPER : PAINTER) : null));
    await loadWeights(app, order.map(given));
    const { selected, entries } = app.models;
    assert.match(said.at(-1) ?? '', /lines-to-picture \+ picture-to-lines now run together/);
    assert.deepEqual([selected.file, selected.partners[0].file], ['painter', 'helper']);
    assert.equal(entries.filter((/** @type {any} */ { blob }) => blob).length, 1, 'the helper is still an entry of its own');
    assert.ok(takesEdges(selected) && completesEdges(selected));
  }
}

export async function networks_that_do_not_need_each_other_stay_apart() {
  const kinds = /** @type {Record<string, any>} */ ({ painter: PAINTER, helper: HELPER, plain: loaded('plain'), score: loaded('score', 'scores', ['rgb']), second: loaded('pair', 'paints', ['rgb', 'second']) });
  const { app } = page((request) => (request.kind === 'load' ? copy(kinds[request.name]) : null));
  await loadWeights(app, ['helper', 'plain', 'score', 'second', 'helper'].map(given));
  assert.equal(app.models.entries.filter((/** @type {any} */ { blob }) => blob).length, 5);
  const [helper, plain, score, second] = app.models.entries.filter((/** @type {any} */ { blob }) => blob);
  assert.deepEqual([helper, plain, score, second].map(paints), [false, true, false, true]);
  assert.deepEqual([helper, plain, score, second].map(scores), [false, false, true, false]);
  assert.deepEqual([helper, plain, score, second].map(takesSecond), [false, false, false, true]);
  assert.deepEqual([helper, plain, score, second].map(takesEdges), [false, false, false, false]);
  second.options.secondInput = 'edges';
  assert.ok(takesEdges(second));
}

export async function a_network_that_only_scores_is_not_announced_as_one_that_fills() {
  const { app, said } = page((request) => (request.kind === 'load' ? loaded('judge', 'scores', ['rgb']) : null));
  await loadWeights(app, [given('judge.pth')]);
  assert.match(said.at(-1) ?? '', /a judge \(judge\.pth\)\. It scores photos and cannot fill holes/);
}

/** What somebody changed in how a model was trained is never taken for another's. */
export async function a_model_that_is_not_kept_leaves_the_selected_one_as_it_is() {
  const { app } = page(() => loaded('context-encoder'));
  app.recent = [];
  app.settings.isKeeping = true;
  app.shelf = { request: async () => [] };
  app.keptChanged = () => {};
  const { models } = app;
  for (const kept of [{ copies: [], options: { range: 'x' } }, { copies: ['gone'], options: { range: 'x' } }, { handle: 'file-9', options: { range: 'x' } }, { options: { range: 'x' } }, null, 'x']) {
    assert.equal(await selectKept(app, kept), false);
    assert.deepEqual([models.selected, models.selected.options], [models.default, {}], JSON.stringify(kept));
  }
  assert.equal(await selectKept(app, { handle: models.default.handle, options: { sigma: 3 } }), false);
  assert.deepEqual(models.selected.options, { sigma: 3 });
}

export async function the_parts_of_one_network_are_handed_over_as_one_file() {
  const file = (/** @type {string} */ name, /** @type {string} */ text) => new File([text], name);
  const names = (/** @type {File[]} */ files) => bundled(files).map(({ name }) => name);
  assert.deepEqual(names([file('a.pth', ''), file('b.pth', '')]), ['a.pth', 'b.pth']);
  assert.deepEqual(names([file('m-00001-of-00002.safetensors', '')]), ['m-00001-of-00002.safetensors']);
  const shards = [file('m-00001-of-00002.safetensors', 'one'), file('m-00002-of-00002.safetensors', 'three')];
  assert.deepEqual(names([file('a.pth', ''), ...shards]), ['a.pth', 'm-00001-of-00002.safetensors']);
  const [{ blob, name }] = bundled([...shards, file('m.safetensors.index.json', '{}')]);
  assert.equal(name, 'm.safetensors');
  const bytes = new Uint8Array(await blob.arrayBuffer());
  const text = (/** @type {number} */ from, to = bytes.length) => new TextDecoder().decode(bytes.slice(from, to));
  assert.equal(text(0, 16), 'infill-bundle-1\n');
  const length = Number(new DataView(bytes.buffer).getBigUint64(16, true));
  assert.deepEqual(JSON.parse(text(24, 24 + length)).map((/** @type {any} */ part) => part.bytes), [3, 5, 2]);
  assert.equal(text(24 + length), 'onethree{}');
}

export async function an_onnx_file_of_no_known_network_runs_by_its_own_graph() {
  const report = { container: 'onnx', networks: [], tensors: [] };
  const { app, asked, said } = page((request) => {
    if (request.kind === 'load') throw new Failure({ code: 'model-unknown', message: 'No known network has these keys.', keys: [], report: /** @type {any} */ (report) });
    return loaded('onnx');
  });
  await loadWeights(app, [new File(['a'], 'a.onnx')]);
  const [added] = app.models.entries.filter((/** @type {any} */ each) => each.file === 'a.onnx');
  assert.deepEqual(asked, [`load ${added.handle}`, `load-graph ${added.handle}`]);
  assert.equal(added.isGraph, true);
  assert.match(said.at(-1) ?? '', /onnx/);
}

export async function why_a_graph_is_not_followed_is_said_with_what_its_file_holds() {
  const report = { container: 'onnx', networks: [], tensors: [{ key: 'w', shape: [1], dtype: 'float32' }] };
  const { app, said } = page((request) => {
    const isGraph = request.kind === 'load-graph';
    throw new Failure({ code: isGraph ? 'network-invalid' : 'model-unknown', message: isGraph ? 'The ONNX graph uses the operator If.' : 'Unknown.', keys: [], report: isGraph ? undefined : /** @type {any} */ (report) });
  });
  await loadWeights(app, [new File(['a'], 'a.onnx')]);
  assert.match(said.at(-1) ?? '', /operator If/);
  assert.equal(app.misfit.sources.length, 1);
  // Other files are not tried again.
  const other = page(() => {
    throw new Failure({ code: 'model-unknown', message: 'Unknown.', keys: [], report: /** @type {any} */ ({ ...report, container: 'zip' }) });
  });
  await loadWeights(other.app, [new File(['a'], 'a.pth')]);
  assert.deepEqual(other.asked.length, 1);
}
