//! Pasted classes: the descriptions they give, and the lines they fail at.

use super::{network, networks};
use crate::models::{Widths, by_id};
use crate::network::{Op, Shape};
#[cfg(target_arch = "wasm32")]
use wasm_bindgen_test::wasm_bindgen_test as test;

/// A class with these lines in `__init__` and `forward`.
fn class(init: &str, forward: &str) -> String {
    let indent = |text: &str| text.lines().map(|line| format!("        {line}\n")).collect::<String>();
    format!(
        "from torch import nn\n\nclass Net(nn.Module):\n    def __init__(self):\n        super().__init__()\n{}\n    def forward(self, x):\n{}",
        indent(init),
        indent(forward)
    )
}

fn refused(source: &str) -> String {
    network(source, &[3]).map(|_| String::new()).unwrap_or_else(|error| error.message)
}

#[test]
fn pasted_classes_are_the_known_networks() {
    let cases = [
        (
            include_str!("../../tests/reference/classes/context_encoder.py"),
            "context-encoder",
            Widths::base(2),
            &[4][..],
        ),
        (include_str!("../../tests/reference/classes/edgeconnect.py"), "edgeconnect-inpaint", Widths::base(4), &[4]),
        (
            include_str!("../../tests/reference/classes/pair.py"),
            "image-pair",
            Widths { base: 4, bottleneck: 30, residual_bias: false },
            &[3, 3],
        ),
    ];
    for (source, id, widths, channels) in cases {
        let (pasted, known) = (network(source, channels).unwrap(), (by_id(id).unwrap().network)(widths));
        assert_eq!(pasted.parameters(), known.parameters(), "{id}");
        let side = if id == "context-encoder" { 512 } else { 64 };
        let inputs: Vec<Shape> = channels.iter().map(|&count| Shape::new(count, side, side)).collect();
        let last = |net: &crate::network::Network| net.shapes(&inputs).unwrap()[net.output().0];
        assert_eq!(last(&pasted), last(&known), "{id}");
    }
}

#[test]
fn modules_functions_and_numbers_are_followed() {
    let source = class(
        "self.layers = nn.ModuleList([nn.Conv2d(3, 3, 3, padding='same') for _ in range(2)])\nself.up = nn.Upsample(scale_factor=2)\nself.drop = nn.Dropout(0.5)",
        "for layer in self.layers:\n    x = F.leaky_relu(layer(x), 0.1)\nx = self.drop(self.up(x))\nreturn 1 - x * 0.5",
    );
    let net = network(&source, &[3]).unwrap();
    let keys: Vec<String> = net.parameters().into_iter().map(|p| p.key).collect();
    assert_eq!(keys, ["layers.0.weight", "layers.0.bias", "layers.1.weight", "layers.1.bias"]);
    let shapes = net.shapes(&[Shape::new(3, 8, 6)]).unwrap();
    assert_eq!(shapes[net.output().0], Shape::new(3, 16, 12));
    assert!(matches!(net.nodes.last().unwrap().op, Op::Affine { scale: -1.0, offset: 1.0 }));
}

#[test]
fn what_cannot_be_read_is_named_by_its_line() {
    let text = refused(&class("self.lstm = nn.LSTM(3, 4)", "return self.lstm(x)"));
    assert!(text.contains("line 6") && text.contains("LSTM"), "{text}");
    let text = refused(&class("pass", "try:\n    x = x\nfinally:\n    pass\nreturn x"));
    assert!(text.contains("line 9") && text.contains("try"), "{text}");
    let text = refused(&class("pass", "return x.view(1)"));
    assert!(text.contains("line 9") && text.contains("view"), "{text}");
    let text = refused(&class("pass", "if x.sum() > 0:\n    return x\nreturn x"));
    assert!(text.contains("line 9"), "{text}");
    let text = refused(&class("self.c = nn.Conv2d(3, 3, 3, padding=-1)", "return self.c(x)"));
    assert!(text.contains("line 6") && text.contains("negative padding is not supported"), "{text}");
    let text = refused(&class("self.c = nn.ConvTranspose2d(3, 3, 3, padding_mode='reflect')", "return self.c(x)"));
    assert!(text.contains("Only \"zeros\" padding mode is supported for ConvTranspose2d"), "{text}");
    assert!(refused("x = 1").contains("no class"));
    assert!(refused("class Net:\n  def forward(self, x):\n    return x\n   y = 2").contains("line 4"));
}

