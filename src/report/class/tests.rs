//! Classes beside files: what is said, and which lines are to be changed.

use super::*;
use crate::checkpoint;
#[cfg(target_arch = "wasm32")]
use wasm_bindgen_test::wasm_bindgen_test as test;

/// A safetensors file of these keys and shapes, zeros inside.
fn file(shapes: &[(&str, &[usize])]) -> Box<dyn Checkpoint> {
    let mut offset = 0;
    let mut header = serde_json::Map::new();
    for (key, shape) in shapes {
        let bytes = 4 * shape.iter().product::<usize>();
        let offsets = [offset, offset + bytes];
        header.insert((*key).to_owned(), json!({"dtype": "F32", "shape": shape, "data_offsets": offsets}));
        offset += bytes;
    }
    let header = Value::Object(header).to_string();
    let mut bytes = (header.len() as u64).to_le_bytes().to_vec();
    bytes.extend(header.bytes());
    bytes.resize(bytes.len() + offset, 0);
    checkpoint::open(std::io::Cursor::new(bytes), "gen.safetensors").unwrap()
}

fn read(source: &str, shapes: &[(&str, &[usize])]) -> ClassReport {
    let pasted = Pasted { source, ..Pasted::default() };
    let report = read_class(Some(file(shapes).as_ref()), "gen.safetensors", &pasted);
    // What is offered fits when it is pasted again.
    if let Some(edit) = &report.edit {
        let again = Pasted { source: &edit.source, ..Pasted::default() };
        let again = read_class(Some(file(shapes).as_ref()), "gen.safetensors", &again);
        assert_eq!(again.state, State::Fits, "{}\n{}", edit.source, again.message);
    }
    report
}

/// A class of two convolutions, and what goes between them.
fn net(first: &str, between: &str) -> String {
    format!(
        "import torch.nn as nn\n\nclass Net(nn.Module):\n    def __init__(self):\n        super().__init__()\n        \
         self.model = nn.Sequential(\n            {first},\n{between}            nn.Conv2d(8, 3, 3, padding=1),\n            \
         nn.Tanh(),\n        )\n\n    def forward(self, x):\n        return self.model(x)\n"
    )
}

const FIRST: &str = "nn.Conv2d(3, 8, 3, padding=1)";
const RELU: &str = "            nn.ReLU(),\n";

/// The lines that go and come, without what stands before them.
fn lines(report: &ClassReport) -> Vec<String> {
    let line = |line: &DiffLine| format!("{}{}", if line.comes { '+' } else { '-' }, line.text.trim());
    report.edit.as_ref().map_or_else(Vec::new, |edit| edit.lines.iter().map(line).collect())
}

#[test]
fn a_class_that_fits_is_told_with_the_lines_that_load_it() {
    let keys: [(&str, &[usize]); 4] = [
        ("model.0.weight", &[8, 3, 3, 3]),
        ("model.0.bias", &[8]),
        ("model.2.weight", &[3, 8, 3, 3]),
        ("model.2.bias", &[3]),
    ];
    let report = read(&net(FIRST, RELU), &keys);
    assert_eq!((report.state, report.class.as_str()), (State::Fits, "Net"), "{}", report.message);
    assert!(report.message.contains("all 4 keys"), "{}", report.message);
    let code = report.loading.unwrap().code;
    assert!(code.contains("load_file('gen.safetensors')") && code.contains("net.load_state_dict(weights)"), "{code}");
    assert_eq!((report.inputs, report.side), (vec![("x".to_owned(), 3)], Some(256)));
}

#[test]
fn another_number_of_channels_is_one_line() {
    let keys: [(&str, &[usize]); 4] = [
        ("model.0.weight", &[8, 4, 3, 3]),
        ("model.0.bias", &[8]),
        ("model.2.weight", &[3, 8, 3, 3]),
        ("model.2.bias", &[3]),
    ];
    let report = read(&net(FIRST, RELU), &keys);
    assert_eq!(report.state, State::Nearly, "{}", report.message);
    assert_eq!(lines(&report), ["-nn.Conv2d(3, 8, 3, padding=1),", "+nn.Conv2d(4, 8, 3, padding=1),"]);
    assert_eq!(report.edit.unwrap().lines[0].place, "line 7");
    assert_eq!(report.faults[0].place, "line 7");
    assert!(report.notes[0].contains("[8, 4, 3, 3] in the file and [8, 3, 3, 3] in the class"), "{:?}", report.notes);
}

