"""Whether fewer samples or fewer tokens rank token models like the original's 32 samples of 128 tokens.

Random architectures of a space are scored by diversity and saliency on the constant batch, at several sizes of it and
under the same seed, and at 32 x 128 under a second seed too. What is printed is Kendall's tau of each size with 32 x
128, for both components and for the DE-Score, the sum of their log-ranks; beside it the tau of 32 x 128 with itself
between the two seeds, as the measure of what noise does; and the median CPU-seconds of an architecture, beside what
building and initialising it takes. The cheapest size whose tau is not below that of the seeds less 0.01 is what a space
should have as its default.

The spaces are ``nlp/bert:denas``, the original's, and ``hf/auto`` from the configuration of BERT-base, with fresh
weights; ``--set`` changes options. Results are written to a file a line at a
time, so that a run that was stopped goes on: 100 architectures take hours. One thread.

Usage: python benchmarks/token_batches.py --space nlp/bert:denas --file taus.jsonl [--limit 100]
"""

from __future__ import annotations

import argparse
import itertools
import json
import random
import statistics
import sys
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import torch

from denas_core import Candidate, PassSpec, SearchSpace, Table
from denas_core.architecture import Architecture
from denas_core.ranking import kendall_tau, log_rank_sum
from denas_scores.diversity import Diversity
from denas_scores.saliency import Saliency

sys.path.insert(0, str(Path(__file__).parents[1]))

from benchmarks.throughput import make_space

REFERENCE = (32, 128)
SIZES = (
    *(REFERENCE, (8, 128), (1, 128), (2, 64), (4, 32), (8, 16)),
    *((1, 64), (2, 32), (4, 16), (1, 32), (8, 8), (1, 16), (1, 8), (1, 4)),
)
"""Samples and tokens."""

SEEDS = (0, 1)
SLACK = 0.01
COMPONENTS = ("diversity", "saliency")

Key = tuple[str, tuple[int, int], int]
"""Architecture, size and seed of a row."""


def main() -> None:
    """Measure what the file lacks, and print the table."""
    arguments = _arguments()
    torch.set_num_threads(1)
    space = make_space(arguments.space, arguments.set)
    rng = random.Random(0)
    architectures = distinct(space.sample(rng) for _ in itertools.count())
    chosen = list(itertools.islice(architectures, arguments.limit))
    rows = read(arguments.file)
    for arch in chosen:
        missing = [
            (size, seed)
            for size in SIZES
            for seed in (SEEDS if size == REFERENCE else SEEDS[:1])
            if (space.format(arch), size, seed) not in rows
        ]
        for row in measured(space, arch, missing):
            with arguments.file.open("a", encoding="utf-8") as file:
                print(json.dumps(row), file=file)
    print_table(arguments.space, read(arguments.file), [space.format(arch) for arch in chosen])


def distinct(architectures: Iterator[Architecture]) -> Iterator[Architecture]:
    """Yield each architecture once."""
    seen = set()
    for arch in architectures:
        if arch.key not in seen:
            seen.add(arch.key)
            yield arch


def measured(
    space: SearchSpace, arch: Architecture, wanted: list[tuple[tuple[int, int], int]]
) -> Iterator[Mapping[str, Any]]:
    """Yield a row for each size and seed, all on the same weights for a seed."""
    for size, seed in wanted:
        samples, tokens = size
        # No part of an architecture's key, from which its weights are drawn.
        space.__dict__["probe_tokens"] = tokens
        candidate = Candidate(space, arch, seed=seed)
        seconds = [time.process_time()]
        candidate.network(PassSpec())
        seconds.append(time.process_time())
        row = {"arch": space.format(arch), "size": size, "seed": seed}
        for score in (Diversity(batch_size=samples), Saliency(batch_size=samples)):
            row[type(score).__name__.lower()] = score.measure(candidate)
            seconds.append(time.process_time())
        spent = [after - before for before, after in itertools.pairwise(seconds)]
        yield {**row, "cpu_seconds": dict(zip(("load", *COMPONENTS), spent, strict=True))}


def read(file: Path) -> dict[Key, dict[str, Any]]:
    """Return the rows of a file by key; none if there is no file."""
    if not file.exists():
        return {}
    rows = map(json.loads, file.read_text(encoding="utf-8").splitlines())
    return {(row["arch"], tuple(row["size"]), row["seed"]): row for row in rows}


def print_table(name: str, rows: Mapping[Key, Mapping[str, Any]], architectures: list[str]) -> None:
    """Print the taus of the architectures that have all rows."""
    keys = [(size, 0) for size in SIZES] + [(REFERENCE, seed) for seed in SEEDS[1:]]
    complete = [arch for arch in architectures if all((arch, *key) in rows for key in keys)]
    print(f"{name}: {len(complete)} architectures")
    if len(complete) < 2:
        return

    def columns(size: tuple[int, int], seed: int) -> dict[str, list[float]]:
        found = {name: [rows[arch, size, seed][name] for arch in complete] for name in COMPONENTS}
        table = Table(
            columns=found,
            weights=dict.fromkeys(COMPONENTS, 1.0),
            directions=dict.fromkeys(COMPONENTS, "maximize"),
        )
        return {**found, "DE-Score": log_rank_sum(table)}

    def taus(size: tuple[int, int], seed: int) -> dict[str, float | None]:
        reference, other = columns(REFERENCE, 0), columns(size, seed)
        return {name: kendall_tau(reference[name], other[name]) for name in reference}

    load = statistics.median(
        row["cpu_seconds"]["load"] for row in rows.values() if row["size"] == [*REFERENCE]
    )
    print(f"building and initialising: {load:.2f} CPU-s")
    print(f"{'size':16s}{'diversity':>10s}{'saliency':>10s}{'DE-Score':>10s}{'CPU-s':>8s}")
    for size, seed in [(REFERENCE, 1), *((size, 0) for size in SIZES[1:])]:
        label = f"{size[0]} x {size[1]}" + (", seeds" if seed else "")
        cells = "".join(f"{-2.0 if tau is None else tau:10.3f}" for tau in taus(size, seed).values())
        spent = [sum(rows[arch, size, seed]["cpu_seconds"][part] for part in COMPONENTS) for arch in complete]
        print(f"{label:16s}{cells}{statistics.median(spent):8.2f}")
    least = taus(REFERENCE, 1)["DE-Score"] or 0.0
    good = [size for size in SIZES[1:] if (taus(size, 0)["DE-Score"] or 0.0) >= least - SLACK]
    print(f"not below the seeds less {SLACK}: {', '.join(f'{a} x {b}' for a, b in good) or 'none'}")


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Compare rankings by batches of fewer tokens.")
    parser.add_argument("--space", default="nlp/bert:denas")
    parser.add_argument(
        "--set", action="append", default=[], metavar="KEY=JSON", help="An option of the space"
    )
    parser.add_argument("--file", type=Path, required=True, help="Rows measured so far, and from now on")
    parser.add_argument("--limit", type=int, default=100, help="Architectures")
    return parser.parse_args()


if __name__ == "__main__":
    main()
