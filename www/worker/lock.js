/**
 * How the page hears of a worker's death that says nothing: a lock that only the worker's end lets go.
 * @module
 */

/**
 * In a worker: takes the lock.
 * @returns {Promise<string>} its name; empty where there are no locks
 */
export async function holdLock() {
  if (!navigator.locks) return '';
  const lock = `infill-worker-${Math.random().toString(36).slice(2)}`;
  await new Promise((resolve) => {
    navigator.locks.request(lock, () => (resolve(undefined), new Promise(() => {}))).catch(resolve);
  });
  return lock;
}

/**
 * On the page: getting the lock means that the worker is gone.
 * @param {string} lock
 * @param {() => void} gone
 */
export function watchLock(lock, gone) {
  if (lock) navigator.locks.request(lock, gone).catch(() => {});
}
