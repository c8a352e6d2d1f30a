//! `infill export`: a network with its weights, for other programs.

use std::path::{Path, PathBuf};

use clap::builder::PossibleValuesParser;

use crate::checkpoint::Checkpoint;
use crate::error::{Code, Error, Result};
use crate::export::{self, Exported, Format};
use crate::models::identify::Match;
use crate::models::pasted::{self, Pasted};
use crate::models::{NormStatistics, Role, load};
use crate::network::{Network, ParameterKind};
use crate::pipeline::options::Setting;
use crate::python::quoted;
use crate::report::Loading;

/// Sides that a graph may be written for, pixels.
const SIDE: Setting<usize> = Setting { name: "side", range: 1..=4096 };

#[derive(clap::Args)]
pub struct Arguments {
    /// A checkpoint.
    pub file: PathBuf,
    /// What is written, by its ending: .safetensors (plain weights), .py (a PyTorch class) or .onnx (a graph).
    #[arg(long)]
    output: PathBuf,
    /// Network id, where the file holds several.
    #[arg(long)]
    model: Option<String>,
    /// Take the keys by position where only their names differ (`infill inspect` shows the mapping).
    #[arg(long)]
    by_position: bool,
    /// A Python file or notebook with the network's class: read, never executed.
    #[arg(long, conflicts_with_all = ["model", "by_position"])]
    class: Option<PathBuf>,
    /// What the class is made with, such as 'Net(4, 3, ngf=64)'.
    #[arg(long, requires = "class")]
    class_args: Option<String>,
    /// Side of the square picture that an ONNX graph is written for. Most graphs take any that the network does; LaMa's,
    /// AOT-GAN's and DeepFill's take this one alone.
    #[arg(long, value_parser = |text: &str| SIDE.parse(text))]
    side: Option<usize>,
    /// Write the weights of a .safetensors file in 16 bits.
    #[arg(long)]
    half: bool,
    /// Which mean and variance batch norms take: those stored in the file, or the picture's own.
    #[arg(long, value_parser = PossibleValuesParser::new(NormStatistics::WORDS))]
    norm_statistics: Option<String>,
    /// Of weights that lie in the file plain and averaged (EMA), take the plain ones.
    #[arg(long)]
    no_ema: bool,
}

pub fn run(arguments: &Arguments) -> Result<()> {
    let format = Format::of(&arguments.output)?;
    if arguments.half && format != Format::Safetensors {
        return Err(Error::new(Code::Usage, "--half is for --output X.safetensors alone."));
    }
    let file = super::file_name(&arguments.file);
    let mut checkpoint = super::open_copy(&arguments.file, arguments.no_ema)?;
    let found = chosen(arguments, checkpoint.as_ref(), &file)?;
    let mut conventions = found.model.conventions(&found.config);
    if let Some(statistics) = arguments.norm_statistics.as_deref().and_then(NormStatistics::parse) {
        conventions.norm_statistics = conventions.norm_statistics.map(|_| statistics);
    }
    let network = found.model.network_for(&found.config, &conventions);
    let side = arguments.side.unwrap_or(conventions.size.preferred);
    let inputs = match network.traced.is_empty() {
        true => network.square_inputs(side),
        false => network.traced.clone(),
    };
    let loading = loading(arguments, checkpoint.as_ref(), &found, &network);
    let exported = Exported {
        network: &network,
        name: &found.model.name,
        loading: &loading,
        inputs: &inputs,
        is_fixed: conventions.size.fixed,
        is_half: arguments.half,
    };
    let mut source = load::weights(checkpoint.as_mut(), &found, &network);
    written(&arguments.output, |out| export::write(&exported, format, &mut source, out)).map_err(|e| e.in_file(&file))
}

/// The network of the file that is written: the one that paints, unless one is named.
fn chosen(arguments: &Arguments, checkpoint: &dyn Checkpoint, file: &str) -> Result<Match> {
    if let Some(path) = &arguments.class {
        let source = super::read_source(path)?;
        let class_args = arguments.class_args.as_deref().unwrap_or_default();
        let pasted = Pasted { source: &source, class_args, side: arguments.side, ..Pasted::default() };
        let classes = pasted::described(&pasted, &pasted::shapes_of(checkpoint));
        let found = classes.and_then(|classes| pasted::matched(checkpoint, file, &pasted, &classes));
        return found.map_err(|error| match error.code {
            Code::NetworkInvalid => super::in_source(error, &source, path),
            _ => error,
        });
    }
    let choice = arguments.model.as_deref();
    if arguments.by_position {
        return load::match_by_position(checkpoint, choice).map_err(|error| error.in_file(file));
    }
    let mut all = load::matches(checkpoint, choice).map_err(|error| error.in_file(file))?;
    if choice.is_none() && all.iter().any(|found| found.model.role != Role::Scores) {
        all.retain(|found| found.model.role != Role::Scores);
    }
    all.dedup_by_key(|found| found.model.id.clone());
    match all.len() {
        1 => Ok(all.remove(0)),
        _ => {
            let ids: Vec<&str> = all.iter().map(|found| found.model.id.as_str()).collect();
            let text = format!("{file} holds several networks. Choose with --model: {}.", ids.join(", "));
            Err(Error::new(Code::ModelAmbiguous, text))
        }
    }
}

/// Python that loads the weights into the class: from the file itself where it has the class's very keys
/// and needs no other packages.
fn loading(arguments: &Arguments, checkpoint: &dyn Checkpoint, found: &Match, network: &Network) -> String {
    let part = found.names.view(&checkpoint.state_dicts()[found.dict]);
    let file = super::file_name(&arguments.file);
    let own: Vec<_> = network.parameters();
    let has = |key: &str| part.tensors.iter().any(|tensor| tensor.key == key);
    let is_same = found.names.renamed.is_empty()
        && own.len() == part.tensors.len()
        && own.iter().all(|p| has(&p.key) && found.model.keys.transform(&p.key).is_none());
    let is_counted = own.iter().filter(|p| p.kind == ParameterKind::Counter).all(|p| has(&p.key));
    if is_same && is_counted && arguments.class.is_none() && checkpoint.packages().is_empty() {
        return Loading::of(checkpoint, &file, &part, &[]).code;
    }
    let stem = arguments.output.file_stem().unwrap_or_default().to_string_lossy();
    let weights = format!("{stem}.safetensors");
    format!(
        "# infill export {file} --output {weights}\nfrom safetensors.torch import load_file\nnet.load_state_dict(load_file({}))\nnet.eval()",
        quoted(&weights)
    )
}

/// Writes a file as a whole: what fails leaves none behind.
fn written(path: &Path, write: impl FnOnce(&mut dyn std::io::Write) -> Result<()>) -> Result<()> {
    let failed = |error: &std::io::Error| super::io_error(path, "written", error);
    let mut out = std::io::BufWriter::new(std::fs::File::create(path).map_err(|error| failed(&error))?);
    let outcome = write(&mut out).and_then(|()| std::io::Write::flush(&mut out).map_err(|error| failed(&error)));
    if outcome.is_err() {
        drop(out);
        // Where it cannot be removed either, the error says enough.
        let _ = std::fs::remove_file(path);
    }
    outcome
}
