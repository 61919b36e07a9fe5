"""What the search is worth in speech recognition, with as little data as there is.

    python benchmarks/speech_accuracy.py overfit --data LibriSpeech --train train-clean-5 --out speech-overfit
    python benchmarks/speech_accuracy.py compare --data LibriSpeech --train train-clean-5 --dev dev-cut --out speech

``overfit`` searches once, and trains the best network on a few utterances, evenly spaced over the part, until it writes
them with a word error rate below the bound; then every decoder is measured on them.

``compare`` searches once a seed, and trains under one recipe and seed: the best network of the search, and random
networks of the space that keep to the same budgets and have as many parameters. Prints one row a network, and error
rates on the part that is not learnt from: of the searched networks, and of the median of the random ones of each seed.

The whole space takes hours on a few cores; ``--set space.embed_dims=[96,144,192] --set space.depths=[3,4,5,6]`` and the
like make a smaller one. Trainings that are there already, whole or in part, are gone on with.
"""

from __future__ import annotations

import argparse
import csv
import json
import random
import statistics
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from budgets import problem_of
from comparing import denas, markdown, mean_and_range, settings

from denas_core import Architecture, Registry, SearchSpace
from denas_core.setup.config import apply_settings

DECODERS = ("greedy", "beam", "joint")
DRAWS = 100_000
SYMBOLS = 31
"""Letters, the apostrophe, the space and the three special symbols: what networks are trained to write."""


