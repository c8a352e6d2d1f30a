/**
 * What page and worker say to each other, and the shape of the crate's JavaScript interface.
 * @module
 */

/**
 * A photo as the crate or the browser decoded it.
 * @typedef {object} DecodedPhoto
 * @property {number} width
 * @property {number} height
 * @property {Uint8Array} rgba straight, colours as stored
 * @property {boolean} hasAlpha
 * @property {boolean} isGray
 * @property {Uint8Array} [icc]
 * @property {string[]} notes stable words: `sixteen-bit`, `animated`, `turned`, `damaged`, `browser`, `browser-p3`
 */

/**
 * What a photo's file is, as far as it matters for saving.
 * @typedef {object} SourceFile
 * @property {string} [format] `png`, `jpg` or `webp`, where it is one of these
 * @property {boolean} hasPlace whether it tells where the photo was taken
 * @property {number} [quality] of a JPEG, as it is estimated
 */

/**
 * A file to be written.
 * @typedef {object} SavedFile
 * @property {Uint8Array<ArrayBuffer>} bytes
 * @property {string} format `png`, `jpg` or `webp`
 * @property {number} [quality] of a JPEG that was encoded anew as a whole
 * @property {string[]} kept what it has of its source, in stable words: `blocks`, `sixteen-bit`, `profile`, `exif`, `xmp`, `iptc`, `place`
 * @property {string[]} notes what a user may not expect, in the crate's stable words or the page's: `source-gone`, `png-instead`
 */

/**
 * A mask as it was found in a file.
 * @typedef {object} FoundMask
 * @property {Uint8Array} holes 255 is hole, 0 known
 * @property {string} channel in which it was found, as the command line calls it, or `strongest`
 * @property {number} share of the photo that is masked, 0 to 1
 * @property {number} softPixels pixels of soft edges that are kept
 * @property {boolean} isTurned whether its EXIF orientation turned it
 * @property {boolean} isPlain whether white, by luma, is filled
 */

/**
 * @typedef {{x: number, y: number, width: number, height: number, rgba: Uint8Array}} Patch
 */

/**
 * How a network was trained, as far as a file cannot tell; and how the hole is filled. See the crate's `FillOptions`.
 * @typedef {Record<string, string | number | boolean | string[][] | null>} FillOptions
 */

/**
 * One network that was loaded.
 * @typedef {object} LoadedNetwork
 * @property {string} id
 * @property {string} name
 * @property {number} width
 * @property {number} parameters
 * @property {string} file
 * @property {string} engine
 * @property {string} licence one line on the published weights
 * @property {string} role `paints`, `scores`, or what it gives to others, such as `gives-edges`
 * @property {Record<string, any>} conventions
 */

/**
 * The report of `infill inspect --json`.
 * @typedef {object} Report
 * @property {string} file
 * @property {string} container
 * @property {string[]} wrapper
 * @property {string} prefix
 * @property {NetworkReport[]} networks
 * @property {{key: string, shape: number[], dtype: string}[]} tensors
 * @property {{code: string, severity: 'info' | 'warning' | 'error', message: string, keys: string[]}[]} [findings]
 */

/**
 * @typedef {object} NetworkReport
 * @property {string} id
 * @property {string} name
 * @property {number} confidence
 * @property {string} why
 * @property {number} width
 * @property {number} parameters
 * @property {string} dtype
 * @property {string[]} missing
 * @property {string[]} unexpected
 * @property {{key: string, expected: number[], found: number[]}[]} mismatched
 * @property {[string, string][]} [renamed] where only the names differ: the network's key and the file's
 * @property {Record<string, any>} conventions how it is fed, as guessed
 * @property {string} licence one line on the published weights
 * @property {string} role as of a loaded network
 * @property {string[]} [about]
 * @property {Layer[]} [layers]
 */

