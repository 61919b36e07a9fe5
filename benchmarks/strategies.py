"""Search strategies compared: the best score so far, and the hypervolume, over the number of evaluations.

    python benchmarks/strategies.py --work strategies --spaces cv-vit nlp-bert --seeds 10
    python benchmarks/strategies.py --work strategies --spaces nasbench201 --accuracies accuracy.csv --seeds 10

Each space has a table of measured networks, and a regression of it answers for all others: a surrogate benchmark (Zela
et al. 2022, arXiv:2008.09777). The first time, the table of ``cv-vit`` and ``nlp-bert`` is made by a search with the
default score, half of whose candidates are random and half evolved; that of ``nasbench201`` has the accuracies of a
file with the columns ``arch_str`` and ``cifar100_test_200``. The agreement of the regression with networks that it has
not seen is printed.

The strategies of DE-NAS run through the contract of `Strategy`. Optuna is used directly: a knob whose values are
numbers is an integer, and any other knob is a category. A repeated architecture is an evaluation like any other. Each
finished search is one line of ``searches.jsonl``, and the same command goes on after a stop.

``--settings one`` searches for the score alone, ``two`` for the score and few parameters, and ``three`` for the default
objectives. Options of strategies are tuned on seeds from 100 (``--first-seed 100``); seeds from 0 are for the report.
"""

from __future__ import annotations

import argparse
import functools
import json
import math
import random
import statistics
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from comparing import markdown
from surrogate import Surrogate, read_surrogate

from denas_core import Architecture, Evaluation, Objective, Registry, SearchSpace, Trial, derive_seed
from denas_core.contracts.problem import Problem
from denas_core.contracts.strategy import History, Strategy
from denas_core.values.hypervolume import hypervolume

SETTINGS = {"one": ("score",), "two": ("score", "params"), "three": ("score", "params", "flops")}
CHECKPOINTS = (50, 100, 150, 200, 300, 400, 500)
LONG = 1500
"""Evaluations of the search that decides the best score, against which hypervolumes are scaled."""

Point = tuple[float, ...]
Search = Callable[[Surrogate, Sequence[str], int, int], list[dict[str, float]]]


def by_strategy(
    strategy: Strategy, surrogate: Surrogate, names: Sequence[str], seed: int, budget: int
) -> list[dict[str, float]]:
    """Return what a strategy of DE-NAS evaluates, in order."""
    problem = Problem(surrogate.space, (), [Objective(name) for name in names])
    trials: list[Trial] = []
    values: dict[str, float] = {}
    generation = 0
    while len(trials) < budget:
        ranked = sorted(trials, key=lambda trial: (-values[trial.arch.key], trial.arch.key))
        proposals = strategy.ask(
            problem,
            History(trials=list(trials), ranked=ranked, values=dict(values)),
            count=strategy.generation_size,
            seed=derive_seed(seed, "generation", generation),
        )
        if not proposals:
            break
        for arch in proposals:
            found = surrogate(arch)
            values[arch.key] = found["score"]
            evaluation = Evaluation(state="scored", components={"score": found["score"]}, metrics=found)
            trials.append(Trial(index=len(trials), generation=generation, arch=arch, evaluation=evaluation))
        generation += 1
    return [dict(trial.evaluation.metrics) for trial in trials[:budget]]


def by_optuna(
    sampler: str, surrogate: Surrogate, names: Sequence[str], seed: int, budget: int
) -> list[dict[str, float]]:
    """Return what a sampler of Optuna evaluates, in order."""
    import optuna

    optuna.logging.set_verbosity(optuna.logging.ERROR)
    makers: dict[str, Callable[[], Any]] = {
        "tpe": lambda: optuna.samplers.TPESampler(seed=seed),
        "gp": lambda: optuna.samplers.GPSampler(seed=seed, deterministic_objective=True),
        "nsga2": lambda: optuna.samplers.NSGAIISampler(seed=seed),
    }
    axes = [Objective(name) for name in names]
    study = optuna.create_study(sampler=makers[sampler](), directions=[axis.direction for axis in axes])
    rows = []
    for _ in range(budget):
        trial = study.ask()
        found = surrogate(suggest(trial, surrogate.space))
        study.tell(trial, [found[axis.name] for axis in axes])
        rows.append(found)
    return rows


def suggest(trial: Any, space: SearchSpace) -> Architecture:
    """Return the architecture that a trial of Optuna chooses, knob by knob."""
    values: dict[str, Any] = {}
    for knob in space.knobs():
        if not knob.is_active(values):
            continue
        if all(isinstance(value, (int, float)) and not isinstance(value, bool) for value in knob.values):
            values[knob.name] = knob.values[trial.suggest_int(knob.name, 0, len(knob.values) - 1)]
        else:
            values[knob.name] = trial.suggest_categorical(knob.name, list(knob.values))
    return space.architecture(values)


def method(text: str, registry: Registry) -> Search:
    """Return the search that a text names, such as ``optuna:tpe`` or ``builtin/nsga2 children=20 crossover=0.5``."""
    name, *settings = text.split()
    if name.startswith("optuna:"):
        return functools.partial(by_optuna, name.partition(":")[2])
    options = {key: json.loads(value) for key, _, value in (setting.partition("=") for setting in settings)}
    return functools.partial(by_strategy, registry.create("strategy", name, options))


