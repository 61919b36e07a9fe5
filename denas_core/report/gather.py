"""Make the document of a report from a run directory. Every number in a report is computed here or in `sections`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from denas_core.results.against_random import against_random
from denas_core.results.front import course_of_hypervolume, select_front, select_knee
from denas_core.results.insight import Insight
from denas_core.results.race import summarise_race
from denas_core.results.result import finite
from denas_core.results.trained import trained_networks
from denas_core.runs.files import FINALISTS
from denas_core.runs.races import read_race, trained_metric
from denas_core.runs.store import Store
from denas_core.system.machine import moment
from denas_core.values.latency import predicted_metrics
from denas_core.values.metrics import Metrics, shown_metrics, stored_metrics
from denas_core.values.objectives import Objective
from denas_core.values.trial import Evaluation, Trial, count_states

from .sections.answer import answer
from .sections.budgets import constraint_rows, describe_budgets
from .sections.build import describe_build
from .sections.commands import next_commands, resume_command
from .sections.comparison import compare
from .sections.confidence import read_confidence, usable_summary
from .sections.failures import group_reasons
from .sections.fits import describe_fit
from .sections.knobs import knob_influence
from .sections.latency import describe_latency
from .sections.provenance import describe_provenance
from .sections.trained import describe_trained
from .sections.verdict import state_verdict

SCHEMA = "denas.report/1"


def gather(
    run: Path,
    store: Store,
    insight: Insight | None,
    *,
    trials: Sequence[Trial] | None = None,
    top: int = FINALISTS,
    notices: Sequence[str] = (),
) -> dict[str, Any]:
    """Return the document of a report, as JSON can represent it.

    Args:
        run: The run directory.
        store: Its open store.
        insight: Facts that only the space and the score can give. None leaves out ranking, comparison and drawing.
        trials: The trials in the store, if they have been read already.
        top: Number of finalists.
        notices: Further notices for the user.

    Raises:
        StoreDamaged, StorageError: the store cannot be read.
    """
    header = store.header()
    trials = store.trials() if trials is None else trials
    config = header["config"]
    messages = [*notices, *(insight.notices if insight else ())]
    values = insight.values if insight else {}
    ranked = _ranked(trials, values)
    unranked = sum(trial.is_scored for trial in trials) - len(ranked)
    if unranked and ranked:
        messages.append(
            f"{unranked} scored trials are newer than the stored ranking of the search and are missing in it"
        )
    metrics = stored_metrics(insight.metrics if insight else ())
    race = read_race(run)
    front, knee, course = _front(ranked, values, insight, metrics)
    best = ranked[0] if ranked else None
    confidence, reasons = usable_summary(read_confidence(run), header, ranked)
    messages += reasons
    has_latency = any(trial.evaluation.latency is not None for trial in trials)
    places = {trial.arch.key: place for place, trial in enumerate(ranked, start=1)}
    on_front = {trial.arch.key for trial in front}
    rows = [_row(trial, values.get(trial.arch.key), places.get(trial.arch.key), on_front) for trial in trials]
    by_key = {row["key"]: row for row in rows}
    constraints = insight.constraints if insight else ()
    shown = shown_metrics(name for trial in trials for name in trial.evaluation.metrics)
    document: dict[str, Any] = {
        "schema": SCHEMA,
        "generated": moment(),
        "run": str(run),
        "subject": "The search found",
        "space": {"id": config["space"]["name"], "size": insight.size if insight else None},
        "counts": count_states(trials),
        "generations": trials[-1].generation + 1 if trials else 0,
        "score": {
            "id": config["score"]["name"],
            "is_relative": insight.is_relative if insight else None,
            "weights": dict(insight.weights) if insight else {},
            "directions": dict(insight.directions) if insight else {},
        },
        "metrics": [{"name": name, "title": metrics.title(name)} for name in shown],
        "objectives": list(insight.objectives) if insight else list(config["objectives"]),
        "best": None if best is None else {**by_key[best.arch.key], "notation": insight and insight.notation},
        "against_random": _against_random(trials, values, best, insight),
        "comparison": compare(best, trials, insight.directions, metrics) if best and insight else None,
        "budgets": describe_budgets(constraints, insight.ranges if insight else {}, trials, best, shown),
        "confidence": confidence,
        "finalists": [by_key[trial.arch.key] for trial in ranked[:top]],
        "race": None if race is None else {**summarise_race(race), "resume": resume_command(run)},
        "trained": describe_trained(trained_networks(run)),
        "build": describe_build(run),
        "familiar": _familiar(insight, race),
        "front": [trial.arch.key for trial in front],
        "knee": None if knee is None else knee.arch.key,
        "hypervolume": None if course is None else [list(step) for step in course],
        "knobs": knob_influence(ranked),
        "drawing": None if insight is None else insight.drawing,
        "latency": describe_latency(run, store, trials),
        "failures": group_reasons(trials),
        "provenance": describe_provenance(
            run, header, metrics, active_seconds=store.active_seconds(), has_latency=has_latency
        ),
        "commands": next_commands(
            run,
            config,
            components=_scored_components(trials),
            has_best=best is not None,
            has_network=insight is not None and insight.drawing is not None,
            has_confidence=confidence is not None,
            is_trained=trained_metric(run) is not None,
        ),
        "notices": list(dict.fromkeys(messages)),
        "trials": rows,
    }
    document["shown"] = _shown(document)
    document["fits"] = _fit(document, constraints, insight, trials)
    document["answer"] = answer(document)
    document["verdict"] = state_verdict(document)
    return document


def _ranked(trials: Sequence[Trial], values: Mapping[str, float | None]) -> list[Trial]:
    def order(trial: Trial) -> tuple[float, str]:
        value = values[trial.arch.key]
        return (float("inf") if value is None else -value, trial.arch.key)

    return sorted((trial for trial in trials if trial.is_scored and trial.arch.key in values), key=order)


def _front(
    ranked: Sequence[Trial], values: Mapping[str, float | None], insight: Insight | None, metrics: Metrics
) -> tuple[list[Trial], Trial | None, list[tuple[int, float]] | None]:
    """Return the front, its knee, and its hypervolume after each trial."""
    if insight is None:
        return [], None, None
    known = {key: float("-inf") if value is None else value for key, value in values.items()}
    objectives = [Objective.parse(name, metrics) for name in insight.objectives]
    front = select_front(ranked, known, objectives)
    return front, select_knee(front, known, objectives), course_of_hypervolume(ranked, known, objectives)


def _familiar(insight: Insight | None, race: Mapping[str, Any] | None) -> dict[str, Any] | None:
    """Return the familiar network that the search has scored, or else that of the race, which has no score."""
    if insight is not None and insight.familiar is not None:
        return dict(insight.familiar)
    entrants = [] if race is None else race["entrants"]
    found = next((one for one in entrants if "familiar" in one["kinds"] and one.get("name")), None)
    if found is None:
        return None
    return {"name": found["name"], "key": found["key"], **found["metrics"], "is_better": None}


def _against_random(
    trials: Sequence[Trial], values: Mapping[str, float | None], best: Trial | None, insight: Insight | None
) -> dict[str, Any] | None:
    if best is None or insight is None or not insight.uses_sample:
        return None
    found = against_random(trials, values, best)
    return None if found is None else found.as_dict()


def _fit(
    document: Mapping[str, Any],
    constraints: Sequence[Mapping[str, Any]],
    insight: Insight | None,
    trials: Sequence[Trial],
) -> dict[str, Any]:
    """Return whether the network that the run gives keeps the budgets: the trained one, or else the first one."""
    row = document["shown"]
    shown: Evaluation | None = None
    if row is not None:
        shown = next(trial.evaluation for trial in trials if trial.arch.key == row["key"])
    else:
        # Only a race has networks that were no candidates; their parameters and FLOPs are counted.
        raced = [] if document["race"] is None else document["race"]["rows"]
        kept = None if document["trained"] is None else document["trained"]["kept"]
        found = next((one["metrics"] for one in raced if one["key"] == kept), None)
        shown = None if found is None else Evaluation(state="scored", metrics=found)
    rows = constraint_rows(constraints, insight.ranges if insight else {}, trials, shown)
    return describe_fit(rows, row, document["build"])


def _shown(document: Mapping[str, Any]) -> dict[str, Any] | None:
    """Return the row of the network that the run gives: the trained one, or else the best; None if it is no trial."""
    trained, best = document["trained"], document["best"]
    kept = None if trained is None else trained["kept"]
    key = kept if kept is not None else None if best is None else best["key"]
    return next((row for row in document["trials"] if row["key"] == key), None)


def _row(trial: Trial, value: float | None, rank: int | None, front: set[str]) -> dict[str, Any]:
    row = trial.as_dict()
    return {
        **row,
        "rank": rank,
        "score": None if value is None else finite(value),
        "on_front": trial.arch.key in front,
        "predicted_metrics": sorted(predicted_metrics(row["latency"])),
        "total_seconds": sum(row["seconds"].values()),
    }


def _scored_components(trials: Sequence[Trial]) -> list[str]:
    return list(dict.fromkeys(name for t in trials if t.is_scored for name in t.evaluation.components))
