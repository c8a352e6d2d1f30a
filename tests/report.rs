//! The diagnosis of checkpoints that almost fit.

use std::io::Cursor;
use std::ops::ControlFlow;
use std::path::PathBuf;

use infill::checkpoint::{self, Checkpoint};
use infill::engine::EngineKind;
use infill::error::Code;
use infill::models::config::{BLOCKS, WIDTH};
use infill::models::load::{self, Loaded};
use infill::models::{ArchConfig, by_id};
use infill::report::{self, Report};

/// A safetensors file with the ContextEncoder's keys at base width 2, changed as told; small values inside.
fn file(change: impl Fn(&mut Vec<(String, Vec<usize>)>)) -> Vec<u8> {
    let network = by_id("context-encoder").unwrap().network(&ArchConfig::new([(WIDTH, 2)]));
    let mut shapes: Vec<(String, Vec<usize>)> = network.parameters().into_iter().map(|p| (p.key, p.shape)).collect();
    change(&mut shapes);
    file_of(shapes)
}

/// A safetensors file of these keys and shapes; small values inside.
fn file_of(shapes: Vec<(String, Vec<usize>)>) -> Vec<u8> {
    let (mut header, mut offset) = (serde_json::Map::new(), 0);
    for (key, shape) in shapes {
        let end = offset + 4 * shape.iter().product::<usize>();
        header.insert(key, serde_json::json!({"dtype": "F32", "shape": shape, "data_offsets": [offset, end]}));
        offset = end;
    }
    let text = serde_json::to_vec(&header).unwrap();
    let mut bytes = (text.len() as u64).to_le_bytes().to_vec();
    bytes.extend(text);
    bytes.extend((0..offset / 4).flat_map(|i| (0.01 + (i % 13) as f32 / 100.0).to_le_bytes()));
    bytes
}

fn open(bytes: Vec<u8>) -> Box<dyn Checkpoint> {
    checkpoint::open(Cursor::new(bytes), "gen.safetensors").unwrap()
}

fn inspect(change: impl Fn(&mut Vec<(String, Vec<usize>)>)) -> Report {
    report::inspect(open(file(change)).as_ref(), "gen.safetensors")
}

/// The report of a fixture that PyTorch made, under another name.
fn fixture(name: &str, file: &str) -> Report {
    report::inspect(fixture_file(name).as_ref(), file)
}

fn fixture_file(name: &str) -> Box<dyn Checkpoint> {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/reference/networks").join(name);
    checkpoint::open(std::fs::File::open(path).unwrap(), name).unwrap()
}

fn message<'a>(report: &'a Report, code: &str) -> &'a str {
    let found = report.findings.iter().find(|finding| finding.code == code);
    &found.unwrap_or_else(|| panic!("no {code} in {:?}", codes(report))).message
}

fn codes(report: &Report) -> Vec<&str> {
    report.findings.iter().map(|finding| finding.code).collect()
}

fn shape<'a>(shapes: &'a mut [(String, Vec<usize>)], key: &str) -> &'a mut Vec<usize> {
    &mut shapes.iter_mut().find(|(k, _)| k == key).unwrap().1
}

#[test]
fn what_fits_has_no_errors() {
    let report = inspect(|_| {});
    assert!(report.findings.iter().all(|finding| finding.severity != "error"), "{:?}", codes(&report));
    assert_eq!(report.networks[0].width, 2);
    assert!(codes(&report).contains(&"other-width"));
}

#[test]
fn another_number_of_input_channels_is_told_at_the_ends_only() {
    let first = inspect(|shapes| shape(shapes, "encoder.0.weight")[1] = 3);
    assert!(codes(&first).contains(&"channels"), "{:?}", codes(&first));
    assert!(message(&first, "channels").contains("input channels"));
    let last = inspect(|shapes| {
        shape(shapes, "decoder.21.weight")[1] = 4;
        shape(shapes, "decoder.21.bias")[0] = 4;
    });
    assert!(message(&last, "channels").contains("output channels"));
    let middle = inspect(|shapes| shape(shapes, "encoder.8.weight")[0] = 15);
    assert!(!codes(&middle).contains(&"channels") && codes(&middle).contains(&"misfit"), "{:?}", codes(&middle));
}

