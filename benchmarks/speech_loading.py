"""Whether reading keeps a training of speech busy: its speed beside that with features which are in memory already.

One network takes the same training steps on the same utterances, at the speeds and with the masks of the recipe, an
epoch of each by turns:

- ``in memory``: from features that were made before, speeds and masks drawn in advance;
- ``kept``: as ``denas train`` reads them in later epochs, when features of every speed are kept;
- ``read``: as it reads them in the first epoch, and all of what has no room: decoded, resampled and made each time.

What is printed is the median over the rounds of the wall time of an epoch, and of the speed as a share of that in
memory. One thread; ``--workers 1`` reads in a process of its own.

Usage: python benchmarks/speech_loading.py --data LibriSpeech [--train train-clean-5] [--space asr/transformer]
           [--arch ARCH] [--utterances 48] [--batch-size 8] [--rounds 5] [--workers 0]
"""

from __future__ import annotations

import argparse
import random
import statistics
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch

from denas_core.contracts.space import SearchSpace
from denas_core.contracts.split import Split
from denas_core.contracts.task import Task
from denas_core.models.trained import build_network
from denas_core.registry.registry import Registry
from denas_core.training.data import EpochBatches, lengths_of, training_loader


class Part(Split[Any]):
    """The first utterances of a split."""

    def __init__(self, split: Split[Any], count: int) -> None:
        self._split, self._count = split, min(count, len(split))

    def __len__(self) -> int:
        return self._count

    def sample(self, index: int, rng: random.Random | None = None) -> Any:
        """Return a sample."""
        return self._split.sample(index, rng)

    def length(self, index: int) -> float | None:
        """Return the length of a sample."""
        return self._split.length(index)


class InMemory(Part):
    """Utterances whose samples were made before, augmented once."""

    def __init__(self, split: Split[Any], count: int) -> None:
        super().__init__(split, count)
        self._samples = [split.sample(index, random.Random(index)) for index in range(len(self))]

    def sample(self, index: int, rng: random.Random | None = None) -> Any:
        """Return a sample."""
        return self._samples[index]


def main() -> None:
    """Time epochs by turns, and print them."""
    arguments = _arguments()
    torch.set_num_threads(1)
    registry = Registry.discover()
    space = registry.create("space", arguments.space)
    runs: dict[str, Callable[[int], float]] = {}
    for name, cache_mb, kind in (("in memory", 0, InMemory), ("kept", 1000, Part), ("read", 0, Part)):
        options = {"train": arguments.train, "dev": arguments.dev, "cache_mb": cache_mb}
        task = registry.create("task", "asr/speech-recognition", options)
        runs[name] = _epochs(space, task, kind, arguments)
    for epoch in range(2 * arguments.rounds):
        # Until features of every speed are there, and everything is warm.
        runs["kept"](epoch)
    seconds: dict[str, list[float]] = {name: [] for name in runs}
    for turn in range(arguments.rounds):
        names = list(runs)
        # Each is the first in turn.
        for name in (*names[turn % 3 :], *names[: turn % 3]):
            seconds[name].append(runs[name](turn))
    print(f"{arguments.space}, {arguments.utterances} utterances, {arguments.workers} workers")
    for name, values in seconds.items():
        shares = [memory / own for memory, own in zip(seconds["in memory"], values, strict=True)]
        print(
            f"  {name:10s} {statistics.median(values):6.2f} s  speed {statistics.median(shares):.3f} "
            f"({min(shares):.3f} to {max(shares):.3f})"
        )


def _epochs(
    space: SearchSpace, task: Task[Any], kind: type[Part], arguments: argparse.Namespace
) -> Callable[[int], float]:
    data = task.read(arguments.data, space)
    assert data.train is not None
    split = kind(data.train, arguments.utterances)
    arch = space.parse(arguments.arch) if arguments.arch else space.smallest()
    assert arch is not None
    structure = build_network(space, arch, task=task, facts=data.facts)
    network = space.load(structure, arch, seed=0).train()
    optimizer = torch.optim.AdamW(network.parameters(), lr=1e-4)
    batches = EpochBatches(len(split), arguments.batch_size, seed=0, shuffle=True, lengths=lengths_of(split))
    loader = training_loader(split, task, batches, seed=0, workers=arguments.workers)

    def epoch(number: int) -> float:
        loader.set_epoch(number)
        start = time.perf_counter()
        for drawn in loader:
            optimizer.zero_grad()
            task.loss(space.forward(network, drawn["batch"]), drawn["targets"]).backward()  # type: ignore[no-untyped-call]
            optimizer.step()
        return time.perf_counter() - start

    return epoch


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Time reading beside training.")
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--train", default="train-clean-5")
    parser.add_argument("--dev", default="dev-cut", help="Not read from; a task wants one")
    parser.add_argument("--space", default="asr/transformer")
    parser.add_argument("--arch", help="By default the smallest network")
    parser.add_argument("--utterances", type=int, default=48)
    parser.add_argument("--batch-size", type=int, default=8)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--workers", type=int, default=0)
    return parser.parse_args()


if __name__ == "__main__":
    main()
