//! `cargo xtask bench`: the fast engine beside the others, on the same weights and inputs, in one page of Chromium.
//!
//! Weights are seeded, so nothing has to be fetched but onnxruntime-web. The runs themselves, their order and the
//! tables are in `bench/run.mjs`.

mod onnx;
mod weights;

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use serde_json::{Value, json};

use crate::{build, tools};
use weights::{Random, number, text};

/// What is measured: name in the tables, model id, side of the square input.
const NETWORKS: [(&str, &str, usize); 5] = [
    ("context-encoder-512", "context-encoder", 512),
    ("edgeconnect-256", "edgeconnect-inpaint", 256),
    ("edgeconnect-512", "edgeconnect-inpaint", 512),
    ("image-pair-256", "image-pair", 256),
    ("default-256", "default", 256),
];
const ENGINES: [&str; 4] = ["fast", "reference", "onnxruntime-web", "pytorch"];

struct Options {
    networks: Vec<String>,
    engines: Vec<String>,
    threads: Vec<usize>,
    simd: String,
    runs: usize,
    growth: bool,
    json: Option<PathBuf>,
    python: Option<String>,
    write: bool,
}

/// Measures and prints; `--json` and `--write` also keep the result.
pub fn run(arguments: &[&str]) -> Result<()> {
    let options = parse(arguments)?;
    tools::node()?;
    tools::node_modules("")?;
    let chromium = tools::chromium()?;
    let wants = |engine: &str| options.engines.iter().any(|e| e == engine);
    if wants("onnxruntime-web") {
        tools::node_modules("bench/")?;
    }
    let builds: Vec<build::Build> = build::ALL
        .into_iter()
        .filter(|b| b.relaxed == (options.simd == "relaxed-simd"))
        .filter(|b| options.threads.iter().any(|&n| (n > 1) == b.threads) || (!b.threads && wants("reference")))
        .collect();
    let features: &[&str] = if wants("reference") { &["reference"] } else { &[] };
    build::run(&builds, features)?;
    let networks = prepare(&options)?;
    let config = json!({
        "networks": networks,
        "engines": options.engines,
        "threads": options.threads,
        "simd": options.simd,
        "runs": options.runs,
        "growth": options.growth,
        "json": options.json.map(std::path::absolute).transpose()?,
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

fn parse(arguments: &[&str]) -> Result<Options> {
    let mut options = Options {
        networks: NETWORKS.iter().map(|n| n.0.to_owned()).collect(),
        engines: Vec::new(),
        threads: vec![1, 2],
        simd: "relaxed-simd".to_owned(),
        runs: 7,
        growth: false,
        json: None,
        python: None,
        write: false,
    };
    let mut words = arguments.iter();
    while let Some(&word) = words.next() {
        let mut value = || words.next().copied().with_context(|| format!("{word} takes a value"));
        let known = |given: &str, all: &[&str]| -> Result<Vec<String>> {
            let list: Vec<String> = given.split(',').map(str::to_owned).collect();
            match list.iter().find(|item| !all.contains(&item.as_str())) {
                Some(item) => bail!("{word}: there is no {item}; choose of {}", all.join(",")),
                None => Ok(list),
            }
        };
        match word {
            "--networks" => options.networks = known(value()?, &NETWORKS.map(|n| n.0))?,
            "--engines" => options.engines = known(value()?, &ENGINES)?,
            "--threads" => {
                let list = value()?.split(',').map(|n| n.parse().ok().filter(|n| (1..=64).contains(n)));
                options.threads = list.collect::<Option<_>>().context("--threads takes counts such as 1,2")?;
            }
            "--simd" => options.simd = known(value()?, &["relaxed-simd", "simd128"])?.remove(0),
            "--runs" => options.runs = value()?.parse().context("--runs takes a number")?,
            "--growth" => options.growth = true,
            "--json" => options.json = Some(value()?.into()),
            "--python" => options.python = Some(value()?.to_owned()),
            "--write" => options.write = true,
            _ => bail!("bench knows no {word}"),
        }
    }
    if options.engines.is_empty() {
        options.engines = ENGINES[..3].iter().map(|&e| e.to_owned()).collect();
        options.engines.extend(options.python.is_some().then(|| "pytorch".to_owned()));
    }
    if options.engines.iter().any(|e| e == "pytorch") && options.python.is_none() {
        bail!("pytorch needs --python PATH, a Python with torch");
    }
    Ok(options)
}

/// Weights, ONNX file and inputs of every network that is measured, below `target/bench/`.
fn prepare(options: &Options) -> Result<Vec<Value>> {
    let output = tools::command("cargo", &["run", "--quiet", "--release", "--example", "describe"])
        .stderr(std::process::Stdio::inherit())
        .output()?;
    if !output.status.success() {
        bail!("the networks' descriptions could not be made");
    }
    let all: Value = serde_json::from_slice(&output.stdout)?;
    let mut list = Vec::new();
    for (name, id, side) in NETWORKS.into_iter().filter(|n| options.networks.iter().any(|name| name == n.0)) {
        let models = all["models"].as_array().context("models")?;
        let model = models.iter().find(|model| model["id"] == id).with_context(|| format!("no model {id}"))?;
        let network = &model["network"];
        let files = files(id, network)?;
        let inputs = inputs(network, side)?;
        list.push(json!({
            "name": name, "id": id, "side": side, "inputs": inputs,
            "weights": files.join("weights.safetensors"), "onnx": files.join("model.onnx"),
            "description": files.join("description.json"),
        }));
    }
    Ok(list)
}

/// Writes a network's files unless they are those of this very description.
fn files(id: &str, network: &Value) -> Result<PathBuf> {
    let files = folder().join(id);
    fs::create_dir_all(&files)?;
    let (description, text) = (files.join("description.json"), network.to_string());
    if fs::read_to_string(&description).is_ok_and(|written| written == text) {
        return Ok(files);
    }
    let weights = weights::seeded(network)?;
    fs::write(files.join("weights.safetensors"), weights::safetensors(&weights))?;
    fs::write(files.join("model.onnx"), onnx::model(network, &weights)?)?;
    fs::write(description, text)?;
    Ok(files)
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
    fn options_are_held_against_what_there_is() {
        let options = parse(&["--networks", "edgeconnect-256,default-256", "--threads", "1", "--runs", "3"]).unwrap();
        assert_eq!(options.networks, ["edgeconnect-256", "default-256"]);
        assert_eq!((options.threads, options.runs), (vec![1], 3));
        assert_eq!(options.engines, ENGINES[..3]);
        assert_eq!(parse(&["--python", "python3"]).unwrap().engines, ENGINES);
        for wrong in [&["--networks", "vit"][..], &["--engines", "pytorch"], &["--threads", "0"], &["--json"], &["-x"]]
        {
            assert!(parse(wrong).is_err(), "{wrong:?}");
        }
    }
}
