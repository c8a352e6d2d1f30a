//! Pasted classes: the descriptions they give, and the lines they fail at.

use super::{Options, networks};
use crate::error::Result;
use crate::models::config::{BOTTLENECK, WIDTH};
use crate::models::{ArchConfig, by_id};
use crate::network::ops::Affine;
use crate::network::{Network, Op, Shape};
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

/// The network of a file's last class, for squares of 512 pixels with these channels.
fn network(source: &str, channels: &[usize]) -> Result<Network> {
    let inputs: Vec<Shape> = channels.iter().map(|&count| Shape::image(count, 512, 512)).collect();
    networks(source, &inputs, Options::default())?.swap_remove(0).network.map(|class| class.network)
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
            ArchConfig::new([(WIDTH, 2)]),
            &[4][..],
        ),
        (
            include_str!("../../tests/reference/classes/edgeconnect.py"),
            "edgeconnect-inpaint",
            ArchConfig::new([(WIDTH, 4)]),
            &[4],
        ),
        (
            include_str!("../../tests/reference/classes/pair.py"),
            "image-pair",
            ArchConfig::new([(WIDTH, 4), (BOTTLENECK, 30)]),
            &[3, 3],
        ),
    ];
    for (source, id, config, channels) in cases {
        let (pasted, known) = (network(source, channels).unwrap(), by_id(id).unwrap().network(&config));
        assert_eq!(pasted.parameters(), known.parameters(), "{id}");
        let side = if id == "context-encoder" { 512 } else { 64 };
        let inputs: Vec<Shape> = channels.iter().map(|&count| Shape::image(count, side, side)).collect();
        let last = |net: &crate::network::Network| net.shapes(&inputs).unwrap()[net.output()];
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
    let shapes = net.shapes(&[Shape::image(3, 8, 6)]).unwrap();
    assert_eq!(shapes[net.output()], Shape::image(3, 16, 12));
    assert!(matches!(net.nodes.last().unwrap().op, Op::Affine(Affine { scale: -1.0, offset: 1.0 })));
}

