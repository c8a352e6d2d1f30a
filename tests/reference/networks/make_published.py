"""Makes the fixtures of the published networks beside this file with PyTorch. The tests need only the fixtures.

    python tests/reference/networks/make_published.py [lamas ...]

Families that are named are made anew, the others stay as they are.
The files are narrow and random, and hold their state dicts in the forms in which people save them. As in `make.py`, inputs
are not stored. Every file is described in `published.json`.
"""

import copy
import io
import json
import sys
import types
import zipfile
from collections import OrderedDict

import torch
from torch import nn

from make import HERE, numbers
from published import (AotGan, DeepFillPyTorch, DeepFillTensorFlow, Lama, MiGan, PartialUNet, PlainDeepFill,
                       PyTorchGanContextEncoder, Resnet, UNet)


def trained(net, x):
    """Weights and statistics as training leaves them: none as initialised, and no layer's output vanishes or grows."""
    for name, layer in net.named_modules():
        if isinstance(layer, (nn.Conv2d, nn.ConvTranspose2d)) and not name.endswith((".filter", ".mask_conv")):
            transposed = isinstance(layer, nn.ConvTranspose2d)
            nn.init.normal_(layer.weight)
            # Unit norm over what one output pixel sums: of a transposed kernel, one in stride x stride.
            over = (0, 2, 3) if transposed else (1, 2, 3)
            norm = layer.weight.detach().square().sum(over, keepdim=True).sqrt() / (layer.stride[0] if transposed else 1)
            layer.weight.data /= norm
            if name.endswith(".torgb"):  # the images of all sides add up
                layer.weight.data *= 0.2
            if layer.bias is not None:
                nn.init.uniform_(layer.bias, -0.3, 0.3)
        elif isinstance(layer, nn.BatchNorm2d):
            nn.init.uniform_(layer.weight, 0.5, 1.5)
            nn.init.uniform_(layer.bias, -0.5, 0.5)
        elif getattr(layer, "noisy", False):
            nn.init.uniform_(layer.noise_strength, 0.1, 0.3)
    with torch.no_grad():
        remember_another_picture(net, x)
    return net


def with_statistics(net):
    return [layer for layer in net.modules() if getattr(layer, "running_mean", None) is not None]


def remember_another_picture(net, x):
    """Stored statistics near this picture's, but not the same."""
    for layer in with_statistics(net):
        layer.momentum = 1.0
    without_dropout(net)(x)
    for layer in with_statistics(net):
        layer.momentum = 0.1
        layer.running_mean += (torch.rand_like(layer.running_mean) - 0.5) * layer.running_var.sqrt()
        layer.running_var *= torch.empty_like(layer.running_var).uniform_(0.5, 2.0)
        layer.num_batches_tracked.fill_(1234)


def without_dropout(net):
    """Training mode, in which norms use the statistics of the picture at hand, but nothing is dropped."""
    net.train()
    for layer in net.modules():
        if isinstance(layer, nn.Dropout):
            layer.eval()
    return net


def of_the_picture(net, x):
    """The output with the picture's own mean and biased variance in every norm; `net` stays as it is."""
    return without_dropout(copy.deepcopy(net))(x)


def prefixed(prefix, state):
    return OrderedDict((prefix + key, value) for key, value in state.items())


def halved(state):
    return OrderedDict((key, value.half() if value.is_floating_point() else value) for key, value in state.items())


def without(ending, state):
    """As saved by a PyTorch that did not yet know these buffers."""
    return OrderedDict((key, value) for key, value in state.items() if not key.endswith(ending))


def deflated(state, path):
    """Zipped anew, compressed: PyTorch reads it as well."""
    plain = io.BytesIO()
    torch.save(state, plain)
    with zipfile.ZipFile(plain) as source, zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as target:
        for entry in source.namelist():
            # A fixed date: the file is the same whenever it is made.
            target.writestr(zipfile.ZipInfo(entry), source.read(entry), zipfile.ZIP_DEFLATED)


def lean(net):
    """MI-GAN's maps as views of two short storages, which makes the file small: each noise map has numbers of its own in
    both directions, and every `filter_const` is a corner of the largest."""
    blocks = [block for block in net.synthesis.children() if block.conv1.noisy]
    side = blocks[-1].conv1.noise_const.shape[0]
    pool, largest = numbers((38 * side + 101 * 2 * len(blocks),), 3), blocks[-1].upsample.filter_const
    for index, layer in enumerate(layer for block in blocks for layer in [block.conv1, block.conv2]):
        layer.noise_const = pool.as_strided(layer.noise_const.shape, (37, 1), 101 * index)
    for upsample in (layer for block in blocks for layer in [block.conv1.upsample, block.upsample]):
        upsample.filter_const = largest[:, :, :upsample.filter_const.shape[2], :upsample.filter_const.shape[3]]
    return net


