"""Holds the definitions of `published.py` against the official code, at full width, with random weights. Run by hand:

    python tests/reference/networks/official.py --cycle-gan pytorch-CycleGAN-and-pix2pix --pytorch-gan PyTorch-GAN \\
        --mi-gan MI-GAN [--mi-gan-weights migan_512_places2.pt] --lama lama --deepfill deepfillv2-pytorch \\
        --deepfill-plain deepfillv2 --partial-convolution pytorch-inpainting-with-partial-conv

Each option takes a checkout of the repository of that name; those that are left out are left out here too.
"""

import argparse
import functools
import importlib.util
import os
import sys
import types

import torch
from torch import nn

from make import numbers
from make_published import Masked, has_batch_norm, output, spots, trained
from published import (DeepFillPyTorch, DeepFillTensorFlow, Lama, MiGan, PartialUNet, PlainDeepFill, PyTorchGanContextEncoder,
                       Resnet, UNet)

TOLERANCE = 1e-4


def module(checkout, path):
    spec = importlib.util.spec_from_file_location(path.replace("/", "_")[:-3], os.path.join(checkout, path))
    found = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(found)
    return found


def hold(name, ours, theirs, x, weights=None):
    """Keys and their order, loading in both directions, and outputs."""
    assert list(ours.state_dict()) == list(theirs.state_dict()), f"{name}: other keys"
    if weights is None:
        weights = trained(ours, x).state_dict()
        theirs.load_state_dict(weights, strict=True)
        ours.load_state_dict(theirs.state_dict(), strict=True)
    else:
        ours.load_state_dict(weights, strict=True)
        theirs.load_state_dict(weights, strict=True)
    fine, parameters = True, sum(p.numel() for p in ours.parameters())
    for statistics in ["stored", "picture"] if has_batch_norm(ours) else ["stored"]:
        expected = output(theirs, x, statistics)
        error = (output(ours, x, statistics) - expected).abs().max().item()
        print(f"{name:44} {statistics:8} {parameters:11,} parameters, outputs {expected.min():.3f} .. {expected.max():.3f}, "
              f"max error {error:.1e}", flush=True)
        fine = fine and error <= TOLERANCE
    return fine


def cycle_gan(checkout):
    networks = module(checkout, "models/networks.py")
    norms = {"batch": functools.partial(nn.BatchNorm2d, affine=True),
             "instance": functools.partial(nn.InstanceNorm2d, affine=False, track_running_stats=False),
             "tracked": functools.partial(nn.InstanceNorm2d, affine=False, track_running_stats=True),
             "none": lambda channels: nn.Identity()}
    for norm, layer in norms.items():
        for dropout in [False, True]:
            words = f"{norm}{', dropout' if dropout else ''}"
            for depth in [5, 7, 8]:
                yield hold(f"U-Net, depth {depth}, {words}", UNet(64, depth, norm, 4, 3, dropout),
                           networks.UnetGenerator(4, 3, depth, 64, layer, dropout), numbers((1, 4, 2**depth, 2**depth), 1))
            for blocks in [6, 9]:
                yield hold(f"ResNet, {blocks} blocks, {words}", Resnet(64, blocks, norm, 3, 3, dropout),
                           networks.ResnetGenerator(3, 3, 64, layer, dropout, blocks), numbers((1, 3, 64, 96), 1))


def pytorch_gan(checkout):
    models = module(checkout, "implementations/context_encoder/models.py")
    yield hold("PyTorch-GAN's context encoder", PyTorchGanContextEncoder(64, 4000), models.Generator(), numbers((1, 3, 128, 128), 1))


def mi_gan(checkout, weights):
    inference = module(checkout, "lib/model_zoo/migan_inference.py")
    for side in [256, 512]:
        x = numbers((1, 4, side, side), 1)
        yield hold(f"MI-GAN {side}", MiGan(side, 32768, 512), inference.Generator(side), x)
        if f"encoder.b{side}.fromrgb.weight" in weights:  # only the largest block has one
            yield hold(f"MI-GAN {side}, published weights", MiGan(side, 32768, 512), inference.Generator(side), x, weights)


