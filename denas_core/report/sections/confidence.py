"""Score the best candidates again with other seeds, and store the values in the run directory."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from denas_core.errors import NoResult
from denas_core.evaluation.spread import opened, spread
from denas_core.runs.files import FINALISTS
from denas_core.setup.setup import Setup
from denas_core.system.atomic import write_json
from denas_core.values.trial import Trial

from .stability import Values, agreement

FILE = "confidence.json"
SCHEMA = "denas.confidence/1"
CONTEXT = 10
"""Number of other candidates that are scored again. They are spread evenly over the rest of the ranking."""

SEEDS = 4
LARGEST_SEED = 2**63 - 1

OnProgress = Callable[[int, int], None]


def context_of(header: Mapping[str, Any]) -> dict[str, Any]:
    """Return the facts on which stored values depend: score, space, seed, versions, machine."""
    config = header["config"]
    return {
        **{name: config[name] for name in ("space", "score", "seed", "device", "threads")},
        **{name: header[name] for name in ("fingerprint", "distributions", "environment")},
        **({"data": header["data"]} if "data" in header else {}),
    }


def read_confidence(run: Path) -> dict[str, Any] | None:
    """Return the stored measurement; None if there is none, or if it cannot be read."""
    try:
        document = json.loads((run / FILE).read_text(encoding="utf-8"))
        return document if document["schema"] == SCHEMA and isinstance(document["values"], dict) else None
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return None


def select(ranked: Sequence[Trial]) -> tuple[list[Trial], list[Trial]]:
    """Return the finalists, and candidates spread evenly over the rest of the ranking, including the last one.

    Args:
        ranked: Scored trials, best first.
    """
    finalists, rest = list(ranked[:FINALISTS]), ranked[FINALISTS:]
    if len(rest) <= CONTEXT:
        return finalists, list(rest)
    return finalists, [rest[round((i + 1) * (len(rest) - 1) / CONTEXT)] for i in range(CONTEXT)]


def measure_confidence(
    run: Path,
    header: Mapping[str, Any],
    setup: Setup,
    trials: Sequence[Trial],
    *,
    seeds: int = SEEDS,
    on_progress: OnProgress = lambda done, total: None,
) -> None:
    """Score the selected candidates with further seeds, and store the values after each candidate.

    Values that are stored already, from an interrupted measurement or from fewer seeds, are not computed again.

    Args:
        run: The run directory, into which the file is written after each candidate.
        header: The header of the run.
        setup: The objects of the run.
        trials: Every trial of the run.
        seeds: Number of further seeds.
        on_progress: Called after each evaluation with the number of finished evaluations and the total.

    Raises:
        NoResult: no trial is scored.
        StorageError: the file system refuses.
    """
    ranked, _ = setup.scoring.rank(trials)
    finalists, context = select([trial for trial in ranked if trial.is_scored])
    if not finalists:
        raise NoResult(f"run {str(run)!r} has no scored trial, so there is no ranking to check")
    before = read_confidence(run) or {}
    kept = before.get("values", {}) if before.get("context") == context_of(header) else {}
    document: dict[str, Any] = {"schema": SCHEMA, "context": context_of(header), "values": kept}
    chosen = [*finalists, *context]
    done, total = 0, seeds * len(chosen)
    with opened(setup.executor, setup.demand()) as executor:
        for seed in further_seeds(setup.config.seed, seeds):
            config = setup.config.model_copy(update={"seed": seed})
            evaluator = dataclasses.replace(setup, config=config).evaluator()
            row = kept.setdefault(str(seed), {})
            left = [trial.arch for trial in chosen if trial.arch.key not in row]
            done += len(chosen) - len(left)
            for arch, evaluation in spread(executor, evaluator.evaluate_scores, left):
                row[arch.key] = {"components": dict(evaluation.components), "failure": evaluation.reason}
                write_json(run / FILE, document)
                done += 1
                on_progress(done, total)
    write_json(run / FILE, {**document, **_summary(setup, finalists, context, kept)})


def further_seeds(seed: int, count: int) -> list[int]:
    """Return the `count` seeds after `seed`."""
    return [(seed + 1 + i) % (LARGEST_SEED + 1) for i in range(count)]


def usable_summary(
    document: Mapping[str, Any] | None, header: Mapping[str, Any], ranked: Sequence[Trial]
) -> tuple[dict[str, Any] | None, list[str]]:
    """Return the summary of a measurement; None and a notice if it does not belong to this ranking.

    Args:
        document: The result of `read_confidence`.
        header: The header of the run.
        ranked: Scored trials, best first.
    """
    if document is None:
        return None, []
    again = "measure it again with 'denas report --confidence'"
    if document.get("context") != context_of(header):
        return None, [f"{FILE} belongs to other options or versions and is ignored; {again}"]
    if "summary" not in document:
        return None, [
            f"{FILE} is unfinished: the measurement was stopped; continue with 'denas report --confidence'"
        ]
    finalists, context = select(ranked)
    if document.get("selected") != [trial.arch.key for trial in (*finalists, *context)]:
        return None, [f"{FILE} belongs to an earlier ranking of this run and is ignored; {again}"]
    return dict(document["summary"]), []


def _summary(
    setup: Setup, finalists: Sequence[Trial], context: Sequence[Trial], kept: Mapping[str, Any]
) -> dict[str, Any]:
    # The same candidates are ranked for every seed, because a combined value depends on the other candidates. They get
    # one generation, so that none of them are the random sample of the others.
    chosen = [dataclasses.replace(trial, generation=0) for trial in (*finalists, *context)]
    by_seed: list[list[Trial]] = [list(chosen)]
    failures: list[dict[str, Any]] = []
    for seed, row in kept.items():
        again = []
        for trial in (trial for trial in chosen if trial.arch.key in row):
            found = row[trial.arch.key]
            if found["failure"]:
                failures.append({"seed": int(seed), "key": trial.arch.key, "reason": found["failure"]})
                continue
            evaluation = dataclasses.replace(trial.evaluation, components=found["components"])
            again.append(dataclasses.replace(trial, evaluation=evaluation))
        if len(row.keys() & {trial.arch.key for trial in chosen}) == len(chosen):
            by_seed.append(again)
    combined = [setup.scoring.values(trials) for trials in by_seed]
    components = [_oriented_values(setup, trials) for trials in by_seed]
    keys = [trial.arch.key for trial in finalists]
    summary = agreement(combined, components, finalists=keys, best=keys[0])
    return {
        "selected": [trial.arch.key for trial in chosen],
        "summary": {**summary, "failures": failures},
    }


def _oriented_values(setup: Setup, trials: Sequence[Trial]) -> dict[str, Values]:
    signs = {
        name: 1.0 if score.direction == "maximize" else -1.0
        for name, score in setup.scoring.components.items()
    }
    return {
        name: {
            t.arch.key: sign * t.evaluation.components[name]
            for t in trials
            if name in t.evaluation.components
        }
        for name, sign in signs.items()
    }
