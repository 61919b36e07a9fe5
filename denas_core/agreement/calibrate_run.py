"""Fit the weights of a run's score to trainings of its networks, and rank the run with them."""

from __future__ import annotations

import contextlib
import dataclasses
import json
import math
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from denas_core.errors import ConfigError, NoResult
from denas_core.evaluation.scoring import LATENCY, component_columns
from denas_core.racing.run_trainings import RunTrainings
from denas_core.racing.searched_run import SearchedRun
from denas_core.racing.side_by_side import OnProgress
from denas_core.registry.registry import Registry
from denas_core.report.sections.confidence import FILE as CONFIDENCE
from denas_core.report.write import report_search
from denas_core.results.calibrated import SCHEMA, describe_calibration, with_weights
from denas_core.results.result import SearchResult, make_result, write_result
from denas_core.runs.files import CALIBRATION, RESULT
from denas_core.setup.stored import ranking_setup, stored_setup
from denas_core.study.run_directory import RunDirectory
from denas_core.system.atomic import storage_errors, write_json
from denas_core.system.machine import moment
from denas_core.values.ranking import log_rank_sum
from denas_core.values.sample import sample_of
from denas_core.values.table import Table
from denas_core.values.trial import Evaluation, Trial

from .calibration import FEWEST_NETWORKS, Calibration, calibrate
from .trained_table import describe_failed
from .wording import estimate


@dataclasses.dataclass(slots=True, kw_only=True)
class RunCalibration:
    """The calibration of a run.

    Attributes:
        run: The run.
        trainings: How its networks are trained.
        chosen: The trials whose networks are trained.
        columns: Log-ranks by component for each scored trial of the run, by key.
        notices: What the user should know about the trainings, after `fit`.
    """

    run: SearchedRun
    trainings: RunTrainings
    chosen: Sequence[Trial]
    columns: Mapping[str, Mapping[str, float]]
    notices: list[str] = dataclasses.field(default_factory=list)

    @classmethod
    def of(
        cls, run: SearchedRun, make_trainings: Callable[[], RunTrainings], count: int, registry: Registry
    ) -> RunCalibration:
        """Choose the networks to train.

        Raises:
            ConfigError: there are too few, or the score of the run has no weights.
        """
        if count < FEWEST_NETWORKS:
            raise ConfigError(f"--train {count}: weights are fitted to at least {FEWEST_NETWORKS} networks")
        columns = _log_ranks(run, registry)
        chosen = run.choose(count)
        return cls(run=run, trainings=make_trainings(), chosen=chosen, columns=columns)

    def fit(
        self, *, registry: Registry, on_progress: OnProgress, notify: Callable[[str], None]
    ) -> dict[str, Any]:
        """Train the networks, and return the fitted weights with all numbers, as `CALIBRATION` keeps them.

        Raises:
            NoResult: too few networks could be trained, or the weights are not better than those of the search.
            Interrupted: a signal stopped the trainings.
        """
        trained = self.trainings.train(
            [trial.arch for trial in self.chosen], registry=registry, on_progress=on_progress, notify=notify
        )
        self.notices += describe_failed(self.chosen, trained)
        used = [trial for trial in self.chosen if trained[trial.arch.key].state == "scored"]
        if len(used) < FEWEST_NETWORKS:
            raise NoResult(
                f"{len(used)} of {len(self.chosen)} networks could be trained, and weights are fitted to at least "
                f"{FEWEST_NETWORKS}; the trainings are kept; {self.notices[0]}"
            )
        metric = self.trainings.plan.task.metric
        sign = 1.0 if metric.direction == "maximize" else -1.0
        before = {name: self.run.combination.weights[name] for name in self.columns}
        found = calibrate(
            {name: [column[trial.arch.key] for trial in used] for name, column in self.columns.items()},
            [sign * metric.counted(trained[trial.arch.key].metrics[metric.name]) for trial in used],
            before,
        )
        if not found.is_better:
            raise NoResult(self._refusal(found, len(used)))
        return self._document(found, used, trained)

    def _refusal(self, found: Calibration, used: int) -> str:
        metric = self.trainings.plan.task.metric.name
        now = estimate(found.tau, found.tau_interval)
        before = estimate(found.tau_before, found.tau_before_interval)
        return (
            f"weights fitted to {used} networks do not rank better than those of the search: tau-b with {metric} {now} "
            f"for networks that had no part in the fit, and {before} with those of the search; they are better "
            f"in {round(100 * found.better_share)} % of the draws of networks; run {str(self.run.path)!r} is unchanged"
        )

    def _document(
        self, found: Calibration, used: Sequence[Trial], trained: Mapping[str, Evaluation]
    ) -> dict[str, Any]:
        plan = self.trainings.plan
        return {
            "schema": SCHEMA,
            "generated": moment(),
            "run": str(self.run.path),
            "weights": dict(found.weights),
            "weights_before": {name: self.run.combination.weights[name] for name in self.columns},
            "penalty": None if math.isinf(found.penalty) else found.penalty,
            "kendall": found.tau,
            "kendall_ci": found.tau_interval,
            "kendall_before": found.tau_before,
            "kendall_before_ci": found.tau_before_interval,
            "difference_ci": found.difference_interval,
            "better_share": found.better_share,
            "metric": plan.task.metric.name,
            "task": plan.task.reference(),
            "data": str(plan.data),
            "settings": plan.settings.options(),
            "samples": self.trainings.samples,
            "valid_samples": self.trainings.valid_samples,
            "networks": [
                {
                    "key": trial.arch.key,
                    "params": trial.evaluation.metrics["params"],
                    **dict(trained[trial.arch.key].metrics),
                }
                for trial in used
            ],
            "notices": list(self.notices),
        }


