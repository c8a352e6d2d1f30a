/**
 * What the crate says, in the chosen language. In English the crate says it itself; other tables have its sentences by id,
 * and a few words for every code, which stand before the English of an error that is no sentence yet.
 * @module
 */
import { text } from './index.js';

/**
 * @param {{code: string, message: string, sentence?: string, values?: Record<string, string | number>}} error
 * @returns {string}
 */
export function crateWords({ code, message, sentence = '', values = {} }) {
  const { sentences, codes } = text;
  if (Object.hasOwn(sentences, sentence)) {
    return sentences[sentence].replace(/\{(\w+)\}/g, (whole, name) => {
      const value = Object.hasOwn(values, name) ? values[name] : whole;
      return typeof value === 'number' ? text.exact(value) : value;
    });
  }
  return Object.hasOwn(codes, code) ? text.detailed(codes[code], message) : message;
}