#[test]
fn nothing_is_executed_and_nothing_goes_on_for_ever() {
    let text = refused(&class("import os\nos.system('touch /tmp/infill-was-here')", "return x"));
    assert!(text.contains("line 7") && text.contains("os.system"), "{text}");
    let text = refused(&class("os.system('touch /tmp/infill-was-here')", "return x"));
    assert!(text.contains("line 6") && text.contains("os.system"), "{text}");
    let loops = "for a in range(4000):\n    for b in range(4000):\n        c = a + b";
    assert!(refused(&class(loops, "return x")).contains("too long"));
    let recursion = class("pass", "return self.forward(x)");
    assert!(refused(&recursion).contains("deeply"));
    assert!(refused(&class(&format!("y = {}1{}", "(".repeat(9000), ")".repeat(9000)), "return x")).contains("deeply"));
    assert!(refused(&class(&format!("y = {}1", "-".repeat(9000)), "return x")).contains("deeply"));
    assert!(refused(&class(&format!("y = {}1", "not ".repeat(9000)), "return x")).contains("deeply"));
    assert!(refused(&class(&format!("y = 1{}", " + 1".repeat(9000)), "return x")).contains("deeply"));
    assert!(refused(&class(&format!("y = self{}", ".a".repeat(9000)), "return x")).contains("deeply"));
    assert!(refused(&class("y = [0] * 4000 * 4000 * 4000", "return x")).contains("too long"));
    assert!(refused(&class("y = 9 ** 9 ** 9", "return x")).contains("line 6"));
}

#[test]
fn what_grows_in_a_few_words_ends_in_an_error() {
    let doubled =
        |first: &str, again: &str| class(&format!("a = {first}\nfor i in range(4000):\n    a = {again}"), "return x");
    // Lists in lists, which would be 2^4000 items if they were copied.
    assert_eq!(refused(&doubled("[0]", "[a, a]")), "");
    assert_eq!(refused(&doubled("[0]", "[a]")), "");
    assert_eq!(refused(&doubled("{'a': 0}", "{'a': a, 'b': a}")), "");
    assert!(refused(&doubled("[0]", "a + a")).contains("too long"));
    assert!(refused(&doubled("'long text '", "a + a")).contains("too long"));
    assert!(refused(&doubled("'%s'", "'%s%s' % (a, a)")).contains("too long"));
    let many = |what: &str| {
        class(&format!("d = {{}}\nfor i in range(4000):\n    for j in range(4000):\n        {what}"), "return x")
    };
    assert!(refused(&many("d[4000 * i + j] = 1")).contains("too long"));
    assert!(refused(&many("setattr(self, f'a{i}_{j}', 1)")).contains("too many attributes"));
    // Modules in modules, which would be 2^60 calls.
    let modules = |count: usize, again: &str| {
        class(&format!("self.a = nn.Identity()\nfor i in range({count}):\n    self.a = {again}"), "return self.a(x)")
    };
    assert!(refused(&modules(60, "nn.Sequential(self.a, self.a)")).contains("too long"));
    assert!(refused(&modules(4000, "nn.Sequential(self.a)")).contains("deeply"));
    assert!(refused(&class("a = []\na.append(a)\nself.a = nn.Sequential(*a)", "return x")).contains("line 8"));
    assert!(refused(&class("self.a = nn.Sequential()\nself.a.append(self.a)", "return self.a(x)")).contains("deeply"));
    assert!(refused(&class("f = lambda g: g(g)\nf(f)", "return x")).contains("deeply"));
    assert!(refused(&class("while True:\n    pass", "return x")).contains("too long"));
    let base = "class A(B):\n    pass\nclass B(A):\n    def forward(self, x):\n        return x\n";
    assert_eq!(refused(base), "");
}

