//! `cargo xtask bench`: the fast engine beside the others, on the same weights and inputs, in one page of Chromium.
//!
//! Weights are seeded, so nothing has to be fetched but onnxruntime-web. The runs themselves, their order and the
//! tables are in `bench/run.mjs`.

mod weights;

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use clap::Parser;
use serde_json::{Value, json};

use crate::{build, tools};
use weights::{Random, number, text};

const ENGINES: [&str; 4] = ["fast", "reference", "onnxruntime-web", "pytorch"];

/// What `cargo xtask bench` is told.
#[derive(Parser)]
pub struct Options {
    /// What is measured, with commas between; everything unless said otherwise.
    #[arg(long, value_name = "LIST", value_delimiter = ',')]
    networks: Vec<String>,
    /// With commas between; all but pytorch unless said otherwise, and with --python all.
    #[arg(long, value_name = "LIST", value_delimiter = ',', value_parser = ENGINES)]
    engines: Vec<String>,
    /// Counts of threads, with commas between.
    #[arg(long, value_name = "LIST", value_delimiter = ',', default_values_t = [1, 2])]
    #[arg(value_parser = clap::value_parser!(u64).range(1..=64))]
    threads: Vec<u64>,
    /// The instructions that the crate is built for.
    #[arg(long, default_value = "relaxed-simd", value_parser = ["relaxed-simd", "simd128"])]
    simd: String,
    /// Runs of every engine.
    #[arg(long, value_name = "N", default_value_t = 7)]
    runs: usize,
    /// A `pkg` folder of an earlier version: its fast engine runs beside today's, on the networks that it knows.
    #[arg(long, value_name = "FOLDER")]
    before: Option<PathBuf>,
    /// Also measure how the time grows from sides of 256 to 1024 pixels.
    #[arg(long)]
    growth: bool,
    /// Write the figures there.
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
    /// A Python with torch, for the engine pytorch.
    #[arg(long, value_name = "PATH")]
    python: Option<String>,
    /// Write BENCHMARKS.md.
    #[arg(long)]
    write: bool,
}

impl Options {
    /// The engines that are measured.
    fn engines(&self) -> Result<Vec<&str>> {
        let has_python = self.python.is_some();
        if self.engines.is_empty() {
            return Ok(ENGINES[..if has_python { 4 } else { 3 }].to_vec());
        }
        if !has_python && self.engines.iter().any(|engine| engine == "pytorch") {
            bail!("pytorch needs --python PATH, a Python with torch");
        }
        Ok(self.engines.iter().map(String::as_str).collect())
    }
}

/// Measures and prints; `--json` and `--write` also keep the result.
pub fn run(options: Options) -> Result<()> {
    let engines = options.engines()?;
    tools::node()?;
    tools::node_modules("")?;
    let chromium = tools::chromium()?;
    let wants = |engine: &str| engines.contains(&engine);
    if wants("onnxruntime-web") {
        tools::node_modules("bench/")?;
    }
    let rows = chosen(rows()?, &options.networks)?;
    let builds: Vec<build::Build> = build::ALL
        .into_iter()
        .filter(|b| b.relaxed == (options.simd == "relaxed-simd"))
        .filter(|b| options.threads.iter().any(|&n| (n > 1) == b.threads) || (!b.threads && wants("reference")))
        .collect();
    let features: &[&str] = if wants("reference") { &["reference"] } else { &[] };
    build::run(&builds, features)?;
    let networks = prepare(rows)?;
    let before = options.before.as_deref().map(|pkg| earlier(pkg, &builds)).transpose()?;
    let config = json!({
        "networks": networks,
        "engines": engines,
        "threads": options.threads,
        "simd": options.simd,
        "runs": options.runs,
        "growth": options.growth,
        "before": before,
        "json": options.json.as_ref().map(std::path::absolute).transpose()?,
        "markdown": options.write.then(|| tools::root().join("BENCHMARKS.md")),
        "python": options.python,
    });
    let path = folder().join("config.json");
    fs::write(&path, config.to_string())?;
    let mut command = tools::command("node", &["bench/run.mjs"]);
    let status = command.arg(&path).env("CHROMIUM", chromium).status().context("node cannot be started")?;
    if !status.success() {
        bail!("the benchmark failed");
    }
    Ok(())
}

fn folder() -> PathBuf {
    build::target().join("bench")
}

/// Copies an earlier version's builds to where the benchmark's page can fetch them.
fn earlier(pkg: &Path, builds: &[build::Build]) -> Result<PathBuf> {
    let folder = folder().join("before");
    for build in builds {
        let (from, to) = (pkg.join(build.name), folder.join(build.name));
        fs::create_dir_all(&to)?;
        for file in ["infill.js", "infill_bg.wasm"] {
            fs::copy(from.join(file), to.join(file)).with_context(|| from.join(file).display().to_string())?;
        }
    }
    Ok(folder)
}

/// One row of the tables.
struct Row {
    name: String,
    side: usize,
    id: String,
    network: Value,
    /// Whether it runs at no other side.
    fixed: bool,
}