def rank_anew(path: Path, calibration: Mapping[str, Any] | None, registry: Registry) -> SearchResult:
    """Write the ranking of a run with the weights of a calibration, or with those of its search.

    Writes ``result.json``, ``best.json``, the architectures of the finalists and the report.

    Args:
        path: The run.
        calibration: The document of the calibration, which is written first; None removes that of the run.
        registry: The installed plugins.

    Raises:
        ConfigError, NotInstalled, PluginError: a component cannot be had.
        RunBusy, StoreDamaged, StorageError: the run cannot be used.
    """
    with RunDirectory.open(path) as directory:
        header = directory.store.header()
        config = header["config"]
        if calibration is not None:
            config = with_weights(config, calibration["weights"])
        # Nothing is scored, so the device of the run does not matter.
        setup = stored_setup({**header, "config": config}, registry, origin=str(path), device="cpu")
        trials = directory.store.trials()
        is_finished = _is_finished(path)
        if calibration is not None:
            write_json(path / CALIBRATION, dict(calibration))
        else:
            with storage_errors(path):
                (path / CALIBRATION).unlink(missing_ok=True)
        notices = describe_calibration(path)
        result = make_result(path, setup, trials, notices=notices, is_finished=is_finished)
        write_result(result)
        with storage_errors(path):
            # It belongs to the ranking before.
            (path / CONFIDENCE).unlink(missing_ok=True)
        failures = report_search(path, directory.store, setup, notices=notices)
        return dataclasses.replace(result, notices=[*result.notices, *failures])


def _log_ranks(run: SearchedRun, registry: Registry) -> dict[str, dict[str, float]]:
    """Return the log-ranks of each component among the trials of the run, by key.

    Raises:
        ConfigError: the score of the run has no weights, or does not add weighted log-ranks.
    """
    scoring = ranking_setup(run.config, registry, origin=str(run.path)).scoring
    names = [name for name in scoring.weights if name != LATENCY]
    score = run.config["score"]["name"]
    if not run.combination.is_relative or len(names) < 2:
        raise ConfigError(
            f"score {score!r} of run {str(run.path)!r} has a single component, so there are no weights to fit"
        )
    sample = sample_of(run.ranked) if run.combination.uses_sample else []
    columns: dict[str, list[float]] = {}
    for name in scoring.weights:
        components = scoring.components
        direction = components[name].direction if name in components else "minimize"
        columns[name] = log_rank_sum(
            Table(
                columns=component_columns([name], run.ranked),
                weights={name: 1.0},
                directions={name: direction},
                sample=component_columns([name], sample) if sample else None,
            )
        )
    for place, trial in enumerate(run.ranked):
        value = sum(weight * columns[name][place] for name, weight in scoring.weights.items())
        if not math.isclose(value, run.values[trial.arch.key], rel_tol=1e-9, abs_tol=1e-9):
            raise ConfigError(
                f"score {score!r} of run {str(run.path)!r} does not add the weighted log-ranks of its components, so "
                "there are no weights to fit"
            )
    keys = [trial.arch.key for trial in run.ranked]
    return {name: dict(zip(keys, columns[name], strict=True)) for name in names}


def _is_finished(path: Path) -> bool:
    with contextlib.suppress(OSError, ValueError, KeyError, TypeError):
        return bool(json.loads((path / RESULT).read_text(encoding="utf-8"))["finished"])
    return True