#[test]
fn missing_statistics_are_fatal_and_missing_counters_harmless() {
    let report = inspect(|shapes| shapes.retain(|(key, _)| !key.ends_with("num_batches_tracked")));
    assert!(codes(&report).contains(&"counter-missing") && !codes(&report).contains(&"misfit"), "{:?}", codes(&report));
    let report = inspect(|shapes| shapes.retain(|(key, _)| key != "encoder.3.running_mean"));
    assert!(codes(&report).contains(&"statistics-missing"), "{:?}", codes(&report));
}

#[test]
fn a_layer_more_shifts_the_names() {
    let report = inspect(|shapes| {
        for (key, _) in shapes.iter_mut() {
            if let Some(rest) = key.strip_prefix("decoder.") {
                let (number, tail) = rest.split_once('.').unwrap();
                *key = format!("decoder.{}.{tail}", number.parse::<usize>().unwrap() + 1);
            }
        }
    });
    assert!(message(&report, "index-shift").contains("decoder.0.weight is decoder.1.weight in the file"));
}

/// "torch.load('gen.pth').keys() prints ['iteration', 'generator']": what that is, and the line to write.
#[test]
fn a_wrapper_is_named_with_the_line_that_unwraps_it() {
    let report = fixture("context-encoder.pth", "gen.pth");
    let text = message(&report, "unwrapped");
    let line = "import torch; net.load_state_dict({k.removeprefix('module.'): v for k, v in torch.load('gen.pth', map_location='cpu', weights_only=True)['generator'].items()})";
    assert!(text.contains(line), "{text}");
    assert!(text.contains("Unexpected key(s) in state_dict: \"iteration\", \"generator\""), "{text}");
    assert!(message(&report, "prefix-stripped").contains("module."));
    assert!(message(&report, "prefix-stripped").contains("DataParallel"));
}

/// "Loading InpaintingModel_gen.pth says: Missing key(s) in state_dict: encoder.0.weight": it is another network.
#[test]
fn another_network_is_named_with_the_class_to_use() {
    let report = fixture("edgeconnect-inpaint.pth", "InpaintingModel_gen.pth");
    let text = message(&report, "other-class");
    assert!(text.contains("Missing key(s) in state_dict: \"encoder.0.weight\", \"encoder.0.bias\""), "{text}");
    assert!(text.contains("This is an EdgeConnect InpaintGenerator, not a ContextEncoder"), "{text}");
    let line = "import torch; net = InpaintGenerator(); net.load_state_dict(torch.load('InpaintingModel_gen.pth', map_location='cpu', weights_only=True)['generator'])";
    assert!(text.contains(line), "{text}");
    let mut file = fixture_file("edgeconnect-inpaint.pth");
    let error = load::load(file.as_mut(), "gen.pth", Some("context-encoder"), EngineKind::Fast).map(drop).unwrap_err();
    assert_eq!(error.code, Code::ModelMismatch);
    assert!(error.message.contains("This is an EdgeConnect InpaintGenerator, not a ContextEncoder."), "{error}");
    assert!(
        error.message.contains("Missing key(s) in state_dict: \"encoder.0.weight\", \"encoder.0.bias\""),
        "{error}"
    );
}

#[test]
fn both_sides_stand_beside_each_other() {
    let rows = report::alignment(fixture_file("edgeconnect-inpaint.pth").as_ref(), "context-encoder").unwrap();
    assert_eq!((rows[0].key.as_deref(), rows[0].verdict), (Some("encoder.0.weight"), "missing"));
    assert!(rows.iter().any(|row| row.verdict == "unexpected" && row.key.is_none()));
    let same = report::alignment(fixture_file("edgeconnect-edge.pth").as_ref(), "edgeconnect-edge").unwrap();
    assert!(same.iter().all(|row| row.verdict == "fits"));
    assert_eq!(same[0].file_key.as_deref(), Some("encoder.1.weight_orig"));
    let shapes = report::alignment(open(file(|s| shape(s, "encoder.8.weight")[0] = 15)).as_ref(), "context-encoder");
    assert_eq!(shapes.unwrap().iter().filter(|row| row.verdict == "other-shape").count(), 1);
    assert_eq!(report::alignment(fixture_file("image-pair.pth").as_ref(), "nobody").unwrap_err().code, Code::Usage);
}

