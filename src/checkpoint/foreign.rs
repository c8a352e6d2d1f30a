//! Files of other programs, told by their bytes: what each is, and what to do next.

use super::Source;
use super::bytes::BoundedReader;
use super::zip::Archive;
use crate::error::{Code, Error, Result};
use crate::python::{beside, quoted};

/// Bytes of a file that tell what it is.
pub const HEAD_BYTES: u64 = 512;
/// Bytes of a pickle in which the classes that it is made of are named.
const PICKLE_HEAD_BYTES: u64 = 256 << 10;
/// Longest beginning of a text that is shown, characters.
const SHOWN_CHARACTERS: usize = 40;
/// Fewest numbers that a file without any header must begin with to be taken for bare numbers.
const BARE_NUMBERS: usize = 16;

const KERAS: &str = "load it in Keras and save its arrays with safetensors.numpy.save_file under the keys of a PyTorch class, or take the network's PyTorch version";
const TENSORFLOW: &str = "infill reads PyTorch's weights, so take the network's PyTorch version (nipponjo/deepfillv2-pytorch has DeepFillv2's)";

/// What files of other formats begin with: the offset, the bytes, what it is and what to do.
const BEGINNINGS: [(usize, &[u8], &str); 27] = [
    (0, b"\x89PNG", "a PNG picture (open it as a photo)"),
    (0, b"\xff\xd8\xff", "a JPEG picture (open it as a photo)"),
    (0, b"GIF8", "a GIF picture (open it as a photo)"),
    (0, b"RIFF", "a WebP picture or another RIFF file"),
    (4, b"ftyp", "an AVIF or HEIC picture or a video (open a picture as a photo)"),
    (0, b"II*\0", "a TIFF picture (save it as PNG and open that as a photo)"),
    (0, b"MM\0*", "a TIFF picture (save it as PNG and open that as a photo)"),
    (0, b"8BPS", "a Photoshop picture (save it as PNG and open that as a photo)"),
    (0, b"%PDF", "a PDF document: download the weights themselves"),
    (
        0,
        b"version https://git-lfs",
        "a Git LFS pointer: the weights themselves were not downloaded (run `git lfs pull`)",
    ),
    (0, b"\x1f\x8b", "a gzip archive: unpack it first"),
    (0, b"7z\xbc\xaf", "a 7z archive: unpack it first"),
    (0, b"Rar!", "a RAR archive: unpack it first"),
    (0, b"\xfd7zXZ", "an xz archive: unpack it first"),
    (0, b"BZh", "a bzip2 archive: unpack it first"),
    (0, b"\x28\xb5\x2f\xfd", "a Zstandard archive: unpack it first"),
    (0, b"\x89HDF", "an HDF5 file, as Keras writes (.h5)"),
    (
        0,
        b"\x93NUMPY",
        "one NumPy array (.npy): put all arrays of a network under their keys with safetensors.numpy.save_file",
    ),
    (
        0,
        b"GGUF",
        "a GGUF file (llama.cpp, stable-diffusion.cpp): take the PyTorch or safetensors file that it was made from",
    ),
    (4, b"TFL3", "a TensorFlow Lite model (.tflite): take the PyTorch file that it was converted from"),
    (0, b"\x08\x01\x12", "a TensorFlow SavedModel (.pb)"),
    (0, b"model_checkpoint_path", "TensorFlow's list of checkpoints"),
    (0, b"\x12\x01\0\0\0\0\0\0", "MXNet's parameters (.params): take the network's PyTorch version"),
    (
        0,
        b"\x04\0\0\0\x01\0\0\0\x03\0\0\0V 1",
        "a Lua Torch file (.t7): convert it with the Python package torchfile, or take the PyTorch version",
    ),
    (0, b"7767517", "an ncnn model: take the PyTorch file that it was converted from"),
    (0, b"ptrt", "a TensorRT engine: take the PyTorch file that it was built from"),
    (0, b"ftrt", "a TensorRT engine: take the PyTorch file that it was built from"),
];

/// This file is no checkpoint.
fn not(what: &str) -> Error {
    Error::new(Code::CheckpointNotWeights, format!("This is no checkpoint but {what}."))
}

