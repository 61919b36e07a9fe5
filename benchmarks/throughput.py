"""What one candidate costs: CPU-seconds of the DE-Score, by component, beside a floor timed in the same run.

The architectures are the 20 of ``architectures/<space>.txt``: for ``cv/cnn``, candidates as the original DE-NAS draws
them at its defaults (batches of 64, 32 pixels, 100 classes, at most 1 M parameters); ``--list samples`` takes 20
uniform samples of the space with at most 1 M parameters instead, which are larger. One thread. Times are CPU-seconds of
this process and medians over the architectures; each architecture is timed by turns as product and as floor, after one
round to warm up. Other spaces are timed on 20 uniform samples: of ``cv/vit:denas`` at 224 pixels and 10 classes, which
is the original's space of transformers, or of another preset. ``nlp/bert:denas`` is the original's space of BERT;
``hf/auto`` begins with the configuration of BERT-base, or with ``--set 'model="path"'``; ``asr/transformer`` is the
original's space of speech recognisers. ``--samples`` and ``--tokens`` or ``--frames`` set the constant batch of
diversity and saliency, which the space has defaults for; the original's has 32 samples of 128 tokens or 1,600 frames.

``--combination ensemble`` times the default score, whose floor is that of `ensemble_floor`; the rest is about
``classic``. Its floor is what no implementation of these formulas in PyTorch can avoid, without building or
initialising a network, drawing inputs, recording layers or converting precision, for the components that the space has
by default:

- for expressivity and complexity, on a batch of 64 in float32, one forward in train mode (batch statistics, as the
  score has them) and one backward to the input with frozen weights, and one more forward, images with their channels
  last, which is faster;
- for complexity, the products of the tangent kernel, by the kernels that the score itself found fastest and on the same
  tensors, and its eigenvalues; the ratio says nothing about whether these products could be made faster;
- for saliency, on the constant batch in float64, one forward and backward by the feed-forward weights in eval mode, and
  the sum of the products of both;
- for diversity, one forward and backward of the constant batch in float32 by the projections, and the singular values
  in float32 of each projection and its gradient. The score takes those of a gradient of few tokens from its two
  factors, and may be faster.

The floor, too, runs a batch of many tokens or frames in parts, which takes less time than the whole at once.

Usage: python benchmarks/throughput.py [--space cv/cnn|cv/vit:denas|nlp/bert:denas|hf/auto|asr/transformer]
           [--list fixed|samples] [--samples 32] [--tokens 128] [--frames 1600] [--set KEY=JSON]
           [--combination classic|ensemble] [--batch-size 64] [--json]
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
from ensemble_floor import ROLES, time_noise

from denas_core import Candidate, PassSpec, ProxyScore, SearchSpace
from denas_core.evaluation.scoring import Scoring
from denas_core.passes.inputs import parts_of
from denas_core.registry.registry import Registry
from denas_core.values.architecture import Architecture
from denas_core.values.views import FEED_FORWARD
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
    lengths = {"probe_tokens": arguments.tokens, "probe_frames": arguments.frames}
    given = [f"{option}={length}" for option, length in lengths.items() if length is not None]
    space = make_space(arguments.space, [*arguments.set, *given])
    samples = arguments.samples or space.probe_samples
    is_ensemble = arguments.combination == "ensemble"
    options: dict[str, Any] = {"combination": arguments.combination, "synaptic_batch_size": samples}
    if not is_ensemble or arguments.batch_size is not None:
        options["batch_size"] = arguments.batch_size or 64
    score = registry.create("score", "scores/de-score", options)
    components = Scoring(score, space, lambda name: registry.create("score", name, {})).components
    noise = max(
        (spec.size for one in components.values() for spec in one.passes() if spec.inputs == "noise"),
        default=0,
    )
    rows = []
    fixed = LISTS / f"{arguments.space.replace('/', '-')}.txt"
    if arguments.arch:
        architectures = [space.parse(text) for text in arguments.arch]
    elif arguments.list == "fixed" and fixed.exists():
        architectures = read_architectures(space, fixed)
    else:
        most = LARGEST_PARAMS if space.id == "cv/cnn" else math.inf
        architectures = sample_architectures(space, ARCHITECTURES, most)
    for arch in architectures[: arguments.architectures]:
        time_components(space, arch, components)
        rounds = []
        for _ in range(arguments.rounds):
            seconds = time_components(space, arch, components)
            time_one = time_ensemble_floor if is_ensemble else time_floor
            floor = time_one(space, arch, set(components), noise=noise, constant=samples)
            rounds.append((seconds, floor))
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


def make_space(name: str, texts: list[str]) -> SearchSpace:
    """Return the space `name` with those of `OPTIONS` and with `texts`, ``key=JSON``."""
    options = dict(OPTIONS.get(name.partition(":")[0], {}))
    options |= {key: json.loads(value) for key, _, value in (text.partition("=") for text in texts)}
    if name == "hf/auto" and not options.keys() & {"model", "config"}:
        from transformers import BertConfig

        options["config"] = BertConfig().to_dict()
    space: SearchSpace = Registry.discover().create("space", name, options)
    return space


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


def time_floor(
    space: SearchSpace, arch: Architecture, components: set[str], *, noise: int, constant: int
) -> float:
    """Return the CPU-seconds of the bare computations on `noise` and `constant` samples; see the module's text."""
    seconds = 0.0
    if components & {"expressivity", "complexity"}:
        seconds += _time_batch(space, arch, noise)
    if "saliency" in components:
        seconds += _time_saliency(space, arch, constant)
    if "diversity" in components:
        seconds += _time_diversity(space, arch, constant)
    return seconds