/**
 * One node of a network, in execution order.
 * @typedef {object} Layer
 * @property {string} path
 * @property {string} kind
 * @property {string} call as PyTorch would write it
 * @property {number[]} inputs indices of the rows it reads
 * @property {number[]} shape channels, height, width of its output
 * @property {string | null} formula
 * @property {number} parameters
 * @property {number} macs
 * @property {Geometry | null} geometry
 */

/**
 * A convolution's geometry; pairs are height, width.
 * @typedef {object} Geometry
 * @property {boolean} transposed
 * @property {number[]} input
 * @property {number[]} kernel_size
 * @property {number[]} stride
 * @property {number[]} padding
 * @property {number[]} output_padding
 * @property {number[]} dilation
 * @property {number} groups
 * @property {string} padding_mode
 */

/**
 * The edges of one window of the photo, as a network would be given them.
 * @typedef {object} EdgeMap
 * @property {number} x photo pixels; may be negative, where the photo is mirrored
 * @property {number} y
 * @property {number} width photo pixels
 * @property {number} height
 * @property {number} columns of `values`
 * @property {number} rows
 * @property {Uint8Array} values 255 is an edge
 */

/**
 * One channel of one network's input.
 * @typedef {object} Channel
 * @property {string} network
 * @property {string} input
 * @property {string} label
 * @property {number} columns
 * @property {number} rows
 * @property {number} low least value
 * @property {number} high greatest value
 * @property {Uint8Array} gray the value range from black to white
 */

/**
 * A discriminator's scores of a picture; pairs are across and down, in the picture's pixels.
 * @typedef {object} Scores
 * @property {number} columns
 * @property {number} rows
 * @property {number[]} values 0 made, 1 real
 * @property {number} mean
 * @property {[number, number]} start where the first cell's view begins
 * @property {[number, number]} step from one cell to the next
 * @property {[number, number]} field what one cell sees
 */

/**
 * How far the fast engine is from the reference, on the hole at hand.
 * @typedef {object} Check
 * @property {number} largest difference of the outputs
 * @property {{path: string, op: string, largest: number, magnitude: number}[]} layers in the order in which the reference ran; `magnitude` is its largest value
 * @property {number} columns of `values`
 * @property {number} rows
 * @property {Float32Array} values largest difference of every pixel of the output
 */

/**
 * One row of a file's keys beside a network's.
 * @typedef {object} Aligned
 * @property {string | null} key the network's
 * @property {number[] | null} expected
 * @property {string | null} theirs the file's
 * @property {number[] | null} found
 * @property {'fits' | 'other-shape' | 'other-name' | 'missing' | 'unexpected'} verdict
 */

/**
 * What one tensor's values are.
 * @typedef {object} TensorStats
 * @property {number} index in the report's list
 * @property {string} key
 * @property {number | null} min
 * @property {number | null} max
 * @property {number | null} mean
 * @property {number | null} std
 * @property {number} nan
 * @property {number} infinite
 * @property {number[]} histogram
 */

/**
 * Work that nobody has open.
 * @typedef {object} KeptWork
 * @property {string} id
 * @property {string} name of the photo
 * @property {number} at when something was written last, milliseconds
 * @property {number} bytes
 */

/**
 * Work as a tab takes it over.
 * @typedef {object} TakenWork
 * @property {File} photo
 * @property {File} journal
 * @property {string} name of the photo
 * @property {string} type of the photo, as the browser called it
 * @property {number | undefined} crc of the photo; unknown where the head was damaged
 */

/**
 * What the page knows of a file of weights.
 * @typedef {object} AboutModel
 * @property {string} file its name
 * @property {string} title what its networks are called
 * @property {number} modified when the file was changed last, milliseconds
 * @property {boolean} byPosition whether its keys are taken by position, as somebody decided
 * @property {Paste | null} paste the class that it is run with; null for a network that the crate knows
 */

/** @typedef {AboutModel & {id: string, bytes: number, at: number}} KeptModel `at` is when it was chosen last, milliseconds */

/** @typedef {{report: Report, loaded: LoadedNetwork[]}} LoadResult */