/// What a file is whose head no container of weights begins with; `None` if nobody knows.
pub fn by_head<S: Source + ?Sized>(file: &mut BoundedReader<S>, head: &[u8]) -> Result<Option<Error>> {
    let known = BEGINNINGS.iter().find(|(at, bytes, _)| head.get(*at..).is_some_and(|rest| rest.starts_with(bytes)));
    if let Some((_, bytes, what)) = known {
        let more = match *bytes {
            b"\x89HDF" => KERAS,
            b"\x08\x01\x12" | b"model_checkpoint_path" => TENSORFLOW,
            _ => return Ok(Some(not(what))),
        };
        return Ok(Some(not(&format!("{what}: {more}"))));
    }
    if let Some(what) = graph(head) {
        return Ok(Some(not(&format!("{what}: {TENSORFLOW}"))));
    }
    if let Some(text) = text(head) {
        return Ok(Some(not(&text)));
    }
    let tail = file.length().saturating_sub(8);
    if file.bytes(tail, (file.length() - tail) as usize)? == b"\x57\xfb\x80\x8b\x24\x75\x47\xdb" {
        return Ok(Some(not(&format!("the index of a TensorFlow checkpoint: {TENSORFLOW}"))));
    }
    Ok(None)
}

/// Numbers without any header, which tell neither keys nor shapes.
pub fn bare_numbers(head: &[u8], length: u64) -> Option<Error> {
    let numbers = head.as_chunks::<4>().0.iter().map(|bytes| f32::from_le_bytes(*bytes));
    let is_weight = |value: &f32| *value == 0.0 || (1e-10..1e4).contains(&value.abs());
    let (mut count, mut zeros) = (0, 0);
    for value in numbers {
        count += 1;
        zeros += usize::from(value == 0.0);
        if !is_weight(&value) {
            return None;
        }
    }
    let is_bare = count >= BARE_NUMBERS && zeros * 2 < count && length.is_multiple_of(4);
    is_bare
        .then(|| not(&format!("bare numbers without names, such as TensorFlow's .data-00000-of-00001: {TENSORFLOW}")))
}

/// The content of a protobuf field of this tag at the start, as far as it lies in `bytes`, and what follows it.
fn field(bytes: &[u8], tag: u8) -> Option<(&[u8], &[u8])> {
    let mut rest = bytes.strip_prefix(&[tag])?;
    let mut length = 0usize;
    for shift in [0, 7, 14, 21, 28] {
        let (&byte, after) = rest.split_first()?;
        rest = after;
        length |= (byte as usize & 0x7f).checked_shl(shift)?;
        if byte < 0x80 {
            return Some(rest.split_at(length.min(rest.len())));
        }
    }
    None
}

/// A TensorFlow graph: nodes of a name and an operator, or the list of operators of a `.meta` file.
fn graph(head: &[u8]) -> Option<&'static str> {
    let is_name = |text: &[u8], first: fn(&u8) -> bool| {
        text.first().is_some_and(first) && text.iter().all(|byte| byte.is_ascii_graphic())
    };
    let any = |byte: &u8| byte.is_ascii_alphanumeric();
    let (node, _) = field(head, 0x0a)?;
    if let Some((name, rest)) = field(node, 0x0a)
        && let Some((operator, _)) = field(rest, 0x12)
    {
        return (is_name(name, any) && is_name(operator, u8::is_ascii_uppercase)).then_some("a TensorFlow graph (.pb)");
    }
    let (operators, _) = field(node, 0x12)?;
    let (operator, _) = field(operators, 0x0a)?;
    let (name, _) = field(operator, 0x0a)?;
    is_name(name, u8::is_ascii_uppercase).then_some("a TensorFlow graph without its weights (.meta)")
}

/// What a text is, with its first words.
fn text(head: &[u8]) -> Option<String> {
    // The head may end within a character.
    let valid = match std::str::from_utf8(head) {
        Ok(text) => text,
        Err(error) if error.valid_up_to() + 4 > head.len() => std::str::from_utf8(&head[..error.valid_up_to()]).ok()?,
        Err(_) => return None,
    };
    let text = valid.trim_start_matches('\u{feff}').trim_start();
    if text.is_empty() || text.chars().any(|c| c.is_control() && !c.is_whitespace()) {
        return None;
    }
    if text.starts_with('<') {
        return Some("a web page: the download gave a login or error page instead of the weights".to_owned());
    }
    let shown: String = text.chars().take(SHOWN_CHARACTERS).map(|c| if c.is_whitespace() { ' ' } else { c }).collect();
    let shown = shown.trim_end();
    if text.starts_with('{') && text.contains("\"weight_map\"") {
        return Some(
            "the index of weights in several files: drop it together with them (infill's command line finds them beside it)".to_owned(),
        );
    }
    let what = if text.starts_with(['{', '[']) { "JSON" } else { "text" };
    Some(format!(
        "{what} that begins \"{shown}\": a server's message, a configuration or code. Download the weights themselves, often by a link named \"download\" or \"raw\""
    ))
}