#[test]
fn folded_weights_are_told() {
    assert!(message(&fixture("edgeconnect-edge.pth", "EdgeModel_gen.pth"), "folded").contains("spectral norm"));
}

#[test]
fn a_discriminators_file_names_the_one_that_is_wanted() {
    let report = fixture("image-pair-discriminator.pth", "InpaintingModel_dis.pth");
    assert!(message(&report, "sibling-file").contains("InpaintingModel_gen.pth"));
    assert!(!codes(&fixture("image-pair-both.pth", "both.pth")).contains(&"sibling-file"));
}

fn renamed() -> Vec<u8> {
    file(|shapes| {
        for (index, (key, _)) in shapes.iter_mut().enumerate() {
            *key = format!("net.{index}.{}", key.rsplit('.').next().unwrap());
        }
    })
}

#[test]
fn other_names_in_the_same_order_are_offered_by_position_and_run_so() {
    let report = report::inspect(open(renamed()).as_ref(), "gen.safetensors");
    assert!(message(&report, "positional").contains("net.0.weight -> encoder.0.weight"));
    let network = &report.networks[0];
    assert_eq!(
        (network.id.as_str(), network.width, network.renamed.len()),
        ("context-encoder", 2, network.missing.len())
    );
    let refused =
        load::load(open(renamed()).as_mut(), "gen.safetensors", None, EngineKind::Fast).map(drop).unwrap_err();
    assert_eq!(refused.code, Code::ModelMismatch);
    let run = |mut loaded: Vec<Loaded>| {
        let x = infill::tensor::Tensor::new([1, 4, 512, 512], (0..4 << 18).map(|i| (i % 7) as f32 / 7.0).collect());
        loaded[0].engine.run(&[x.unwrap()], &mut |_| ControlFlow::Continue(())).unwrap()
    };
    let plain = load::load(open(file(|_| {})).as_mut(), "gen.safetensors", None, EngineKind::Fast).unwrap();
    let mapped = load::load_by_position(open(renamed()).as_mut(), "gen.safetensors", None, EngineKind::Fast).unwrap();
    assert_eq!(run(plain), run(mapped));
    let wrong = load::load_by_position(fixture_file("image-pair.pth").as_mut(), "x", None, EngineKind::Fast);
    assert_eq!(wrong.map(drop).unwrap_err().code, Code::ModelMismatch);
}

#[test]
fn a_tensor_with_nan_is_named_and_refused() {
    let mut bytes = file(|_| {});
    let end = bytes.len();
    bytes[end - 4..].copy_from_slice(&f32::NAN.to_le_bytes());
    let last = open(bytes.clone()).state_dicts()[0].tensors.iter().max_by_key(|t| t.storage).unwrap().key.clone();
    for value in [f32::INFINITY, f32::NEG_INFINITY, f32::NAN] {
        bytes[end - 4..].copy_from_slice(&value.to_le_bytes());
        let error =
            load::load(open(bytes.clone()).as_mut(), "gen.safetensors", None, EngineKind::Fast).map(drop).unwrap_err();
        assert_eq!((error.code, error.keys), (Code::WeightsNotFinite, vec![last.clone()]), "{value}");
    }
    let stats = report::stats(open(bytes).as_mut(), Some(&[last])).unwrap();
    assert_eq!((stats.len(), stats[0].nan), (1, 1));
}

#[test]
fn the_pair_network_is_explained_in_three_sentences() {
    for name in ["image-pair.pth", "image-pair-discriminator.pth"] {
        assert_eq!(fixture(name, name).networks[0].about.len(), 3);
    }
}

#[test]
fn what_a_file_cannot_tell_is_said() {
    assert!(codes(&inspect(|_| {})).contains(&"cannot-tell"));
}

/// Every key with this before it.
fn under(prefix: &'static str) -> impl Fn(&mut Vec<(String, Vec<usize>)>) {
    move |shapes| shapes.iter_mut().for_each(|(key, _)| key.insert_str(0, prefix))
}