def time_ensemble_floor(
    space: SearchSpace, arch: Architecture, components: set[str], *, noise: int, constant: int
) -> float:
    """Return the CPU-seconds of the bare runs of ``ensemble``; see `ensemble_floor`."""
    network, batch = load(space, arch).requires_grad_(False), space.batch(noise, seed=1)
    seconds = time_noise(space, network, batch, through_blocks="trainability" in components)
    return seconds + _time_constant(space, arch, constant, torch.float64, ROLES)[0]


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


def _time_constant(
    space: SearchSpace, arch: Architecture, samples: int, dtype: torch.dtype, roles: tuple[str, ...]
) -> tuple[float, list[tuple[torch.Tensor, torch.Tensor]]]:
    """Return the seconds of a forward and backward run, and the weights of `roles` with their gradients."""
    network = load(space, arch).eval().to(dtype).requires_grad_(False)
    parameters = dict(network.named_parameters())
    views = [view for view in space.views(network) if any(map(view.has_role, roles))]
    for view in views:
        parameters[view.parameter].requires_grad_()
    parts = parts_of(space.batch(samples, seed=1, kind="ones").to(dtype=dtype), samples)
    start = time.process_time()
    for part in parts:
        _total(space, network, part).backward()
    seconds = time.process_time() - start
    # A pooler has no part in the features.
    found = [
        (view, parameters[view.parameter]) for view in views if parameters[view.parameter].grad is not None
    ]
    return seconds, [(view.of(weight.detach()), view.of(weight.grad)) for view, weight in found]  # type: ignore[arg-type]


def _time_saliency(space: SearchSpace, arch: Architecture, samples: int) -> float:
    seconds, pairs = _time_constant(space, arch, samples, torch.float64, FEED_FORWARD)
    start = time.process_time()
    for weight, gradient in pairs:
        (weight * gradient).abs().sum()
    return seconds + time.process_time() - start


def _time_diversity(space: SearchSpace, arch: Architecture, samples: int) -> float:
    seconds, pairs = _time_constant(space, arch, samples, torch.float32, ("attention",))
    start = time.process_time()
    for weight, gradient in pairs:
        torch.linalg.svdvals(weight)
        torch.linalg.svdvals(gradient)
    return seconds + time.process_time() - start


def _channels_last(tensor: torch.Tensor) -> torch.Tensor:
    return tensor.contiguous(memory_format=torch.channels_last) if tensor.dim() == 4 else tensor


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
    parser.add_argument("--combination", choices=("classic", "ensemble"), default="classic")
    parser.add_argument(
        "--batch-size", type=int, help="Samples of noise; by default 64, or those of 'ensemble'"
    )
    parser.add_argument("--samples", type=int, help="Samples of the constant batch; by default the space's")
    parser.add_argument("--tokens", type=int, help="Tokens of each text; by default the space's")
    parser.add_argument("--frames", type=int, help="Frames of each utterance; by default the space's")
    parser.add_argument(
        "--set", action="append", default=[], metavar="KEY=JSON", help="An option of the space"
    )
    parser.add_argument("--list", choices=("fixed", "samples"), default="fixed")
    parser.add_argument("--arch", action="append", help="An architecture to time instead")
    parser.add_argument("--architectures", type=int, default=ARCHITECTURES, help="How many of the list")
    parser.add_argument("--rounds", type=int, default=3, help="Timings of each architecture")
    parser.add_argument("--json", action="store_true")
    return parser.parse_args()


if __name__ == "__main__":
    main()
