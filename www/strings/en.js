/**
 * Every word the page says, in English: the model of every other table, which has the same keys, kinds and arguments.
 * Functions take what varies. Sentences of the crate, with their values, are in `sentences` of the other tables; in English
 * the crate says them itself (`src/sentences.rs`).
 * @module
 */
import { formats, short, value } from './format.js';

const { bytes, count, fixed, list, milliseconds, percent, plural, power, seconds, since, time } = formats('en');

/** @param {number} ms since then */
const ago = (ms) => since(ms) || 'just now';
/** @param {number} share 0 to 1 */
const part = (share) => (share < 0.01 ? 'less than 1 %' : share > 0.99 ? 'more than 99 %' : `${percent(share)} %`);
/** @param {string} name */
const a = (name) => `${/^[aeiou]/i.test(name) ? 'an' : 'a'} ${name}`;
/** @param {string} why @param {number} [quality] */
const anew = (why, quality) => `The whole photo is encoded anew${quality ? `, at quality ${quality}` : ''}, because ${why}.`;

export const text = {
  // Top bar
  name: 'infill',
  openPhoto: 'Open photo',
  openPhotoTip: 'Open a photo from this machine',
  model: 'Model',
  loadWeights: 'Load weights',
  loadWeightsTip: 'Load a network you trained: .pth, .pt, .ckpt, .safetensors or .onnx',
  undo: 'Undo',
  undoTip: 'Undo (Ctrl+Z)',
  redo: 'Redo',
  redoTip: 'Redo (Ctrl+Shift+Z)',
  compare: 'Compare',
  compareTip: 'Hold to see the photo as it was opened (\\); click for a divider',
  panel: 'Settings and details',
  panelTip: 'Settings and details',
  saveImage: 'Save image',
  saveImageTip: 'Save at full size, in the format it came in (Ctrl+S)',
  howToSave: 'How to save',
  howToSaveTip: 'Format, quality, copy and share (Ctrl+Shift+S)',
  saveOrShare: 'Save or share',

  // Stage
  canvas: 'Photo and mask',
  canvasHelp: 'Paint with a pointer, or move the brush with the arrow keys and paint along the way with Shift and the arrow keys. B is the brush, E the eraser, square brackets change the size, plus and minus zoom, 0 fits, Enter fills, a question mark says this again.',
  divider: 'Before and after',
  before: 'Before',
  after: 'After',
  tools: 'Tools',
  /** @param {string} tip @param {string} [key] */
  toolTip: (tip, key) => (key ? `${tip} · ${key.toUpperCase()}` : tip),
  toolWords: {
    brush: { name: 'Brush', tip: 'Paint over what should go (Shift: straight lines, Alt: erase)', undone: 'Stroke undone.', redone: 'Stroke redone.' },
    eraser: { name: 'Eraser', tip: 'Take away from the mask (Shift: straight lines)', undone: 'Erasing undone.', redone: 'Erasing redone.' },
    select: {
      name: 'Select object',
      tip: 'Mask the thing you click, or draw over (Alt: take away)',
      help: 'Click a thing, or draw over it. Further clicks add to it, or (Alt) take away.',
      undone: 'Selection undone.',
      redone: 'Selected again.',
    },
    rectangle: { name: 'Rectangle', tip: 'Mask a rectangle (Shift: a square, Alt: take away)', help: 'Drag from corner to corner.', undone: 'Rectangle undone.', redone: 'Rectangle redone.' },
    ellipse: { name: 'Ellipse', tip: 'Mask an ellipse (Shift: a circle, Alt: take away)', help: 'Drag from corner to corner of the box around it.', undone: 'Ellipse undone.', redone: 'Ellipse redone.' },
    lasso: { name: 'Lasso', tip: 'Mask what you draw around (Alt: take away)', help: 'Draw around what should go.', undone: 'Lasso undone.', redone: 'Lasso redone.' },
    polygon: {
      name: 'Polygon',
      tip: 'Mask a polygon, point by point (Alt: take away)',
      help: 'Click to set points, and the first one again (or Enter) to close. Points can be dragged; Backspace takes the last one back.',
      undone: 'Polygon undone.',
      redone: 'Polygon redone.',
    },
    wand: { name: 'Magic wand', tip: 'Mask what is of the same colour (Alt: take away)', help: 'Click a colour. A higher tolerance takes in more.', undone: 'Magic wand undone.', redone: 'Magic wand redone.' },
    edge: { name: 'Draw edges', tip: 'Draw edges inside the hole: the network paints along them', undone: 'Edge undone.', redone: 'Edge redone.' },
    edgeEraser: { name: 'Erase edges', tip: 'Erase edges inside the hole', undone: 'The edge is back.', redone: 'Edge erased.' },
    pan: { name: 'Move', tip: 'Move the photo (or hold Space)' },
  },
  maskMenu: 'Change the mask',
  maskMenuTip: 'Change the mask as a whole: snap to edges, invert, grow, shrink, smooth, fill holes',
  loadMask: 'Load mask',
  loadMaskTip: 'Load a mask: a picture of the same size, white is filled',
  saveMask: 'Save mask',
  saveMaskTip: 'Save the mask as PNG, exactly as it is shown',
  zoomIn: 'Zoom in',
  zoomInTip: 'Zoom in (+)',
  zoomOut: 'Zoom out',
  zoomOutTip: 'Zoom out (-)',
  zoomFitTip: 'Show the whole photo (0)',
  size: 'Size',
  brushSize: 'Brush size',
  diameter: 'Diameter in pixels',
  pixel: 'px',
  mode: 'What the tool does',
  modeAdd: 'Add',
  modeAddTip: 'Add to the mask (X, or hold Alt, for the other)',
  modeRemove: 'Take away',
  modeRemoveTip: 'Take away from the mask (X, or hold Alt, for the other)',
  tolerance: 'Tolerance',
  toleranceTip: 'How different a colour may be and still be selected, of 255',
  contiguous: 'Connected',
  contiguousTip: 'Select only what hangs together with the point; else alike colours everywhere',
  clearMask: 'Clear mask',
  clearMaskTip: 'Clear the mask (Delete)',
  another: 'Try another',
  anotherTip: 'Fill the same hole in another way',
  inpaint: 'Inpaint',
  autoFill: 'Fill on release',
  autoFillTip: 'Fill each hole as soon as the pointer is released',
  autoFillOn: 'Each hole is filled as soon as you release the pointer.',
  autoFillOff: 'Holes wait until you press Inpaint.',
  inpaintTip: 'Fill the mask (Enter)',
  cancel: 'Cancel',
  cancelTip: 'Stop (Esc)',
  paintFirst: 'Paint over what should go',
  /** @param {number} scale per cent */
  zoomed: (scale) => `${scale < 10 ? fixed(scale, 1) : Math.round(scale)} %`,
  /** @param {string} zoom */
  zoomFit: (zoom) => `${zoom}, show the whole photo`,
  /** @param {number} x @param {number} y */
  brushAt: (x, y) => `Across ${x}, down ${y}`,
  /** @param {number} px */
  pixels: (px) => `${px} px`,

  // Nothing open
  headline: 'Paint over it. It’s gone.',
  dropHere: 'Drop a photo here, paste one, or',
  openAPhoto: 'Open a photo',
  stays: 'Everything stays on this machine.',
  trySample: 'Or try one of these',
  ownWeights: 'Trained your own? Drop a .pth, .safetensors or .onnx anywhere.',
  samples: {
    kingfisher: 'Sample: kingfisher on a branch',
    pig: 'Sample: pig on a meadow',
    sheep: 'Sample: sheep',
    montStMichel: 'Sample: Mont Saint-Michel',
  },
  left: 'Work that you left',
  /** @param {string} name @param {number} ms since then */
  workLeft: (name, ms) => `You were working on ${short(name)}, ${ago(ms)}.`,
  continueWork: 'Continue',
  /** @param {string} name */
  continueWith: (name) => `Continue with ${short(name)}`,
  forgetWork: 'Forget',
  /** @param {string} name */
  forgetThis: (name) => `Forget ${short(name)}`,
  dropAny: 'Drop a photo, a model or its class',
  dropPhoto: 'Drop to open this photo',
  dropWeights: 'Drop to read this model',

  // Status
  welcome: '',
  /** @param {string} name @param {number} width @param {number} height */
  opened: (name, width, height) => `${short(name)}, ${width} × ${height}. Paint over what should go.`,
  /** @param {string} name */
  opening: (name) => `Opening ${short(name)}`,
  /** @param {string} name */
  reading: (name) => `Reading ${short(name)}`,
  /** @param {string} name @param {number} done */
  fetching: (name, done) => `Fetching the model ${name}, once: ${percent(done)} %`,
  starting: 'Starting',
  // What a run is doing, in words for people: the names of layers are in the Speed tab alone
  stages: { looking: 'Looking at the photo', painting: 'Painting', detail: 'Adding detail', edges: 'Looking for edges', scores: 'Scoring the photo' },
  /** @param {string} what @param {number} done @param {number | null} leftMs */
  running: (what, done, leftMs) => `${what}, ${percent(done)} %${leftMs === null ? '' : `, about ${seconds(leftMs)} s left`}`,
  /** @param {number} ms */
  done: (ms) => `Done in ${seconds(ms)} s. Paint the next hole, or compare.`,
  cancelled: 'Cancelled. Nothing has changed.',
  operations: {
    invert: { label: 'Invert mask', short: 'Invert', tip: 'Mask what is not masked, and free what is', key: 'i', done: 'Mask inverted.' },
    grow: { label: 'Grow mask', short: 'Grow', tip: 'Widen the mask on all sides', key: 'g', done: 'Mask grown.' },
    shrink: { label: 'Shrink mask', short: 'Shrink', tip: 'Take the rim of the mask away', key: 'k', done: 'Mask shrunk.' },
    smooth: { label: 'Smooth mask', short: 'Smooth', tip: 'Round the mask’s corners, and let specks go', key: 's', done: 'Mask smoothed.' },
    fillHoles: { label: 'Fill holes in mask', short: 'Fill holes', tip: 'Mask what the mask surrounds', key: 'f', done: 'Holes in the mask filled.' },
  },
  snap: { label: 'Snap mask to edges', short: 'Snap to edges', tip: 'Move the mask to the edges of what it covers: it takes in what it missed, and lets go of the rest', key: 'n', done: 'The mask follows the edges.' },
  snapOffer: 'Snap to edges',
  snapOfferTip: 'Move what you painted to the edges of what it covers (N)',
  selecting: {
    looking: 'Looking at the photo',
    selected: 'Selected. Click what is missing; with Alt, click what is too much.',
    refined: 'Selection changed.',
    nothing: 'That changes nothing: it is selected already, or nothing is there.',
    ended: 'Selection finished. The next click begins another; Enter fills.',
    nothingToSnap: 'No other edges were found near the mask.',
    changedMeanwhile: 'The mask was changed meanwhile, and is left as it is.',
    missing: 'What selects objects is not on this machine yet and could not be fetched. Go online, and try again.',
  },
  maskAmount: 'By',
  maskAmountLabel: 'By how many pixels',
  nothingChanged: 'Nothing to change.',
  undone: { snap: 'Snapping undone.', invert: 'Inverting undone.', grow: 'Growing undone.', shrink: 'Shrinking undone.', smooth: 'Smoothing undone.', fillHoles: 'The holes are back.', clearing: 'The mask is back.', mask: 'Loaded mask undone.', fill: 'Fill undone. The mask is back.', edgeClearing: 'Your edges are back.' },
  redone: { snap: 'The mask follows the edges.', invert: 'Mask inverted.', grow: 'Mask grown.', shrink: 'Mask shrunk.', smooth: 'Mask smoothed.', fillHoles: 'Holes in the mask filled.', clearing: 'Mask cleared.', mask: 'Mask loaded again.', fill: 'Filled again.', edgeClearing: 'Your edges are cleared.' },
  cleared: 'Mask cleared.',
  encoding: 'Preparing the file',
  /** @param {string} name */
  saved: (name) => `Saved as ${short(name)}.`,
  shared: (/** @type {string} */ name) => `${short(name)} was handed over.`,
  copiedImage: 'The picture is copied.',
  copyFailed: 'The browser did not let the picture be copied. Save it instead.',
  shareFailed: 'The file could not be handed over. Save it instead.',
  saveInstead: 'Save it',
  maskLoaded: 'Mask loaded. It is used exactly as it is.',
  maskFull: 'Everything is painted over, so nothing is left to fill the photo from. Erase a part of the mask, or undo.',
  /** @param {string} file */
  maskFileFull: (file) => `${file} masks the whole photo, so nothing would be left to fill it from. White is filled and black is kept: save the mask as white on black, and load it again.`,
  readOtherwise: 'Read it otherwise',
  chooseReading: 'What should be filled? It is shown in orange.',
  noReading: 'None of these',
  maskKept: 'The mask stays as it was.',
  /** @param {string} channel @param {boolean} isInverted @param {number} share */
  readingOf: (channel, isInverted, share) => `${text.channels[channel]?.[isInverted ? 1 : 0] ?? channel}, ${part(share)}`,
  channels: /** @type {Record<string, [string, string]>} */ ({
    luma: ['What is light', 'What is dark'],
    alpha: ['What is opaque', 'What is transparent'],
    red: ['What is red', 'What is not red'],
    green: ['What is green', 'What is not green'],
    blue: ['What is blue', 'What is not blue'],
    strongest: ['What is coloured', 'What is black'],
  }),
  /** @param {string} channel */
  maskFoundIn: (channel) => `It was found in ${text.maskPlaces[channel] ?? channel}.`,
  maskPlaces: /** @type {Record<string, string>} */ ({ luma: 'what is lighter than the rest', alpha: 'its transparency: what is opaque is filled', red: 'its red', green: 'its green', blue: 'its blue', strongest: 'its colours' }),
  maskSoft: 'Of its soft edges only the lighter half is filled; growing the mask takes the rest.',
  takeTransparency: 'Use its transparency as the mask',
  transparencyTaken: 'What was transparent is masked.',
  /** @param {string} file */
  maskOrPhoto: (file) => `${short(file)} looks like a mask of this photo. Use it as one?`,
  asMask: 'As the mask',
  asPhoto: 'Open as a photo',
  /** @param {string} mask @param {string} photo */
  maskBeside: (mask, photo) => `${short(mask)} looks like the mask of ${short(photo)}. Use it as one?`,
  asItsMask: 'Use the mask',
  onlyPhoto: 'Only the photo',
  /** @param {number} n @param {string} name */
  onlyFirst: (n, name) => `You gave ${n} pictures; one is edited at a time, so only ${short(name)} was opened.`,
  maskNeedsPhoto: 'Open a photo first: a mask belongs to one.',
  /** @param {string} name @param {string} file */
  modelReady: (name, file) => `This is ${a(name)} (${short(file)}). It is selected.`,
  /** @param {string} name @param {string} file */
  modelScores: (name, file) => `This is ${a(name)} (${short(file)}). It scores photos and cannot fill holes: its tab is Scores.`,
  /** @param {string} name @param {string} file @param {string} both */
  modelJoined: (name, file, both) => `This is ${a(name)} (${file}). ${both} now run together.`,
  /** @param {string} name */
  secondChosen: (name) => `${name} is the second input.`,
  /** @param {string} name @param {number} w @param {number} h @param {number} width @param {number} height */
  secondSize: (name, w, h, width, height) => `${name} has ${w} × ${h} pixels, but the photo has ${width} × ${height}. Choose a second photo of the same size, or remove it.`,
  /** @param {string} name */
  modelChosen: (name) => `${name} is selected.`,
  /** @param {string} name */
  modelRemoved: (name) => `${name} is removed.`,
  noneChosen: 'No network: holes are filled from the photo alone.',
  paintedDuringRun: 'The run keeps the mask it began with. Press Enter to have this filled next.',
  queued: 'This is filled next.',

  // Work that is kept on this device
  keep: 'Keep my work on this device',
  keepHelp: 'The photo, what you do to it and the weights you drop are kept in this browser’s storage, so that a crash or a reload loses nothing. Nothing is sent anywhere. Switch it off on a computer that others use: what is kept is deleted then.',
  standings: { none: 'Nothing is open.', behind: 'The last change is being kept.', kept: 'Everything you did is kept.', off: 'This photo is not kept.' },
  privacy: 'Your photos and models',
  privacyHelp: 'They never leave this device. While you work, the photo, what you do to it and the weights you drop are kept in this browser’s storage, so that nothing is lost. Under Fill you can forget all of it, or switch that off.',
  forgetAll: 'Forget everything kept',
  forgotten: 'Everything that was kept on this device is deleted, and this photo is not kept any more.',
  keepingOff: 'Nothing is kept on this device from now on, and what was kept is deleted.',
  keepingOn: 'Work is kept on this device from now on.',
  /** @param {string} name */
  forgottenWork: (name) => `What was kept of ${short(name)} is deleted.`,
  /** @param {string} name */
  bringingBack: (name) => `Bringing ${short(name)} back`,
  /** @param {string} name @param {number} at milliseconds */
  broughtBack: (name, at) => `${short(name)} is back as it was at ${time(at)}.`,
  /** @param {string} name @param {number} at milliseconds */
  broughtBackUntil: (name, at) => `${short(name)} is back. A part of what was kept is damaged: what you did after ${time(at)} is lost.`,
  /** @param {string} name */
  onlyPhotoBack: (name) => `${short(name)} is back as it was opened. What was kept of your changes is damaged and cannot be read.`,
  /** @param {string} name */
  photoDamaged: (name) => `What was kept of ${short(name)} is damaged and cannot be opened. Open the photo again from where you have it.`,
  workElsewhere: 'That work is open in another tab, or is no longer there.',
  store: {
    'store-missing': 'This browser has no place to keep work in, so save the image before you close the page.',
    'store-refused': 'This browser keeps no work here, perhaps because the window is private, so save the image before you close the page.',
    'store-full': 'There is no room left on this device to keep your work, so save the image before you close the page.',
    'store-failed': 'Your work can no longer be kept on this device, so save the image before you close the page.',
  },
  recent: 'Recent models on this device',
  recentHelp: 'Copies of the weights you dropped. Choose one, and it is read again.',
  /** @param {string} file @param {number} size bytes @param {number} ms since then */
  recentAbout: (file, size, ms) => `${file} · ${bytes(size)} · ${ago(ms)}`,
  /** @param {string} file */
  removeRecent: (file) => `Remove ${short(file)} from this device`,
  /** @param {string} file */
  recentRemoved: (file) => `${short(file)} is removed from this device.`,
  /** @param {string} file */
  recentGone: (file) => `What was kept of ${short(file)} is gone or damaged. Drop the file again.`,

  // Notes on an opened photo
  notes: {
    'sixteen-bit': 'It has 16 bits a channel; it is edited in 8. Saved as a PNG, it keeps its 16 where nothing is filled.',
    animated: 'It moves: only the first frame was opened.',
    damaged: 'Its file is damaged or cut off, so a part of the picture may be missing.',
    turned: 'It was turned upright, as its EXIF orientation says.',
    browser: 'infill does not read this format, so the browser decoded it; its colours are sRGB now.',
    'browser-p3': 'infill does not read this format, so the browser decoded it; its colours are Display P3 now.',
    'shown-as-srgb': 'Its colours are wider than this browser can draw, so they look paler here; they are saved as they are.',
  },

  // How to save
  saveFormat: 'Format',
  saveFormats: { png: 'PNG', jpg: 'JPEG', webp: 'WebP' },
  /** @param {string} format */
  asItCame: (format) => `${format}, as it came`,
  unchanged: 'As it came',
  jpegAnew: 'JPEG, encoded anew',
  webpLossless: 'WebP, without loss',
  quality: 'Quality',
  qualityNumber: 'Quality, 1 to 100',
  withoutPlace: 'Leave out the place it was taken',
  withoutPlaceTip: 'GPS and named places, and the camera maker’s own note, which may hold one too',
  savePreview: 'The file as it will be saved',
  dragOut: 'Drag this to a folder or another program',
  preparing: 'Preparing the file',
  /** @param {number} now bytes @param {number | null} before of the file that was opened */
  fileSize: (now, before) => (before ? `${bytes(now)}; it came with ${bytes(before)}` : bytes(now)),
  saveFile: 'Save',
  copyFile: 'Copy',
  copyFileTip: 'Copy the picture (Ctrl+C)',
  shareFile: 'Share',
  shareFileTip: 'Hand the file to another app',
  keptBlocks: 'Every block of the JPEG that no fill touches stays as it was.',
  keptExactly: 'Every pixel is saved exactly.',
  keptSixteen: 'It keeps its 16 bits a channel; fills continue in 16.',
  onlyEight: 'It is saved with 8 bits a channel: only a PNG holds its 16.',
  /** @param {number} quality */
  allAnew: (quality) => `The whole photo is encoded anew, at quality ${quality}.`,
  /** @param {string[]} parts */
  keptMetadata: (parts) => `${list(parts)} ${parts.length === 1 ? 'is' : 'are'} kept.`,
  metadataNames: { exif: 'EXIF', xmp: 'XMP', iptc: 'IPTC' },
  tellsPlace: 'It tells where the photo was taken.',
  keptProfile: 'Its colour profile is kept.',
  convertedColours: 'Its colours were converted to sRGB when it was opened.',
  convertedColoursP3: 'Its colours were converted to Display P3 when it was opened, whose profile is saved.',
  saveNotes: /** @type {Record<string, (quality?: number) => string>} */ ({
    'anew-components': (quality) => anew('it is no JPEG of one or three components', quality),
    'anew-arithmetic': (quality) => anew('it is a JPEG with arithmetic coding', quality),
    'anew-precision': (quality) => anew('it has other than 8 bits a sample', quality),
    'anew-process': (quality) => anew('it is a lossless or hierarchical JPEG', quality),
    'anew-damaged': (quality) => anew('its file is damaged or cut off', quality),
    'anew-another-size': (quality) => anew('its file has another size by now', quality),
    flattened: () => 'A JPEG has no transparency: what was clear is white.',
    'place-left-out': () => 'The place it was taken is left out, and so is the camera maker’s note.',
    'text-left-out': () => 'The text in its file is left out: only a PNG has a place for it.',
    'colour-left-out': () => 'What its file says of its colours is no ICC profile, and is left out: only a PNG has a place for it.',
    'iptc-left-out': () => 'Its IPTC data is left out: a WebP has no place for it.',
    'metadata-left-out': () => 'A part of its metadata (EXIF or XMP) is left out: it is damaged or too long.',
    'metadata-unread': () => 'What its file tells beside the picture, such as its date, is left out: infill does not read this format.',
    'source-gone': () => 'The file that it was opened from was moved or changed, so what it told beside the picture could not be kept.',
    'png-instead': () => 'What writes other files could not be started, so this is a PNG of the picture alone.',
  }),

  // Errors of the page itself, by code
  errors: {
    'worker-gone': 'The worker crashed three times within a minute, so no new one is started just now. Your photo and mask are safe: save them, or try a smaller photo in a minute.',
    'worker-crash': 'The worker crashed and was replaced. Your photo, mask and history are untouched: try again.',
    'worker-memory': 'The browser ran out of memory. Your work is untouched: fill a smaller hole, use a smaller model, or close other tabs.',
    'worker-replaced': 'The worker that held the model was replaced. Your work is untouched: try again.',
    'worker-wait': 'The browser took too long over this file, so it was given up. Try again, or save it as PNG or JPEG with another program first.',
    'shipped-damaged': 'The model on this server is damaged or of another version than this page. Reload the page; if that does not help, publish the site again.',
    'reference-missing': 'The reference engine is not here: it comes with a site made by "cargo xtask dist", and has to be fetched once while the host is there.',
    'worker-start': 'The worker could not start. Reload the page; if that does not help, use a newer browser.',
    'threads-lost': 'A thread ended, so infill goes on with one. Your work is untouched.',
    'wasm-missing': 'The program’s files (pkg/) are missing on this server. Build the site with "cargo xtask serve" or "cargo xtask dist".',
    'wasm-compile': 'This browser cannot run the program: it lacks a WebAssembly feature. Update the browser.',
  },
  // Errors of the crate, in English said by itself; elsewhere by code, and by sentence: see `crate.js`
  codes: /** @type {Record<string, string>} */ ({}),
  sentences: /** @type {Record<string, string>} */ ({}),
  /** @param {string} what @param {string} message of the crate */
  detailed: (what, message) => `${what} ${message}`,
  /** @param {string} file @param {string} words */
  about: (file, words) => `${file}: ${words}`,
  /** @param {string} name */
  neither: (name) => `${short(name)} is neither a photo nor a model. Drop a picture, or a .pth, .safetensors or .onnx file.`,
  /** @param {string} name */
  unreadable: (name) => `${short(name)} can no longer be read. It was moved or changed: choose it again.`,
  shippedFailed: 'The model that comes with this page could not be fetched. You can drop weights of your own, or fill from the photo alone.',
  /** @param {string} name */
  fetchFailed: (name) => `The model ${name} could not be fetched. Check the connection and try again.`,
  shippedMissing: 'The model is not here yet.',
  retry: 'Try again',
  showModel: 'Show why',
  openAnother: 'Open a photo',

  // infill.json, by which whoever hosts the site says what it is made of, and addresses with ?image=, ?mask= and ?model=
  /** @param {string} what */
  siteFault: (what) => `infill.json, ${what} The page runs as if there were no such file.`,
  /** @param {number} line @param {string} what */
  siteFaultAt: (line, what) => `infill.json, ${text.atLine(line, what)}`,
  /** @param {number} line @param {string} what */
  atLine: (line, what) => `line ${line}: ${what}`,
  siteFaults: {
    value: () => 'a value is missing or cannot be read.',
    string: () => 'a text has no closing quote, or holds a \\ or a line break that JSON does not allow.',
    key: () => 'a key in double quotes is expected here; behind the last one there is no comma.',
    /** @param {string} key */
    colon: (key) => `a colon is expected behind "${short(key)}".`,
    listEnd: () => 'a comma or ] is expected here.',
    objectEnd: () => 'a comma or } is expected here.',
    afterEnd: () => 'something stands behind the end.',
    /** @param {number} most */
    deep: (most) => `lists and objects are nested more than ${most} deep.`,
    /** @param {string} key */
    twice: (key) => `"${short(key)}" stands there twice.`,
    /** @param {string} key @param {readonly string[]} known */
    unknownKey: (key, known) => `there is no key "${short(key)}" here. Known are: ${known.join(', ')}.`,
    /** @param {string} key */
    missing: (key) => `"${key}" is missing.`,
    /** @param {string} key @param {number} most */
    text: (key, most) => `"${key}" must be a text of 1 to ${most} characters.`,
    /** @param {string} key */
    path: (key) => `"${key}" must be a file of this site, such as "site/gen.pth": no address of another site, and no .. that leaves this one.`,
    /** @param {string} key @param {readonly string[]} choices */
    oneOf: (key, choices) => `"${key}" must be one of: ${choices.join(', ')}.`,
    /** @param {string} key @param {number} least @param {number} most */
    whole: (key, least, most) => `"${key}" must be a whole number from ${least} to ${most}.`,
    /** @param {string} key */
    yesOrNo: (key) => `"${key}" must be true or false.`,
    /** @param {string} key */
    digest: (key) => `"${key}" must be the 64 digits that sha256sum gives.`,
    /** @param {string} key */
    holeValue: (key) => `"${key}" must be a number from -1000 to 1000, or "smooth".`,
    /** @param {string} key */
    list: (key) => `"${key}" must be a list, in square brackets.`,
    /** @param {string} key @param {number} most */
    tooMany: (key, most) => `"${key}" has more than ${most} entries.`,
    /** @param {string} key */
    object: (key) => `"${key}" must be an object, in braces.`,
    needsClass: () => 'this says something of a class, but the model has no "class".',
    /** @param {string} name */
    sameName: (name) => `two models cannot both be called "${short(name)}".`,
    /** @param {string} file */
    sameFile: (file) => `two models cannot both be ${short(file)}.`,
    /** @param {string} name @param {string[]} known */
    noSuchModel: (name, known) => `"default" names no model here: "${short(name)}". It can be: ${known.map(short).join(', ')}.`,
  },
  /** @param {number} most bytes */
  siteTooLong: (most) => `which has more than ${bytes(most)}, is not read.`,
  /** @param {number} status */
  siteStatus: (status) => `which the server answers with ${status}, cannot be read.`,
  /** @param {string} path */
  siteMissing: (path) => `${short(path)} is not there.`,
  /** @param {string} path */
  siteOutside: (path) => `${short(path)} is not a file of this site. Name one by its path from the page, such as site/photo.jpg.`,
  /** @param {string} path */
  siteUnreachable: (path) => `${short(path)} could not be fetched. Check the connection and try again.`,
  /** @param {string} name @param {string} why */
  noSuchModel: (name, why) => `The address asks for the model ${short(name)}, which this page does not have: ${why}`,
  loadOther: 'Load other weights',

  // Questions
  replaceQuestion: 'Open another photo? What you did to this one is not saved.',
  replaceYes: 'Open it',
  replaceNo: 'Keep this one',
  kept: 'The photo that was open stays.',

  // Models
  shipped: 'Default',
  shippedHint: 'comes with this page',
  /** @param {string} name @param {number} size bytes */
  notHereYet: (name, size) => `${name}, ${bytes(size)}`,
  none: 'No model: from the photo alone',
  noneShort: 'Photo alone',
  noneHint: 'continues the photo’s own texture',
  parameters: power,
  exact: count,
  bytes,

  // Panel
  panelBox: 'Settings and details',
  tabs: { fill: 'Fill', details: 'Details', layers: 'Layers', edges: 'Edges', scores: 'Scores', own: 'Class', speed: 'Speed' },
  closePanel: 'Close',
  grow: 'Grow the mask',
  growHelp: 'Strokes are widened by this much, so that no rim of the old object stays. What you see is what is filled and saved.',
  sharpen: 'Sharpen from the photo',
  sharpenHelp: 'Networks paint soft. This continues the photo’s own detail into the fill.',
  sharpenChoices: { auto: 'Where it is needed', on: 'Always', off: 'Never' },
  tint: 'Colour of the mask',
  tintChoices: { auto: 'Suits the photo', orange: 'Orange', blue: 'Blue', green: 'Green', magenta: 'Magenta', yellow: 'Yellow' },
  theme: 'Look',
  themes: { auto: 'System', light: 'Light', dark: 'Dark' },
  language: 'Language',
  languageChosen: 'The page speaks English now.',
  languageFailed: 'This language could not be fetched. Check the connection and try again.',
  modelsAtHand: 'Models at hand',
  /** @param {string} name */
  remove: (name) => `Remove ${name}`,
  /** @param {string} name */
  backTo: (name) => `Back to ${name}`,
  trained: 'How this model was trained',
  trainedKnown: 'This is how the model was trained. You can change it to see what becomes of a fill.',
  trainedHelp: 'A file cannot tell this. It is guessed; if the fill looks wrong, change it.',
  inputShows: 'Goes in',
  /** @param {number} input */
  inputOf: (input) => `Input ${input}`,
  /** @param {number} part */
  inputPart: (part) => `What goes in, part ${part}`,
  /** @param {number} input @param {number} part */
  inputPartOf: (input, part) => `What goes into input ${input}, part ${part}`,
  inputWords: /** @type {Record<string, string>} */ ({ rgb: 'photo, hole blanked', photo: 'photo, hole filled', second: 'second photo', gray: 'gray photo', mask: 'mask', known: 'what is known', edges: 'edges', noise: 'noise', zeros: 'zeros', ones: 'ones' }),
  outputRange: 'Output range',
  range: 'Value range',
  rangeChoices: { '0..1': '0 to 1', '-1..1': '-1 to 1', imagenet: 'as ImageNet’s mean and deviation' },
  holeValue: 'Holes are set to',
  holeSmooth: 'Holes are continued smoothly',
  maskMeans: 'A 1 in the mask is',
  maskMeansChoices: { hole: 'the hole', known: 'the photo' },
  outputCovers: 'The output shows',
  outputCoversChoices: { field: 'the whole window', centre: 'its centre half' },
  normStatistics: 'Batch norms take the statistics',
  normStatisticsChoices: { picture: 'of the picture', stored: 'stored in the file' },
  secondInput: 'Second input',
  secondInputChoices: { mask: 'the mask', edges: 'edges of the photo', photo: 'the photo itself' },
  secondPhoto: 'Second photo',
  chooseSecond: 'Choose a second photo',
  goesIn: 'What goes in',
  goesInNeedsHole: 'Open a photo and paint a hole: then each channel of each input is shown here.',
  /** @param {number} low @param {number} high */
  span: (low, high) => (low === high ? value(low) : `${value(low)} to ${value(high)}`),
  /** @param {string} label @param {number} low @param {number} high */
  channel: (label, low, high) => `${label}, ${value(low)} to ${value(high)}`,

  // Your network
  ownTitle: 'Your network: paste its class, drop its weights',
  ownHelp: 'The class is read, never run. Constructor, forward and what they use is enough; a whole file or notebook is fine.',
  ownSource: 'Python of your network',
  ownPlaceholder: 'class Net(nn.Module):\n    def __init__(self):\n        ...',
  ownClassFile: 'Choose a .py or .ipynb',
  ownWeightsFile: 'Choose its weights',
  ownNoWeights: 'No weights yet: choose them, or drop them here.',
  ownWeightsAre: (/** @type {string} */ file) => `Weights: ${short(file)}`,
  ownTooLong: (/** @type {string} */ file) => `${short(file)} is longer than 64 MB. Take the cells with the class.`,
  ownReading: 'Reading the class',
  ownMissing: 'What reads classes could not be fetched. Go online once, and try again.',
  ownStates: {
    waits: 'The class is read',
    fits: 'It fits and runs',
    nearly: 'It nearly fits',
    other: 'These weights belong to another class',
    asks: 'What is it made with?',
    unread: 'This class cannot be followed',
  },
  ownDiff: 'The lines to change',
  ownApply: 'Change these lines',
  ownLeaveOut: 'Run without the rest',
  ownInstead: (/** @type {string} */ name) => `Run it as ${name}`,
  ownNeeded: 'needed',
  ownUse: 'Use these',
  ownMadeWith: (/** @type {string} */ name) => `What ${name} is made with`,
  ownPython: 'Load it in Python',
  ownSide: 'Runs at',
  ownReturned: 'The picture is',
  ownWhole: 'what forward returns',
  ownPaste: 'Paste its class',
  checkNoClass: 'Your own network is not checked here. infill forward --engine reference runs it on the reference engine.',

  // Edges
  sigma: 'Edge smoothing (sigma)',
  sigmaHelp: 'Higher finds fewer and smoother edges. EdgeConnect was trained with 2.',
  windowSideAuto: (/** @type {number} */ preferred, /** @type {number} */ largest) => (largest > preferred ? `As it suits, up to ${largest}` : `${preferred}, as it was trained`),
  windowSide: 'Side of the window',
  sideHelp: 'What the network sees around the hole, at most this many of its own pixels a side. More takes longer.',
  edgesHelp: 'The network paints along edges. Around the hole they are found in the photo; inside you draw and erase your own.',
  edgesNeedHole: 'The network paints along edges. Paint over what should go: then the edges around it are shown here, and you can draw your own inside.',
  edgesFound: 'found',
  edgesDrawn: 'drawn by you',
  drawEdges: 'Draw in the hole',
  completeEdges: 'Complete the edges',
  completeHelp: 'The edge generator completes them in every fill. What you draw or erase stands.',
  edgesCompleted: 'These are the edges that the edge generator gives.',
  clearEdges: 'Clear mine',
  saveEdges: 'Save mine',

  // Scores
  scoresHelp: 'The discriminator says of every patch how real it looks to it: 0 is made, 1 is real. It learned that against one generator on one kind of photo.',
  scoresNeedPhoto: 'Open a photo to have it scored.',
  scoreNow: 'Score the photo',
  scoreOpened: 'Score it as opened',
  scoresGrid: 'Scores of the patches',
  meanScore: 'Mean of all patches:',
  scoreRange: (/** @type {number} */ least, /** @type {number} */ most) => `${fixed(least, 3)} to ${fixed(most, 3)}`,
  score: (/** @type {number} */ n) => fixed(n, 3),
  scoreMade: '0 made',
  scoreReal: '1 real',
  pointAtScore: 'Point at a patch, here or on the photo.',
  /** @param {number} row @param {number} column @param {number} score */
  cellScore: (row, column, score) => `Row ${row + 1}, column ${column + 1}: ${fixed(score, 3)}`,
  scored: (/** @type {number} */ mean) => `Scored: ${fixed(mean, 3)} on average.`,

  // Values
  value,
  /** @param {number} nan @param {number} infinite */
  notFinite: (nan, infinite) => [nan && `${count(nan)} NaN`, infinite && `${count(infinite)} infinite`].filter(Boolean).join(', '),
  /** @param {number} low @param {number} high */
  histogram: (low, high) => `How often which value occurs, from ${value(low)} to ${value(high)}`,
  readValues: 'Read the values',
  readingValues: 'Reading the values',
  statistics: { min: 'Min', max: 'Max', mean: 'Mean', std: 'Std', notFinite: 'NaN', histogram: 'Histogram' },
  guessed: 'Back to the guess',
  facts: {
    parameters: 'Parameters',
    width: 'Base width',
    dtype: 'Stored as',
    container: 'File',
    wrapper: 'Found in',
    prefix: 'Prefix',
    sure: 'How sure',
    engine: 'Runs on',
    input: 'Trained at',
    licence: 'Licence',
    work: 'Work',
  },
  inputUpTo: (/** @type {number} */ preferred, /** @type {number} */ largest) => `${preferred} × ${preferred}; shown up to ${largest} × ${largest} unscaled`,
  /** @param {number} confidence 0 to 1 */
  sure: (confidence) => `${confidence >= 0.995 ? 'certain' : confidence >= 0.8 ? 'very likely' : confidence >= 0.5 ? 'likely' : 'a guess'} (${percent(confidence)} %)`,
  licenceText: 'full text',
  site: 'This site',
  /** Written before the hash of the published site. */
  siteHash: 'SHA-256 of all its files:',
  notice: 'Licences of everything in it',
  misfit: 'This does not fit',
  /** @param {string} file */
  misfitFile: (file) => `${file} was read, but it cannot run here`,
  unreadableFile: (/** @type {string} */ file) => `${file} cannot be read`,
  missing: 'missing',
  unexpected: 'not expected',
  /** @param {string} expected @param {string} found */
  misshaped: (expected, found) => `should be ${expected}, is ${found}`,
  /** @param {number} n */
  showAll: (n) => `Show all ${n}`,
  showLayers: 'Look inside',
  copy: 'Copy',
  copied: 'Copied.',
  dismiss: 'Dismiss',
  keepsOld: (/** @type {string} */ name) => `${name} stays selected.`,
  speedNone: 'Fill a hole, and this shows where the time went.',
  lastFill: 'The last fill',
  speedFacts: { time: 'Time', engine: 'Engine', simd: 'SIMD', threads: 'Threads', memory: 'Memory' },
  engines: /** @type {Record<string, string>} */ ({ fast: 'infill’s own', reference: 'reference (candle)' }),
  simds: /** @type {Record<string, string>} */ ({ 'relaxed-simd': 'relaxed, 128 bits', simd128: '128 bits' }),
  oneThread: /** @type {Record<string, string>} */ ({
    'not-isolated': 'One thread works for now: this host does not isolate the page. From the next visit on, all cores take part.',
    'threads-lost': 'One thread works since another one ended.',
    'memory-refused': 'One thread works: this browser gives the page no memory to share.',
    'wasm-missing': 'One thread works: the build for several is not kept on this machine yet.',
    'worker-start': 'One thread works: the build for several did not start in this browser.',
    'wasm-compile': 'One thread works: this browser cannot compile the build for several.',
  }),
  seconds: (/** @type {number} */ ms) => `${seconds(ms)} s`,
  milliseconds: (/** @type {number} */ ms) => `${milliseconds(ms)} ms`,
  /** @param {string} name @param {number} ms */
  layerTimes: (name, ms) => `${name}: ${count(Math.round(ms))} ms by layer`,
  otherLayers: (/** @type {number} */ n) => plural(n, { one: 'other layer', other: 'other layers' }),
  /** @param {number} weights @param {number} arena bytes @param {number} packing ms */
  planMemory: (weights, arena, packing) => `Weights take ${bytes(weights)}, what flows between the layers ${bytes(arena)}. Packing the weights took ${text.milliseconds(packing)}.`,
  checkTitle: 'Is it right?',
  checkEngines: 'Check against the reference',
  checkStop: 'Stop the check',
  checkHelp: 'Runs the largest hole once more on two engines, infill’s own and candle as the reference, and shows how far their numbers are apart. It fetches another megabyte first.',
  checkNeedsHole: 'Paint a hole, and its fill can be checked against the reference engine.',
  checkNeedsModel: 'There is nothing to check without a network.',
  checkStarting: 'Fetching the reference engine',
  /** @param {number} largest */
  checked: (largest) => `The largest difference in the picture is ${text.apart(largest)}.`,
  apart: (/** @type {number} */ value) => (Number.isFinite(value) ? value.toExponential(1) : 'not a number'),
  /** @param {string} op @param {number} magnitude */
  layerApart: (op, magnitude) => `${op}, values up to ${magnitude.toPrecision(3)}`,
  apartByLayer: 'Largest difference by layer',
  apartWhere: (/** @type {number} */ largest) => `Where the outputs differ, by up to ${text.apart(largest)}`,
  /** @param {number} white @param {number} black */
  apartScale: (white, black) => `Where: white is ${text.apart(white)}, black ${text.apart(black)} or less.`,
  layersNone: 'Nothing to look into yet: choose or drop a model.',
  filter: 'Filter',
  /** @param {number} shown @param {number} all */
  rows: (shown, all) => (shown === all ? plural(all, { one: 'row', other: 'rows' }) : `${count(shown)} of ${count(all)} rows`),
  columns: { layer: 'Layer', kind: 'Kind', key: 'Key', shape: 'Shape', dtype: 'Type', input: 'In', output: 'Out', formula: 'Side', parameters: 'Parameters', macs: 'MACs' },
  /** @param {string} key */
  standsFor: (key) => `stands for ${key}`,
  useMapping: 'Use it by position',
  holdAgainst: 'Hold the keys against',
  holdNone: 'no network',
  alignmentColumns: ['Network', 'Shape', 'File', 'Shape', ''],
  verdicts: { fits: 'fits', 'other-shape': 'other shape', 'other-name': 'other name', missing: 'missing', unexpected: 'not expected' },
  layersInside: (/** @type {number} */ n) => plural(n, { one: 'row', other: 'rows' }),
  alignment: 'Key alignment',
  layers: 'Layers',
  tensors: 'Tensors',
  findings: 'What stands out',
  picture: 'Height: the side of what a layer puts out. Width: its channels.',
  /** @param {number} layers @param {number} parameters @param {number} macs @param {string} input */
  layerTotal: (layers, parameters, macs, input) => `${plural(layers, { one: 'row', other: 'rows' })}, ${count(parameters)} parameters, ${macs >= 1e8 ? `${fixed(macs / 1e9, macs >= 1e10 ? 0 : 1)} GMAC` : `${fixed(macs / 1e6, 1)} MMAC`} for ${input}. Choose a row to have it explained.`,
  side: 'Side:',
  pointAtOutput: 'Point at a pixel of the output to see where it comes from.',
  /** @param {number} y @param {number} x @param {number} used @param {number} all @param {boolean} isEdge */
  taps: (y, x, used, all, isEdge) => `Output (${y}, ${x}): ${used} of ${all} kernel taps meet an input pixel${isEdge ? '; it lies in the output_padding strip' : ''}.`,
  /** @param {number[]} stride @param {number[]} padding */
  transposedExplained: (stride, padding) => `Each input pixel stamps the kernel into the output, ${stride[0]} × ${stride[1]} apart; where stamps overlap they add up. padding=${padding[0] === padding[1] ? padding[0] : `(${padding.join(', ')})`} crops that many rows and columns from every side: it makes the output smaller, not larger.`,
  outputPaddingExplained: 'output_padding does not add zeros: it keeps that many more rows at the bottom and columns at the right (tinted), computed like the others, because several input sizes share one output size.',
  insideView: 'Inside',
  insideExplained: 'Inside: stride − 1 zeros between the input pixels (pale), padding around them (empty), then an ordinary convolution with the kernel turned round. Outlined: what one output pixel reads.',
  croppedFrom: (/** @type {number[]} */ full) => `, cropped from ${full[0]} × ${full[1]}`,
  /** @param {number[]} size @param {number[]} least @param {number[]} most */
  outputSizeExplained: (size, least, most) => `For ${size[0]} × ${size[1]}, forward(x, output_size=…) takes heights ${least[0]} to ${most[0]} and widths ${least[1]} to ${most[1]}: it chooses the output_padding.`,
  tuplesExplained: 'Tuples are (height, width), not (width, height).',
  paddingModeExplained: 'There is no padding_mode but zeros here: nothing is padded, so there is nothing to fill.',
  checkerboard: 'The kernel is no multiple of the stride, so neighbouring output pixels get different numbers of taps: the cause of checkerboard patterns.',
  /** @param {number[]} stride @param {number[]} padding @param {string} mode */
  convExplained: (stride, padding, mode) => `The kernel moves in steps of ${stride[0]} × ${stride[1]} over the input${padding[0] || padding[1] ? `, which is extended by ${padding[0]} × ${padding[1]} (${mode})` : ', which is not extended'}.`,
};

/** @typedef {typeof text} Text */
