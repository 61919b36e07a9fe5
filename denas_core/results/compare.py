"""Comparison of several runs: what differs, which trials are equal, and which candidates are the best of all runs."""

from __future__ import annotations

import contextlib
import dataclasses
import itertools
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

from denas_core.errors import ConfigError, DenasError
from denas_core.registry.registry import Registry
from denas_core.runs.files import read_run
from denas_core.runs.races import read_race, trained_metric
from denas_core.setup.config import COMPONENTS, differences, make_config
from denas_core.setup.stored import stored_document, with_new_options
from denas_core.values.metrics import Metrics, stored_metrics
from denas_core.values.objectives import SCORE, Objective
from denas_core.values.ranking import kendall_tau
from denas_core.values.trial import Trial, count_states

from .combination import Combination, combination_of
from .comparable import comparable
from .compare_trained import compare_trained
from .insight import Insight
from .joint import Member, rank_jointly
from .machines import count_machines, kind_of_latency, side_by_side
from .result import describe_value, finite

SCHEMA = "denas.compare/1"
FIELDS = ("index", "generation", "key", "architecture", "state", "reason", "components", "metrics")
"""Names of the columns of `comparable`, in order."""

SHOWN = 10


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """The stored data of a run, and how its trials are ranked.

    Attributes:
        path: The run directory.
        header: The header of its store: configuration, versions and machine.
        trials: The trials.
        active_seconds: Seconds of work.
        combination: How its components become one value; None if this is unknown.
        reason: Why `combination` is unknown.
        metrics: The metrics of the run.
        searched: The trials as the search evaluated them, before finalists were measured.
        machines: Latencies of the networks that were measured after the search, see `side_by_side`.
    """

    path: Path
    header: Mapping[str, Any]
    trials: Sequence[Trial]
    active_seconds: float
    combination: Combination | None
    reason: str = ""
    metrics: Metrics = dataclasses.field(default_factory=stored_metrics)
    searched: Sequence[Trial] = ()
    machines: Mapping[str, Any] | None = None

    @property
    def config(self) -> Mapping[str, Any]:
        """Its configuration, with every option written out."""
        config: Mapping[str, Any] = self.header["config"]
        return config

    def best(self) -> tuple[Trial, float] | None:
        """Return the best trial and its value within the run; None without a scored one, or without a ranking."""
        if self.combination is None or not any(trial.is_scored for trial in self.trials):
            return None
        ranked, values = self.combination.rank(self.trials)
        return ranked[0], values[ranked[0].arch.key]


def read_runs(paths: Sequence[Path]) -> list[Run]:
    """Read the stored data of runs.

    Raises:
        ConfigError: there are fewer than two runs, or a run is named twice.
        ConfigError, StoreDamaged, StorageError: a run cannot be read.
    """
    if len(paths) < 2 and not any(count_machines(path) > 1 for path in paths):
        raise ConfigError(
            "a comparison takes two runs or more, or one whose latency two machines have measured; name their "
            "directories"
        )
    for path in paths:
        if sum(other.resolve() == path.resolve() for other in paths) > 1:
            raise ConfigError(f"run {str(path)!r} is named twice; name another one")
    registry = cache(Registry.discover)
    return _with_new_options([_read(path, registry) for path in paths], registry)


def compare_runs(runs: Sequence[Run]) -> dict[str, Any]:
    """Return the comparison of two or more runs, as JSON can represent it."""
    pairs = list(itertools.combinations(runs, 2))
    obstacle = why_not_jointly(runs)
    return {
        "schema": SCHEMA,
        "runs": [_describe(run) for run in runs],
        "differences": [{"run": str(run.path), **_differences(runs[0], run)} for run in runs[1:]],
        "tables": [{"run": str(run.path), **_repeats(runs[0], run)} for run in runs[1:]],
        "shared": [_shared(first, second) for first, second in pairs],
        "joint": None if obstacle else _joint(runs),
        "not_comparable": obstacle,
        "trained": compare_trained([run.path for run in runs]),
    }


