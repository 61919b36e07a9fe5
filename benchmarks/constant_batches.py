"""Whether a smaller constant batch, fewer samples or shorter ones, ranks networks like the original's batch does.

Random architectures of a space are scored by diversity and saliency on the constant batch, at several sizes of it and
under the same seed, and at the original's size under a second seed too. What is printed is Kendall's tau of each size
with the original's, for both components and for the DE-Score, the sum of their log-ranks; beside it the tau of the
original's size with itself between the two seeds, as the measure of what noise does; and the median CPU-seconds of an
architecture, beside what building and initialising it takes. The cheapest size whose tau is not below that of the seeds
less 0.01 is what a space should have as its default.

The original's batch is 32 texts of 128 tokens, and 32 utterances of 16 seconds, 1,600 frames. The spaces are those of
the original, ``nlp/bert:denas`` and ``asr/transformer``, and others of texts or speech: ``hf/auto`` begins with the
configuration of BERT-base, with fresh weights; ``--set`` changes options. Diversity of speech sees features at random,
saliency the same features in every utterance: its sum over 32 utterances is 32 times that of one, and is not run.

Results are written to a file a line at a time, so that a run that was stopped goes on: 100 architectures take hours.
One thread.

Usage: python benchmarks/constant_batches.py --space nlp/bert:denas --file taus.jsonl [--limit 100]
"""

from __future__ import annotations

import argparse
import itertools
import json
import math
import random
import statistics
import sys
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from denas_core import Candidate, PassSpec, SearchSpace, Table
from denas_core.values.architecture import Architecture
from denas_core.values.ranking import kendall_tau, log_rank_sum
from denas_scores.de_score import DEScore

sys.path.insert(0, str(Path(__file__).parents[1]))

from benchmarks.throughput import make_space

Size = tuple[int, int]
"""Samples, and tokens or frames of each."""


@dataclass(frozen=True)
class Sizes:
    """What is compared in spaces of one kind.

    Attributes:
        option: The space's option that has the length of a sample.
        reference: The original's size.
        smaller: Sizes that are compared with it.
        is_alike: Whether saliency sees the same sample again and again.
    """

    option: str
    reference: Size
    smaller: tuple[Size, ...]
    is_alike: bool


KINDS = (
    Sizes(
        option="probe_tokens",
        reference=(32, 128),
        smaller=(
            *((8, 128), (1, 128), (2, 64), (4, 32), (8, 16)),
            *((1, 64), (2, 32), (4, 16), (1, 32), (8, 8), (1, 16), (1, 8), (1, 4)),
        ),
        is_alike=False,
    ),
    Sizes(
        option="probe_frames",
        reference=(32, 1600),
        smaller=((4, 1600), (1, 1600), (4, 400), (1, 640), (4, 160), (1, 320), (1, 160), (1, 80), (1, 40)),
        is_alike=True,
    ),
)
SEEDS = (0, 1)
SLACK = 0.01
COMPONENTS = ("diversity", "saliency")

Key = tuple[str, Size, int]
"""Architecture, size and seed of a row."""


def main() -> None:
    """Measure what the file lacks, and print the table."""
    arguments = _arguments()
    torch.set_num_threads(1)
    space = make_space(arguments.space, arguments.set)
    rng = random.Random(0)
    architectures = distinct(space.sample(rng) for _ in itertools.count())
    chosen = list(itertools.islice(architectures, arguments.limit))
    (sizes,) = (kind for kind in KINDS if hasattr(space, kind.option))
    rows = read(arguments.file)
    for arch in chosen:
        missing = [
            (size, seed)
            for size in (*sizes.smaller, sizes.reference)
            for seed in (SEEDS if size == sizes.reference else SEEDS[:1])
            if (space.format(arch), size, seed) not in rows
        ]
        for row in measured(space, arch, sizes, missing):
            with arguments.file.open("a", encoding="utf-8") as file:
                print(json.dumps(row), file=file)
    print_table(arguments.space, sizes, read(arguments.file), [space.format(arch) for arch in chosen])


def distinct(architectures: Iterator[Architecture]) -> Iterator[Architecture]:
    """Yield each architecture once."""
    seen = set()
    for arch in architectures:
        if arch.key not in seen:
            seen.add(arch.key)
            yield arch


