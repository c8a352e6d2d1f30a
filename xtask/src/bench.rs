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

const ENGINES: [&str; 4] = ["fast", "reference", "onnxruntime-web", "pytorch"];

struct Options {
    /// Names of rows; all of them if there are none.
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
    let rows = chosen(rows()?, &options.networks)?;
    let builds: Vec<build::Build> = build::ALL
        .into_iter()
        .filter(|b| b.relaxed == (options.simd == "relaxed-simd"))
        .filter(|b| options.threads.iter().any(|&n| (n > 1) == b.threads) || (!b.threads && wants("reference")))
        .collect();
    let features: &[&str] = if wants("reference") { &["reference"] } else { &[] };
    build::run(&builds, features)?;
    let networks = prepare(rows)?;
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
        networks: Vec::new(),
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
        let list = |given: &str| given.split(',').map(str::to_owned).collect::<Vec<_>>();
        let known = |given: &str, all: &[&str]| -> Result<Vec<String>> {
            let list = list(given);
            match list.iter().find(|item| !all.contains(&item.as_str())) {
                Some(item) => bail!("{word}: there is no {item}; choose of {}", all.join(",")),
                None => Ok(list),
            }
        };
        match word {
            "--networks" => options.networks = list(value()?),
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

/// One row of the tables.
struct Row {
    name: String,
    side: usize,
    id: String,
    network: Value,
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
    let prepared = |Row { name, side, id, network }: Row| -> Result<Value> {
        let files = files(&id, &network)?;
        let inputs = inputs(&network, side)?;
        Ok(json!({
            "name": name, "id": id, "side": side, "inputs": inputs,
            "weights": files.join("weights.safetensors"), "onnx": files.join("model.onnx"),
            "description": files.join("description.json"),
        }))
    };
    rows.into_iter().map(prepared).collect()
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
        let wrong = [&["--engines", "pytorch"][..], &["--threads", "0"], &["--json"], &["-x"], &["--networks"]];
        for wrong in wrong {
            assert!(parse(wrong).is_err(), "{wrong:?}");
        }
    }

    #[test]
    fn rows_are_chosen_by_name() {
        let row = |name: &str| Row { name: name.to_owned(), side: 8, id: String::new(), network: Value::Null };
        let rows = || vec![row("a-8"), row("b-8")];
        assert_eq!(chosen(rows(), &[]).unwrap().len(), 2);
        assert_eq!(chosen(rows(), &["b-8".to_owned()]).unwrap()[0].name, "b-8");
        let error = chosen(rows(), &["c-8".to_owned()]).map(drop).unwrap_err().to_string();
        assert!(error.ends_with("there is no c-8; choose of a-8,b-8"), "{error}");
    }
}