def clamped(net):
    """Two channels of one layer reach the activation's bounds, +256 and -256; what reads them is small in return."""
    layer = net.synthesis.b8.conv2
    with torch.no_grad():
        layer.conv1.bias[:2] = torch.tensor([400.0, -2000.0])
        layer.conv2.weight[:, :2] /= 256
    return net


def has_batch_norm(net):
    return any(isinstance(layer, nn.BatchNorm2d) for layer in net.modules())


def output(net, x, statistics):
    with torch.no_grad():
        return net.eval()(x) if statistics == "stored" else of_the_picture(net, x)


def row(file, model, net, x, step, statistics="picture"):
    """What `published.json` says of a file: every `step`-th row and column of the output."""
    y = output(net, x, statistics)
    exact = output(copy.deepcopy(net).double(), x.double(), statistics)
    print(f"{file:34} {statistics:8} {y.min():.3f} .. {y.max():.3f}, deviation {y.std():.3f}, "
          f"error of single precision {(exact - y).abs().max():.1e}")
    return {"model": model, "file": file, "inputs": [list(x.shape)], "low": -1.0, "step": step, "shape": list(y.shape),
            "y": [round(float(v), 6) for v in y[:, :, ::step, ::step].reshape(-1)]}


def rows(name, model, net, x, step):
    """With batch norm two: with the statistics that are stored, and with the picture's own."""
    if not has_batch_norm(net):
        return {name: row(f"{name}.pth", model, net, x, step)}
    both = {name: "stored", f"{name}-picture": "picture"}
    return {key: {**row(f"{name}.pth", model, net, x, step, statistics), "statistics": statistics}
            for key, statistics in both.items()}


def save(name, model, net, shape, step, form=lambda state: state, **options):
    """`form` makes of a state dict what the file holds."""
    x = numbers(shape, 1)
    torch.save(form(trained(net, x).state_dict()), f"{HERE}/{name}.pth", **options)
    return rows(name, model, net, x, step)


def save_half(name, model, net, shape, step, form):
    x = numbers(shape, 1)
    state = halved(trained(net, x).state_dict())
    net.load_state_dict(state)
    torch.save(form(state), f"{HERE}/{name}.pth")
    return rows(name, model, net, x, step)


LEGACY = {"_use_new_zipfile_serialization": False}


def unets():
    model = "pix2pix-unet"
    return {
        **save("pix2pix-unet-bn", model, UNet(2, 8, "batch"), (1, 3, 256, 256), 21),
        **save("pix2pix-unet-in", model, UNet(4, 5, "instance"), (1, 3, 64, 96), 5, lambda sd: prefixed("module.", sd), **LEGACY),
        **save_half("pix2pix-unet-dropout", model, UNet(3, 7, "batch", inputs=4, dropout=True), (1, 4, 128, 128), 11,
                    lambda sd: {"epoch": 200, "netG": sd}),
        **save("pix2pix-unet-old-stats", model, UNet(2, 6, "tracked", inputs=1), (1, 1, 64, 128), 5, **LEGACY),
    }


def resnets():
    model = "cyclegan-resnet"
    untracked = lambda sd: without("num_batches_tracked", sd)
    return {
        **save("cyclegan-resnet-in", model, Resnet(4, 9, "instance"), (1, 3, 44, 60), 5),
        **save("cyclegan-resnet-in-dropout", model, Resnet(3, 3, "instance", inputs=4, dropout=True), (1, 4, 32, 40), 5,
               lambda sd: {"epoch": 7, "state_dict": prefixed("netG.", sd)}),
        **save("cyclegan-resnet-bn-dropout", model, Resnet(4, 6, "batch", dropout=True), (1, 3, 40, 48), 5,
               lambda sd: {"generator": prefixed("module.", untracked(sd))}, **LEGACY),
        **save("cyclegan-resnet-old-stats", model, Resnet(4, 6, "tracked"), (1, 3, 40, 48), 5, untracked, **LEGACY),
    }


def context_encoder():
    return save("pytorch-gan-context-encoder", "pytorch-gan-context-encoder", PyTorchGanContextEncoder(4, 20),
                (1, 3, 128, 160), 7, lambda sd: {"generator": sd})


