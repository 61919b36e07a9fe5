"""Latency of one network in several runtimes, side by side in one process.

    python benchmarks/runtimes.py --space cv/cnn:micro --space nlp/bert:micro [--probe NAME] [--rounds 20]

For each space, a random network is prepared by each probe, with one thread and a batch of one sample. In each round,
every runtime makes its calls for a fifth of a second, in random order; the first calls do not count, because the caches
are those of another runtime. What else the machine does meets all of them alike, so the ratio of two runtimes within a
round says more than two measurements one after the other.

A row is a network in one runtime: the median of the milliseconds of a call over all rounds, and the median and the
quartiles of its ratio to the first probe in the same round.
"""

from __future__ import annotations

import argparse
import os
import random
import statistics
import time
from collections.abc import Callable

from comparing import markdown

from denas_core import LatencyProbe, Registry

PROBES = ("builtin/wall-clock", "onnx/runtime", "executorch/runtime")
SPACES = ("cv/cnn:micro", "cv/vit:micro", "nlp/bert:micro", "asr/keywords:separable")
SECONDS = 0.2
"""Seconds of the calls of one runtime in one round."""

COLD = 3
"""Calls at the beginning of a round that do not count."""


def main() -> None:
    """Measure each network, and print the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--space", action="append", help="id of a space; may be repeated")
    parser.add_argument("--probe", action="append", help="id of a probe; may be repeated")
    parser.add_argument("--rounds", type=int, default=20)
    parser.add_argument("--seed", type=int, default=0, help="seed of the networks and of the order")
    options = parser.parse_args()
    rows = []
    for space in options.space or SPACES:
        times = measured(space, options.probe or list(PROBES), options.rounds, options.seed)
        first = next(iter(times.values()))
        for name, found in times.items():
            ratios = [one / other for one, other in zip(found, first, strict=True)]
            low, middle, high = statistics.quantiles(ratios, n=4)
            ratio = f"{middle:.2f} ({low:.2f} to {high:.2f})"
            rows.append([f"`{space}`", f"`{name}`", f"{statistics.median(found):.3g}", ratio])
    print(markdown(["network of", "probe", "ms of a call", "ratio to the first"], rows))


def measured(name: str, probes: list[str], rounds: int, seed: int) -> dict[str, list[float]]:
    """Return the milliseconds of a call in each round, for each probe."""
    registry = Registry.discover()
    space = registry.create("space", name)
    order = random.Random(seed)
    arch = space.sample(order)
    calls: dict[str, Callable[[], object]] = {}
    for id in probes:
        probe: LatencyProbe = registry.create("probe", id, {"batch_size": 1, "threads": 1})
        calls[id] = probe.prepare(space, arch, seed=seed, device="cpu")
    found: dict[str, list[float]] = {id: [] for id in calls}
    for _ in range(rounds):
        for id in order.sample(probes, len(probes)):
            found[id].append(timed(calls[id]))
    return found


def timed(call: Callable[[], object]) -> float:
    """Return the median of the milliseconds of a call."""
    for _ in range(COLD):
        call()
    until, found = time.perf_counter() + SECONDS, list[float]()
    while not found or time.perf_counter() < until:
        began = time.perf_counter()
        call()
        found.append(1000 * (time.perf_counter() - began))
    return statistics.median(found)


if __name__ == "__main__":
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    main()
