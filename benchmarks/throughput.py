"""What one candidate costs: CPU-seconds of the whole DE-Score, by component, beside a floor timed in the same run.

The architectures are the 20 of ``architectures/<space>.txt``: for ``cv/cnn``, candidates as the original DE-NAS draws
them at its defaults (batches of 64, 32 pixels, 100 classes, at most 1 M parameters); ``--list samples`` takes 20
uniform samples of the space with at most 1 M parameters instead, which are larger. One thread. Times are CPU-seconds of
this process and medians over the architectures; each architecture is timed by turns as product and as floor, after one
round to warm up. Other spaces are timed on 20 uniform samples: of ``cv/vit:denas`` at 224 pixels and 10 classes, which
is the original's space of transformers, or of another preset.

The floor is what no implementation of these formulas in PyTorch can avoid, without building or initialising a network,
drawing inputs, recording layers or converting precision, for the components that the space has by default:

- for expressivity and complexity, on a batch of 64 in float32, one forward in train mode (batch statistics, as the
  score has them) and one backward to the input with frozen weights, and one more forward, images with their channels
  last, which is faster;
- for complexity, the products of the tangent kernel, by the kernels that the score itself found fastest and on the same
  tensors, and its eigenvalues; the ratio says nothing about whether these products could be made faster;
- for saliency, on one sample in float64, one forward and backward by all weights in eval mode;
- for diversity, one forward and backward of one sample in float32, and the singular values of each projection and its
  gradient. The score takes those of a gradient of few tokens from its two factors, and may be faster.

Usage: python benchmarks/throughput.py [--space cv/cnn|cv/vit:denas] [--list fixed|samples] [--json] [--batch-size 64]
"""

from __future__ import annotations

import argparse
import dataclasses
import itertools
import json
import math
import random
import statistics
import time
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch

from denas_core import Candidate, PassSpec, ProxyScore, SearchSpace
from denas_core.architecture import Architecture
from denas_core.registry import Registry
from denas_core.scoring import Scoring
from denas_scores.complexity import Complexity
from denas_scores.gram import gram_of_views

LISTS = Path(__file__).parent / "architectures"
ARCHITECTURES = 20
LARGEST_PARAMS = 1_000_000
OPTIONS = {"cv/cnn": {"classes": 100}, "cv/vit": {"classes": 10}}
"""Options of a space, over its defaults or those of a preset."""

SHARED = "shared"


def main() -> None:
    """Time the product and the floor, and print both."""
    arguments = _arguments()
    torch.set_num_threads(1)
    registry = Registry.discover()
    space = registry.create("space", arguments.space, OPTIONS.get(arguments.space.partition(":")[0], {}))
    score = registry.create("score", "scores/de-score", {"batch_size": arguments.batch_size})
    components = Scoring(score, space, lambda name: registry.create("score", name, {})).components
    rows = []
    fixed = LISTS / f"{arguments.space.replace('/', '-')}.txt"
    if arguments.list == "fixed" and fixed.exists():
        architectures = read_architectures(space, fixed)
    else:
        most = LARGEST_PARAMS if space.id == "cv/cnn" else math.inf
        architectures = sample_architectures(space, ARCHITECTURES, most)
    for arch in architectures[: arguments.architectures]:
        time_components(space, arch, components)
        rounds = []
        for _ in range(arguments.rounds):
            seconds = time_components(space, arch, components)
            rounds.append((seconds, time_floor(space, arch, arguments.batch_size, set(components))))
        rows.append(
            {
                "cpu_seconds": statistics.median(sum(seconds.values()) for seconds, _ in rounds),
                "floor": statistics.median(floor for _, floor in rounds),
                "components": {
                    name: statistics.median(seconds[name] for seconds, _ in rounds) for name in rounds[0][0]
                },
            }
        )
    print_result(arguments.space, rows, as_json=arguments.json)


def read_architectures(space: SearchSpace, file: Path) -> list[Architecture]:
    """Return the architectures of a list, one a line; lines that start with # are comments."""
    lines = (line.strip() for line in file.read_text().splitlines())
    return [space.parse(line) for line in lines if line and not line.startswith("#")]


def sample_architectures(space: SearchSpace, count: int, most: float) -> list[Architecture]:
    """Return the first `count` samples of a fixed seed that have at most `most` parameters."""
    rng = random.Random(0)
    draws = (space.sample(rng) for _ in range(100 * count))
    small = (arch for arch in draws if space.cost(arch)["params"] <= most)
    return list(itertools.islice(small, count))


def time_components(
    space: SearchSpace, arch: Architecture, components: dict[str, ProxyScore]
) -> dict[str, float]:
    """Return the CPU-seconds of a fresh candidate by component; what several need is under `SHARED`."""
    seconds: dict[str, float] = defaultdict(float)
    passes = list(dict.fromkeys(spec for score in components.values() for spec in score.passes()))
    # A perturbed pass runs the clean one first, which would then be counted as its own.
    passes.sort(key=lambda spec: spec.perturbation)

    def timed(name: str, run: Callable[[], Any]) -> None:
        start = time.process_time()
        run()
        seconds[name] += time.process_time() - start

    candidate = Candidate(space, arch, passes=passes)
    timed(SHARED, lambda: candidate.network(PassSpec()))
    timed(SHARED, candidate.views)
    for spec in passes:
        if any(other.covers(spec) for other in passes if other != spec):
            continue
        users = [n for n, score in components.items() if any(spec.covers(own) for own in score.passes())]
        timed(users[0] if len(users) == 1 else SHARED, lambda spec=spec: candidate.trace(spec))
    for name, score in components.items():
        timed(name, lambda score=score: score.measure(candidate))
    return dict(seconds)