#[test]
fn a_prefix_that_nobody_could_foresee_is_stripped_too() {
    for prefix in ["inpainter.", "net_g.", "G.", "gen.module."] {
        let report = inspect(under(prefix));
        assert_eq!(
            (report.networks[0].id.as_str(), report.networks[0].confidence),
            ("context-encoder", 1.0),
            "{prefix}"
        );
        assert_eq!((report.prefix.as_str(), report.networks[0].prefix.as_str()), (prefix, prefix));
        let text = message(&report, "prefix-stripped");
        assert!(
            text.contains(&format!(
                "from safetensors.torch import load_file; net.load_state_dict({{k.removeprefix('{prefix}'): v for k, v in load_file('gen.safetensors').items()}})"
            )),
            "{text}"
        );
        let rows = report::alignment(open(file(under(prefix))).as_ref(), "context-encoder").unwrap();
        assert!(rows.iter().all(|row| row.verdict == "fits"));
        assert!(load::load(open(file(under(prefix))).as_mut(), "gen", None, EngineKind::Fast).is_ok());
    }
}

/// `encoder._orig_mod.0.weight`: what stands within keys and is no layer's name.
#[test]
fn wrappers_within_keys_are_left_out() {
    let causes = [
        ("module", "DataParallel"),
        ("_orig_mod", "torch.compile"),
        ("_fsdp_wrapped_module", "FSDP"),
        ("_checkpoint_wrapped_module", "activation checkpointing"),
    ];
    for (word, cause) in causes {
        let change = |shapes: &mut Vec<(String, Vec<usize>)>| {
            shapes.iter_mut().for_each(|(key, _)| *key = key.replacen('.', &format!(".{word}."), 1));
        };
        let report = inspect(change);
        assert_eq!((report.networks[0].id.as_str(), report.networks[0].confidence), ("context-encoder", 1.0), "{word}");
        let text = message(&report, "wrapped-within");
        let line = format!("{{'.'.join(p for p in k.split('.') if p != '{word}'): v for k, v in");
        assert!(text.contains(cause) && text.contains(&line), "{text}");
        assert!(load::load(open(file(change)).as_mut(), "gen", None, EngineKind::Fast).is_ok(), "{word}");
        let rows = report::alignment(open(file(change)).as_ref(), "context-encoder").unwrap();
        assert!(rows.iter().all(|row| row.verdict == "fits"), "{word}");
    }
}

#[test]
fn a_prefix_of_nobodys_is_left_where_it_is() {
    let of = |prefix: &'static str| {
        let keys = (0..3).map(move |index| (format!("{prefix}model.model.{index}.weight"), vec![2, 2]));
        report::inspect(open(file_of(keys.collect())).as_ref(), "gen.safetensors")
    };
    let report = of("");
    assert_eq!((report.prefix.as_str(), report.tensors[0].key.as_str()), ("", "model.model.0.weight"));
    assert!(!codes(&report).contains(&"prefix-stripped"), "{:?}", codes(&report));
    assert!(message(&report, "unknown-network").contains("begin with model.model.0.weight"));
    // A wrapper of PyTorch's own is none of the network's.
    let report = of("module.");
    assert_eq!((report.prefix.as_str(), report.tensors[0].key.as_str()), ("module.", "model.model.0.weight"));
    assert!(message(&report, "prefix-stripped").contains("DataParallel"));
}

#[test]
fn of_two_copies_the_averaged_one_is_taken_and_that_is_said() {
    let twice = |shapes: &mut Vec<(String, Vec<usize>)>| {
        let both = |head: &str, shapes: &[(String, Vec<usize>)]| {
            shapes.iter().map(|(key, shape)| (format!("{head}.{key}"), shape.clone())).collect::<Vec<_>>()
        };
        *shapes = [both("model", shapes), both("ema_model", shapes)].concat();
    };
    let mut checkpoint = open(file(twice));
    let report = report::inspect(checkpoint.as_ref(), "gen.safetensors");
    assert_eq!((report.networks.len(), report.networks[0].prefix.as_str()), (1, "ema_model."));
    let text = message(&report, "averaged-copy");
    assert!(text.contains("averaged over the training (EMA) under ema_model,") && text.contains("--no-ema"), "{text}");
    assert!(message(&report, "prefix-stripped").contains("if k.startswith('ema_model.')"));
    checkpoint.prefer_plain();
    let report = report::inspect(checkpoint.as_ref(), "gen.safetensors");
    assert_eq!((report.networks.len(), report.networks[0].prefix.as_str()), (1, "model."));
    assert!(message(&report, "averaged-copy").contains("as you chose"));
}