#[test]
fn a_width_is_changed_where_it_is_said() {
    let source = "import torch.nn as nn\n\nclass Net(nn.Module):\n    def __init__(self, ngf=64):\n        \
                  super().__init__()\n        self.a = nn.Conv2d(3, ngf, 3, padding=1)\n        self.b = nn.Conv2d(ngf, \
                  ngf * 2, 3, padding=1)\n        self.c = nn.Conv2d(ngf * 2, 3, 1)\n\n    def forward(self, x):\n        \
                  return self.c(self.b(self.a(x)))\n";
    let keys: [(&str, &[usize]); 6] = [
        ("a.weight", &[16, 3, 3, 3]),
        ("a.bias", &[16]),
        ("b.weight", &[32, 16, 3, 3]),
        ("b.bias", &[32]),
        ("c.weight", &[3, 32, 1, 1]),
        ("c.bias", &[3]),
    ];
    let report = read(source, &keys);
    assert_eq!(lines(&report), ["-def __init__(self, ngf=64):", "+def __init__(self, ngf=16):"]);
}

#[test]
fn a_kernel_takes_its_padding_along() {
    let keys: [(&str, &[usize]); 4] = [
        ("model.0.weight", &[8, 3, 7, 7]),
        ("model.0.bias", &[8]),
        ("model.2.weight", &[3, 8, 3, 3]),
        ("model.2.bias", &[3]),
    ];
    let report = read(&net(FIRST, RELU), &keys);
    assert_eq!(lines(&report), ["-nn.Conv2d(3, 8, 3, padding=1),", "+nn.Conv2d(3, 8, 7, padding=3),"]);
    // Without any padding to change, nothing is offered: the picture would have another size.
    let bare = net("nn.Conv2d(3, 8, 3)", RELU);
    let report = read(&bare, &keys);
    assert!(report.edit.is_none() && report.state == State::Other, "{}", report.message);
}

#[test]
fn a_bias_comes_and_goes() {
    let without: [(&str, &[usize]); 3] =
        [("model.0.weight", &[8, 3, 3, 3]), ("model.2.weight", &[3, 8, 3, 3]), ("model.2.bias", &[3])];
    let report = read(&net(FIRST, RELU), &without);
    assert_eq!(lines(&report), ["-nn.Conv2d(3, 8, 3, padding=1),", "+nn.Conv2d(3, 8, 3, padding=1, bias=False),"]);
    let with: [(&str, &[usize]); 4] = [
        ("model.0.weight", &[8, 3, 3, 3]),
        ("model.0.bias", &[8]),
        ("model.2.weight", &[3, 8, 3, 3]),
        ("model.2.bias", &[3]),
    ];
    let report = read(&net("nn.Conv2d(3, 8, 3, padding=1, bias=False)", RELU), &with);
    assert_eq!(lines(&report)[1], "+nn.Conv2d(3, 8, 3, padding=1, bias=True),");
}

#[test]
fn an_attribute_is_renamed_wherever_it_stands() {
    let keys: [(&str, &[usize]); 4] = [
        ("decoder.0.weight", &[8, 3, 3, 3]),
        ("decoder.0.bias", &[8]),
        ("decoder.2.weight", &[3, 8, 3, 3]),
        ("decoder.2.bias", &[3]),
    ];
    let report = read(&net(FIRST, RELU), &keys);
    assert_eq!(
        lines(&report),
        [
            "-self.model = nn.Sequential(",
            "+self.decoder = nn.Sequential(",
            "-return self.model(x)",
            "+return self.decoder(x)"
        ]
    );
}

#[test]
fn a_layer_too_many_is_taken_out_if_it_is_clear_which() {
    let shifted: [(&str, &[usize]); 4] = [
        ("model.0.weight", &[8, 3, 3, 3]),
        ("model.0.bias", &[8]),
        ("model.2.weight", &[3, 8, 3, 3]),
        ("model.2.bias", &[3]),
    ];
    let dropout = format!("{RELU}            nn.Dropout(0.5),\n");
    assert_eq!(lines(&read(&net(FIRST, &dropout), &shifted)), ["-nn.Dropout(0.5),"]);
    // A norm that the file has not.
    let norm = format!("            nn.BatchNorm2d(8),\n{RELU}");
    assert_eq!(lines(&read(&net(FIRST, &norm), &shifted)), ["-nn.BatchNorm2d(8),"]);
    // Which of the two functions is too many, the file does not say.
    let two = format!("{RELU}            nn.Sigmoid(),\n");
    assert!(read(&net(FIRST, &two), &shifted).edit.is_none());
}

#[test]
fn a_norm_too_few_is_put_in() {
    let keys: [(&str, &[usize]); 8] = [
        ("model.0.weight", &[8, 3, 3, 3]),
        ("model.0.bias", &[8]),
        ("model.1.weight", &[8]),
        ("model.1.bias", &[8]),
        ("model.1.running_mean", &[8]),
        ("model.1.running_var", &[8]),
        ("model.3.weight", &[3, 8, 3, 3]),
        ("model.3.bias", &[3]),
    ];
    let report = read(&net(FIRST, RELU), &keys);
    assert_eq!(lines(&report), ["+nn.BatchNorm2d(8),"]);
    let places: Vec<&str> = report.edit.as_ref().unwrap().lines.iter().map(|line| line.place.as_str()).collect();
    assert_eq!(places, ["line 7"]);
}