/// Every row that the networks' own files ask for.
fn rows() -> Result<Vec<Row>> {
    let output = tools::command("cargo", &["run", "--quiet", "--release", "--example", "describe"])
        .stderr(std::process::Stdio::inherit())
        .output()?;
    if !output.status.success() {
        bail!("the networks' descriptions could not be made");
    }
    let all: Value = serde_json::from_slice(&output.stdout)?;
    let mut rows = Vec::new();
    for model in all["models"].as_array().context("models")? {
        for row in model["benchmarks"].as_array().context("benchmarks")? {
            rows.push(Row {
                name: text(&row["name"])?.to_owned(),
                side: number(&row["side"])?,
                id: text(&model["id"])?.to_owned(),
                network: model["network"].clone(),
                fixed: model["fixed"].as_bool().context("fixed")?,
            });
        }
    }
    Ok(rows)
}

/// The rows of these names; all of them if there are none.
fn chosen(rows: Vec<Row>, names: &[String]) -> Result<Vec<Row>> {
    if let Some(name) = names.iter().find(|name| rows.iter().all(|row| row.name != **name)) {
        let all: Vec<&str> = rows.iter().map(|row| row.name.as_str()).collect();
        bail!("--networks: there is no {name}; choose of {}", all.join(","));
    }
    Ok(rows.into_iter().filter(|row| names.is_empty() || names.contains(&row.name)).collect())
}

/// Weights, ONNX file and inputs of every network that is measured, below `target/bench/`.
fn prepare(rows: Vec<Row>) -> Result<Vec<Value>> {
    let prepared = |Row { name, side, id, network, fixed }: Row| -> Result<Value> {
        let files = files(&name, &id, &network, side)?;
        let inputs = inputs(&network, side)?;
        Ok(json!({
            "name": name, "id": id, "side": side, "fixed": fixed, "inputs": inputs,
            "weights": files.join("weights.safetensors"), "onnx": files.join("model.onnx"),
            "description": files.join("description.json"),
        }))
    };
    rows.into_iter().map(prepared).collect()
}

/// Writes a row's files unless they are those of this very description.
fn files(name: &str, id: &str, network: &Value, side: usize) -> Result<PathBuf> {
    let files = folder().join(name);
    fs::create_dir_all(&files)?;
    let (description, text) = (files.join("description.json"), network.to_string());
    if fs::read_to_string(&description).is_ok_and(|written| written == text) {
        return Ok(files);
    }
    let weights = weights::seeded(network)?;
    fs::write(files.join("weights.safetensors"), weights::safetensors(&weights)?)?;
    export(&files, id, side)?;
    fs::write(description, text)?;
    Ok(files)
}

/// Writes the ONNX file of a network for squares of this side, as `infill export` does.
fn export(files: &Path, id: &str, side: usize) -> Result<()> {
    let mut command = tools::command("cargo", &["run", "--quiet", "--release", "--bin", "infill", "--", "export"]);
    command.arg(files.join("weights.safetensors")).args(["--model", id, "--side", &side.to_string(), "--output"]);
    if !command.arg(files.join("model.onnx")).status()?.success() {
        bail!("{id} could not be exported");
    }
    Ok(())
}

/// The inputs of a network: name, shape, and a file of values in [0, 1).
fn inputs(network: &Value, side: usize) -> Result<Vec<Value>> {
    let nodes = network["nodes"].as_array().context("nodes")?.iter().filter(|node| node["op"] == "input");
    nodes
        .enumerate()
        .map(|(index, node)| {
            let channels = number(&node["arguments"]["channels"])?;
            let path = folder().join(format!("input-{index}-{channels}-{side}.f32"));
            write_values(&path, index as u64 + 1, channels * side * side)?;
            Ok(json!({"name": text(&node["path"])?, "shape": [1, channels, side, side], "file": path}))
        })
        .collect()
}

fn write_values(path: &Path, seed: u64, count: usize) -> Result<()> {
    let bytes: Vec<u8> = Random(seed).fill(count, 0.0, 1.0).iter().flat_map(|v| v.to_le_bytes()).collect();
    fs::write(path, bytes).with_context(|| path.display().to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_networks_and_engines_that_exist_are_measured() {
        let parse = |words: &[&str]| Options::try_parse_from([&["bench"], words].concat());
        let options = parse(&["--networks", "edgeconnect-256,default-256", "--threads", "1", "--runs", "3"]).unwrap();
        assert_eq!(options.networks, ["edgeconnect-256", "default-256"]);
        assert_eq!((&options.threads, options.runs), (&vec![1], 3));
        assert_eq!(options.engines().unwrap(), ENGINES[..3]);
        let all = parse(&["--python", "python3"]).unwrap();
        assert_eq!(all.engines().unwrap(), ENGINES);
        assert_eq!((all.networks.len(), all.threads), (0, vec![1, 2]));
        assert!(parse(&["--engines", "pytorch"]).unwrap().engines().is_err());
        for wrong in [&["--engines", "vit"][..], &["--threads", "0"], &["--simd", "avx2"], &["--json"], &["-x"]] {
            assert!(parse(wrong).is_err(), "{wrong:?}");
        }
    }

    #[test]
    fn rows_are_chosen_by_name() {
        let row =
            |name: &str| Row { name: name.to_owned(), side: 8, id: String::new(), network: Value::Null, fixed: false };
        let rows = || vec![row("a-8"), row("b-8")];
        assert_eq!(chosen(rows(), &[]).unwrap().len(), 2);
        assert_eq!(chosen(rows(), &["b-8".to_owned()]).unwrap()[0].name, "b-8");
        let error = chosen(rows(), &["c-8".to_owned()]).map(drop).unwrap_err().to_string();
        assert!(error.ends_with("there is no c-8; choose of a-8,b-8"), "{error}");
    }
}
