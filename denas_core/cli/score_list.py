"""``denas score`` with several architectures: each is scored, and they are ranked among each other."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from denas_core.errors import ConfigError, NoResult

from .output import MORE, print_json, print_notice, print_table
from .work_progress import WorkProgress

if TYPE_CHECKING:
    from denas_core.contracts.space import SearchSpace
    from denas_core.setup.setup import Setup
    from denas_core.values.architecture import Architecture
    from denas_core.values.trial import Evaluation, Trial

SCHEMA = "denas.scores/1"


def read_architectures(
    space: SearchSpace, named: Sequence[Architecture], file: Path | None
) -> list[Architecture]:
    """Return the architectures of ``--arch`` and ``--archs``.

    Raises:
        ConfigError: the file cannot be read, or an architecture is there twice.
    """
    from denas_core.agreement.notation import read_list

    found = [*named, *(read_list(file, space) if file is not None else [])]
    twice = next((arch for place, arch in enumerate(found) if arch in found[:place]), None)
    if twice is not None:
        raise ConfigError(f"architecture {space.format(twice)[:80]!r} is named twice; name it once")
    return found


def score_list(
    setup: Setup,
    architectures: Sequence[Architecture],
    *,
    measure_latency: bool,
    as_json: bool,
    columns: str | None = None,
) -> None:
    """Score architectures and print them, best first; those that fail are named, and rank last.

    Args:
        setup: The objects of the score.
        architectures: Distinct architectures.
        measure_latency: Whether to measure their latency.
        as_json: Whether JSON is printed.
        columns: What the user gave as ``--columns``.

    Raises:
        ConfigError: the score needs a latency that is not measured.
        NoResult: none of them can be scored.
    """
    from denas_core.evaluation.spread import opened, spread
    from denas_core.values.trial import Trial

    if setup.scoring.needs_latency and not measure_latency:
        raise ConfigError("--no-latency and a weight of latency exclude each other; leave out one of them")
    evaluator = setup.evaluator()
    found: dict[Architecture, Evaluation] = {}
    with WorkProgress("architectures") as progress, opened(setup.executor, setup.demand()) as executor:
        for arch, evaluation in spread(executor, evaluator.evaluate, architectures):
            found[arch] = evaluation
            progress(len(found), len(architectures))
    if measure_latency:
        # The workers have ended: a latency is measured when nothing else runs.
        with WorkProgress("latencies") as progress:
            for done, arch in enumerate(architectures, start=1):
                found[arch] = evaluator.measure(arch, found[arch])
                progress(done, len(architectures))
    trials = [
        Trial(index=index, generation=0, arch=arch, evaluation=found[arch])
        for index, arch in enumerate(architectures)
    ]
    ranked, values = setup.scoring.rank(trials)
    for notice in setup.notices:
        print_notice(f"note: {notice}")
    if as_json:
        print_json(_document(setup, ranked, values))
    else:
        _print(setup, ranked, values, columns)
    failed = [trial for trial in ranked if not trial.is_scored]
    for trial in failed:
        print_notice(f"note: {setup.space.format(trial.arch)[:80]} has no score: {trial.evaluation.reason}")
    if len(failed) == len(ranked):
        raise NoResult(f"none of the {len(ranked)} architectures can be scored")
    if failed:
        print_notice(f"note: {len(failed)} of {len(ranked)} architectures have no score, and rank last")


def _document(setup: Setup, ranked: Sequence[Trial], values: dict[str, float]) -> dict[str, Any]:
    from denas_core.results.result import finite

    rows = []
    for rank, trial in enumerate(ranked, start=1):
        row = trial.as_dict()
        del row["generation"]
        value = values.get(trial.arch.key)
        rows.append(
            {
                "rank": rank,
                "score": None if value is None else finite(value),
                "notation": setup.space.format(trial.arch),
                **row,
            }
        )
    return {
        "schema": SCHEMA,
        "space": setup.space.id,
        "seed": setup.config.seed,
        "score_is": "rank within this list" if setup.scoring.is_relative else "absolute",
        "failed": sum(not trial.is_scored for trial in ranked),
        "architectures": rows,
    }


def _print(setup: Setup, ranked: Sequence[Trial], values: dict[str, float], columns: str | None) -> None:
    from denas_core.values.metrics import shown_metrics

    components = list(setup.scoring.components)
    found = {name for trial in ranked for name in trial.evaluation.metrics}
    metrics = [name for name in shown_metrics(found) if name not in components]
    rows = [
        [
            rank,
            trial.arch.key[:12],
            values.get(trial.arch.key),
            *(trial.evaluation.components.get(name) for name in components),
            *(trial.evaluation.metrics.get(name) for name in metrics),
        ]
        for rank, trial in enumerate(ranked, start=1)
    ]
    print_table(["rank", "key", "score", *components, *metrics], rows, chosen=columns, more=MORE)