/// `weight_orig`, `weight` and `weight_u`, and no `weight_v`.
#[test]
fn spectral_norm_as_before_pytorch_1_0_runs_with_the_weight_that_is_stored() {
    let shapes = |is_old: bool| {
        let network = by_id("edgeconnect-edge").unwrap().network(&ArchConfig::new([(WIDTH, 4)]));
        let mut all = Vec::new();
        for parameter in network.parameters() {
            if is_old && parameter.key.ends_with(".weight") && !parameter.key.starts_with("decoder.7.") {
                all.push((format!("{}_orig", parameter.key), parameter.shape.clone()));
                all.push((format!("{}_u", parameter.key), vec![parameter.shape[0]]));
            }
            all.push((parameter.key, parameter.shape));
        }
        all
    };
    let report = report::inspect(open(file_of(shapes(true))).as_ref(), "EdgeModel_gen.pth");
    assert_eq!((report.networks[0].id.as_str(), report.networks[0].confidence), ("edgeconnect-edge", 1.0));
    assert!(report.networks[0].unexpected.is_empty(), "{:?}", report.networks[0].unexpected);
    assert!(message(&report, "folded").contains("as before PyTorch 1.0"));
    let mut old = load::load(open(file_of(shapes(true))).as_mut(), "x", None, EngineKind::Fast).unwrap();
    let x = infill::tensor::Tensor::new([1, 3, 32, 32], (0..3 << 10).map(|i| (i % 7) as f32 / 7.0).collect()).unwrap();
    assert!(old[0].engine.run(&[x], &mut |_| ControlFlow::Continue(())).is_ok());
}

#[test]
fn a_discriminator_beside_a_generator_is_not_said_to_paint() {
    let report = fixture("image-pair-both.pth", "both.pth");
    let unwrapped: Vec<&str> =
        report.findings.iter().filter(|f| f.code == "unwrapped").map(|f| f.message.as_str()).collect();
    assert_eq!(unwrapped.len(), 1, "{unwrapped:?}");
    let beside = message(&report, "beside");
    assert!(beside.contains("takes no part in painting") && beside.contains("['discriminator']"), "{beside}");
}

#[test]
fn one_of_several_files_is_told_by_its_name() {
    let told = |name: &str| report::inspect(open(file(|_| {})).as_ref(), name);
    let text = message(&told("model-00001-of-00002.safetensors"), "lone-shard").to_owned();
    assert!(text.contains("part 1 of 2") && text.contains("model.safetensors.index.json"), "{text}");
    for name in ["model.safetensors", "a-1-of-2.pth", "best-of-10.pth", "x-00001-of-00001.pth"] {
        assert!(!codes(&told(name)).contains(&"lone-shard"), "{name}");
    }
}

#[test]
fn a_network_is_named_by_what_only_it_has() {
    let dcgan = |shapes: &mut Vec<(String, Vec<usize>)>| {
        *shapes = vec![("main.0.weight".to_owned(), vec![100, 512, 4, 4]), ("main.1.weight".to_owned(), vec![512])];
    };
    let text = message(&inspect(dcgan), "unknown-network").to_owned();
    assert!(!text.contains("look like"), "{text}");
    let pathak = |shapes: &mut Vec<(String, Vec<usize>)>| {
        *shapes =
            vec![("main.0.weight".to_owned(), vec![64, 3, 4, 4]), ("main.13.weight".to_owned(), vec![4000, 512, 4, 4])];
    };
    assert!(message(&inspect(pathak), "unknown-network").contains("Pathak's Context Encoder"));
}

