//! Every cap, with its unit. Nothing is allocated from a number that was not checked against one of these.

/// Largest checkpoint file, bytes: what a 32-bit address space could ever run, with room for optimiser states.
pub const CHECKPOINT_BYTES: u64 = 4 * 1000 * 1000 * 1000;
/// Largest pickle stream (the structure, not the tensors), bytes after inflation.
pub const PICKLE_BYTES: u64 = 32 << 20;
/// Longest deflated pickle, bytes after inflation: unlike a stored one it is held in memory.
pub const PICKLE_INFLATED_BYTES: u64 = 6 << 20;
/// Most pickle values alive at once (stack, memo and containers together).
pub const PICKLE_VALUES: usize = 300_000;
/// Most bytes of names and strings that are kept of one pickle.
pub const PICKLE_TEXT_BYTES: usize = 6 << 20;
/// Most items put into the containers of one pickle, all together.
pub const PICKLE_ITEMS: usize = 1_000_000;
/// Most opcodes in one pickle.
pub const PICKLE_OPCODES: u64 = 16_000_000;
/// Deepest nesting of pickled containers.
pub const PICKLE_DEPTH: usize = 200;
/// Longest string or bytes object in a pickle, bytes.
pub const PICKLE_STRING_BYTES: usize = 4 << 20;
/// Longest name (a state-dict key, a class, an archive's entry), bytes. A pickle can repeat a name for three bytes.
pub const NAME_BYTES: usize = 1024;
/// Most state dicts taken from one file.
pub const STATE_DICTS: usize = 64;
/// Most keys listed beside a state dict.
pub const SIBLINGS: usize = 64;
/// Most entries of a zip or tar archive.
pub const ARCHIVE_ENTRIES: usize = 32_768;
/// Longest index of shards (`*.index.json`), bytes.
pub const MAX_SHARD_INDEX_BYTES: u64 = 8 << 20;
/// Longest list of the parts of a bundle, bytes.
pub const MAX_BUNDLE_LIST_BYTES: u64 = 1 << 20;
/// Most shards of one state dict.
pub const MAX_SHARDS: usize = 256;
/// Longest safetensors header, bytes (the reference implementation takes 100 MB; 50,000 tensors need 8).
pub const SAFETENSORS_HEADER_BYTES: u64 = 16 << 20;
/// Longest safetensors `__metadata__`, bytes.
pub const SAFETENSORS_METADATA_BYTES: usize = 4 << 20;
/// Largest deflated storage that is inflated as a whole, bytes; from larger ones only what a tensor needs is kept.
pub const INFLATED_BYTES: u64 = 32 << 20;
/// Most tensors in one file.
pub const TENSORS: usize = 50_000;
/// Most bytes of keys and module paths of one file: a pickle can put one key into many dicts.
pub const KEY_BYTES: usize = 8 << 20;
/// Most dimensions of a tensor.
pub const TENSOR_DIMENSIONS: usize = 16;
/// Most elements of one tensor.
pub const TENSOR_ELEMENTS: usize = 1 << 30;
/// Largest kernel side of a layer. Published networks stay below 64.
pub const MAX_KERNEL_SIDE: usize = 1024;
/// Largest stride of a layer: a transposed convolution is split into stride x stride plain ones.
pub const MAX_STRIDE: usize = 256;
/// Largest padding or output padding of a layer, pixels on one side.
pub const MAX_PADDING: usize = 8192;
/// Largest dilation of a layer.
pub const MAX_DILATION: usize = 4096;
/// Most channels of a layer.
pub const MAX_CHANNELS: usize = 1 << 20;
/// Largest number of an architecture that is read from a checkpoint, so that no product of a few of them overflows.
pub const MAX_ARCH_NUMBER: usize = 1 << 16;
/// Largest base width that a checkpoint's shapes can vote for.
pub const MAX_WIDTH: usize = 4096;
/// Most residual blocks that are read from a checkpoint's keys.
pub const MAX_BLOCKS: usize = 64;
/// Most halvings of a U-Net that are read from a checkpoint's keys.
pub const MAX_DEPTH: usize = 12;
/// Largest fixed side of a picture that is read from a checkpoint's keys, pixels.
pub const MAX_FIXED_SIDE: usize = 1024;
/// Most beginnings of keys that may be a network's within a state dict.
pub const MAX_KEY_BEGINNINGS: usize = 16;
/// Most state dicts of one file, and parts of them, that are compared with every known network.
pub const MAX_COMPARED_DICTS: usize = 64;
/// Most ends of a stripped prefix that may be a network's own.
pub const MAX_PREFIX_ENDINGS: usize = 4;
/// Largest factor by which a layer enlarges.
pub const MAX_SCALE: usize = 64;
/// Most scores of an attention layer: every patch of a picture with every other.
pub const MAX_ATTENTION_SCORES: usize = 1 << 26;
/// Largest picture file, bytes: more than 16-bit RGBA at [`IMAGE_PIXELS`] takes uncompressed.
pub const MAX_IMAGE_FILE_BYTES: u64 = 1 << 30;
/// Longest Python file with a network's class, bytes.
pub const MAX_CLASS_SOURCE_BYTES: usize = 256 << 10;
/// Longest central directory of a zip archive, bytes: [`ARCHIVE_ENTRIES`] entries with long names.
pub const MAX_ZIP_DIRECTORY_BYTES: u64 = 16 << 20;
/// Longest pickle that describes one storage or tensor of a tar checkpoint, bytes: it is a short tuple.
pub const MAX_TAR_PICKLE_BYTES: u64 = 4096;
/// Deepest nesting of wrappers around a state dict, and of pickled modules.
pub const MAX_WRAPPER_DEPTH: usize = 32;
/// Longest path of a pickled module, bytes.
pub const MAX_MODULE_PATH_BYTES: usize = 256;
/// Most elements of a view that repeats elements (stride 0), unless its storage holds more.
pub const MAX_REPEATED_ELEMENTS: usize = 1 << 22;
/// Most values that the tensors of a file may unfold to, however short it is.
pub const MAX_UNFOLDED_VALUES: u64 = 16 << 20;
/// Most values for each byte of a longer file: tensors may share storages several times.
pub const MAX_VALUES_PER_BYTE: u64 = 8;
/// Most steps (statements, calls, items) that are followed for all classes of a Python file together.
pub const MAX_CLASS_FILE_STEPS: usize = 1_000_000;
/// Most steps (statements, calls, items) that are followed for one class.
pub const MAX_CLASS_STEPS: usize = 400_000;
/// Most attributes, items or bytes that one step may look through.
pub const MAX_CLASS_SCAN_PER_STEP: usize = 16;
/// Most classes of one Python file that are tried.
pub const MAX_CLASSES_TRIED: usize = 32;
/// Deepest nesting of expressions and blocks in a Python file.
pub const MAX_CLASS_PARSE_DEPTH: usize = 64;
/// Greatest height of the tree of one expression, levels.
pub const MAX_CLASS_EXPRESSION_HEIGHT: usize = 100;
/// Deepest nesting of calls and expressions while a class is followed.
pub const MAX_CLASS_CALL_DEPTH: usize = 160;
/// Deepest nesting of a pasted class's modules.
pub const MAX_CLASS_MODULE_DEPTH: usize = 64;
/// Most items of a list or dict of a pasted class, and most layers.
pub const MAX_CLASS_ITEMS: usize = 4096;
/// Most arguments of a class that are guessed from a checkpoint's shapes.
pub const MAX_GUESSED_ARGUMENTS: usize = 3;
/// Most combinations of arguments that are tried for a class.
pub const MAX_CLASS_GUESSES: usize = 1000;
/// Most input tensors of a network whose meaning a user may say.
pub const MAX_INPUT_TENSORS: usize = 8;
/// Most words that say what one input tensor shows.
pub const MAX_INPUT_WORDS: usize = 64;
/// Most edits of a class that are made one after another to fit a file.
pub const MAX_CLASS_EDITS: usize = 6;
/// Most sources that are read to find them.
pub const MAX_CLASS_EDITS_TRIED: usize = 1500;
/// Most bytes of source that are read to find them, all trials together.
pub const MAX_CLASS_EDIT_BYTES: usize = 24 << 20;
/// Longest Jupyter notebook, bytes: pictures among its outputs are read over.
pub const MAX_NOTEBOOK_BYTES: usize = 64 << 20;
/// Most code cells of a notebook that are read.
pub const MAX_NOTEBOOK_CELLS: usize = 4096;
/// Most tensors that a pasted class's `forward` may return.
pub const MAX_RETURNED: usize = 64;
/// Most numbers of a tensor that a pasted class makes itself.
pub const MAX_CLASS_TENSOR: usize = 1 << 20;
/// Longest text that a pasted class builds, and longest path of a module, bytes.
pub const MAX_CLASS_TEXT_BYTES: usize = 1024;
/// Longest name in a Python file, bytes: names are looked up again and again.
pub const MAX_CLASS_NAME_BYTES: usize = 256;
/// Most base classes of a class, its own and theirs.
pub const MAX_CLASS_BASES: usize = 32;
/// Greatest number that a layer of a pasted class may be given (channels, kernel, stride, padding, side), so that no sum or
/// product of a few of them overflows.
pub const MAX_LAYER_NUMBER: i64 = 1 << 16;
/// Most dimensions of a value inside a network, the batch included.
pub const MAX_RANK: usize = 8;
/// Most layers of a network.
pub const MAX_NODES: usize = 20_000;
/// Most values that one layer reads.
pub const MAX_INPUTS: usize = 1024;
/// Most values that one layer gives.
pub const MAX_OUTPUTS: usize = 64;
/// Largest photo, pixels (width x height).
pub const IMAGE_PIXELS: u64 = 120_000_000;
/// Largest side of a photo, pixels.
pub const IMAGE_SIDE: u32 = 32_767;
/// Most pixels of a picture whose pixels take no bytes, because all of them have one colour.
pub const MAX_CONSTANT_IMAGE_PIXELS: u64 = 1 << 24;
/// Most bytes that a decoder may allocate for pixels: 16-bit RGBA at [`IMAGE_PIXELS`], and room to work.
pub const MAX_IMAGE_DECODE_BYTES: u64 = IMAGE_PIXELS * 8 + (64 << 20);
/// Most bytes that a PNG's metadata may take once inflated.
pub const MAX_IMAGE_METADATA_BYTES: u64 = 64 << 20;
/// Least difference between the values of a mask's holes and those of its background, where neither is what it should be;
/// what differs less may be noise, or labels.
pub const MIN_MASK_CONTRAST: u8 = 32;
/// Longest side of a WebP, pixels.
pub const MAX_WEBP_SIDE: usize = 16_383;
/// Most scans of a JPEG whose coefficients are kept; progressive files have about ten, and each visits every block.
pub const MAX_JPEG_SCANS: usize = 64;
/// Longest EXIF, XMP or IPTC block that is copied from one file to another, bytes.
pub const MAX_METADATA_BYTES: usize = 16 << 20;
/// Most entries of a list of tags (IFD) that are looked at; cameras write some tens.
pub const MAX_IFD_ENTRIES: usize = 4096;
/// Largest embedded ICC profile, bytes.
pub const ICC_BYTES: usize = 4 << 20;
/// Most bytes a run may need in a browser tab (wasm32 holds 4 GiB; leave room for the photo).
pub const RUN_BYTES: u64 = 3_500_000_000;
/// Most holes of a mask that are compared pair by pair, to fill those that lie near each other together.
pub const MAX_COMPARED_HOLES: usize = 500;
/// Most groups of holes that are filled one after another; beyond that, neighbours are filled together.
pub const MAX_HOLE_GROUPS: usize = 24;
/// Most threads that take part in a loop: more than a desktop has cores, and few enough that waiting costs little.
pub const MAX_THREADS: usize = 64;
/// Most pixels of the copy of a photo that objects are selected in.
pub const MAX_SELECT_PIXELS: usize = 200_000;
/// Most clicks and strokes of one selection.
pub const MAX_SELECT_PROMPTS: usize = 64;
/// Most points of the clicks and strokes of one selection.
pub const MAX_SELECT_POINTS: usize = 16_384;
/// Most fields of protobuf and packed numbers of an ONNX file.
pub const ONNX_FIELDS: u64 = 8_000_000;
/// Most nodes of an ONNX graph (LaMa's longest export has 17,500).
pub const ONNX_NODES: usize = 100_000;
/// Most inputs, outputs, attributes, and numbers of one attribute, of a node of an ONNX graph.
pub const ONNX_NODE_ITEMS: usize = 4096;
/// Most inputs and outputs of an ONNX graph, its initializers not counted.
pub const ONNX_PORTS: usize = 256;
/// Most values of a tensor of an ONNX file that its graph may compute sizes with; larger ones are weights.
pub const ONNX_KNOWN_VALUES: usize = 1 << 16;
/// Most such values of all tensors of one file, and of those whose values are no plain bytes.
pub const ONNX_HELD_VALUES: usize = 1 << 22;
/// Most values that a part of an ONNX graph without inputs is computed to.
pub const ONNX_FOLDED_VALUES: usize = 1 << 20;
/// Most numbers of all that is computed before an ONNX graph runs: what is kept, as it is followed.
pub const ONNX_FOLDED_TOTAL: usize = 1 << 24;
/// Most multiplications, and numbers read and written, for all that is computed before an ONNX graph runs.
pub const ONNX_FOLDED_STEPS: u64 = 1 << 26;