/**
 * A pasted class, and what a person says of it.
 * @typedef {object} Paste
 * @property {string} source Python
 * @property {string} classArgs `Net(4, 3)`; empty if the paste, its defaults or the weights say
 * @property {number | null} returned which of the tensors that it returns is the picture
 * @property {number | null} side of the squares that it runs on
 * @property {boolean} leavesOut whether keys of the file that the class has not are left out
 */

/**
 * A pasted class beside a file: the JSON of `infill inspect --class --json`.
 * @typedef {object} ClassReport
 * @property {'waits' | 'fits' | 'nearly' | 'other' | 'asks' | 'unread'} state
 * @property {string} class
 * @property {string[]} classes
 * @property {string} message
 * @property {string[]} notes
 * @property {{name: string, kind: string, default: string | null, given: string | null}[]} arguments
 * @property {{key: string, expected: number[] | null, found: number[] | null, place: string}[]} faults
 * @property {{lines: {place: string, comes: boolean, text: string}[], source: string} | null} edit
 * @property {{code: string, left_out: string[]} | null} loading
 * @property {[string, string] | null} instead
 * @property {[string, number][]} inputs
 * @property {{place: string, shape: number[]}[]} returned
 * @property {number} taken
 * @property {number | null} side
 */

/**
 * What is selected of a photo; nothing where it has no width.
 * @typedef {object} Selected
 * @property {number} x of the rectangle around it, photo pixels
 * @property {number} y
 * @property {number} width
 * @property {number} height
 * @property {Uint8Array} inside 255 where it is selected, one byte a pixel of the rectangle
 */

/**
 * What would be selected, at the size of the worker's copy of the photo.
 * @typedef {object} SelectionPreview
 * @property {number} width
 * @property {number} height
 * @property {Uint8Array} inside 1 where it would be selected
 */

/**
 * Clicks and strokes of one selection.
 * @typedef {object} FlatPrompts
 * @property {Float32Array} points x and y in turn, photo pixels
 * @property {Uint32Array} counts how many points each has
 * @property {Uint8Array} adds 1 where it adds, 0 where it takes away
 */

/**
 * The pixels of a photo travel ahead in parts of a few megabytes, so that neither side stalls on a copy.
 * @typedef {{kind: 'pixels', key: string, total: number, offset: number, bytes: Uint8Array}} PixelsPart
 */

/**
 * Requests; each is answered once, by `done` or `error`.
 * @typedef {{kind: 'decode-photo', blob: Blob, tryBrowser: boolean}
 *   | {kind: 'encode-photo', key: string, width: number, height: number, hasAlpha: boolean, isGray: boolean, icc?: Uint8Array}
 *   | {kind: 'read-mask', blob: Blob, width: number, height: number, channel?: string, isInverted: boolean}
 *   | {kind: 'describe-file', blob: Blob}
 *   | {kind: 'save-photo', key: string, width: number, height: number, hasAlpha: boolean, isGray: boolean, icc?: Uint8Array, source: Blob | null, format?: string, quality?: number, withoutPlace: boolean}
 *   | {kind: 'encode-mask', holes: Uint8Array, width: number, height: number}
 *   | {kind: 'inspect', blob: Blob, name: string}
 *   | {kind: 'load', handle: string, blob: Blob, name: string, modelId?: string, byPosition?: boolean}
 *   | {kind: 'python', text: string}
 *   | {kind: 'read-class', paste: Paste, blob?: Blob, name: string}
 *   | {kind: 'load-class', handle: string, paste: Paste, blob: Blob, name: string}
 *   | {kind: 'load-graph', handle: string, blob: Blob, name: string}
 *   | {kind: 'combine', handle: string, from: string}
 *   | {kind: 'unload', handle: string}
 *   | {kind: 'inpaint', handle: string, key: string, width: number, height: number, isGray: boolean, mask: Uint8Array, options: string, second?: Uint8Array, edges?: Uint8Array}
 *   | {kind: 'edges', handle: string, key: string, width: number, height: number, mask: Uint8Array, options: string, propose: boolean}
 *   | {kind: 'preview', handle: string, key: string, width: number, height: number, mask: Uint8Array, options: string, second?: Uint8Array, edges?: Uint8Array}
 *   | {kind: 'score', handle: string, key: string, width: number, height: number, options: string}
 *   | {kind: 'check', blobs: Blob[], names: string[], byPosition: boolean, key: string, width: number, height: number, mask: Uint8Array, options: string, second?: Uint8Array, edges?: Uint8Array}
 *   | ({kind: 'select', key: string, width: number, height: number} & FlatPrompts)
 *   | ({kind: 'select-preview', key: string, width: number, height: number} & FlatPrompts)
 *   | {kind: 'select-encode', key: string, width: number, height: number}
 *   | {kind: 'snap', key: string, width: number, height: number, holes: Uint8Array}
 *   | {kind: 'models'}
 *   | {kind: 'align', blob: Blob, name: string, modelId: string}
 *   | {kind: 'stats', blob: Blob, name: string, keys?: string[]}
 *   | {kind: 'work-list'}
 *   | {kind: 'work-begin', photo: Blob, name: string}
 *   | {kind: 'work-take', work: string}
 *   | {kind: 'work-write', records: {json: any, bytes: Uint8Array[]}[], isAside: boolean}
 *   | {kind: 'work-turn'}
 *   | {kind: 'work-drop'}
 *   | {kind: 'work-leave'}
 *   | {kind: 'work-forget', work?: string}
 *   | {kind: 'work-forget-all'}
 *   | {kind: 'model-list'}
 *   | {kind: 'model-keep', blob: Blob, about: AboutModel}
 *   | {kind: 'model-open', model: string}
 *   | {kind: 'model-forget', model?: string}
 * } Request
 */

