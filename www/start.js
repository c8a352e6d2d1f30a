// A classic script: it chooses the language before anything is shown, and speaks where the page's modules cannot even
// load. The page's own words are in strings/, one table a language; a language has its sentences here, too.
(function () {
  var KEY = 'infill-language';
  var WORDS = {
    en: {
      file: 'This page cannot run from a file. Serve the folder instead, for instance with "cargo xtask serve".',
      off: 'This browser has WebAssembly switched off. Switch it on, or use another browser.',
      simd: 'This browser lacks WebAssembly SIMD. Update it, or use a newer one.',
    },
    'zh-Hans': {
      file: '本页面无法直接从文件打开。请通过本地服务器访问该文件夹，例如运行 "cargo xtask serve"。',
      off: '此浏览器已关闭 WebAssembly。请启用它，或换用其他浏览器。',
      simd: '此浏览器不支持 WebAssembly SIMD。请更新浏览器，或换用较新的浏览器。',
    },
  };
  var ids = Object.keys(WORDS);

  /** @param {string} tag @returns {string} language and script, such as zh-Hans for zh-CN */
  function written(tag) {
    try {
      var full = new Intl.Locale(tag).maximize();
      return full.language + '-' + full.script;
    } catch (_) {
      return tag;
    }
  }

  /** @param {string | null} tag @returns {string | undefined} the language that is written as this one is */
  function match(tag) {
    return ids.filter(function (id) { return tag && written(id) === written(tag); })[0];
  }

  function remembered() {
    try {
      return localStorage.getItem(KEY);
    } catch (_) {
      return null;
    }
  }

  /** @param {readonly (string | null)[]} tags */
  function first(tags) {
    return tags.map(match).filter(Boolean)[0];
  }

  // The address, what was chosen before, what the browser asks for.
  var asked = /[?&]lang=([\w-]+)/.exec(location.search);
  var said = first([asked && asked[1], remembered()]);
  var language = said || first(navigator.languages || [navigator.language]) || ids[0];
  var root = document.documentElement;
  root.lang = language;
  if (said) root.dataset.languageSaid = '';
  var words = /** @type {Record<string, Record<string, string>>} */ (WORDS)[language];
  var problem = '';
  if (location.protocol === 'file:') {
    problem = words.file;
  } else if (typeof WebAssembly !== 'object') {
    problem = words.off;
  } else {
    // One v128.const: browsers without SIMD refuse it.
    var simd = new Uint8Array([0, 97, 115, 109, 1, 0, 0, 0, 1, 5, 1, 96, 0, 1, 123, 3, 2, 1, 0, 10, 10, 1, 8, 0, 65, 0, 253, 15, 253, 98, 11]);
    if (!WebAssembly.validate(simd)) problem = words.simd;
  }
  var box = document.getElementById('unsupported');
  if (problem && box) {
    box.textContent = problem;
    box.hidden = false;
    return;
  }
  // The table is asked for by the last module that runs: it is on its way while the others are.
  var ahead = document.createElement('link');
  ahead.rel = 'modulepreload';
  ahead.href = 'www/strings/' + language.toLowerCase().replace('-', '_') + '.js';
  document.head.appendChild(ahead);
})();
