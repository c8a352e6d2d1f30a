// A classic script: it speaks where the page's modules cannot even load. The page's own words are in strings/en.js.
(function () {
  var problem = '';
  if (location.protocol === 'file:') {
    problem = 'This page cannot run from a file. Serve the folder instead, for instance with "cargo xtask serve".';
  } else if (typeof WebAssembly !== 'object') {
    problem = 'This browser has WebAssembly switched off. Switch it on, or use another browser.';
  } else {
    // One v128.const: browsers without SIMD refuse it.
    var simd = new Uint8Array([0, 97, 115, 109, 1, 0, 0, 0, 1, 5, 1, 96, 0, 1, 123, 3, 2, 1, 0, 10, 10, 1, 8, 0, 65, 0, 253, 15, 253, 98, 11]);
    if (!WebAssembly.validate(simd)) problem = 'This browser lacks WebAssembly SIMD. Update it, or use a newer one.';
  }
  var box = document.getElementById('unsupported');
  if (problem && box) {
    box.textContent = problem;
    box.hidden = false;
  }
})();
