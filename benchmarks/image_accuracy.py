"""What the search is worth in accuracy: the network it finds, random networks of its space, and a plain one.

    python benchmarks/image_accuracy.py --data cifar-10-batches-py --space cv/cnn --budget 100

Searches once a seed, then trains under one recipe and on equal data, for each seed: the best network of the search, a
random one that keeps to the same budgets, and a plain network of as many parameters as the best one -- for a CNN a
ResNet of basic blocks, for a ViT one whose blocks are all alike. Prints one row a network, and means with ranges; the
components of the default score are beside them, taken before training.
"""

from __future__ import annotations

import argparse
import itertools
import json
import random
import statistics
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from budgets import problem_of
from comparing import denas, markdown, mean_and_range, settings

from denas_core import Architecture, Registry, SearchSpace
from denas_core.contracts.problem import Problem
from denas_core.setup.config import apply_settings

KINDS = ("searched", "random", "plain")


def resnet(width: int) -> str:
    """Return ResNet-20's shape in the notation of ``cv/cnn``: three stages of basic blocks, widths w, 2w and 4w."""
    blocks = [f"SuperConvK3BNRELU(3,{width},1,1)"]
    before = width
    for stage, stride in enumerate((1, 2, 2)):
        after = width * 2**stage
        blocks.append(f"SuperResK3K3({before},{after},{stride},{after},3)")
        before = after
    return "".join(blocks) + f"SuperConvK1BNRELU({before},{before},1,1)"


def plain_networks(space: SearchSpace) -> Iterator[Architecture]:
    """Yield the plain networks: ResNets of growing width, or every transformer whose blocks are all alike."""
    knobs = space.knobs()
    if "block1.type" in {knob.name for knob in knobs}:
        yield from (space.parse(resnet(width)) for width in range(4, 129))
        return
    # The knob of one block stands for those of all.
    choices = {knob.name.rpartition(".")[2]: knob.values for knob in knobs}
    for values in itertools.product(*choices.values()):
        chosen = dict(zip(choices, values, strict=True))
        yield space.architecture({knob.name: chosen[knob.name.rpartition(".")[2]] for knob in knobs})


def nearest(networks: Iterator[Architecture], space: SearchSpace, params: float) -> Architecture:
    """Return the network whose parameters are nearest to `params`."""
    return min(networks, key=lambda arch: abs(space.cost(arch)["params"] - params))


def random_network(problem: Problem, seed: int) -> Architecture:
    """Return a uniformly drawn network that keeps to the constraints."""
    rng = random.Random(seed)
    while True:
        arch = problem.space.sample(rng)
        if not problem.violations(arch):
            return arch


def main() -> None:
    """Search, train and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--space", default="cv/cnn")
    parser.add_argument(
        "--set", action="append", default=[], metavar="KEY=VALUE", help="options of the space"
    )
    parser.add_argument("--constraint", action="append", default=[])
    parser.add_argument("--budget", default="100", help="candidates of each search")
    parser.add_argument("--epochs", type=int, default=15)
    parser.add_argument(
        "--train", action="append", default=[], metavar="KEY=VALUE", help="settings of training"
    )
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--workers", type=int, default=2, help="trainings at a time, one thread each")
    parser.add_argument("--out", type=Path, required=True)
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    options_of_space = apply_settings({"space": {}}, options.set)["space"]
    space: SearchSpace = Registry.discover().create("space", options.space, options_of_space)
    problem = problem_of(space, options.constraint)
    jobs: list[tuple[str, int, Path]] = []
    for seed in range(options.seeds):
        run = options.out / f"search-{seed}"
        if not (run / "best.json").is_file():
            denas(
                *(
                    "search",
                    options.space,
                    "--seed",
                    str(seed),
                    "--budget",
                    options.budget,
                    "-o",
                    str(run),
                    "-q",
                ),
                *settings(options.set),
                *(part for text in options.constraint for part in ("--constraint", text)),
            )
        best = space.parse((run / "best.json").read_text())
        chosen = {
            "searched": best,
            "random": random_network(problem, seed),
            "plain": nearest(plain_networks(space), space, space.cost(best)["params"]),
        }
        for kind in KINDS:
            path = options.out / f"{kind}-{seed}.json"
            path.write_text(json.dumps(chosen[kind].as_dict()))
            jobs.append((kind, seed, path))
    with ThreadPoolExecutor(options.workers) as pool:
        rows = list(pool.map(lambda job: trained(options, space, *job), jobs))
    for row in rows:
        print(json.dumps(row))
    print(table(rows))


def trained(
    options: argparse.Namespace, space: SearchSpace, kind: str, seed: int, path: Path
) -> dict[str, Any]:
    """Score and train one network, and return its cost, components and accuracy."""
    cost = space.cost(space.parse(path.read_text()))
    network = (options.space, "--arch", str(path), "--seed", str(seed), "--device", "cpu")
    of_space = settings(options.set)
    scored = denas("score", *network, *of_space, "--no-latency")
    result = denas(
        *("train", *network, *of_space, "--data", str(options.data), "--epochs", str(options.epochs)),
        *settings(options.train),
        *("--out", str(options.out / path.stem), "-q"),
    )
    return {
        "kind": kind,
        "seed": seed,
        "params": cost["params"],
        "flops": cost["flops"],
        "accuracy": result["metrics"]["accuracy"],
        "components": scored["components"],
    }


def table(rows: Sequence[dict[str, Any]]) -> str:
    """Return the means by kind, and the ranges of accuracies and components, as a table."""
    components = list(rows[0]["components"])
    lines = []
    for kind in KINDS:
        found = [row for row in rows if row["kind"] == kind]
        params, flops = (statistics.fmean(float(row[name]) for row in found) for name in ("params", "flops"))
        accuracy = mean_and_range([row["accuracy"] for row in found])
        cells = [kind, f"{params / 1e3:.0f}k", f"{flops / 1e6:.1f}", accuracy]
        for name in components:
            values = [row["components"][name] for row in found]
            cells.append(f"{min(values):.3g}-{max(values):.3g}")
        lines.append(cells)
    return markdown(["network", "params", "MFLOPs", "accuracy, mean (range)", *components], lines)


if __name__ == "__main__":
    main()
