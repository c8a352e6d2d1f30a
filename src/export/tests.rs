use super::*;
use crate::engine::WeightSource;
use crate::models::by_id;
use crate::models::config::WIDTH;
use crate::network::ops::{Add, Linear, Stored};
use crate::network::{Activation, Conv2d};

/// Every value of the n-th key is n.
struct Numbered(Network);

impl WeightSource for Numbered {
    fn take(&mut self, key: &str) -> Result<Vec<f32>> {
        let all = self.0.parameters();
        let at = all.iter().position(|parameter| parameter.key == key).unwrap();
        Ok(vec![at as f32; all[at].shape.iter().product()])
    }
}

fn written(network: &Network, format: Format, is_half: bool) -> Result<Vec<u8>> {
    let inputs = network.square_inputs(16);
    let exported =
        Exported { network, name: "My net 2", loading: "net.eval()", inputs: &inputs, is_fixed: false, is_half };
    let mut bytes = Vec::new();
    write(&exported, format, &mut Numbered(network.clone()), &mut bytes)?;
    Ok(bytes)
}

fn small() -> Network {
    let mut net = Network::new();
    let x = net.input("x", 3);
    let y = net.sequential("body", x).push(Conv2d::new(3, 4, 3).padding(1)).push(Activation::ReLU).end();
    let noise = net.node_with_keys("noise", Stored { shape: vec![16, 16] }, &[], vec!["noise".to_owned()]);
    let y = net.node("sum", Add, &[y, noise]);
    let y = net.node("head.out", Conv2d::new(4, 3, 1), &[y]);
    net.returns(y)
}

#[test]
fn endings_say_what_is_written() {
    for (name, format) in [("a.safetensors", Format::Safetensors), ("b.PY", Format::Python), ("c.onnx", Format::Onnx)] {
        assert_eq!(Format::of(Path::new(name)).unwrap(), format);
    }
    for name in ["a", "a.pth", "onnx"] {
        assert_eq!(Format::of(Path::new(name)).unwrap_err().code, Code::Usage, "{name}");
    }
}

#[test]
fn weights_are_read_back_as_they_were() {
    for is_half in [false, true] {
        let bytes = written(&small(), Format::Safetensors, is_half).unwrap();
        let mut file = crate::checkpoint::open(std::io::Cursor::new(bytes), "x.safetensors").unwrap();
        let dict = file.state_dicts()[0].clone();
        let own = small().parameters();
        assert_eq!(dict.tensors.len(), own.len());
        for (index, parameter) in own.iter().enumerate() {
            let tensor = dict.tensors.iter().find(|tensor| tensor.key == parameter.key).unwrap();
            assert_eq!((&tensor.shape, tensor.dtype.size()), (&parameter.shape, if is_half { 2 } else { 4 }));
            assert!(file.read(tensor).unwrap().iter().all(|value| *value == index as f32));
        }
    }
}

#[test]
fn a_value_that_16_bits_do_not_hold_is_named() {
    struct Large;
    impl WeightSource for Large {
        fn take(&mut self, _: &str) -> Result<Vec<f32>> {
            Ok(vec![70_000.0; 12])
        }
    }
    let mut net = Network::new();
    let x = net.input("x", 3);
    let y = net.node("a", Conv2d::new(3, 4, 1).bias(false), &[x]);
    let net = net.returns(y);
    let inputs = net.square_inputs(4);
    let exported = Exported { network: &net, name: "x", loading: "", inputs: &inputs, is_fixed: false, is_half: true };
    let error = write(&exported, Format::Safetensors, &mut Large, &mut Vec::new()).unwrap_err();
    assert_eq!((error.code, error.keys), (Code::WeightsNotFinite, vec!["a.weight".to_owned()]));
}

#[test]
fn a_class_is_written_as_people_write_it() {
    let text = String::from_utf8(written(&small(), Format::Python, false).unwrap()).unwrap();
    let class = text.split("class MyNet2(nn.Module):\n").nth(1).unwrap();
    let expected = "    def __init__(self):
        super().__init__()
        self.body = nn.Sequential(
            nn.Conv2d(3, 4, 3, padding=1),
            nn.ReLU(),
        )
        self.register_buffer('noise', torch.zeros((16, 16)))
        self.head = Group(
            out=nn.Conv2d(4, 3, 1),
        )

    def forward(self, x):
        x = self.body(x)
        y1 = self.noise
        x = x + y1
        x = self.head.out(x)
        return x
";
    assert_eq!(class, expected);
    assert!(text.contains("    net = MyNet2()\n    net.eval()\n"), "{text}");
}

/// infill reads its own classes: what is written says the same as what it was written from.
#[test]
fn a_written_class_is_read_as_the_same_keys() {
    for id in ["context-encoder", "edgeconnect-inpaint", "image-pair", "image-pair-discriminator", "cyclegan-resnet"] {
        let model = by_id(id).unwrap();
        let network = model.network(&model.published().with(WIDTH, 4));
        let text = String::from_utf8(written(&network, Format::Python, false).unwrap()).unwrap();
        let read = crate::torch_source::registered(&text, crate::torch_source::Options::default()).unwrap();
        let keys = read.into_iter().rev().find_map(|class| class.keys.ok().filter(|keys| keys.len() > 4)).unwrap();
        let mut found: Vec<String> = keys.into_iter().map(|key| key.key).collect();
        let mut own: Vec<String> = network.parameters().into_iter().map(|parameter| parameter.key).collect();
        found.sort_unstable();
        own.sort_unstable();
        assert_eq!(found, own, "{id}");
    }
}

#[test]
fn every_network_is_written_in_every_format() {
    for model in crate::models::registry() {
        let config = model.published();
        let conventions = model.conventions(&config);
        let network = model.network_for(&config, &conventions);
        let text = torch_class::source(&Exported {
            network: &network,
            name: &model.name,
            loading: "",
            inputs: &[],
            is_fixed: false,
            is_half: false,
        });
        let text = text.unwrap_or_else(|error| panic!("{}: {error}", model.id));
        let lines = text.lines().count();
        assert!(lines > 20 && text.lines().all(|line| line.len() < 400), "{}: {lines} lines", model.id);
    }
}

#[test]
fn a_layer_without_words_is_named() {
    let mut net = Network::new();
    let x = net.input("x", 3);
    let y = net.node("fc", Linear { in_features: 16, out_features: 2, bias: true }, &[x]);
    let net = net.returns(y);
    for format in [Format::Python, Format::Onnx] {
        let error = written(&net, format, false).unwrap_err();
        assert!(error.code == Code::NetworkInvalid && error.message.starts_with("fc: Linear"), "{error}");
    }
}
