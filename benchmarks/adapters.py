"""Adapters that a search has chosen, against adapters of one rank everywhere, on tasks of texts.

    python benchmarks/adapters.py --model minilm --task sst2=SST-2 --task cola=CoLA --table adapters.csv

The ways to choose ranks: ``uniform``, the rank of ``--rank`` for all projections of all layers; ``half``, half of this
rank everywhere; ``gain``, what a search with `adapters/gain` finds among networks with at most as many trainable
parameters as ``half``; and ``random``, the first network of such a search that has at least 0.9 times as many. Each is
trained for ``--epochs`` on ``--samples`` samples with each ``--rate`` and ``--seed``.

Every row is written to the table as soon as it is known, and a row that is already there is not computed again. Seconds
are CPU seconds of the search or the training with its start.
"""

from __future__ import annotations

import argparse
import json
import random
import shutil
from pathlib import Path
from typing import Any

from comparing import denas, markdown, mean_and_range, settings
from rows import add_row, cpu_seconds, rows_of

from denas_core import Architecture, Registry, SearchSpace

WAYS = ("uniform", "half", "gain", "random")
COLUMNS = ("task", "way", "rate", "seed", "trainable", "metric", "value", "cpu_seconds")


def main() -> None:
    """Measure what the table lacks, and print the table of means."""
    options = parsed()
    known = {tuple(row[name] for name in COLUMNS[:4]) for row in rows_of(options.table)}
    cases = [
        (task, way, rate, str(seed))
        for seed in range(options.seeds)
        for task in options.task
        for rate in options.rate
        for way in WAYS
        if way not in options.leave_out
    ]
    for task, way, rate, seed in cases:
        name, _, data = task.partition("=")
        if (name, way, rate, seed) in known:
            continue
        data = cut(Path(data).resolve(), options, name)
        begun = cpu_seconds()
        arch, cost = chosen(options, name, data, way)
        row = trained(options, name, data, arch, way, rate, seed)
        row |= {"task": name, "way": way, "rate": rate, "seed": seed, "trainable": str(cost)}
        add_row(options.table, COLUMNS, row | {"cpu_seconds": f"{cpu_seconds() - begun:.0f}"})
    print(summary(rows_of(options.table)))


def parsed() -> argparse.Namespace:
    """Return the options of the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--model", type=Path, required=True, help="folder of the checkpoint")
    parser.add_argument("--task", action="append", required=True, metavar="NAME=DATA", help="may be repeated")
    parser.add_argument("--preset", default="blocks", help="preset of the space for the search")
    parser.add_argument("--rank", type=int, default=8, help="rank of 'uniform'")
    parser.add_argument("--budget", type=int, default=600, help="candidates of a search")
    parser.add_argument("--samples", type=int, default=2000, help="lines of the training split")
    parser.add_argument("--epochs", type=int, default=2)
    parser.add_argument("--rate", action="append", default=[], help="learning rate; may be repeated")
    parser.add_argument("--set", action="append", default=[], metavar="KEY=VALUE", help="of each training")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--leave-out", action="append", default=[], choices=WAYS, help="may be repeated")
    parser.add_argument("--table", type=Path, required=True)
    options = parser.parse_args()
    options.rate = options.rate or ["1e-3"]
    options.model = options.model.resolve()
    return options


def space_of(options: argparse.Namespace) -> SearchSpace:
    """Return the space of adapters over the checkpoint."""
    registry = Registry.discover()
    space: SearchSpace = registry.create(
        "space", f"adapters/hf:{options.preset}", {"model": str(options.model)}
    )
    return space


def cut(data: Path, options: argparse.Namespace, name: str) -> Path:
    """Return a folder with the first samples of the training split, and all others for validation."""
    folder = options.table.resolve().with_suffix("") / f"{name}-data" / data.name
    if not folder.is_dir():
        folder.mkdir(parents=True)
        for split in ("train.tsv", "dev.tsv"):
            lines = (data / split).read_text(encoding="utf-8").splitlines(keepends=True)
            # CoLA has no line with names of columns.
            wanted = options.samples + (0 if name == "cola" else 1)
            kept = lines[:wanted] if split == "train.tsv" else lines
            (folder / split).write_text("".join(kept), encoding="utf-8")
    return folder


def chosen(options: argparse.Namespace, task: str, data: Path, way: str) -> tuple[Architecture, int]:
    """Return the architecture of a way, and its number of trainable parameters without a head."""
    space: Any = space_of(options)
    rank = options.rank if way == "uniform" else options.rank // 2
    arch: Architecture = space.uniform(rank)
    bound = space.cost(arch)["trainable_params"]
    if way == "gain":
        run = options.table.with_suffix("") / f"{task}-search"
        if not (run / "best.json").is_file():
            search(options, task, data, bound, run)
        arch = space.parse((run / "best.json").read_text(encoding="utf-8"))
    elif way == "random":
        rng = random.Random(0)
        while not 0.9 * bound <= space.cost(arch := space.sample(rng))["trainable_params"] <= bound:
            pass
    return arch, int(space.cost(arch)["trainable_params"])


def search(options: argparse.Namespace, task: str, data: Path, bound: float, run: Path) -> None:
    """Search with the gain of adapters within a bound on trainable parameters."""
    denas(
        *("search", f"adapters/hf:{options.preset}", "--set", f"space.model={options.model}"),
        *("--data", str(data), "--task", f"nlp/{task}", "--score", "adapters/gain", "--device", "cpu"),
        *("--constraint", f"trainable_params<={int(bound)}", "--budget", str(options.budget)),
        *("--set", "executor.workers=1", "--out", str(run)),
    )


def trained(
    options: argparse.Namespace, task: str, data: Path, arch: Architecture, way: str, rate: str, seed: str
) -> dict[str, str]:
    """Return the metric of the task after a training."""
    folder = options.table.with_suffix("") / f"{task}-{way}-{rate}-{seed}"
    # A training that was stopped with this script begins again.
    shutil.rmtree(folder, ignore_errors=True)
    result = denas(
        *(
            "train",
            f"adapters/hf:{options.preset}",
            "--arch",
            json.dumps(arch.as_dict()),
            "--task",
            f"nlp/{task}",
        ),
        *("--data", str(data), "--epochs", str(options.epochs), "--seed", seed, "--device", "cpu"),
        *("--out", str(folder), "-q"),
        *settings([f"space.model={options.model}", f"training.lr={rate}", *options.set]),
    )
    metric = Registry.discover().create("task", f"nlp/{task}").metric.name
    return {"metric": metric, "value": f"{result['metrics'][metric]:.4f}"}


def summary(rows: list[dict[str, str]]) -> str:
    """Return the mean over seeds of each task, way and rate, with the smallest and largest value, as Markdown."""
    groups: dict[tuple[str, ...], list[dict[str, str]]] = {}
    for row in rows:
        groups.setdefault((row["task"], row["way"], row["rate"]), []).append(row)
    lines = []
    for key, found in sorted(groups.items()):
        value = mean_and_range([float(row["value"]) for row in found])
        lines.append([*key, found[0]["trainable"], found[0]["metric"], str(len(found)), value])
    return markdown(["task", "ranks", "rate", "trainable parameters", "metric", "seeds", "value"], lines)


if __name__ == "__main__":
    main()