#[test]
fn sizes_are_numbers_where_the_inputs_are_given() {
    let up = "self.up = nn.ConvTranspose2d(3, 3, 3, stride=2, padding=1)";
    let last = |source: &str| {
        let network = networks(source, &[Shape::new(3, 8, 6)]).unwrap().swap_remove(0).network?;
        network.shapes(&[Shape::new(3, 8, 6)]).map(|shapes| shapes[network.output().0])
    };
    let chosen = class(up, "n, c, h, w = x.shape\nreturn self.up(x, output_size=(2 * h, 2 * w - 1))");
    assert_eq!(last(&chosen).unwrap(), Shape::new(3, 16, 11));
    let text = last(&class(up, "return self.up(x, output_size=(20, 20))")).unwrap_err().message;
    assert!(
        text.contains("line 9: requested an output size of (20, 20), but valid sizes range from [15, 11] to [16, 12]"),
        "{text}"
    );
    let size = class("pass", "return F.interpolate(x, size=(x.size(2) * 2, x.size()[3] * 2))");
    assert_eq!(last(&size).unwrap(), Shape::new(3, 16, 12));
    let text = last(&class("pass", "return F.interpolate(x, size=(9, 9))")).unwrap_err().message;
    assert!(text.contains("line 9") && text.contains("8 x 6 to 9 x 9 is not a whole factor"), "{text}");
    let same = class("pass", "y = x + 1\nif y.shape == x.shape:\n    return y\nreturn x.view(1)");
    assert_eq!(last(&same).unwrap(), Shape::new(3, 8, 6));
    assert!(refused(&chosen).contains("line 10"), "without sizes: {}", refused(&chosen));
}

#[test]
fn a_class_says_clearly_what_it_needs() {
    let text = refused(&class("self.pool = nn.MaxPool2d(2)", "return self.pool(x)"));
    assert!(text.contains("line 6: infill does not know nn.MaxPool2d. It follows Conv2d"), "{text}");
    let text = refused(&class("pass", "return F.interpolate(x, size=x.shape[2:])"));
    assert!(text.contains("line 9") && text.contains("give scale_factor"), "{text}");
    let text = refused(&class("self.layers = [nn.Conv2d(3, 3, 1)]", "return self.layers[0](x)"));
    assert!(text.contains("line 9") && text.contains("nn.ModuleList"), "{text}");
    let text = refused(&class("pass", "return x * x"));
    assert!(text.contains("line 9: * between two tensors"), "{text}");
    let text = refused(&class("pass", "if x.shape[2] > 4:\n    x = x + 1\nreturn x"));
    assert!(text.contains("line 9") && text.contains("without running the network"), "{text}");
    let text = refused(&class("pass", "return x[:, :1]"));
    assert!(text.contains("line 9") && text.contains("parts of a tensor are not read"), "{text}");
    let text = refused(&class("pass", "return self.helper(x)"));
    assert!(text.contains("line 9: Net has no helper"), "{text}");
    let text = refused(&class("self.c = nn.Conv2d(3, 3, 3, stride=2, padding='same')", "return self.c(x)"));
    assert!(text.contains("line 6: padding='same' is not supported for strided convolutions"), "{text}");
    let text = refused(&class("self.c = nn.Conv2d(3, 3, 4, padding='same')", "return self.c(x)"));
    assert!(text.contains("line 6") && text.contains("even kernel"), "{text}");
    assert_eq!(refused(&class("self.c = nn.Conv2d(3, 3, 4, padding='same', dilation=2)", "return self.c(x)")), "");
    let needs = "class Net:\n    def __init__(self, width):\n        pass\n    def forward(self, x):\n        return x";
    assert!(refused(needs).contains("Net needs the argument width: give it a default"));
}

#[test]
fn any_damage_ends_in_an_error_and_never_panics() {
    let whole = include_str!("../../tests/reference/classes/edgeconnect.py");
    for end in (0..whole.len()).step_by(37) {
        let _ = network(&whole[..end], &[4]);
        let mut changed = whole.as_bytes().to_vec();
        changed[end] = b"([:\"'\\.,0 \n#-*"[end % 14];
        let _ = network(&String::from_utf8_lossy(&changed), &[4]);
    }
}