#[test]
fn networks_beside_each_other_under_names_of_their_owners_are_both_found() {
    let both = |shapes: &mut Vec<(String, Vec<usize>)>| {
        under("net_g.")(shapes);
        let scores = by_id("image-pair-discriminator").unwrap().network(&ArchConfig::new([(WIDTH, 4)])).parameters();
        shapes.extend(scores.into_iter().map(|p| (format!("net_d.{}", p.key), p.shape)));
        shapes.push(("loss.weight".to_owned(), vec![3]));
    };
    let report = inspect(both);
    let ids: Vec<&str> = report.networks.iter().map(|network| network.id.as_str()).collect();
    assert_eq!(ids, ["context-encoder", "image-pair-discriminator"]);
    assert!(message(&report, "prefix-stripped").contains("if k.startswith('net_g.')"));
    assert!(!codes(&report).contains(&"sibling-file"));
    assert_eq!(load::load(open(file(both)).as_mut(), "gen", None, EngineKind::Fast).unwrap().len(), 2);
}

#[test]
fn renamed_keys_are_not_told_as_missing_statistics() {
    let report = report::inspect(open(renamed()).as_ref(), "gen.safetensors");
    assert!(
        !codes(&report).contains(&"statistics-missing") && !codes(&report).contains(&"misfit"),
        "{:?}",
        codes(&report)
    );
}

#[test]
fn layers_that_are_not_there_are_named_as_layers() {
    let report =
        inspect(|shapes| shapes.retain(|(key, _)| !key.starts_with("encoder.23.") && !key.starts_with("encoder.24.")));
    assert!(message(&report, "layers-missing").contains("encoder.23, encoder.24"));
    assert!(!codes(&report).contains(&"statistics-missing"));
    let blocks = inspect(|shapes| {
        let inpaint = by_id("edgeconnect-inpaint").unwrap().network(&ArchConfig::new([(WIDTH, 4)])).parameters();
        *shapes =
            inpaint.into_iter().map(|p| (p.key, p.shape)).filter(|(key, _)| !key.starts_with("middle.7")).collect();
    });
    assert!(message(&blocks, "layers-missing").contains("not in the file: middle.7. "));
    assert!(message(&report, "misfit").ends_with("6 missing."));
    let more = inspect(|shapes| shapes.push(("loss.weight".to_owned(), vec![3])));
    assert!(message(&more, "more-keys").contains("loss.weight"));
}

#[test]
fn both_ends_may_have_another_number_of_channels() {
    let report = inspect(|shapes| {
        shape(shapes, "encoder.0.weight")[1] = 5;
        shape(shapes, "decoder.21.weight")[1] = 1;
        shape(shapes, "decoder.21.bias")[0] = 1;
    });
    assert!(message(&report, "channels").ends_with("another number of input and output channels."));
}

/// LaMa's keys at base width 4, with three blocks.
fn lama() -> Vec<(String, Vec<usize>)> {
    let spec = by_id("lama").unwrap();
    let config = spec.published().with(WIDTH, 4).with(BLOCKS, 3).with("local", 8);
    spec.network(&config).parameters().into_iter().map(|p| (p.key, p.shape)).collect()
}

/// Whatever is taken away, all of it is missed, and nothing is loaded.
#[test]
fn a_lama_that_lacks_a_block_is_refused_by_its_keys() {
    let load = |shapes| load::load(open(file_of(shapes)).as_mut(), "best.ckpt", None, EngineKind::Fast).map(drop);
    load(lama()).unwrap();
    for block in [5, 6, 7] {
        let prefix = format!("model.{block}.");
        let (gone, rest): (Vec<_>, Vec<_>) = lama().into_iter().partition(|(key, _)| key.starts_with(&prefix));
        let error = load(rest).unwrap_err();
        let gone: Vec<String> =
            gone.into_iter().map(|(key, _)| key).filter(|key| !key.ends_with("num_batches_tracked")).collect();
        assert_eq!((error.code, error.keys), (Code::ModelMismatch, gone), "{prefix}");
    }
}

#[test]
fn nan_in_a_running_variance_is_named() {
    let shapes = lama();
    let named = "model.6.conv2.bn_g.running_var";
    let before: usize =
        shapes.iter().take_while(|(key, _)| key != named).map(|(_, s)| 4 * s.iter().product::<usize>()).sum();
    let all: usize = shapes.iter().map(|(_, s)| 4 * s.iter().product::<usize>()).sum();
    let mut bytes = file_of(shapes);
    let start = bytes.len() - all + before;
    bytes[start..start + 4].copy_from_slice(&f32::NAN.to_le_bytes());
    let error = load::load(open(bytes).as_mut(), "best.ckpt", None, EngineKind::Fast).map(drop).unwrap_err();
    assert_eq!((error.code, error.keys), (Code::WeightsNotFinite, vec![named.to_owned()]));
}