def lama(checkout):
    # What the module imports for other configurations than these.
    package = "saicinpainting"
    for name in ["", ".training", ".training.modules", ".training.modules.base", ".training.modules.spatial_transform",
                 ".training.modules.squeeze_excitation", ".utils"]:
        sys.modules[package + name] = types.ModuleType(package + name)
    base = sys.modules[package + ".training.modules.base"]
    base.get_activation, base.BaseDiscriminator = {"sigmoid": nn.Sigmoid()}.get, nn.Module
    for name, missing in [(".training.modules.spatial_transform", "LearnableSpatialTransformWrapper"),
                          (".training.modules.squeeze_excitation", "SELayer"), (".utils", "get_shape")]:
        setattr(sys.modules[package + name], missing, None)
    ffc = module(checkout, "saicinpainting/training/modules/ffc.py")
    for width, blocks, share in [(64, 18, 0.75), (64, 9, 0.75), (8, 6, 0.5)]:
        kinds = [{"ratio_gin": ratio, "ratio_gout": ratio, "enable_lfu": False} for ratio in [0, 0, share]]
        theirs = ffc.FFCResNetGenerator(4, 3, width, 3, blocks, init_conv_kwargs=kinds[0], downsample_conv_kwargs=kinds[1],
                                        resnet_conv_kwargs=kinds[2], add_out_act="sigmoid")
        yield hold(f"LaMa, {blocks} blocks, width {width}", Lama(width, blocks, share), theirs, numbers((1, 4, 72, 104), 1))


class Picked(nn.Module):
    """One of a network's outputs, as if it were the only one."""

    def __init__(self, net, index):
        super().__init__()
        self.net, self.index = net, index

    def forward(self, *inputs):
        return self.net(*inputs)[self.index]

    def state_dict(self, *arguments, **named):
        return self.net.state_dict(*arguments, **named)

    def load_state_dict(self, *arguments, **named):
        return self.net.load_state_dict(*arguments, **named)


class Beside(Masked):
    """With the keys of the network alone."""

    def state_dict(self, *arguments, **named):
        return self.net.state_dict(*arguments, **named)

    def load_state_dict(self, *arguments, **named):
        return self.net.load_state_dict(*arguments, **named)


def masked(name, ours, theirs, index, shape, mask=lambda spots: spots):
    given = mask(spots(*shape[2:]))
    return hold(name, Beside(ours, given), Beside(Picked(theirs, index), given), numbers(shape, 1))


def deepfill(checkout):
    for width, height, wide in [(48, 264, 200), (16, 64, 96)]:
        shape, words = (1, 5, height, wide), f"width {width}, {height} x {wide}"
        networks = module(checkout, "model/networks.py")
        yield masked(f"DeepFillv2, {words}", DeepFillPyTorch(width), networks.Generator(cnum=width), 1, shape)
        networks = module(checkout, "model/networks_tf.py")
        yield masked(f"DeepFillv2 (TensorFlow's), {words}", DeepFillTensorFlow(width), networks.Generator(cnum=width), 1, shape)


def deepfill_plain(checkout):
    sys.path.insert(0, os.path.join(checkout, "deepfillv2"))
    network = module(checkout, "deepfillv2/network.py")
    options = types.SimpleNamespace(in_channels=4, out_channels=3, latent_channels=64, pad_type="zero", activation="lrelu", norm="in")
    network.print = lambda *_: None
    yield masked("DeepFillv2 without attention", PlainDeepFill(64), network.GatedGenerator(options), 1, (1, 3, 64, 88))


def partial_convolution(checkout):
    net = module(checkout, "net.py")
    for depth in [5, 7, 8]:
        yield masked(f"partial convolutions, {depth} halvings", PartialUNet(64, depth), net.PConvUNet(depth), 0, (1, 3, 256, 512),
                     lambda spots: (1 - spots).repeat(1, 3, 1, 1))


def read(path):
    """A bare state dict, from PyTorch's file or from safetensors."""
    if path.endswith(".safetensors"):
        from safetensors.torch import load_file
        return load_file(path)
    return torch.load(path, map_location="cpu", weights_only=True)


def main():
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name in ["--cycle-gan", "--pytorch-gan", "--mi-gan", "--mi-gan-weights", "--lama", "--deepfill", "--deepfill-plain",
                 "--partial-convolution"]:
        options.add_argument(name)
    options = options.parse_args()
    fine = []
    if options.cycle_gan:
        fine += cycle_gan(options.cycle_gan)
    if options.pytorch_gan:
        fine += pytorch_gan(options.pytorch_gan)
    if options.mi_gan:
        fine += mi_gan(options.mi_gan, read(options.mi_gan_weights) if options.mi_gan_weights else {})
    if options.lama:
        fine += lama(options.lama)
    if options.deepfill:
        fine += deepfill(options.deepfill)
    if options.deepfill_plain:
        fine += deepfill_plain(options.deepfill_plain)
    if options.partial_convolution:
        fine += partial_convolution(options.partial_convolution)
    if not fine:
        sys.exit("Nothing to hold against: name at least one checkout (see --help).")
    sys.exit(0 if all(fine) else 1)


if __name__ == "__main__":
    main()