def main() -> None:
    """Search, train and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("what", choices=("overfit", "compare"))
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--train", required=True, help="part to learn from")
    parser.add_argument("--dev", help="part to measure on (compare)")
    parser.add_argument("--space", default="asr/transformer")
    parser.add_argument("--set", action="append", default=[], metavar="KEY=VALUE", help="of the space")
    parser.add_argument("--constraint", action="append", default=[])
    parser.add_argument("--budget", default="100", help="candidates of each search")
    parser.add_argument("--epochs", type=int, default=60)
    parser.add_argument(
        "--training", action="append", default=[], metavar="KEY=VALUE", help="of training and task"
    )
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--random", type=int, default=3, help="random networks of each seed (compare)")
    parser.add_argument("--spread", type=float, default=0.03, help="how far parameters may differ (compare)")
    parser.add_argument("--utterances", type=int, default=20, help="learnt by heart (overfit)")
    parser.add_argument("--bound", type=float, default=0.05, help="word error rate (overfit)")
    parser.add_argument("--workers", type=int, default=2, help="trainings at a time, one thread each")
    parser.add_argument("--out", type=Path, required=True)
    options = parser.parse_args()
    options.set = [f"space.vocabulary={SYMBOLS}", *options.set]
    options.out.mkdir(parents=True, exist_ok=True)
    overfit(options) if options.what == "overfit" else compare(options)


def overfit(options: argparse.Namespace) -> None:
    """Train the best network of a search on a few utterances, and print what each decoder makes of them."""
    data = few_utterances(options)
    best = searched(options, 0)
    plain = ["task.speed=[100]", "task.spec_augment=false", "training.label_smoothing=0"]
    until = [f"training.metric_threshold={options.bound / 2}", "training.eval_epochs=10"]
    out = options.out / "training"
    parts = ("--train", "train", "--dev", "dev")
    result = trained(options, best, 0, data, out, [*parts, "--batch-size", "10"], [*plain, *until])
    print(
        json.dumps({"params": params(options, best), "steps": result["steps"], "metrics": result["metrics"]})
    )
    rows = []
    for decoder in DECODERS:
        found = denas("evaluate", str(out), "--data", str(data), "--split", "train", "--decode", decoder)
        rows.append([decoder, *(f"{found['metrics'][name]:.4f}" for name in ("wer", "cer"))])
    print(markdown(["decoder", "WER", "CER"], rows))
    print(
        f"word error rate below {options.bound}: {'yes' if result['metrics']['wer'] < options.bound else 'no'}"
    )


def few_utterances(options: argparse.Namespace) -> Path:
    """Write manifests of some utterances, once to learn from and once to measure on, and return their folder."""
    from denas_asr.data.utterances import read_split

    utterances = read_split(options.data, options.train).utterances
    places = [place * len(utterances) // options.utterances for place in range(options.utterances)]
    folder: Path = options.out / "data"
    folder.mkdir(exist_ok=True)
    for name in ("train", "dev"):
        with (folder / f"{name}.csv").open("w", newline="", encoding="utf-8") as file:
            rows = csv.writer(file)
            rows.writerow(["ID", "duration", "wav", "spk_id", "wrd"])
            for each in (utterances[place] for place in places):
                rows.writerow([each.id, each.seconds, each.audio.resolve(), each.speaker, each.text])
    return folder


def compare(options: argparse.Namespace) -> None:
    """Train searched and random networks of equal parameters, and print their error rates."""
    if options.dev is None:
        raise SystemExit("compare needs a part to measure on: --dev")
    space = space_of(options)
    jobs: list[tuple[str, int, Path]] = []
    for seed in range(options.seeds):
        best = searched(options, seed)
        jobs.append(("searched", seed, best))
        for place, arch in enumerate(equals(options, space, best, seed)):
            path = options.out / f"random-{seed}-{place}.json"
            path.write_text(json.dumps(arch.as_dict()))
            jobs.append(("random", seed, path))
    parts = ["--train", options.train, "--dev", options.dev]

    def row(job: tuple[str, int, Path]) -> dict[str, Any]:
        kind, seed, path = job
        out = options.out / f"trained-{seed}" / (path.stem if kind == "random" else "searched")
        result = trained(options, path, seed, options.data, out, parts, [])
        return {"kind": kind, "seed": seed, "params": params(options, path), **result["metrics"]}

    with ThreadPoolExecutor(options.workers) as pool:
        rows = list(pool.map(row, jobs))
    for each in rows:
        print(json.dumps(each))
    print(table(rows))


def searched(options: argparse.Namespace, seed: int) -> Path:
    """Return the best architecture of a search, which is run unless it is there."""
    run = options.out / f"search-{seed}"
    if not (run / "best.json").is_file():
        constraints = [part for text in options.constraint for part in ("--constraint", text)]
        denas(
            *("search", options.space, *settings(options.set), *constraints),
            *("--seed", str(seed), "--budget", options.budget, "-o", str(run), "-q"),
        )
    return run / "best.json"


def equals(options: argparse.Namespace, space: SearchSpace, best: Path, seed: int) -> list[Architecture]:
    """Return random networks that keep to the constraints, and have as many parameters as the best one."""
    problem = problem_of(space, options.constraint)
    model = space.parse(best.read_text())
    wanted = space.cost(model)["params"]
    rng = random.Random(f"equals {seed}")
    found: dict[str, Architecture] = {}
    for _ in range(DRAWS):
        arch = space.sample(rng)
        is_equal = abs(space.cost(arch)["params"] / wanted - 1) <= options.spread
        if is_equal and arch.key != model.key and not problem.violations(arch):
            found[arch.key] = arch
            if len(found) == options.random:
                return list(found.values())
    raise SystemExit(f"only {len(found)} networks have as many parameters as {best}; raise --spread")


def trained(
    options: argparse.Namespace,
    arch: Path,
    seed: int,
    data: Path,
    out: Path,
    flags: Sequence[str],
    task: Sequence[str],
) -> dict[str, Any]:
    """Train one network, or go on with that; return its result."""
    if (out / "settings.json").is_file():
        return denas("train", str(out), "--resume", "-q")
    return denas(
        *("train", options.space, "--arch", str(arch), *settings(options.set), "--data", str(data), *flags),
        *("--epochs", str(options.epochs), "--seed", str(seed), "--device", "cpu"),
        *(*settings([*task, *options.training]), "--out", str(out), "-q"),
    )


def space_of(options: argparse.Namespace) -> SearchSpace:
    """Return the space with its options."""
    space: SearchSpace = Registry.discover().create(
        "space", options.space, apply_settings({"space": {}}, options.set)["space"]
    )
    return space


def params(options: argparse.Namespace, path: Path) -> float:
    """Return the parameters of the network in a file."""
    space = space_of(options)
    return space.cost(space.parse(path.read_text()))["params"]


def table(rows: Sequence[dict[str, Any]]) -> str:
    """Return error rates of the searched networks and of the median random ones, as means over seeds with ranges."""
    seeds = sorted({row["seed"] for row in rows})
    lines = []
    for kind, name in (("searched", "searched"), ("random", "median random")):
        found = [[row for row in rows if (row["kind"], row["seed"]) == (kind, seed)] for seed in seeds]
        size = statistics.fmean(row["params"] for of_seed in found for row in of_seed)
        rates = (
            mean_and_range([statistics.median(row[rate] for row in of_seed) for of_seed in found])
            for rate in ("cer", "wer", "loss")
        )
        lines.append([name, f"{size / 1e6:.2f} M", *rates])
    return markdown(["network", "parameters", "CER, mean (range)", "WER", "loss"], lines)


if __name__ == "__main__":
    main()