#[test]
fn published_relatives_are_named() {
    let cases = [
        ("generator.model.1.ffc.convl2l.weight", "LaMa,"),
        ("generator.model.5.conv1.ffc.convg2g.lfu.conv_layer.weight", "LaMa with local Fourier units,"),
        ("model.5.conv1.ffc.gate.weight", "LaMa with gates,"),
        ("model.5.conv1.ffc.convg2g.fu.se.fc.0.weight", "LaMa with squeeze and excitation,"),
        ("generator.model.13.conv_block.1.weight", "LaMa without Fourier convolutions (regular or dilated),"),
    ];
    for (key, name) in cases {
        let relative = |shapes: &mut Vec<(String, Vec<usize>)>| *shapes = vec![(key.to_owned(), vec![64, 4, 7, 7])];
        let found = message(&inspect(relative), "unknown-network").to_owned();
        assert!(found.contains(&format!("look like {name}")), "{key}: {found}");
    }
}

/// A prefix that is the network's own is no prefix to take away.
#[test]
fn published_networks_keep_their_own_prefixes() {
    let cases = [
        ("pix2pix-unet-bn.pth", "pix2pix-unet", "", "model.model.0.weight"),
        ("pix2pix-unet-in.pth", "pix2pix-unet", "module.", "model.model.0.weight"),
        ("cyclegan-resnet-in.pth", "cyclegan-resnet", "", "model.1.weight"),
        ("cyclegan-resnet-in-dropout.pth", "cyclegan-resnet", "netG.", "model.1.weight"),
        ("cyclegan-resnet-bn-dropout.pth", "cyclegan-resnet", "module.", "model.1.weight"),
        ("pytorch-gan-context-encoder.pth", "pytorch-gan-context-encoder", "", "model.0.weight"),
        ("migan-64.pth", "migan", "", "synthesis.b4.conv1.conv1.weight"),
        ("migan-256.pth", "migan-256", "", "synthesis.b4.conv1.conv1.weight"),
    ];
    for (file, id, prefix, first) in cases {
        let report = fixture(file, file);
        let network = &report.networks[0];
        assert_eq!((network.id.as_str(), network.confidence, network.prefix.as_str()), (id, 1.0, prefix), "{file}");
        assert_eq!(report.tensors[0].key, first);
        assert_eq!(codes(&report).contains(&"prefix-stripped"), !prefix.is_empty(), "{file}: {:?}", codes(&report));
        assert!(report.findings.iter().all(|finding| finding.severity != "error"), "{file}: {:?}", codes(&report));
        assert!(!network.about.is_empty() && !network.layers.is_empty(), "{file}");
        let rows = report::alignment(fixture_file(file).as_ref(), id).unwrap();
        assert!(rows.iter().all(|row| row.verdict == "fits"), "{file}");
        let stats = report::stats(fixture_file(file).as_mut(), Some(&[first.to_owned()])).unwrap();
        assert_eq!((stats.len(), stats[0].index), (1, 0), "{file}");
    }
}

#[test]
fn norms_of_the_picture_and_keys_that_are_not_read_are_told() {
    let batch = fixture("pix2pix-unet-bn.pth", "latest_net_G.pth");
    assert!(message(&batch, "picture-statistics").contains("--norm-statistics stored"));
    assert_eq!(batch.networks[0].conventions["normStatistics"], "picture");
    let instance = fixture("pix2pix-unet-old-stats.pth", "latest_net_G.pth");
    assert!(!codes(&instance).contains(&"picture-statistics"));
    assert!(instance.networks[0].conventions["normStatistics"].is_null());
    let unread = instance.findings.iter().find(|finding| finding.code == "not-read").unwrap();
    assert!(unread.keys.iter().all(|key| key.contains("running_") || key.contains("num_batches_tracked")));
    assert_eq!(fixture("context-encoder.pth", "gen.pth").networks[0].conventions["normStatistics"], "stored");
}
