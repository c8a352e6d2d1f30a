// What a test asks of a browser, whichever engine it is. Chromium is driven by Playwright, Firefox by WebDriver BiDi,
// WebKitGTK by WebDriver; the tests know none of them.

/**
 * One control of the page, found by its accessible role and name. Playwright's `Locator` is one.
 * @typedef {object} Control
 * @property {() => Promise<void>} click waits until it can be clicked
 * @property {() => Promise<boolean>} isDisabled
 * @property {() => Promise<boolean>} isVisible
 * @property {(name: string) => Promise<string | null>} getAttribute
 * @property {(value: string) => Promise<unknown>} selectOption
 */

/**
 * A file as it is given to the page: a path, or a name with bytes.
 * @typedef {string | {name: string, mimeType: string, buffer: Buffer}} Given
 */

/**
 * @typedef {object} NewPage
 * @property {boolean} [serviceWorkers] whether they may be registered, where the engine lets a test choose
 * @property {string} [locale] what the browser asks for first, such as `zh-CN`; Chromium alone
 */

/**
 * A tab with storage of its own.
 * @typedef {object} Driver
 * @property {import('playwright-core').Page | null} page Playwright's, for tests that only Chromium runs
 * @property {string[]} complaints whatever the console, the network or an uncaught error said that it should not
 * @property {(url: string) => Promise<void>} goto
 * @property {<A, R>(run: (argument: A) => R | Promise<R>, argument?: A) => Promise<R>} evaluate in the page; values as in JSON
 * @property {(role: string, name: string) => Control} control
 * @property {(label: string, file: Given) => Promise<void>} give chooses a file in the file input of this label
 * @property {(points: {x: number, y: number}[]) => Promise<void>} drag presses at the first point, CSS pixels of the viewport
 * @property {(press: () => Promise<void>) => Promise<{name: string, bytes: Buffer}>} download the file that pressing saves
 * @property {(path: string) => Promise<void>} screenshot
 * @property {(url: string, options?: NewPage) => Promise<Driver>} fresh a tab with storage of its own, for the site at this address
 * @property {() => Promise<void>} settle until every complaint has arrived
 * @property {() => Promise<void>} close
 */

/**
 * @typedef {object} Engine
 * @property {string} name as people know it, with its version
 * @property {string} spy a script that the site loads before its own, where the engine tells nothing of the console; else empty
 * @property {(url: string, options?: NewPage) => Promise<Driver>} open a tab for the site at this address
 * @property {() => Promise<void>} close
 */

/**
 * @param {'chromium' | 'firefox' | 'webkit'} name
 * @returns {Promise<Engine>}
 */
export async function launch(name) {
  const { launch } = await import(`./${name}.mjs`);
  return launch();
}