/// What a plain pickle is, by the classes that it names, with the lines of Python that make a checkpoint of it.
pub fn pickle<S: Source + ?Sized>(file: &mut BoundedReader<S>, name: &str) -> Result<Error> {
    let head = file.bytes(0, file.length().min(PICKLE_HEAD_BYTES) as usize)?;
    let names = |word: &[u8]| head.windows(word.len()).any(|part| part == word);
    let loaded = format!("pickle.load(open({}, 'rb'))", quoted(name));
    let error = |text: String| Ok(Error::new(Code::CheckpointFormat, text));
    if names(b"torch_utils.persistence") {
        return error(format!(
            "This is a pickled NVIDIA network (StyleGAN, or a network made of its parts), which runs its own code when it is loaded. If you trust it, run in its repository's folder: `import pickle, torch; torch.save({loaded}['G_ema'].state_dict(), {})`.",
            beside(name, "-G_ema.pth")
        ));
    }
    if names(b"dnnlib") {
        return error(
            "This is a pickled network of NVIDIA's TensorFlow code (dnnlib: StyleGAN, co-mod-GAN), which infill does not read: take the network's PyTorch version."
                .to_owned(),
        );
    }
    if names(b"_load_from_bytes") {
        return error(format!(
            "This is a pickle of tensors, written by pickle.dump and not by torch.save. If you trust it, save it again: `import pickle, torch; torch.save({loaded}, {})`.",
            beside(name, "-saved.pth")
        ));
    }
    if names(b"_rebuild_tensor") {
        return error(
            "This is the data.pkl out of a PyTorch checkpoint, without the values, which lie beside it in the folder data: open the whole .pth file, or zip the whole folder."
                .to_owned(),
        );
    }
    if names(b"numpy") && (names(b"multiarray") || names(b"_frombuffer")) {
        return error(format!(
            "This is a pickle of NumPy arrays (as PaddlePaddle's .pdparams), not of tensors. If you trust it: `{}`.",
            of_arrays(&loaded, "import numpy, pickle, torch", name)
        ));
    }
    error(
        "This is a plain pickle, not what torch.save writes. Load it in Python and save its state_dict() with torch.save."
            .to_owned(),
    )
}

/// The line that makes tensors of all arrays of what Python has loaded.
fn of_arrays(loaded: &str, imports: &str, name: &str) -> String {
    format!(
        "{imports}; torch.save(torch.utils._pytree.tree_map(lambda v: torch.from_numpy(v) if isinstance(v, numpy.ndarray) else v, {loaded}), {})",
        beside(name, "-tensors.pth")
    )
}

/// Whether these first bytes of a pickle name NumPy's arrays.
pub fn names_arrays(head: &[u8]) -> bool {
    let names = |word: &[u8]| head.windows(word.len()).any(|part| part == word);
    names(b"multiarray\n_reconstruct") || names(b"multiarray\x94\x8c\x0c_reconstruct")
}

/// A checkpoint whose weights are NumPy arrays.
pub fn arrays(name: &str) -> Error {
    let loaded = format!("torch.load({}, weights_only=False)", quoted(name));
    let text = format!(
        "Its weights are NumPy arrays, not tensors. If you trust the file, save them as tensors: `{}`.",
        of_arrays(&loaded, "import numpy, torch", name)
    );
    Error::new(Code::CheckpointNoTensors, text)
}