/** @typedef {Request['kind']} Kind */

/**
 * What the last run of a model took.
 * @typedef {object} Speed
 * @property {number} threads that took part
 * @property {string} simd
 * @property {number} bytes of wasm memory
 * @property {{name: string, engine: string, report: RunReport | null}[]} networks
 */

/**
 * @typedef {object} RunReport
 * @property {number} threads
 * @property {string} simd
 * @property {number} weight_bytes as packed
 * @property {number} arena_bytes
 * @property {number} packing_ms without reading the file
 * @property {{path: string, op: string, kernel: string, ms: number, macs: number}[]} layers
 */

/**
 * What a thread needs to join: the name of the build, and its module on the same memory.
 * @typedef {{build: string, module: WebAssembly.Module, memory: WebAssembly.Memory}} ThreadStart
 */

/** @typedef {{kind: 'joined', lock: string} | {kind: 'dead', message: string}} ThreadReply */

/**
 * What went wrong.
 * @typedef {object} Fault
 * @property {string} code
 * @property {string} message in English
 * @property {string[]} keys
 * @property {Report} [report]
 * @property {string} [sentence] what `message` says, as the id of a sentence of the crate, with its values
 * @property {Record<string, string | number>} [values]
 */

/**
 * From the worker. `ready` comes once, `dead` instead of it or when the instance is poisoned; `threads` before it, where
 * threads may join.
 * @typedef {{kind: 'ready', lock: string}
 *   | {kind: 'threads', start: ThreadStart}
 *   | {kind: 'dead', fault: Fault}
 *   | {kind: 'progress', id: number, done: number, layer: string}
 *   | {kind: 'done', id: number, value: any}
 *   | {kind: 'error', id: number, fault: Fault}
 * } Reply
 */

/** An error of the crate or of the worker, as the page knows it. */
export class Failure extends Error {
  /** @param {Fault} fault */
  constructor({ code, message, keys, report, sentence, values }) {
    super(message);
    this.name = 'Failure';
    /** Stable code of `src/error.rs`, or one of the page's own: those of `errors` in the tables of `strings/`, and `run-cancelled`. */
    this.code = code;
    this.keys = keys ?? [];
    this.report = report;
    this.sentence = sentence ?? '';
    this.values = values ?? {};
  }
}
