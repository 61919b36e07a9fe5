"""What the files of one training say. Nothing is loaded, and what is damaged or missing is named instead of raised."""

from __future__ import annotations

import dataclasses
import json
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from .files import TRAINING_LOG, TRAINING_RESULT, TRAINING_SETTINGS, read_document


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class CurvePoint:
    """An evaluation in the course of a training.

    Attributes:
        step: Optimizer steps until then.
        epoch: Epochs until then.
        loss: Mean loss of the training steps since the evaluation before; None if the log has none.
        metric: Value of the metric; None if the evaluation does not have it.
    """

    step: int
    epoch: float
    loss: float | None
    metric: float | None


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class StoredTraining:
    """A training, as its files describe it.

    Attributes:
        directory: Its directory.
        key: Key of the architecture; None if no file says it.
        task: Id of the task; None if no file says it.
        metric: Name of the metric that chose the best model; None if no file says it.
        metric_facts: ``direction``, ``worst`` and ``is_share`` of the metric, as far as they are known. Earlier
            versions did not store them.
        value: Value of the metric for the best model; None before the first evaluation.
        metrics: All metrics of the best model.
        measured: What the metric of the best model was measured on: ``samples``, ``mistakes`` and ``worst``,
            as far as they are known. Earlier versions did not store it.
        epochs: Epochs that were planned; None if no file says it.
        best_epoch: Epochs after which the best model was evaluated.
        seconds: Seconds that the training took.
        stopped: Why it ended before its last epoch; empty if it did not.
        is_finished: Whether it has ended.
        curve: Its evaluations.
        missing: Sentences about what its files do not say.
    """

    directory: Path
    key: str | None
    task: str | None
    metric: str | None
    metric_facts: Mapping[str, Any]
    value: float | None
    metrics: Mapping[str, float]
    measured: Mapping[str, Any]
    epochs: float | None
    best_epoch: float | None
    seconds: float | None
    stopped: str
    is_finished: bool
    curve: tuple[CurvePoint, ...]
    missing: tuple[str, ...]


def read_training(directory: Path) -> StoredTraining:
    """Return what the files in the directory of a training say."""
    settings = read_document(directory / TRAINING_SETTINGS)
    result = read_document(directory / TRAINING_RESULT)
    rows = _rows(directory / TRAINING_LOG)
    facts = mapping(settings.get("metric"))
    metric = _text(result.get("metric")) or _text(facts.get("name"))
    metrics = numbers(result.get("best"))
    curve = tuple(_curve(rows, metric))
    return StoredTraining(
        directory=directory,
        key=_text(settings.get("key")),
        task=_text(result.get("task")) or _text(mapping(settings.get("task")).get("id")),
        metric=metric,
        metric_facts=facts,
        value=None if metric is None else metrics.get(metric),
        metrics=metrics,
        measured=mapping(result.get("measured")),
        epochs=number(mapping(settings.get("settings")).get("epochs")),
        best_epoch=number(result.get("best_epoch")),
        seconds=number(result.get("seconds")),
        stopped=_text(result.get("stopped")) or "",
        is_finished=bool(result),
        curve=curve,
        missing=tuple(_missing(directory, settings, result, metric, rows)),
    )


def numbers(value: Any) -> dict[str, float]:
    """Return the entries of a mapping that are finite numbers; none if it is not a mapping."""
    found = {str(name): number(one) for name, one in mapping(value).items()}
    return {name: one for name, one in found.items() if one is not None}


def number(value: Any) -> float | None:
    """Return a finite number of a document as a float; None if it is something else."""
    is_number = isinstance(value, (int, float)) and not isinstance(value, bool)
    return float(value) if is_number and math.isfinite(value) else None


def mapping(value: Any) -> Mapping[str, Any]:
    """Return a mapping of a document; an empty one if it is something else."""
    return value if isinstance(value, dict) else {}


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) and value else None


def _rows(path: Path) -> list[Mapping[str, Any]]:
    """Return the rows of a log that can be read; the last one may have been cut off."""
    try:
        lines = path.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return []
    rows: list[Mapping[str, Any]] = []
    for line in lines:
        try:
            row = json.loads(line)
        except (ValueError, RecursionError):
            continue
        if isinstance(row, dict) and number(row.get("step")) is not None:
            rows.append(row)
    return rows


def _curve(rows: Sequence[Mapping[str, Any]], metric: str | None) -> list[CurvePoint]:
    points: list[CurvePoint] = []
    losses: list[float] = []
    for row in rows:
        if (loss := number(row.get("loss"))) is not None:
            losses.append(loss)
        if not isinstance(row.get("metrics"), dict):
            continue
        points.append(
            CurvePoint(
                step=int(row["step"]),
                epoch=number(row.get("epoch")) or 0.0,
                loss=math.fsum(losses) / len(losses) if losses else None,
                metric=None if metric is None else numbers(row["metrics"]).get(metric),
            )
        )
        losses = []
    return points


def _missing(
    directory: Path,
    settings: Mapping[str, Any],
    result: Mapping[str, Any],
    metric: str | None,
    rows: Sequence[Mapping[str, Any]],
) -> list[str]:
    found = []
    if not settings:
        found.append(f"its {TRAINING_SETTINGS} {_fault(directory / TRAINING_SETTINGS)}")
    elif _text(settings.get("key")) is None:
        found.append(f"its {TRAINING_SETTINGS} does not say its network")
    if not result:
        damaged = (directory / TRAINING_RESULT).exists()
        found.append(f"its {TRAINING_RESULT} cannot be read" if damaged else "it has not ended")
    elif metric is None or metric not in numbers(result.get("best")):
        found.append(f"its {TRAINING_RESULT} does not say the value of its metric")
    if not rows:
        found.append(f"its {TRAINING_LOG} {_fault(directory / TRAINING_LOG)}")
    return found


def _fault(path: Path) -> str:
    return "cannot be read" if path.exists() else "is missing"