def time_floor(space: SearchSpace, arch: Architecture, batch_size: int, components: set[str]) -> float:
    """Return the CPU-seconds of the bare computations; see the module's text."""
    seconds = 0.0
    if components & {"expressivity", "complexity"}:
        seconds += _time_batch(space, arch, batch_size)
    if "saliency" in components:
        seconds += _time_single(space, arch, torch.float64)[0]
    if "diversity" in components:
        seconds += _time_attention(space, arch)
    return seconds


def _time_batch(space: SearchSpace, arch: Architecture, batch_size: int) -> float:
    spec = Complexity(batch_size=batch_size).passes()[0]
    candidate = Candidate(space, arch)
    trace = candidate.trace(spec)
    calls, views = defaultdict(list), defaultdict(list)
    for call in trace.layers:
        calls[call.parameter].append(call)
    for view in candidate.views():
        views[view.parameter].append(view)
    single = load(space, arch).train().to(memory_format=torch.channels_last)
    batch = space.batch(batch_size, seed=1)
    batch = dataclasses.replace(
        batch,
        inputs={
            name: _channels_last(tensor).requires_grad_(tensor.is_floating_point())
            for name, tensor in batch.inputs.items()
        },
    )
    # Where no input can have a gradient, such as tokens, the embedding is where the backward run ends.
    single.requires_grad_(not any(tensor.requires_grad for tensor in batch.inputs.values()))

    start = time.process_time()
    _total(space, single, batch).backward()
    with torch.no_grad():
        space.forward(single, batch)
    kernel = sum(gram_of_views(calls[name], views[name]) for name in views if name in calls)
    torch.linalg.eigvalsh(kernel)
    return time.process_time() - start


def _time_single(space: SearchSpace, arch: Architecture, dtype: torch.dtype) -> tuple[float, torch.nn.Module]:
    network = load(space, arch).eval().to(dtype)
    ones = space.batch(1, seed=1, kind="ones").to(dtype=dtype)
    start = time.process_time()
    _total(space, network, ones).backward()
    return time.process_time() - start, network


def _channels_last(tensor: torch.Tensor) -> torch.Tensor:
    return tensor.contiguous(memory_format=torch.channels_last) if tensor.dim() == 4 else tensor


def _time_attention(space: SearchSpace, arch: Architecture) -> float:
    seconds, network = _time_single(space, arch, torch.float32)
    parameters = dict(network.named_parameters())
    views = [view for view in space.views(network) if view.is_attention]
    start = time.process_time()
    for view in views:
        parameter = parameters[view.parameter]
        torch.linalg.svdvals(view.of(parameter.detach()))
        torch.linalg.svdvals(view.of(parameter.grad))
    return seconds + time.process_time() - start


def load(space: SearchSpace, arch: Architecture) -> torch.nn.Module:
    """Return the network of `arch`, as a pass would load it."""
    with torch.device("meta"):
        network = space.build(arch)
    return space.load(network, arch, seed=0)


def _total(space: SearchSpace, network: torch.nn.Module, batch: Any) -> torch.Tensor:
    outputs = space.forward(network, batch)
    return sum((tensor.square().sum() for tensor in outputs.logits.values()), torch.zeros(()))


def print_result(space: str, rows: list[dict[str, Any]], *, as_json: bool) -> None:
    """Print the medians over the architectures."""
    each = [row["cpu_seconds"] for row in rows]
    cpu_seconds = statistics.median(each)
    floor = statistics.median(row["floor"] for row in rows)
    result = {
        "space": space,
        "cpu_seconds": cpu_seconds,
        "cpu_seconds_range": [min(each), max(each)],
        "floor_cpu_seconds": floor,
        "ratio": statistics.median(row["cpu_seconds"] / row["floor"] for row in rows),
        "components": {
            name: statistics.median(row["components"][name] for row in rows) for name in rows[0]["components"]
        },
    }
    if as_json:
        print(json.dumps(result))
        return
    print(f"{space}: median of {len(rows)} architectures, one thread")
    print(f"  DE-Score  {cpu_seconds:.3f} CPU-s, {min(each):.3f} to {max(each):.3f}")
    print(f"  floor     {floor:.3f} CPU-s, ratio {result['ratio']:.2f}")
    for name, seconds in result["components"].items():
        print(f"    {name:14s}{seconds:.3f}")


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Time the DE-Score of one candidate against its floor.")
    parser.add_argument("--space", default="cv/cnn")
    parser.add_argument("--batch-size", type=int, default=64)
    parser.add_argument("--list", choices=("fixed", "samples"), default="fixed")
    parser.add_argument("--architectures", type=int, default=ARCHITECTURES, help="How many of the list")
    parser.add_argument("--rounds", type=int, default=3, help="Timings of each architecture")
    parser.add_argument("--json", action="store_true")
    return parser.parse_args()


if __name__ == "__main__":
    main()