def mi_gans():
    found = {}
    x = numbers((1, 4, 64, 64), 1)
    net = clamped(trained(MiGan(64, 256, 12), x))
    torch.save(net.state_dict(), f"{HERE}/migan-64.pth")
    torch.jit.trace(net.eval(), x).save(f"{HERE}/migan-64-scripted.pt")
    found["migan-64"] = row("migan-64.pth", "migan-64", net, x, 5)
    found["migan-64-scripted"] = {**found["migan-64"], "file": "migan-64-scripted.pt"}
    for side, base, most, write in [(256, 1536, 20, torch.save), (512, 1024, 16, deflated)]:
        x = numbers((1, 4, side, side), 1)
        net, name = lean(trained(MiGan(side, base, most), x)), f"migan-{side}"
        write(net.state_dict(), f"{HERE}/{name}.pth")
        found[name] = row(f"{name}.pth", name, net, x, side // 12 | 1)  # odd: every phase of the strided layers is seen
    return found


def foreign(module, name):
    """An object of a class that no reader of the file can be expected to have."""
    for dot in [*(i for i, letter in enumerate(module) if letter == "."), len(module)]:
        sys.modules[module[:dot]] = types.ModuleType(module[:dot])
    kind = type(name, (), {"__module__": module})
    setattr(sys.modules[module], name, kind)
    made = kind()
    made.__dict__.update(_content={"ngf": 4, "n_blocks": 3}, _parent=None)
    return made


class Trainer(nn.Module):
    """What big-lama.pt wraps around its generator: photo and mask in, composite out."""

    def __init__(self, generator):
        super().__init__()
        self.generator = generator

    def forward(self, image, mask):
        found = self.generator(torch.cat([image * (1 - mask), mask], dim=1))
        return mask * found + (1 - mask) * image


class Scripted(nn.Module):
    def __init__(self, model):
        super().__init__()
        self.model = model

    def forward(self, image, mask):
        return self.model(image, mask)


def lama_rows(name, file, net):
    """At 256 x 256, and at sides that are odd eighths."""
    sizes = {name: (256, 256, 23), f"{name}-odd": (264, 200, 17)}
    return {key: row(file, "lama", net, numbers((1, 4, h, w), 1), step, "stored") for key, (h, w, step) in sizes.items()}


def lightning(net):
    """A training checkpoint with its discriminator, losses, configuration and optimiser."""
    state = prefixed("generator.", net.state_dict())
    state.update(prefixed("discriminator.", nn.Sequential(nn.Conv2d(3, 4, 4, bias=True)).state_dict()))
    state["loss_resnet_pl.impl.weight_mean"] = torch.rand(3)
    optimiser = torch.optim.Adam(net.parameters())
    net(numbers((1, 4, 64, 64), 2)).sum().backward()
    optimiser.step()
    return {"epoch": 39, "global_step": 1000000, "pytorch-lightning_version": "1.2.9", "state_dict": state,
            "optimizer_states": [{**optimiser.state_dict(), "state": {0: optimiser.state_dict()["state"][0]}}],
            "hyper_parameters": {"config": foreign("omegaconf.dictconfig", "DictConfig")},
            "callbacks": {"ModelCheckpoint": {"best_model_score": torch.tensor(0.1)}}}


def lamas():
    torch.manual_seed(17)
    found, x = {}, numbers((1, 4, 256, 256), 1)
    net = trained(Lama(4, 3), x)
    state = lightning(copy.deepcopy(net))
    state["state_dict"].update(prefixed("generator.", net.state_dict()))
    torch.save(state, f"{HERE}/lama-lightning.ckpt")
    found |= lama_rows("lama-lightning", "lama-lightning.ckpt", net)

    scripted = trained(Lama(4, 2), x)
    wrapper = Scripted(Trainer(scripted)).eval()
    torch.jit.trace(wrapper, (torch.rand(1, 3, 64, 64), torch.rand(1, 1, 64, 64))).save(f"{HERE}/lama-scripted.pt")
    found |= lama_rows("lama-scripted", "lama-scripted.pt", scripted)

    # As many local channels as global ones, and statistics that 16 bits cannot hold.
    net = Lama(8, 1, share=0.5)
    x = numbers((1, 4, 256, 256), 1)
    trained(net, x)
    with torch.no_grad():
        layer = net.model[5].conv1
        for conv in [layer.ffc.convl2l, layer.ffc.convg2l]:
            conv.weight *= 1000
        layer.bn_l.running_mean *= 1000
        layer.bn_l.running_var *= 1e6
    assert layer.bn_l.running_var.max() > 65504
    torch.save({"gen_state_dict": net.state_dict()}, f"{HERE}/lama-gen-state-dict.ckpt")
    found |= lama_rows("lama-gen-state-dict", "lama-gen-state-dict.ckpt", net)
    return found


def aot_gans():
    torch.manual_seed(18)
    net = trained(AotGan(8, 2), numbers((1, 4, 256, 256), 1))
    torch.save(net.state_dict(), f"{HERE}/aot-gan.pt")
    sizes = {"aot-gan": (256, 256, 23), "aot-gan-odd": (264, 200, 17)}
    return {key: row("aot-gan.pt", "aot-gan", net, numbers((1, 4, h, w), 1), step, "stored")
            for key, (h, w, step) in sizes.items()}


class Masked(nn.Module):
    """A network that also takes a mask, which stays the same."""

    def __init__(self, net, mask):
        super().__init__()
        self.net = net
        self.register_buffer("mask", mask)

    def forward(self, x):
        return self.net(x, self.mask)


def spots(height, width):
    """Single holes, a tenth of all pixels."""
    return (numbers((1, 1, height, width), 2) > 0.8).float()


def masked_rows(name, model, net, sizes, channels, mask=lambda spots: spots, file=None):
    """Rows of a network that takes a picture of so many channels and a mask, as the rule makes it of `spots`."""
    found = {}
    for key, (height, width, step) in sizes.items():
        given = mask(spots(height, width))
        made = row(file or f"{name}.pth", model, Masked(net, given), numbers((1, channels, height, width), 1), step, "stored")
        made["mask"] = {"channels": given.shape[1], "known": bool(given.mean() > 0.5)}
        found[key] = made
    return found


def deepfills():
    torch.manual_seed(19)
    found = {}
    for name, net in [("deepfillv2", DeepFillPyTorch(8)), ("deepfillv2-tf", DeepFillTensorFlow(8))]:
        trained(Masked(net, spots(64, 64)), numbers((1, 5, 64, 64), 1))
        state = {"G": net.state_dict(), "D": nn.Conv2d(3, 4, 5).state_dict(), "n_iter": 9}
        torch.save(state, f"{HERE}/{name}.pth")
        found |= masked_rows(name, name, net, {name: (128, 128, 11), f"{name}-odd": (104, 88, 9)}, 5)
    net, name = PlainDeepFill(4), "deepfillv2-plain"
    trained(Masked(net, spots(64, 64)), numbers((1, 3, 64, 64), 1))
    torch.save(net.state_dict(), f"{HERE}/{name}.pth")
    return found | masked_rows(name, name, net, {name: (128, 128, 11), f"{name}-odd": (60, 44, 5)}, 3)


def partial_convolutions():
    torch.manual_seed(20)
    found, known = {}, lambda spots: (1 - spots).repeat(1, 3, 1, 1)
    for name, net, size in [("partial-convolution", PartialUNet(2), (128, 256, 21)),
                            ("partial-convolution-of-five", PartialUNet(4, 5), (96, 64, 7))]:
        trained(Masked(net, known(spots(*size[:2]))), numbers((1, 3, *size[:2]), 1))
        with torch.no_grad():
            for key, layer in net.named_modules():
                # The share of what is known is one of hundreds; what is trained makes up for that.
                if key.endswith(".input_conv"):
                    layer.weight *= layer.weight[0].numel()
        remember_another_picture(Masked(net, known(spots(*size[:2]))), numbers((1, 3, *size[:2]), 1))
        deflated({"n_iter": 1000000, "model": net.state_dict(), "optimizer": {"state": {}, "param_groups": []}},
                 f"{HERE}/{name}.pth")
        found |= masked_rows(name, "partial-convolution", net, {name: size}, 3, known)
    return found


FAMILIES = {"unets": unets, "resnets": resnets, "context_encoder": context_encoder, "mi_gans": mi_gans, "lamas": lamas,
            "aot_gans": aot_gans, "deepfills": deepfills, "partial_convolutions": partial_convolutions}


def main():
    path, named = f"{HERE}/published.json", sys.argv[1:]
    found = json.load(open(path)) if named else {}
    for name in named or FAMILIES:
        found.update(FAMILIES[name]())
    with open(path, "w") as file:
        file.write("{\n" + ",\n".join(f"{json.dumps(name)}: {json.dumps(value)}" for name, value in found.items()) + "\n}\n")


if __name__ == "__main__":
    main()