def scale(surrogate: Surrogate, registry: Registry) -> dict[str, tuple[float, float]]:
    """Return the worst and the best value of each objective, which scale hypervolumes.

    The worst score is that of 2,000 random networks, and the best one is what two long searches find. The smallest and
    the largest number of parameters and FLOPs are those of the same networks and of the ends of the space.
    """
    rng = random.Random(12345)
    rows = [surrogate(surrogate.space.sample(rng)) for _ in range(2000)]
    rows += [surrogate(arch) for arch in (surrogate.space.smallest(), surrogate.space.full()) if arch]
    ends = {
        name: (max(row[name] for row in rows), min(row[name] for row in rows)) for name in ("params", "flops")
    }
    for name in ("builtin/local-search", "builtin/regularized-evolution"):
        strategy = registry.create("strategy", name)
        rows += by_strategy(strategy, surrogate, ["score"], 999, LONG)
    scores = [row["score"] for row in rows]
    return {"score": (min(scores[:2000]), max(scores)), **ends}


def measures(rows: Sequence[Mapping[str, float]], ends: Mapping[str, tuple[float, float]]) -> dict[str, Any]:
    """Return the share of the best score that is reached, and the hypervolume of score and size, at each checkpoint."""
    worst, best = ends["score"]
    shares = [(row["score"] - worst) / (best - worst) for row in rows]

    def volume(count: int) -> float | None:
        points = [
            [
                1 - share,
                min(max((row["params"] - ends["params"][1]) / (ends["params"][0] - ends["params"][1]), 0), 1),
            ]
            for row, share in zip(rows[:count], shares, strict=False)
        ]
        return hypervolume([[max(point[0], 0.0), point[1]] for point in points])

    reached = [count for count in CHECKPOINTS if count <= len(rows)]
    return {
        "best": {str(count): max(shares[:count]) for count in reached},
        "volume": {str(count): volume(count) for count in reached},
    }


def table(lines: Sequence[Mapping[str, Any]]) -> str:
    """Return means over seeds with standard errors, one row for each space, setting and method."""
    groups: dict[tuple[str, str, str], list[Mapping[str, Any]]] = {}
    for line in lines:
        groups.setdefault((line["space"], line["setting"], line["method"]), []).append(line)
    counts = ("100", "200", "500")
    heads = ["space", "objectives", "method", "seeds", *(f"best at {c}" for c in counts)]
    heads += [*(f"volume at {c}" for c in counts), "seconds"]
    rows = []
    for (space, setting, name), members in sorted(groups.items()):
        cells = [
            _mean([line[measure][count] for line in members if count in line[measure]])
            for measure in ("best", "volume")
            for count in counts
        ]
        seconds = statistics.fmean(line["seconds"] for line in members)
        rows.append([space, setting, name, str(len(members)), *cells, f"{seconds:.2g}"])
    return markdown(heads, rows)


def _mean(values: Sequence[float]) -> str:
    if not values:
        return "-"
    error = statistics.stdev(values) / math.sqrt(len(values)) if len(values) > 1 else 0.0
    return f"{statistics.fmean(values):.4f} ± {error:.4f}"


def main() -> None:
    """Search with every method, and print the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--work", type=Path, required=True, help="directory of tables and finished searches")
    parser.add_argument("--spaces", nargs="+", default=["cv-vit", "nlp-bert"])
    parser.add_argument("--settings", nargs="+", default=["one", "two"], choices=SETTINGS)
    parser.add_argument("--methods", nargs="+", metavar="NAME [OPTION=VALUE]...")
    parser.add_argument("--accuracies", type=Path, help="table of trained networks of NAS-Bench-201")
    parser.add_argument("--first-seed", type=int, default=0)
    parser.add_argument("--seeds", type=int, default=10)
    parser.add_argument("--budget", type=int, default=500)
    options = parser.parse_args()
    registry = Registry.discover()
    store = options.work / "searches.jsonl"
    options.work.mkdir(parents=True, exist_ok=True)
    lines = [json.loads(line) for line in store.read_text().splitlines()] if store.exists() else []
    done = {(line["space"], line["setting"], line["method"], line["seed"]) for line in lines}
    methods = options.methods or [
        "builtin/random",
        "builtin/evolution",
        "builtin/regularized-evolution",
        "builtin/local-search",
        "builtin/nsga2",
        "optuna:nsga2",
        "optuna:tpe",
    ]
    for name in options.spaces:
        surrogate = read_surrogate(name, options.work, registry, accuracies=options.accuracies)
        print(surrogate.describe(), flush=True)
        file = options.work / f"{name}-scale.json"
        if not file.exists():
            file.write_text(json.dumps(scale(surrogate, registry)))
        ends = json.loads(file.read_text())
        for text in methods:
            search = method(text, registry)
            for setting in options.settings:
                for seed in range(options.first_seed, options.first_seed + options.seeds):
                    if (name, setting, text, seed) in done:
                        continue
                    start = time.process_time()
                    rows = search(surrogate, SETTINGS[setting], seed, options.budget)
                    seconds = time.process_time() - start
                    line = {
                        "space": name,
                        "setting": setting,
                        "method": text,
                        "seed": seed,
                        "seconds": seconds,
                    }
                    lines.append({**line, **measures(rows, ends)})
                    with store.open("a") as out:
                        print(json.dumps(lines[-1]), file=out)
    shown = range(options.first_seed, options.first_seed + options.seeds)
    print(table([line for line in lines if line["seed"] in shown and line["space"] in options.spaces]))


if __name__ == "__main__":
    main()