#[test]
fn what_cannot_be_read_is_named_by_its_line() {
    let text = refused(&class("self.lstm = nn.LSTM(3, 4)", "return self.lstm(x)"));
    assert!(text.contains("line 6") && text.contains("LSTM"), "{text}");
    let text = refused(&class("pass", "yield x"));
    assert!(text.contains("line 9") && text.contains("yield"), "{text}");
    let text = refused(&class("pass", "return x.view(1)"));
    assert!(text.contains("line 9: shape '[1]' is invalid for input of size 786432"), "{text}");
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
fn numbers_are_exact_or_an_error() {
    let layer = |number: &str| class(&format!("self.c = nn.Conv2d(3, {number}, 1)"), "return self.c(x)");
    let channels = |number: &str| match network(&layer(number), &[3]).unwrap().nodes.last().unwrap().op.clone() {
        Op::Conv2d(conv) => conv.out_channels,
        op => panic!("{op:?}"),
    };
    assert_eq!(channels("-7 // 2 + 6"), 2);
    assert_eq!(channels("-7 % 4"), 1);
    assert_eq!(channels("(2 ** 53 + 1 == 2 ** 53) + 4"), 4);
    assert_eq!(channels("(2 ** 53 + 1 > 2 ** 53) + 4"), 5);
    assert_eq!(channels("max(2 ** 62, 2 ** 62 + 9) - 2 ** 62"), 9);
    assert_eq!(channels("{1: 3, 2: 4}[2.0] + {True: 5}[1]"), 9);
    assert_eq!(channels("{'a': 3, 'a': 4}['a']"), 4);
    let largest = "(2 ** 62 - 1) * 2 + 1";
    for wrong in [
        format!("{largest} + 1"),
        format!("-({largest}) - 2"),
        format!("-(-({largest}) - 1)"),
        format!("abs(-({largest}) - 1)"),
        format!("sum([{largest}, {largest}])"),
        "pow(10, 19)".to_owned(),
        "2 ** 63".to_owned(),
        "int(1e30)".to_owned(),
        "round(1e30)".to_owned(),
        "math.floor(1e30)".to_owned(),
        "int(float(1) * 1e308 * 1e308)".to_owned(),
        "1 // 0".to_owned(),
        "1 % 0".to_owned(),
        "int(1 / 0)".to_owned(),
        "int(1.0 % 0)".to_owned(),
    ] {
        let text = refused(&layer(&wrong));
        assert!(text.contains("line 6"), "{wrong}: {text}");
    }
    // Numbers that a layer takes are bounded: sums of them stay numbers.
    for argument in ["2 ** 62", "65537", largest] {
        for layer in [
            "nn.Conv2d(3, 3, 3, padding=N)",
            "nn.Conv2d(N, 3, 3)",
            "nn.ReflectionPad2d(N)",
            "nn.ConvTranspose2d(3, 3, 3, stride=(1, N))",
        ] {
            let text = refused(&class(
                &format!("self.c = {}", layer.replace('N', &format!("({argument})"))),
                "return self.c(x)",
            ));
            assert!(text.contains("line 6") && text.contains("65536"), "{layer} {argument}: {text}");
        }
    }
}

/// Seconds that reading any file may take: well below one in a release build on an idle machine, but tests are hardly
/// optimised and run beside others.
const MAX_SECONDS: f64 = 3.0;

/// Files whose every step would look through thousands of things, or whose classes would each take a whole budget.
fn long_files() -> Vec<String> {
    let many = |prefix: &str, init: &str| {
        let init: String = init.lines().map(|line| format!("        {line}\n")).collect();
        let class = |i: usize| {
            format!(
                "class N{i}(nn.Module):\n    def __init__(self):\n{init}    def forward(self, x):\n        return x\n"
            )
        };
        prefix.to_owned() + &(0..40).map(class).collect::<String>()
    };
    let named = (0..5000).map(|i| format!("a{i}=1,")).collect::<String>();
    let parameters = (0..2000).map(|i| format!("a{i}=1, ")).collect::<String>();
    let bases = (0..2000).map(|i| format!("class B{i}(B{}):\n    y = 1\n", i + 1)).collect::<String>();
    let wide = (0..8000).map(|i| format!("B{i},")).collect::<String>();
    let fill = "for i in range(4000):\n    d[i] = i\n";
    vec![
        many("", &format!("d = {{}}\n{fill}while True:\n    b = d[-1] if -1 in d else 0")),
        many("", "for i in range(4000):\n    setattr(self, str(i), i)\nwhile True:\n    b = hasattr(self, 'zz')"),
        many("", "for i in range(4000):\n    setattr(self, str(i), i)\nwhile True:\n    b = list(self.children())"),
        many(
            "",
            "self.l = nn.ModuleList()\nfor i in range(4000):\n    self.l.b = i\n    setattr(self.l, 'a' + str(i), i)\nwhile True:\n    b = 1 if self.l else 0",
        ),
        many("", "l = [nn.Conv2d] * 4000\nwhile True:\n    b = isinstance(self, l)"),
        many("", "l = []\nl.append(l)\nb = isinstance(self, l)"),
        many("", "l = ['a' * 1000] * 4000\nwhile True:\n    b = l == l"),
        many("", "d = {}\nfor i in range(4000):\n    d['k' + str(i)] = i\nf = lambda **k: 0\nwhile True:\n    f(**d)"),
        many("", "t = '{} ' * 300\nl = [1] * 4000\nwhile True:\n    b = t.format(*l)"),
        many("", "t = '%s' * 400\nl = ['a' * 1000] * 400\nwhile True:\n    b = t % l"),
        many("", "l = [1] * 4000\nwhile True:\n    l.insert(0, 1)\n    l.pop(0)"),
        many(&format!("def f({parameters}):\n    return 1\n"), "while True:\n    f()"),
        many("", &format!("d = dict({named})\nwhile True:\n    b = dict(d)")),
        many(&bases, "while True:\n    b = B7"),
        many(&format!("{bases}class W({wide}):\n    pass\n"), "w = W()\nwhile True:\n    b = w.z"),
        many(&format!("{} = 1\n", "a = ".repeat(20_000) + "b"), "pass"),
        many(&format!("{}[{}]\n", "a = ".repeat(20_000), "1,".repeat(40_000)), "pass"),
        many("", &format!("while True:\n    self.{}", "b".repeat(5_000))),
    ]
}

#[test]
fn any_file_ends_within_a_second() {
    for source in long_files() {
        let start = crate::clock::now_ms();
        let _ = networks(&source, &[Shape::image(3, 8, 8)], Options::default());
        let seconds = (crate::clock::now_ms() - start) / 1000.0;
        let begin = source.chars().take(400).collect::<String>();
        println!("{seconds:.3} s: {}", begin.split_whitespace().collect::<Vec<_>>().join(" "));
        assert!(seconds < MAX_SECONDS, "{seconds} s: {begin}");
    }
}

#[test]
fn sizes_are_numbers_where_the_inputs_are_given() {
    let up = "self.up = nn.ConvTranspose2d(3, 3, 3, stride=2, padding=1)";
    let last = |source: &str| {
        let input = [Shape::image(3, 8, 6)];
        let network = networks(source, &input, Options::default()).unwrap().swap_remove(0).network?.network;
        network.shapes(&[Shape::image(3, 8, 6)]).map(|shapes| shapes[network.output()])
    };
    let chosen = class(up, "n, c, h, w = x.shape\nreturn self.up(x, output_size=(2 * h, 2 * w - 1))");
    assert_eq!(last(&chosen).unwrap(), Shape::image(3, 16, 11));
    let text = last(&class(up, "return self.up(x, output_size=(20, 20))")).unwrap_err().message;
    assert!(
        text.contains("line 9: requested an output size of (20, 20), but valid sizes range from [15, 11] to [16, 12]"),
        "{text}"
    );
    let size = class("pass", "return F.interpolate(x, size=(x.size(2) * 2, x.size()[3] * 2))");
    assert_eq!(last(&size).unwrap(), Shape::image(3, 16, 12));
    assert_eq!(last(&class("pass", "return F.interpolate(x, size=(9, 9))")).unwrap(), Shape::image(3, 9, 9));
    let same = class("pass", "y = x + 1\nif y.shape == x.shape:\n    return y\nreturn x.view(1)");
    assert_eq!(last(&same).unwrap(), Shape::image(3, 8, 6));
}

#[test]
fn a_class_says_clearly_what_it_needs() {
    let text = refused(&class("self.pool = nn.LPPool2d(2, 2)", "return self.pool(x)"));
    assert!(text.contains("line 6: infill does not know torch.nn.LPPool2d. It follows Conv2d"), "{text}");
    assert_eq!(refused(&class("pass", "return F.interpolate(x, size=x.shape[2:])")), "");
    let text = refused(&class("self.layers = [nn.Conv2d(3, 3, 1)]", "return self.layers[0](x)"));
    assert!(text.contains("line 9") && text.contains("nn.ModuleList"), "{text}");
    let text = refused(&class("pass", "return x << x"));
    assert!(text.contains("line 9: << with a tensor"), "{text}");
    let text = refused(&class("pass", "if x.mean() > 4:\n    x = x + 1\nreturn x"));
    assert!(text.contains("line 9") && text.contains("without running the network"), "{text}");
    let text = refused(&class("pass", "return x[x > 0]"));
    assert!(text.contains("line 9") && text.contains("picking by a tensor"), "{text}");
    let text = refused(&class("pass", "return self.helper(x)"));
    assert!(text.contains("line 9: Net has no helper"), "{text}");
    let text = refused(&class("self.c = nn.Conv2d(3, 3, 3, stride=2, padding='same')", "return self.c(x)"));
    assert!(text.contains("line 6: Conv2d: padding='same' is not supported for strided convolutions"), "{text}");
    let text = refused(&class("self.c = nn.Conv2d(3, 3, 4, padding='same')", "return self.c(x)"));
    assert!(text.contains("line 6") && text.contains("even kernel"), "{text}");
    assert_eq!(refused(&class("self.c = nn.Conv2d(3, 3, 4, padding='same', dilation=2)", "return self.c(x)")), "");
    let needs = "class Net:\n    def __init__(self, width):\n        pass\n    def forward(self, x):\n        return x";
    assert!(refused(needs).contains("Net needs the argument width: give it a default, or say what it is"));
    assert_eq!(refused(&format!("{needs}\n\nnet = Net(8).cuda()")), "", "the file says what it is");
    let given = |class_args: &str| {
        let options = Options { class_args, ..Options::default() };
        let networks = networks(needs, &[Shape::image(3, 8, 8)], options)?;
        networks.into_iter().next().unwrap().network.map(|class| class.taken)
    };
    assert_eq!(given("Net(width=4)").unwrap(), 0);
    assert!(given("Other(4)").unwrap_err().message.contains("There is no class Other"));
    assert!(given("4").unwrap_err().message.contains("such as Net(4, 3, ngf=64)"));
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

#[test]
fn what_would_change_numbers_unseen_is_refused_by_its_line() {
    let made = "self.c = nn.Conv2d(3, 3, 1)\nself.n = nn.BatchNorm2d(3)\n";
    let forwards = [
        ("self.c.weight = nn.Parameter(self.c.weight * 2)\nreturn self.c(x)", "line 11", "weight has been replaced"),
        ("self.c.weight *= 2\nreturn self.c(x)", "line 11", "weight has been replaced"),
        ("self.n.train()\nreturn self.n(x)", "line 10", "train() in forward"),
        ("self.n.training = True\nreturn self.n(x)", "line 10", "training in forward"),
    ];
    for (forward, line, why) in forwards {
        let text = refused(&class(made.trim_end(), forward));
        assert!(text.contains(line) && text.contains(why), "{forward}: {text}");
    }
    let inits = [
        ("self.n.eps = 0.5", "setting eps of a layer"),
        ("for m in self.modules():\n    m.eps = 0.5", "this loop changes more"),
        ("self.k = len(list(self.parameters()))", "line 8"),
        ("self.n.register_forward_hook(lambda m, i, o: o * 2)", "hooks are not followed"),
    ];
    for (init, why) in inits {
        let text = refused(&class(&format!("{made}{init}"), "return self.n(self.c(x))"));
        assert!(text.contains("line 8") && text.contains(why), "{init}: {text}");
    }
    let harmless = "for m in self.modules():\n    if isinstance(m, nn.Conv2d):\n        nn.init.xavier_normal_(m.weight)\n        \
                    m.bias.data.zero_()\nself.train()";
    assert_eq!(refused(&class(&format!("{made}{harmless}"), "return self.n(self.c(x))")), "");
    let eval = class(made.trim_end(), "return self.c(x)") + "\n    def train(self, mode=True):\n        self.k = 2\n";
    assert!(refused(&eval).contains("train is not followed"), "{}", refused(&eval));
}

/// A class with three arguments that its keys may decide.
fn open_class(arguments: &str) -> String {
    format!(
        "from torch import nn\n\nclass Net(nn.Module):\n    def __init__(self, {arguments}):\n        super().__init__()\n        \
         self.a = nn.Conv2d(in_ch, ngf, 3, padding=1)\n        self.b = nn.Sequential(*[nn.Conv2d(ngf, ngf, 3, padding=1) \
         for _ in range(blocks)])\n        self.c = nn.Conv2d(ngf, 3, 1)\n\n    def forward(self, x):\n        return \
         self.c(self.b(self.a(x)))\n"
    )
}

/// The keys of that class.
fn open_keys(inputs: usize, width: usize, blocks: usize, prefix: &str) -> Vec<(String, Vec<usize>)> {
    let conv = |key: &str, out: usize, inputs: usize, side: usize| {
        [(format!("{prefix}{key}.weight"), vec![out, inputs, side, side]), (format!("{prefix}{key}.bias"), vec![out])]
    };
    let middle = (0..blocks).flat_map(|block| conv(&format!("b.{block}"), width, width, 3)).collect::<Vec<_>>();
    [&conv("a", width, inputs, 3)[..], &middle, &conv("c", 3, width, 1)].concat()
}

#[test]
fn arguments_without_default_follow_from_the_shapes() {
    let given = |source: &str, file: &[(String, Vec<usize>)], inputs: usize| {
        let options = Options { file, ..Options::default() };
        let mut classes = networks(source, &[Shape::image(inputs, 16, 16)], options).unwrap();
        let class = classes.swap_remove(0);
        let given: Vec<String> = class.arguments.iter().map(|own| own.given.clone().unwrap_or_default()).collect();
        class.network.map(|_| given)
    };
    let source = open_class("in_ch, ngf, blocks");
    assert_eq!(given(&source, &open_keys(4, 12, 3, ""), 4).unwrap(), ["4", "12", "3"]);
    // What the file's keys begin with, and what is stored in a weight's place, is no matter.
    let mut normed = open_keys(3, 8, 2, "netG.");
    normed[0].0 = "netG.a.weight_orig".to_owned();
    normed.push(("netG.a.weight_u".to_owned(), vec![8]));
    assert_eq!(given(&source, &normed, 3).unwrap(), ["3", "8", "2"]);
    // Defaults stand.
    assert_eq!(given(&open_class("in_ch=4, ngf=12, blocks=3"), &open_keys(4, 12, 3, ""), 4).unwrap(), ["", "", ""]);
    // More keys than any number of blocks gives, none at all, and no file.
    let mut more = open_keys(4, 12, 3, "");
    more.push(("d.weight".to_owned(), vec![3, 3, 3, 3]));
    for file in [more, Vec::new()] {
        let error = given(&source, &file, 4).unwrap_err();
        assert!(error.message.contains("needs the argument in_ch"), "{error}");
    }
    // Four are too many to be tried.
    let four = open_class("in_ch, ngf, blocks, depth");
    assert!(given(&four, &open_keys(4, 12, 3, ""), 4).unwrap_err().message.contains("needs the argument"));
}

#[test]
fn what_the_shapes_leave_open_is_asked() {
    // The slope is in no key, and any number of the list would do.
    let source = class("self.a = nn.Conv2d(3, width, 1)\nself.b = nn.LeakyReLU(slope)", "return self.b(self.a(x))")
        .replace("(self):", "(self, width, slope):");
    let file = [("a.weight".to_owned(), vec![5, 3, 1, 1]), ("a.bias".to_owned(), vec![5])];
    let options = Options { file: &file, ..Options::default() };
    let classes = networks(&source, &[Shape::image(3, 16, 16)], options).unwrap();
    let error = classes[0].network.as_ref().unwrap_err();
    assert!(
        error.message.contains("leave open") && error.message.contains("--class-args 'Net(width=5, slope="),
        "{error}"
    );
    let names: Vec<&str> = classes[0].asked().map(|own| own.name.as_str()).collect();
    assert_eq!(names, ["width", "slope"]);
}

#[test]
fn arguments_have_names_types_and_defaults() {
    let source = "from torch import nn\n\nclass Net(nn.Module):\n    def __init__(self, a, b: int, c=64, d: float = 0.2, e='batch', \
                  f=(1, 2), g=True, *rest, h: Optional[str] = None, **more):\n        super().__init__()\n        self.a = \
                  nn.Conv2d(3, 3, 1)\n\n    def forward(self, x):\n        return self.a(x)\n\nnet = Net(4, b=5, e='none')\n";
    let classes = networks(source, &[Shape::image(3, 16, 16)], Options::default()).unwrap();
    let all: Vec<(&str, &str, Option<&str>, Option<&str>)> = classes[0]
        .arguments
        .iter()
        .map(|own| (own.name.as_str(), own.kind.as_str(), own.default.as_deref(), own.given.as_deref()))
        .collect();
    assert_eq!(
        all,
        [
            ("a", "", None, Some("4")),
            ("b", "int", None, Some("5")),
            ("c", "int", Some("64"), None),
            ("d", "float", Some("0.2"), None),
            ("e", "str", Some("'batch'"), Some("'none'")),
            ("f", "list", Some("(1, 2)"), None),
            ("g", "bool", Some("True"), None),
            ("h", "Optional[str]", Some("None"), None),
        ]
    );
}

#[test]
fn a_class_is_shown_inputs_that_it_takes() {
    let shapes = |source: &str| {
        let mut classes = super::pictured(source, super::Given::default(), Options::default()).unwrap();
        let network = classes.swap_remove(0).network.unwrap().network;
        network.traced.iter().map(|shape| shape.sides().to_vec()).collect::<Vec<_>>()
    };
    let one = class("self.a = nn.Conv2d(5, 3, 1)", "return self.a(x)");
    assert_eq!(shapes(&one), [vec![1, 5, 256, 256]]);
    let two =
        class("self.a = nn.Conv2d(4, 3, 1)", "return self.a(torch.cat([x, mask], 1))").replace("x):", "x, mask):");
    assert_eq!(shapes(&two), [vec![1, 3, 256, 256], vec![1, 1, 256, 256]]);
    // Nine halvings.
    let deep = class(
        "self.a = nn.Sequential(*[nn.Conv2d(3, 3, 4, 2, 1) for _ in range(9)])\nself.b = nn.Upsample(scale_factor=64)",
        "return self.b(self.a(x))",
    );
    assert_eq!(shapes(&deep), [vec![1, 3, 512, 512]]);
}
