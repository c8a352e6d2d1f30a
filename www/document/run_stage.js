/**
 * What a run is doing, for people: which layer that is, only the Speed tab tells.
 * @module
 */
import { NONE } from './models.js';

/** @typedef {'looking' | 'painting' | 'detail'} RunStage a key of `text.stages` */

/** As `pipeline/fill.rs` calls what no layer does. */
const DETAIL = 'detail from the photo';

/**
 * A network looks at the photo down to its smallest map, and paints from there on.
 * @param {import('./models.js').Entry} entry the model that runs
 * @param {string} layer as the crate tells it
 * @returns {RunStage}
 */
export function runStage({ handle, result }, layer) {
  if (layer === DETAIL) return handle === NONE ? 'painting' : 'detail';
  for (const { layers = [] } of result?.report.networks ?? []) {
    const at = layers.findIndex(({ path }) => path === layer);
    if (at < 0) continue;
    const heights = layers.map(({ shape }) => shape[1]);
    return at <= heights.indexOf(Math.min(...heights)) ? 'looking' : 'painting';
  }
  return 'painting';
}
