"""What successive halving finds in the same CPU seconds as other strategies, with real networks and the default score.

    python benchmarks/halving.py --work halving --seeds 5 --seconds 60

Candidates are proposed and evaluated in this process as a search does it, and the CPU seconds of both are counted. The
searches of one seed begin with the same random networks, against which the score ranks all others, so that their scores
can be compared. A network that several searches evaluate completely is evaluated once, and costs each of them the same.
Each finished search is one line of ``halving.jsonl``, and the same command goes on after a stop.
"""

from __future__ import annotations

import argparse
import json
import math
import random
import statistics
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from comparing import markdown

from denas_core import Evaluation, Registry, Trial
from denas_core.setup.config import make_config
from denas_core.setup.setup import Setup
from denas_core.study.proposals import propose, with_rungs
from denas_core.values.contender import Contender

SPACES = ("cv/cnn:micro", "cv/vit:micro")
METHODS = (
    "builtin/random",
    "builtin/nsga2",
    "builtin/successive-halving keep=0.5",
    "builtin/successive-halving keep=0.25",
)
REFERENCE = "builtin/nsga2"
PARTS = (0.5, 0.75, 1.0)
"""Parts of the CPU seconds after which the best score so far is noted."""

Known = dict[str, tuple[Evaluation, float]]


def search(
    space: str, method: str, seed: int, seconds: float, registry: Registry, known: Known
) -> dict[str, Any]:
    """Search for so many CPU seconds, and return when which score was reached.

    Args:
        space: The space.
        method: A strategy and its options.
        seed: Seed of the search.
        seconds: CPU seconds.
        registry: The installed plugins.
        known: Complete evaluations of this space and seed, and the CPU seconds of each. New ones are added.
    """
    name, *settings = method.split()
    options = {key: json.loads(value) for key, _, value in (setting.partition("=") for setting in settings)}
    document = {"space": space, "strategy": {"name": name, **options}, "seed": seed, "device": "cpu"}
    setup = Setup.from_config(make_config(document, origin="benchmark"), registry)
    evaluator = setup.evaluator()
    # What the first evaluation imports and sets up is not counted.
    evaluator.evaluate(setup.space.sample(random.Random(-1)))
    trials: list[Trial] = []
    spent, generation, ends = 0.0, 0, []
    while spent < seconds:
        start = time.process_time()
        finished = list(trials)
        proposals = propose(setup, finished, generation)
        contenders = with_rungs(setup, finished, proposals)
        spent += time.process_time() - start
        for arch, contender in zip(proposals, contenders, strict=True):
            is_whole = not isinstance(contender, Contender)
            if is_whole and arch.key in known:
                evaluation, cost = known[arch.key]
            else:
                start = time.process_time()
                evaluation = evaluator.evaluate(contender)
                cost = time.process_time() - start
                if is_whole:
                    known[arch.key] = evaluation, cost
            spent += cost
            if spent > seconds:
                break
            ends.append(spent)
            trials.append(Trial(index=len(trials), generation=generation, arch=arch, evaluation=evaluation))
        generation += 1
    values = setup.scoring.values(trials)
    best = {
        str(part): max(
            values[trial.arch.key]
            for trial, end in zip(trials, ends, strict=True)
            if trial.is_scored and end <= part * seconds
        )
        for part in PARTS
    }
    states = [trial.evaluation.state for trial in trials]
    return {"best": best, "scored": states.count("scored"), "cut": states.count("cut")}


def table(lines: Sequence[Mapping[str, Any]], seconds: float) -> str:
    """Return means over seeds, and the mean difference to the reference with its standard error."""
    found = {(line["space"], line["method"], line["seed"]): line for line in lines}
    heads = [
        "space",
        "strategy",
        "seeds",
        "scored",
        "cut",
        *(f"best at {part * seconds:g} s" for part in PARTS),
    ]
    heads.append(f"difference to {REFERENCE} at {seconds:g} s")
    rows = []
    for space, method in dict.fromkeys((space, method) for space, method, _ in found):
        seeds = [seed for one, other, seed in found if (one, other) == (space, method)]
        members = [found[space, method, seed] for seed in seeds]
        pairs = [
            (found[space, method, s], found[space, REFERENCE, s])
            for s in seeds
            if (space, REFERENCE, s) in found
        ]
        row = [space, method, str(len(seeds))]
        row += [f"{statistics.fmean(line[name] for line in members):.0f}" for name in ("scored", "cut")]
        row += [f"{statistics.fmean(line['best'][str(part)] for line in members):.2f}" for part in PARTS]
        row.append(_mean([own["best"]["1.0"] - other["best"]["1.0"] for own, other in pairs]))
        rows.append(row)
    return markdown(heads, rows)


def _mean(values: Sequence[float]) -> str:
    if len(values) < 2:
        return "-"
    return f"{statistics.fmean(values):+.2f} ± {statistics.stdev(values) / math.sqrt(len(values)):.2f}"


def main() -> None:
    """Search with every strategy, and print the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--work", type=Path, required=True, help="directory of finished searches")
    parser.add_argument("--spaces", nargs="+", default=SPACES)
    parser.add_argument("--methods", nargs="+", default=METHODS, metavar="NAME [OPTION=VALUE]...")
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=60.0, help="CPU seconds of a search")
    options = parser.parse_args()
    registry = Registry.discover()
    options.work.mkdir(parents=True, exist_ok=True)
    store = options.work / "halving.jsonl"
    lines = [json.loads(line) for line in store.read_text().splitlines()] if store.exists() else []
    done = {(line["space"], line["method"], line["seed"]) for line in lines}
    for seed in range(options.seeds):
        for space in options.spaces:
            known: Known = {}
            for method in options.methods:
                if (space, method, seed) in done:
                    continue
                found = search(space, method, seed, options.seconds, registry, known)
                lines.append({"space": space, "method": method, "seed": seed, **found})
                with store.open("a") as out:
                    print(json.dumps(lines[-1]), file=out)
    print(table(lines, options.seconds))


if __name__ == "__main__":
    main()