def measured(
    space: SearchSpace, arch: Architecture, sizes: Sizes, wanted: list[tuple[Size, int]]
) -> Iterator[Mapping[str, Any]]:
    """Yield a row for each size and seed, all on the same weights for a seed."""
    for size, seed in wanted:
        samples, length = size
        # No part of an architecture's key, from which its weights are drawn.
        space.__dict__[sizes.option] = length
        candidate = Candidate(space, arch, seed=seed)
        seconds = [time.process_time()]
        candidate.network(PassSpec())
        seconds.append(time.process_time())
        row = {"arch": space.format(arch), "size": size, "seed": seed}
        for name in COMPONENTS:
            copies = samples if sizes.is_alike and name == "saliency" else 1
            score = DEScore(synaptic_batch_size=samples // copies).component(name, space)
            row[name] = score.measure(candidate) + math.log(copies)
            seconds.append(time.process_time())
        spent = [after - before for before, after in itertools.pairwise(seconds)]
        yield {**row, "cpu_seconds": dict(zip(("load", *COMPONENTS), spent, strict=True))}


def read(file: Path) -> dict[Key, dict[str, Any]]:
    """Return the rows of a file by key; none if there is no file."""
    if not file.exists():
        return {}
    rows = map(json.loads, file.read_text(encoding="utf-8").splitlines())
    return {(row["arch"], tuple(row["size"]), row["seed"]): row for row in rows}


def print_table(
    name: str, sizes: Sizes, rows: Mapping[Key, Mapping[str, Any]], architectures: list[str]
) -> None:
    """Print the taus of the architectures that have all rows."""
    reference = sizes.reference
    keys = [(size, 0) for size in sizes.smaller] + [(reference, seed) for seed in SEEDS]
    complete = [arch for arch in architectures if all((arch, *key) in rows for key in keys)]
    print(f"{name}: {len(complete)} architectures")
    if len(complete) < 2:
        return

    def columns(size: Size, seed: int) -> dict[str, list[float]]:
        found = {name: [rows[arch, size, seed][name] for arch in complete] for name in COMPONENTS}
        table = Table(
            columns=found,
            weights=dict.fromkeys(COMPONENTS, 1.0),
            directions=dict.fromkeys(COMPONENTS, "maximize"),
        )
        return {**found, "DE-Score": log_rank_sum(table)}

    def taus(size: Size, seed: int) -> dict[str, float | None]:
        ours, other = columns(reference, 0), columns(size, seed)
        return {name: kendall_tau(ours[name], other[name]) for name in ours}

    load = statistics.median(row["cpu_seconds"]["load"] for row in rows.values())
    print(f"building and initialising: {load:.2f} CPU-s")
    print(f"{'size':16s}{'diversity':>10s}{'saliency':>10s}{'DE-Score':>10s}{'CPU-s':>8s}")
    for size, seed in [(reference, 1), *((size, 0) for size in sizes.smaller)]:
        label = f"{size[0]} x {size[1]}" + (", seeds" if seed else "")
        cells = "".join(f"{-2.0 if tau is None else tau:10.3f}" for tau in taus(size, seed).values())
        spent = [sum(rows[arch, size, seed]["cpu_seconds"][part] for part in COMPONENTS) for arch in complete]
        print(f"{label:16s}{cells}{statistics.median(spent):8.2f}")
    least = taus(reference, 1)["DE-Score"] or 0.0
    good = [size for size in sizes.smaller if (taus(size, 0)["DE-Score"] or 0.0) >= least - SLACK]
    print(f"not below the seeds less {SLACK}: {', '.join(f'{a} x {b}' for a, b in good) or 'none'}")


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Compare rankings by smaller batches.")
    parser.add_argument("--space", default="nlp/bert:denas")
    parser.add_argument(
        "--set", action="append", default=[], metavar="KEY=JSON", help="An option of the space"
    )
    parser.add_argument("--file", type=Path, required=True, help="Rows measured so far, and from now on")
    parser.add_argument("--limit", type=int, default=100, help="Architectures")
    return parser.parse_args()


if __name__ == "__main__":
    main()
