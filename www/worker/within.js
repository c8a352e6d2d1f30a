/**
 * Waiting with an end. A worker takes one request after another, so a wait without an end would block it for good.
 * @module
 */

/**
 * The promise's outcome, or an error with the code `worker-wait` where that takes too long.
 * @template T
 * @param {Promise<T>} promise
 * @param {number} ms
 * @param {string} what is waited for, for the error's message
 * @returns {Promise<T>}
 */
export function within(promise, ms, what) {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => {
      reject(Object.assign(new Error(`${what} took longer than ${ms / 1000} s`), { code: 'worker-wait' }));
    }, ms);
    promise.then(resolve, reject).finally(() => clearTimeout(timer));
  });
}
