"""Whether diversity and saliency rank networks alike in float32 and in float64.

Random architectures of a space are scored in both precisions, with the same weights and inputs. What is printed is
Kendall's tau between the two, the largest relative difference, and how many networks have no value in float32, where
saliency overflows in deep ones: its default is float64. Beside them is the largest gradient that the plain sum of the
outputs has in float64 by any projection, which behind a layer norm of constant gain is rounding noise, and that of the
read-out which diversity takes. One thread.

Usage: python benchmarks/precision.py [--space nlp/bert:denas] [--limit 50] [--samples 1] [--tokens 8] [--set KEY=JSON]
"""

from __future__ import annotations

import argparse
import dataclasses
import itertools
import random
import sys
from pathlib import Path
from typing import Any, Literal

import torch

from denas_core import Candidate, ProxyScore, ScoreFailed, SearchSpace
from denas_core.values.architecture import Architecture
from denas_core.values.ranking import kendall_tau
from denas_scores.diversity import Diversity
from denas_scores.saliency import Saliency

sys.path.insert(0, str(Path(__file__).parents[1]))

from benchmarks.throughput import make_space

SCORES: dict[str, Any] = {"diversity": Diversity, "saliency": Saliency}


def main() -> None:
    """Score in both precisions, and print how they differ."""
    arguments = _arguments()
    torch.set_num_threads(1)
    space = make_space(arguments.space, [*arguments.set, f"probe_tokens={arguments.tokens}"])
    rng = random.Random(0)
    architectures = list(itertools.islice((space.sample(rng) for _ in itertools.count()), arguments.limit))
    print(f"{arguments.space}: {len(architectures)} architectures, {arguments.samples} x {arguments.tokens}")
    for name, make in SCORES.items():
        single, double = (
            [value_of(make(batch_size=arguments.samples, dtype=dtype), space, arch) for arch in architectures]
            for dtype in ("float32", "float64")
        )
        pairs = [(a, b) for a, b in zip(single, double, strict=True) if a is not None and b is not None]
        tau = kendall_tau([a for a, _ in pairs], [b for _, b in pairs])
        largest = max(abs(a / b - 1) for a, b in pairs)
        lacking = sum(value is None for value in single)
        print(
            f"  {name}: tau {tau}, largest difference {largest:.1e}, {lacking} without a value in float32, "
            f"{sum(value is None for value in double)} in float64"
        )
    for readout in ("sum", "cotangent"):
        most = max(largest_gradient(space, arch, readout) for arch in architectures[:3])
        print(f"  largest gradient of {readout} in float64: {most:.1e}")


def value_of(score: ProxyScore, space: SearchSpace, arch: Architecture) -> float | None:
    """Return the score, or None if it fails."""
    try:
        return score.measure(Candidate(space, arch))
    except ScoreFailed:
        return None


def largest_gradient(space: SearchSpace, arch: Architecture, readout: Literal["sum", "cotangent"]) -> float:
    """Return the largest magnitude among the gradients of a read-out by projections."""
    spec = dataclasses.replace(Diversity(dtype="float64").passes()[0], gradients="weights", readout=readout)
    gradients = Candidate(space, arch).trace(spec).gradients.values()
    return max(float(gradient.abs().max()) for gradient in gradients)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Compare scores in float32 and float64.")
    parser.add_argument("--space", default="nlp/bert:denas")
    parser.add_argument("--limit", type=int, default=50, help="Architectures")
    parser.add_argument("--samples", type=int, default=1, help="Samples of the constant batch")
    parser.add_argument("--tokens", type=int, default=8, help="Tokens of each")
    parser.add_argument(
        "--set", action="append", default=[], metavar="KEY=JSON", help="An option of the space"
    )
    return parser.parse_args()


if __name__ == "__main__":
    main()
