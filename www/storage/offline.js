/**
 * The service worker: the site offline once visited.
 * @module
 */
import { serviceWorker } from '../trusted.js';

/** Registers it once the page has loaded what it needs itself. Where it is refused, everything else works the same. */
export function keepSite() {
  if (!('serviceWorker' in navigator)) return;
  const register = () => navigator.serviceWorker.register(serviceWorker()).catch(() => {});
  if (document.readyState === 'complete') void register();
  else window.addEventListener('load', () => void register(), { once: true });
}