/// What a zip archive without `data.pkl` is, by the names of its entries.
pub fn zip(archive: &Archive, name: &str) -> Error {
    let names: Vec<&str> = archive.entries.iter().map(|entry| entry.name.as_str()).collect();
    let holds = |end: &str| names.iter().any(|name| name.ends_with(end));
    let weights: Vec<&str> = names.iter().copied().filter(|name| is_weights(name)).collect();
    if holds("model.weights.h5") || (holds("config.json") && holds(".h5")) {
        return not(&format!("a Keras model (.keras): {KERAS}"));
    }
    if holds("archive_format") || holds("serialized_exported_program.json") {
        return not(&format!(
            "an exported program (torch.export, .pt2). Save its weights: `import torch; torch.save(torch.export.load({}).state_dict, {})`",
            quoted(name),
            beside(name, "-weights.pth")
        ));
    }
    if !names.is_empty() && names.iter().all(|name| name.ends_with(".npy")) {
        return not(&format!(
            "NumPy arrays (.npz). Save them as tensors: `import numpy, torch; torch.save({{k: torch.from_numpy(v) for k, v in numpy.load({}).items()}}, {})`",
            quoted(name),
            beside(name, "-tensors.pth")
        ));
    }
    if !weights.is_empty() {
        return not(&format!(
            "a zip archive of files with weights ({}): unpack it and open the generator's",
            listed(&weights)
        ));
    }
    let first: Vec<&str> = names.iter().take(3).copied().collect();
    let text =
        format!("This zip archive holds no data.pkl, so it is no PyTorch checkpoint. It holds {}.", first.join(", "));
    Error::new(Code::CheckpointNotWeights, text)
}

/// Whether a file's name is one that weights usually have.
fn is_weights(name: &str) -> bool {
    const ENDINGS: [&str; 7] = [".pth", ".pt", ".ckpt", ".safetensors", ".bin", ".pkl", ".tar"];
    // macOS puts a shadow of every file beside it.
    !name.starts_with("__MACOSX/") && ENDINGS.iter().any(|ending| name.ends_with(ending))
}

/// The first few names, without their folders.
fn listed(names: &[&str]) -> String {
    let short = |name: &&str| {
        let name = name.rsplit('/').next().unwrap_or(name);
        name.chars().take(SHOWN_CHARACTERS).collect::<String>()
    };
    let more = if names.len() > 3 { ", ..." } else { "" };
    names.iter().take(3).map(short).collect::<Vec<_>>().join(", ") + more
}

#[cfg(test)]
mod tests {
    use super::*;
    #[cfg(target_arch = "wasm32")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    fn told(bytes: &[u8]) -> Option<String> {
        let mut file = BoundedReader::new(std::io::Cursor::new(bytes.to_vec())).unwrap();
        let head = file.bytes(0, file.length().min(HEAD_BYTES) as usize).unwrap();
        by_head(&mut file, &head).unwrap().or_else(|| bare_numbers(&head, bytes.len() as u64)).map(|e| e.message)
    }

    #[test]
    fn a_graph_is_told_from_other_messages() {
        // GraphDef { node { name: "x" op: "Placeholder" } }, as TensorFlow writes it.
        let graph = b"\x0a\x10\x0a\x01x\x12\x0bPlaceholder";
        assert!(told(graph).unwrap().contains("TensorFlow graph (.pb)"));
        // ModelProto { ir_version: 8 producer_name: "pytorch" } is ONNX.
        assert_eq!(told(b"\x08\x08\x12\x07pytorch\x1a\x052.1.0"), None);
        // A length that never ends.
        assert_eq!(told(b"\x0a\xff\xff\xff\xff\xff\xff\x0a\x01x\x00"), None);
    }

    #[test]
    fn numbers_without_a_header_are_told_only_where_they_may_be_weights() {
        let numbers = |value: f32| (0..64).flat_map(|i| (value * (i as f32 - 31.5)).to_le_bytes()).collect::<Vec<u8>>();
        assert!(told(&numbers(0.01)).unwrap().contains("bare numbers"));
        for other in [numbers(f32::NAN), numbers(1e20), vec![0; 256], vec![0xab; 256]] {
            assert_eq!(told(&other), None);
        }
    }

    #[test]
    fn a_text_is_shown_by_its_first_words() {
        assert!(told(b"Entry not found").unwrap().contains("text that begins \"Entry not found\""));
        assert!(told(b"{\"error\": \"Repository not found\"}").unwrap().contains("JSON"));
        // Cut within a character.
        let long = "\u{e4}".repeat(300);
        assert!(told(long.as_bytes()).unwrap().contains("text"));
        assert_eq!(told(b"\x00\x01\x02abc"), None);
    }
}