#[test]
fn more_or_fewer_blocks_are_counted() {
    let source = "import torch.nn as nn\n\nclass Net(nn.Module):\n    def __init__(self, blocks=4):\n        \
                  super().__init__()\n        self.a = nn.ModuleList([nn.Conv2d(3, 3, 3, padding=1) for _ in \
                  range(blocks)])\n\n    def forward(self, x):\n        for layer in self.a:\n            x = layer(x)\n        \
                  return x\n";
    let names: Vec<(String, Vec<usize>)> = (0..6)
        .flat_map(|block| [(format!("a.{block}.weight"), vec![3, 3, 3, 3]), (format!("a.{block}.bias"), vec![3])])
        .collect();
    let keys: Vec<(&str, &[usize])> = names.iter().map(|(key, shape)| (key.as_str(), shape.as_slice())).collect();
    assert_eq!(lines(&read(source, &keys))[1], "+def __init__(self, blocks=6):");
}

#[test]
fn flags_that_give_the_same_keys_and_do_not_compute_the_same_are_left_to_the_person() {
    let source = "import torch.nn as nn\n\nclass Net(nn.Module):\n    def __init__(self, squash=False, \
                  sharpen=False):\n        super().__init__()\n        layers = [nn.Conv2d(3, 8, 3, padding=1)]\n        if \
                  squash:\n            layers += [nn.Tanh()]\n        if sharpen:\n            layers += [nn.ReLU()]\n        \
                  layers += [nn.Conv2d(8, 3, 3, padding=1)]\n        self.model = nn.Sequential(*layers)\n\n    def \
                  forward(self, x):\n        return self.model(x)\n";
    let keys: [(&str, &[usize]); 4] = [
        ("model.0.weight", &[8, 3, 3, 3]),
        ("model.0.bias", &[8]),
        ("model.2.weight", &[3, 8, 3, 3]),
        ("model.2.bias", &[3]),
    ];
    let report = read(source, &keys);
    assert!(report.edit.is_none() && report.state == State::Other, "{:?}", lines(&report));
}

#[test]
fn keys_that_only_the_file_has_can_be_left_out() {
    let keys: [(&str, &[usize]); 6] = [
        ("model.0.weight", &[8, 3, 3, 3]),
        ("model.0.bias", &[8]),
        ("model.2.weight", &[3, 8, 3, 3]),
        ("model.2.bias", &[3]),
        ("extra.weight", &[5, 5]),
        ("extra.bias", &[5]),
    ];
    let source = net(FIRST, RELU);
    let report = read(&source, &keys);
    assert_eq!(report.state, State::Nearly, "{}", report.message);
    let loading = report.loading.unwrap();
    assert!(loading.code.contains("strict=False"), "{}", loading.code);
    assert_eq!(loading.left_out, ["extra.weight", "extra.bias"]);
    let pasted = Pasted { source: &source, leaves_out: true, ..Pasted::default() };
    assert_eq!(read_class(Some(file(&keys).as_ref()), "gen", &pasted).state, State::Fits);
}

#[test]
fn what_is_another_network_is_said_with_what_strict_false_would_cost() {
    let report = read(&net(FIRST, RELU), &[("head.weight", &[5, 7]), ("head.bias", &[5])]);
    assert_eq!(report.state, State::Other, "{}", report.message);
    assert!(report.message.contains("0 of its 4 keys fit"), "{}", report.message);
    assert!(report.notes.iter().any(|note| note.contains("random values")), "{:?}", report.notes);
    assert!(report.notes.iter().any(|note| note.contains("head.weight")), "{:?}", report.notes);
    // A known network's file is named.
    let known = include_bytes!("../../../tests/reference/networks/edgeconnect-inpaint.pth");
    let known = checkpoint::open(std::io::Cursor::new(known.to_vec()), "InpaintingModel_gen.pth").unwrap();
    let source = include_str!("../../../tests/reference/classes/context_encoder.py");
    let pasted = Pasted { source, ..Pasted::default() };
    let report = read_class(Some(known.as_ref()), "InpaintingModel_gen.pth", &pasted);
    assert_eq!(
        (report.state, report.instead.as_ref().map(|(id, _)| id.as_str())),
        (State::Other, Some("edgeconnect-inpaint"))
    );
    assert!(report.notes[0].contains("EdgeConnect"), "{:?}", report.notes);
}

