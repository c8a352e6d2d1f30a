/**
 * Numbers, sizes, times and lists as a language writes them. Units are the table's words, but for those of bytes.
 * @module
 */

/** Characters of a file's name in a sentence. */
const MAX_NAME = 48;
const MINUTE = 60_000;

/** A file's name as far as there is room: its beginning and its end. @param {string} name */
export const short = (name) => (name.length > MAX_NAME ? `${name.slice(0, MAX_NAME - 16)}…${name.slice(-15)}` : name);

/** What a language calls itself. @param {string} tag */
export function languageName(tag) {
  return new Intl.DisplayNames([tag], { type: 'language', fallback: 'code' }).of(tag) ?? tag;
}

/**
 * A value of a tensor, in the notation of programs, which is the same in every language.
 * @param {number} n
 */
export const value = (n) => (n === 0 ? '0' : Math.abs(n) >= 1e4 || Math.abs(n) < 1e-3 ? n.toExponential(1) : String(Number(n.toPrecision(3))));

/**
 * How one language writes.
 * @param {string} tag as BCP 47 has it
 */
export function formats(tag) {
  const plurals = new Intl.PluralRules(tag);
  const ago = new Intl.RelativeTimeFormat(tag, { numeric: 'auto' });
  const clock = new Intl.DateTimeFormat(tag, { hour: '2-digit', minute: '2-digit', second: '2-digit', hourCycle: 'h23' });
  const words = new Intl.ListFormat(tag);
  const whole = new Intl.NumberFormat(tag);
  /** @param {number} n @param {number} digits behind the point */
  const fixed = (n, digits) => new Intl.NumberFormat(tag, { minimumFractionDigits: digits, maximumFractionDigits: digits }).format(n);
  /** @param {number} n @param {string} unit as ECMA-402 has it @param {number} digits */
  const inUnit = (n, unit, digits) => new Intl.NumberFormat(tag, { style: 'unit', unit, minimumFractionDigits: digits, maximumFractionDigits: digits }).format(n);
  return {
    /** @param {number} n */
    count: (n) => whole.format(n),
    fixed,
    /** A number with its words. @param {number} n @param {{one?: string, other: string}} forms as the language's plural rules name them */
    plural: (n, forms) => `${whole.format(n)} ${forms[/** @type {'one' | 'other'} */ (plurals.select(n))] ?? forms.other}`,
    /** @param {number} n of bytes */
    bytes(n) {
      if (n >= 1e9) return inUnit(n / 1e9, 'gigabyte', 1);
      if (n >= 1e6) return inUnit(n / 1e6, 'megabyte', n >= 1e7 ? 0 : 1);
      // As most programs write it.
      return inUnit(Math.max(1, Math.round(n / 1e3)), 'kilobyte', 0).replace('kB', 'KB');
    },
    /** Seconds, with a tenth where it matters. @param {number} ms */
    seconds: (ms) => (ms < 9950 ? fixed(ms / 1000, 1) : whole.format(Math.round(ms / 1000))),
    /** Milliseconds likewise. @param {number} ms */
    milliseconds: (ms) => (ms < 9.95 ? fixed(ms, 1) : whole.format(Math.round(ms))),
    /** Per cent, without the sign. @param {number} share 0 to 1 */
    percent: (share) => whole.format(Math.round(share * 100)),
    /** A large number with the letter of its power: K, M, G. @param {number} n */
    power: (n) => (n >= 1e9 ? `${fixed(n / 1e9, 1)} G` : n >= 1e6 ? `${fixed(n / 1e6, 1)} M` : n >= 1e3 ? `${Math.round(n / 1e3)} K` : `${n}`),
    /** Parts in a row: a, b and c. @param {string[]} parts */
    list: (parts) => words.format(parts),
    /** The time of day. @param {number} at milliseconds */
    time: (at) => clock.format(at),
    /** How long something is past; empty for less than a minute. @param {number} ms since then */
    since(ms) {
      const minutes = Math.max(0, Math.round(ms / MINUTE));
      if (minutes < 1) return '';
      if (minutes < 60) return ago.format(-minutes, 'minute');
      return minutes < 36 * 60 ? ago.format(-Math.round(minutes / 60), 'hour') : ago.format(-Math.round(minutes / 1440), 'day');
    },
  };
}