def why_not_jointly(runs: Sequence[Run]) -> str | None:
    """Return why the trials of these runs cannot be ranked together; None if they can."""
    first = runs[0]
    for run in runs:
        if run.combination is None:
            return f"{run.path} cannot be ranked: {run.reason}"
        if run.config["space"]["name"] != first.config["space"]["name"]:
            return f"{first.path} searched {first.config['space']['name']}, {run.path} {run.config['space']['name']}"
        if run.header["fingerprint"] != first.header["fingerprint"]:
            changed = differences(first.config["space"], run.config["space"], prefix="space.")
            causes = "; ".join(changed) or "files behind equal options"
            return f"equal settings mean other networks in {first.path} and {run.path}: {causes}"
        changed = differences(first.config["score"], run.config["score"], prefix="score.")
        # Data may lie in another place and be the same.
        changed += differences(*(_task_and_data(each) for each in (first, run)), prefix="data.")
        # Weights that were fitted to trainings are not in the configuration.
        changed = changed or differences(_weights(first), _weights(run), prefix="weights.")
        if "latency" in run.combination.weights:
            changed += differences(first.config["probe"], run.config["probe"], prefix="probe.")
            kinds = [kind_of_latency(each.searched) for each in (first, run)]
            if kinds[0] != kinds[1]:
                changed.append(f"latency: {kinds[0]} -> {kinds[1]}")
        if changed:
            return f"{first.path} and {run.path} score differently: {'; '.join(changed)}"
    if not any(trial.is_scored for run in runs for trial in run.trials):
        return "no run has a scored trial"
    return None


def _read(path: Path, registry: Callable[[], Registry]) -> Run:
    with read_run(path) as store:
        header, trials, seconds = store.header(), store.trials(), store.active_seconds()
        searched, measurements = store.searched_trials(), store.measurements()
    combination, reason = None, ""
    insight = Insight.read(path)
    try:
        combination = combination_of(path, header["config"], trials, registry)
    except DenasError as error:
        reason = str(error)
    return Run(
        path=path,
        header=header,
        trials=trials,
        active_seconds=seconds,
        combination=combination,
        reason=reason,
        searched=searched,
        machines=side_by_side(searched, measurements),
        metrics=stored_metrics(insight.metrics if insight else ()),
    )


def _with_new_options(runs: Sequence[Run], registry: Callable[[], Registry]) -> list[Run]:
    """Return the runs with the options that did not exist when they were made, if another run stores these.

    The options of a component that is not installed stay as they are stored.
    """
    completed = [make_config(stored_document(run.config), origin=str(run.path)).as_dict() for run in runs]
    for kind in COMPONENTS:
        for config in completed:
            same = [other[kind] for other in completed if other[kind]["name"] == config[kind]["name"]]
            if any(other.keys() - config[kind].keys() for other in same):
                with contextlib.suppress(DenasError):
                    cls = registry().load(kind, config[kind]["name"])
                    config[kind] = with_new_options(config[kind], cls)
    return [
        dataclasses.replace(run, header={**run.header, "config": config})
        for run, config in zip(runs, completed, strict=True)
    ]


def _describe(run: Run) -> dict[str, Any]:
    config, best = run.config, run.best()
    weights = run.combination.weights if run.combination else config["score"].get("weights", {})
    keep = ("constraints", "objectives", "budget", "seed", "device", "threads")
    return {
        "run": str(run.path),
        **{kind: config[kind]["name"] for kind in ("space", "score", "strategy")},
        "weights": dict(weights),
        **{key: config[key] for key in keep},
        "distributions": dict(run.header["distributions"]),
        "trials": count_states(run.trials),
        "active_seconds": run.active_seconds,
        "score_is": None
        if run.combination is None
        else describe_value(
            is_relative=run.combination.is_relative,
            sampled=run.combination.sampled(run.trials),
            within="its run",
        ),
        "best": None
        if best is None
        else {
            "key": best[0].arch.key,
            "index": best[0].index,
            "score": finite(best[1]),
            "components": dict(best[0].evaluation.components),
            "metrics": dict(best[0].evaluation.metrics),
            "latency": _plain(best[0].evaluation.latency),
        },
        "latency_is": kind_of_latency(run.searched),
        "machines": None if run.machines is None else dict(run.machines),
        "not_ranked": run.reason,
        **_describe_training(run.path),
    }


def _describe_training(path: Path) -> dict[str, Any]:
    trained, race = trained_metric(path), read_race(path)
    return {
        "trained": None if trained is None else {"metric": trained[0], "value": trained[1]},
        "race": None if race is None or race["result"] is None else race["result"],
    }


def _weights(run: Run) -> dict[str, float]:
    return {} if run.combination is None else dict(run.combination.weights)


def _task_and_data(run: Run) -> dict[str, Any]:
    task = run.config.get("data", {}).get("task")
    return {**({} if task is None else {"task": task}), **run.header.get("data", {})}


