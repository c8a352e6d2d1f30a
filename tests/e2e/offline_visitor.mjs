// Visitors whose browser keeps the site.
/** @typedef {import('./page.mjs').Visitor} Visitor */

/** A visitor of another copy of the site, with service workers. @param {Visitor} v @param {string} url */
export async function visitorOf(v, url) {
  const visitor = await v.another(url, { serviceWorkers: true });
  // Elsewhere the machine's own number of cores must do.
  await visitor.driver.page?.context().addInitScript(() => Object.defineProperty(Navigator.prototype, 'hardwareConcurrency', { get: () => 4 }));
  return visitor;
}

/** In the page: whether the model that comes with the site is kept. */
async function modelIsKept() {
  const name = `infill-models ${new URL('.', location.href).href}`;
  return (await caches.has(name)) && (await (await caches.open(name)).keys()).length === 1;
}

/** Until the site and the model that comes with it are kept, and a worker has loaded both: nothing more is asked for. @param {Visitor} v */
export async function isKept(v) {
  await v.evaluate(() => navigator.serviceWorker.ready.then(() => true));
  await v.until(modelIsKept);
  await v.until(() => (document.querySelector('#model-size')?.textContent ?? '').trim() !== '');
}