#[test]
fn arguments_are_guessed_or_asked_for() {
    let source = "import torch.nn as nn\n\nclass Net(nn.Module):\n    def __init__(self, width, slope: float):\n        \
                  super().__init__()\n        self.a = nn.Conv2d(3, width, 3, padding=1)\n        self.act = \
                  nn.LeakyReLU(slope)\n        self.b = nn.Conv2d(width, 3, 3, padding=1)\n\n    def forward(self, x):\n        \
                  return self.b(self.act(self.a(x)))\n";
    let keys: [(&str, &[usize]); 4] =
        [("a.weight", &[8, 3, 3, 3]), ("a.bias", &[8]), ("b.weight", &[3, 8, 3, 3]), ("b.bias", &[3])];
    // The slope leaves no trace in the keys.
    let report = read(source, &keys);
    assert_eq!(report.state, State::Asks, "{}", report.message);
    assert!(report.message.contains("width and slope"), "{}", report.message);
    let kinds: Vec<(&str, &str)> = report.arguments.iter().map(|own| (own.name.as_str(), own.kind.as_str())).collect();
    assert_eq!(kinds, [("width", ""), ("slope", "float")]);
    let pasted = Pasted { source, class_args: "Net(width=8, slope=0.2)", ..Pasted::default() };
    let report = read_class(Some(file(&keys).as_ref()), "gen", &pasted);
    assert_eq!(report.state, State::Fits, "{}", report.message);
    assert_eq!(report.arguments[1].given.as_deref(), Some("0.2"));
    // Where only the width is open, the shapes say it.
    let plain = source.replace(", slope: float", "").replace("(slope)", "(0.2)");
    let report = read(&plain, &keys);
    assert_eq!(report.state, State::Fits, "{}", report.message);
    assert_eq!(report.arguments[0].given.as_deref(), Some("8"));
    assert!(report.notes[0].contains("Net(width=8)"), "{:?}", report.notes);
}

#[test]
fn what_cannot_be_followed_names_its_line_and_says_that_the_weights_fit() {
    let source = net(FIRST, RELU).replace("return self.model(x)", "return torch.topk(self.model(x), 3)");
    let keys: [(&str, &[usize]); 4] = [
        ("model.0.weight", &[8, 3, 3, 3]),
        ("model.0.bias", &[8]),
        ("model.2.weight", &[3, 8, 3, 3]),
        ("model.2.bias", &[3]),
    ];
    let report = read(&source, &keys);
    assert_eq!(report.state, State::Unread, "{}", report.message);
    assert!(report.message.starts_with("line 14:"), "{}", report.message);
    assert!(report.notes[0].contains("are those of Net"), "{:?}", report.notes);
    assert_eq!(read("x = 1", &keys).state, State::Unread);
    assert_eq!(read("class Net(nn.Module:\n  pass", &keys).state, State::Unread);
}

#[test]
fn a_paste_alone_says_what_it_waits_for() {
    let alone = |source: &str| read_class(None, "", &Pasted { source, ..Pasted::default() });
    let report = alone(&net(FIRST, RELU));
    assert_eq!((report.state, report.class.as_str()), (State::Waits, "Net"));
    let needs = alone(&net(FIRST, RELU).replace("(self):", "(self, width):"));
    assert!(needs.state == State::Waits && needs.message.contains("width"), "{}", needs.message);
    // A block that stands last is a part.
    let block = "\nclass Block(nn.Module):\n    def __init__(self, dim):\n        super().__init__()\n\n    def forward(self, \
                 x):\n        return x\n";
    let with_block = format!("{}{block}", net("Block(3)", RELU).replace("nn.Conv2d(8, 3", "nn.Conv2d(3, 3"));
    assert_eq!(alone(&with_block).class, "Net");
}

#[test]
fn hostile_names_stay_texts() {
    let report = read(&net(FIRST, RELU), &[("<img onerror=alert(1)>.weight", &[2, 2]), ("'\\\n.x", &[1])]);
    assert!(report.notes.iter().any(|note| note.contains("<img onerror")), "{:?}", report.notes);
    let file = file(&[("a", &[1])]);
    let code = Loading::of(file.as_ref(), "a'\n\\.safetensors", &file.state_dicts()[0], &[]).code;
    assert!(code.contains("load_file('a\\'\\n\\\\.safetensors')"), "{code}");
}

#[test]
fn differing_lines_are_few() {
    let of = |before: &str, after: &str| diff::changed(before, after);
    assert_eq!(of("a\nb\nc", "a\nx\nc"), [(2, false, "b".to_owned()), (2, true, "x".to_owned())]);
    assert_eq!(of("a\nc", "a\nb\nc"), [(1, true, "b".to_owned())]);
    assert_eq!(of("a\nb\nc", "a\nc"), [(2, false, "b".to_owned())]);
    assert_eq!(of("a", "a"), []);
    assert_eq!(of("", "a"), [(1, true, "a".to_owned())]);
}
