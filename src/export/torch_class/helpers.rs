//! Functions and classes that a written class needs beside PyTorch's own, in the order in which they stand.

/// One of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Helper {
    Group,
    Fourier,
    MaskSums,
    Attention,
}

impl Helper {
    /// Its lines.
    pub fn source(self) -> &'static str {
        match self {
            Self::Group => GROUP,
            Self::Fourier => FOURIER,
            Self::MaskSums => MASK_SUMS,
            Self::Attention => ATTENTION,
        }
    }
}

const GROUP: &str = r#"class Group(nn.Module):
    """Layers and tensors under the names that the weights have."""

    def __init__(self, /, **members):
        super().__init__()
        for name, member in members.items():
            if isinstance(member, nn.Module):
                self.add_module(name, member)
            elif isinstance(member, nn.Parameter):
                self.register_parameter(name, member)
            else:
                self.register_buffer(name, member)
"#;

const FOURIER: &str = r#"def rfft2(x):
    """The spectrum, real and imaginary parts as channels that take turns."""
    spectrum = torch.fft.rfft2(x, norm='ortho')
    parts = torch.stack((spectrum.real, spectrum.imag), dim=2)
    return parts.flatten(1, 2)


def irfft2(x, like):
    """The picture of a spectrum, as large as another one."""
    parts = x.unflatten(1, (-1, 2))
    spectrum = torch.complex(parts[:, :, 0], parts[:, :, 1])
    return torch.fft.irfft2(spectrum, s=like.shape[-2:], norm='ortho')
"#;

const MASK_SUMS: &str = r#"def mask_sums(masks, channels, kernel_size, stride, padding, dilation):
    """Of the known values under each window, the inverse of their number, and whether there are any."""
    ones = masks[0].new_ones(1, 1, *kernel_size)
    sums = [count * F.conv2d(mask, ones, None, stride, padding, dilation) for mask, count in zip(masks, channels)]
    total = sum(sums)
    known = (total > 0.5).to(total.dtype)
    return known / total.clamp(min=1), known
"#;

const ATTENTION: &str = r#"def sampled(size, count, aligned, device):
    if aligned and count > 1:
        return torch.linspace(0, size - 1, count, device=device).add(0.5).long()
    return torch.arange(count, device=device) * (0 if aligned else size // count)


def diagonals(scores):
    padded = F.pad(scores, (1, 1, 1, 1))
    return padded[:-2, :-2] + scores + padded[2:, 2:]


def contextual_attention(x, mask, fuse, aligned):
    """Features of the hole made of known patches that are most like them; one picture at a time."""
    h, w = x.shape[2] // 2, x.shape[3] // 2

    def smaller(y):
        rows = sampled(y.shape[2], h, aligned, y.device)
        columns = sampled(y.shape[3], w, aligned, y.device)
        return y[:, :, rows][:, :, :, columns]

    patches = F.unfold(smaller(x), 3, padding=1)[0]
    keys = patches / patches.norm(dim=0, keepdim=True).clamp(min=1e-4)
    scores = keys.t() @ patches
    if fuse:
        scores = diagonals(scores)
        scores = scores.view(h, w, h, w).permute(1, 0, 3, 2).reshape(h * w, h * w)
        scores = diagonals(scores)
        scores = scores.view(w, h, w, h).permute(1, 0, 3, 2).reshape(h * w, h * w)
    holes = (smaller(mask) != 0).to(x.dtype)
    touched = F.max_pool2d(holes, 3, stride=1, padding=1).view(-1, 1) > 0
    shares = (10 * scores).masked_fill(touched, 0).softmax(dim=0).masked_fill(touched, 0)
    pasted = F.unfold(x, 4, stride=2, padding=1) @ shares
    return F.fold(pasted, x.shape[2:], 4, stride=2, padding=1) / 4
"#;