def _differences(first: Run, other: Run) -> dict[str, list[str]]:
    here, there = (
        {name: run.header[name] for name in ("distributions", "environment", "fingerprint")}
        for run in (first, other)
    )
    config = [line for line in differences(first.config, other.config) if not line.startswith("out:")]
    return {"config": config, "installation": differences(here, there)}


def _repeats(first: Run, other: Run) -> dict[str, Any]:
    """Return whether two runs have the same table of trials, and where the first difference is."""
    rows, others = (comparable(run.searched, first.metrics) for run in (first, other))
    same = next((i for i, pair in enumerate(zip(rows, others, strict=False)) if pair[0] != pair[1]), None)
    if same is None:
        shorter = min(len(rows), len(others))
        return {
            "identical": len(rows) == len(others),
            "equal_trials": shorter,
            "longer_by": len(others) - len(rows),
        }
    ours, theirs = first.searched[same], other.searched[same]
    what = [name for name, a, b in zip(FIELDS, rows[same], others[same], strict=True) if a != b]
    scores = [trial.evaluation.components for trial in (ours, theirs)]
    values = {
        name: [components.get(name) for components in scores]
        for name in sorted({*scores[0], *scores[1]})
        if scores[0].get(name) != scores[1].get(name)
    }
    return {
        "identical": False,
        "equal_trials": same,
        "first_difference": {
            "trial": same,
            "in": what,
            "keys": [ours.arch.key, theirs.arch.key],
            "states": [ours.evaluation.state, theirs.evaluation.state],
            # The scores of two different architectures do not show whether scores are repeatable.
            "components": {} if "key" in what else values,
        },
    }


def _shared(first: Run, second: Run) -> dict[str, Any]:
    """Compare the scores of the architectures that both runs have scored."""
    ours, theirs = ({t.arch.key: t.evaluation for t in run.trials if t.is_scored} for run in (first, second))
    keys = [key for key in ours if key in theirs]
    equal = sum(ours[key].components == theirs[key].components for key in keys)
    names = sorted({name for key in keys for name in ours[key].components if name in theirs[key].components})
    taus: dict[str, float | None] = {}
    for name in names:
        rows = [
            (ours[key].components[name], theirs[key].components[name])
            for key in keys
            if name in ours[key].components and name in theirs[key].components
        ]
        taus[name] = kendall_tau([a for a, _ in rows], [b for _, b in rows])
    return {
        "runs": [str(first.path), str(second.path)],
        "architectures": len(keys),
        "equal": equal,
        "same_seed": first.config["seed"] == second.config["seed"],
        "kendall_tau": taus,
    }


def _joint(runs: Sequence[Run]) -> dict[str, Any]:
    combination = runs[0].combination
    assert combination is not None  # `why_not_jointly` has checked it
    axes_of = [[Objective.parse(text, run.metrics) for text in run.config["objectives"]] for run in runs]
    axes = [axis for axis in axes_of[0] if all(axis in others for others in axes_of)] or [Objective(SCORE)]
    objectives = [axis.text(runs[0].metrics) for axis in axes]
    members = rank_jointly([run.trials for run in runs], combination, axes)
    sampled = combination.sampled([member.trial for member in members])
    return {
        "members": len(members),
        "score_is": describe_value(is_relative=combination.is_relative, sampled=sampled, within="all runs")
        if sampled
        else ("rank among the trials of all runs" if combination.is_relative else "absolute"),
        "sampled": sampled,
        "same_seed": len({run.config["seed"] for run in runs}) == 1,
        "latency_is": sorted({kind for run in runs if (kind := kind_of_latency(run.searched))}),
        "same_installation": not any(_differences(runs[0], run)["installation"] for run in runs[1:]),
        "objectives": objectives,
        "top": [_row(place, member, runs) for place, member in enumerate(members[:SHOWN], start=1)],
        "front": {
            "size": sum(member.on_front for member in members),
            "by_run": {
                str(run.path): sum(member.on_front and place in member.runs for member in members)
                for place, run in enumerate(runs)
            },
        },
    }


def _row(place: int, member: Member, runs: Sequence[Run]) -> dict[str, Any]:
    return {
        "rank": place,
        "runs": [str(runs[i].path) for i in member.runs],
        "key": member.trial.arch.key,
        "score": finite(member.value),
        "on_front": member.on_front,
        "components": dict(member.trial.evaluation.components),
        "metrics": dict(member.trial.evaluation.metrics),
        "latency": _plain(member.trial.evaluation.latency),
    }


def _plain(latency: Mapping[str, Any] | None) -> dict[str, Any] | None:
    return None if latency is None else dict(latency)
