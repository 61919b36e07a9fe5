"""What each score costs, over one forward and backward run of the network.

    python benchmarks/zoo.py
    python benchmarks/zoo.py --size 64 --repeats 5

CPU-seconds of one thread at 32 by 32 pixels, on a network of NAS-Bench-201 and on a ResNet-18 for small images, medians
of a few repeats after one that warms up. The unit is one forward run and one backward run by all weights of the same
network in training, on the same batch. A score alone pays for its runs of the network; in a run of many, equal runs are
paid once, so the last row is not the sum of the others.
"""

from __future__ import annotations

import argparse
import dataclasses
import statistics
import time
from collections.abc import Mapping
from typing import Any, cast

import torch
from comparing import markdown
from torch import Tensor, nn
from torch.nn import functional as F

from denas_core import (
    Batch,
    Candidate,
    Knob,
    ProxyScore,
    Registry,
    ScoreFailed,
    SearchSpace,
    continuous_batch,
)

PIXELS = 32
CLASSES = 10
CELL = ("nor_conv_3x3", "nor_conv_3x3", "avg_pool_3x3", "skip_connect", "nor_conv_3x3", "skip_connect")
"""Operations of the cell by edge: a cell that trains well, with most kinds of operations in it."""

TWENTY = (
    *("grad-norm", "snip", "plain", "fisher", "wrcor", "effective-params"),
    *("synflow", "logsynflow", "l2-norm", "naswot", "swap", "linear-regions", "jacob-cov", "epe-nas"),
    *("entropy", "progressivity", "trainability", "participation", "meco", "depth-width"),
)
"""Twenty scores that need no run of their own on other weights or batches, and no second backward run."""

OTHERS = ("zico", "grasp", "zen", "gain", "complexity", "logdet")


class BasicBlock(nn.Module):
    """Two convolutions beside a shortcut."""

    def __init__(self, channels: int, out: int, stride: int) -> None:
        super().__init__()
        self.first = nn.Conv2d(channels, out, 3, stride, 1, bias=False)
        self.first_norm = nn.BatchNorm2d(out)
        self.second = nn.Conv2d(out, out, 3, 1, 1, bias=False)
        self.second_norm = nn.BatchNorm2d(out)
        self.shortcut: nn.Module = nn.Identity()
        if stride > 1 or channels != out:
            self.shortcut = nn.Sequential(
                nn.Conv2d(channels, out, 1, stride, bias=False), nn.BatchNorm2d(out)
            )

    def forward(self, x: Tensor) -> Tensor:
        """Return (samples, out, height / stride, width / stride)."""
        y = F.relu(self.first_norm(self.first(x)))
        return F.relu(self.second_norm(self.second(y)) + self.shortcut(x))


class ResNet18(nn.Module):
    """ResNet-18 for small images: a stem that keeps their size."""

    def __init__(self) -> None:
        super().__init__()
        self.stem = nn.Conv2d(3, 64, 3, 1, 1, bias=False)
        self.norm = nn.BatchNorm2d(64)
        widths = (64, 64, 128, 128, 256, 256, 512, 512)
        self.blocks = nn.Sequential(
            *[
                BasicBlock(before, width, 1 + (width != before))
                for before, width in zip((64, *widths), widths, strict=False)
            ]
        )
        self.head = nn.Linear(512, CLASSES)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Return features and logits."""
        features = self.blocks(F.relu(self.norm(self.stem(x))))
        return features, self.head(features.mean((2, 3)))


@dataclasses.dataclass(kw_only=True)
class OneNetwork(SearchSpace):
    """The space of one network."""

    def knobs(self) -> tuple[Knob, ...]:
        """Return a knob of one value."""
        return (Knob("depth", (18,)),)

    def build(self, arch: Any, *, head: nn.Module | None = None, variant: str = "full") -> nn.Module:
        """Return the network."""
        return ResNet18()

    def batch(self, size: int, *, seed: int, kind: Any = "noise") -> Batch:
        """Return images."""
        return continuous_batch((3, PIXELS, PIXELS), size, seed=seed, kind=kind)


def unit(candidate: Candidate, score: ProxyScore, repeats: int) -> float:
    """Return the seconds of one forward and one backward run by all weights, in training."""
    spec = score.passes()[0]
    network = candidate.space.load(
        candidate.space.build(candidate.arch).to_empty(device="cpu"), candidate.arch, seed=0
    )
    network = network.to(memory_format=torch.channels_last).train()  # type: ignore[call-overload]
    batch = candidate.batch(spec)
    labels = torch.randint(0, CLASSES, (spec.size,))

    def run() -> None:
        logits = candidate.space.forward(network, batch).logits["logits"]
        F.cross_entropy(logits, labels).backward()
        network.zero_grad()

    return seconds(run, repeats)


def seconds(run: Any, repeats: int) -> float:
    """Return the median CPU-seconds of a call, after one that does not count."""
    run()
    times = []
    for _ in range(repeats):
        start = time.process_time()
        run()
        times.append(time.process_time() - start)
    return statistics.median(times)


def cost(space: SearchSpace, arch: Any, scores: Mapping[str, ProxyScore], repeats: int) -> float:
    """Return the seconds of a new candidate with `scores`, building and initialising its network included."""

    def run() -> None:
        passes = [spec for score in scores.values() for spec in score.passes()]
        candidate = Candidate(space, arch, passes=passes)
        for name, score in scores.items():
            try:
                score.measure(candidate)
            except ScoreFailed as error:
                raise SystemExit(f"{name} of {space.id}: {error}") from error

    return seconds(run, repeats)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--size", type=int, default=64, help="samples of a batch")
    parser.add_argument("--repeats", type=int, default=3, help="timings of each")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    registry = Registry.discover()
    cells = registry.create("space", "bench/nasbench201", {})
    names = ("op_1_0", "op_2_0", "op_2_1", "op_3_0", "op_3_1", "op_3_2")
    cell = cells.architecture(dict(zip(names, CELL, strict=True)))
    resnet = OneNetwork().named("benchmark/resnet18")
    networks = {
        "NAS-Bench-201 cell": (cells, cell),
        "ResNet-18": (resnet, resnet.architecture({"depth": 18})),
    }

    def made(name: str) -> ProxyScore:
        score = cast("ProxyScore", registry.create("score", f"scores/{name}", {}))
        # Scores of one sample keep it.
        if "batch_size" in score.options() and name not in ("synflow", "logsynflow"):
            score = dataclasses.replace(score, **{"batch_size": arguments.size})
        return score

    scores = {name: made(name) for name in (*TWENTY, *OTHERS)}
    units = {
        title: unit(Candidate(space, arch), scores["grad-norm"], arguments.repeats)
        for title, (space, arch) in networks.items()
    }
    for title, value in units.items():
        print(f"{title}: one forward and backward run takes {value:.2f} CPU-seconds", flush=True)
    rows = []
    for name, chosen in {
        **{name: {name: score} for name, score in scores.items()},
        "twenty in one run": {name: scores[name] for name in TWENTY},
    }.items():
        ratios = [
            cost(space, arch, chosen, arguments.repeats) / units[title]
            for title, (space, arch) in networks.items()
        ]
        rows.append([f"`{name}`" if name in scores else name, *(f"{ratio:.2f}" for ratio in ratios)])
        print(rows[-1], flush=True)
    print()
    print(markdown(["score", *networks], rows))


if __name__ == "__main__":
    main()
