"""The plan of a training. It is written beside the training, so that a resume needs no option again."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

from denas_core.contracts.space import SearchSpace
from denas_core.contracts.task import Task, TaskData
from denas_core.errors import ConfigError, StoreDamaged
from denas_core.registry.registry import Registry
from denas_core.runs.files import TRAINING_SETTINGS
from denas_core.setup.config import differences
from denas_core.system.atomic import storage_errors, write_json
from denas_core.values.architecture import Architecture

from .settings import MAY_CHANGE_ON_RESUME, TrainingSettings, make_settings

SCHEMA = "denas.training/1"
SETTINGS = TRAINING_SETTINGS
DATA = "data_identity"
METRIC = "metric"
COMPUTED_WITH = "computed_with"


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What is trained, on which data and with which settings.

    Attributes:
        space: The space of the architecture.
        arch: The architecture.
        task: The task that the network learns.
        settings: The settings of the training.
        data: The data set.
        device: ``cpu`` or ``cuda``.
        teacher: Directory of a trained model to learn from; None for none.
        source: Where the architecture comes from, such as the run of its search.
    """

    space: SearchSpace
    arch: Architecture
    task: Task[Any]
    settings: TrainingSettings
    data: Path
    device: str = "cpu"
    teacher: Path | None = None
    source: str = ""

    def weights(self) -> Literal["fresh", "inherited"]:
        """Return the weights that training begins from; the head is always fresh.

        Raises:
            ConfigError: a checkpoint is asked for, and the space has none.
        """
        wanted = self.settings.weights
        if wanted == "inherited" and not self.space.inherits:
            raise ConfigError(
                f"training.weights is 'inherited', but {self.space.id!r} has no checkpoint to inherit from; give the "
                "space one, or use --set training.weights=fresh"
            )
        if wanted == "auto":
            return "inherited" if self.space.inherits else "fresh"
        return wanted

    def as_dict(self) -> dict[str, Any]:
        """Return the plan, fit for JSON."""
        return {
            "schema": SCHEMA,
            "source": self.source,
            "space": self.space.reference(),
            "fingerprint": self.space.fingerprint(),
            "arch": self.arch.as_dict(),
            "key": self.arch.key,
            "task": self.task.reference(),
            "data": str(self.data),
            "teacher": None if self.teacher is None else str(self.teacher),
            "device": self.device,
            "settings": self.settings.options(),
        }


def write_plan(directory: Path, plan: Plan, data: TaskData[Any], computed_with: Mapping[str, Any]) -> None:
    """Write the plan, what identifies its data, and what its numbers depend on besides the settings."""
    write_json(
        directory / SETTINGS,
        {
            **plan.as_dict(),
            METRIC: dataclasses.asdict(plan.task.metric),
            DATA: identify_data(data),
            COMPUTED_WITH: dict(computed_with),
        },
    )


def read_plan(directory: Path, registry: Registry) -> Plan:
    """Return the plan that a training in `directory` was begun with.

    Raises:
        ConfigError: there is none, or one of its plugins is missing or has changed the space.
        StoreDamaged: it cannot be read.
    """
    path = directory / SETTINGS
    if not path.is_file():
        raise ConfigError(
            f"there is no training in {str(directory)!r} to go on with; begin one without --resume"
        )
    with storage_errors(path):
        text = path.read_text(encoding="utf-8")
    try:
        document = json.loads(text)
        if document["schema"] != SCHEMA:
            raise ConfigError(
                f"{str(path)!r} does not have the format {SCHEMA!r} that this version reads; upgrade DE-NAS"
            )
        space = registry.create("space", **_named(document["space"]), origin=SETTINGS)
        if space.fingerprint() != document["fingerprint"]:
            raise ConfigError(
                f"space {space.id!r} has changed since the training began; start a new training"
            )
        task = registry.create("task", **_named(document["task"]), origin=SETTINGS)
        teacher = document["teacher"]
        return Plan(
            space=space,
            arch=space.parse(json.dumps(document["arch"]), origin=SETTINGS),
            task=task,
            settings=make_settings(task.id, {}, document["settings"]),
            data=Path(document["data"]),
            device=document["device"],
            teacher=None if teacher is None else Path(teacher),
            source=document["source"],
        )
    except (ValueError, KeyError, TypeError) as error:
        raise StoreDamaged(f"{str(path)!r} is damaged: {error!r}; start a new training") from error


def check_resumable(
    before: Plan,
    now: Plan,
    directory: Path,
    *,
    what: str = "training",
    instead: str = "begin another with --out",
) -> None:
    """Check that a training goes on as it began.

    Args:
        before: The plan that it began with.
        now: The plan that it would go on with.
        directory: Its directory.
        what: What errors call it.
        instead: What errors advise.

    Raises:
        ConfigError: something differs that changes the weights; names each difference.
    """
    # Data may have moved, and so may the run.
    free = {f"settings.{name}" for name in MAY_CHANGE_ON_RESUME} | {"data", "source"}
    changed = [
        line for line in differences(before.as_dict(), now.as_dict()) if line.partition(": ")[0] not in free
    ]
    if changed:
        reason = ""
        if before.settings.epochs != now.settings.epochs:
            reason = " (the learning rate of each step depends on the number of epochs)"
        raise ConfigError(
            f"the {what} in {str(directory)!r} cannot go on with {'; '.join(changed)}{reason}; {instead}"
        )


def check_same_data(directory: Path, plan: Plan, data: TaskData[Any]) -> None:
    """Check that a training goes on with the data it began with, wherever they are now.

    Raises:
        ConfigError: their facts or their number of samples differ; names each difference.
        StoreDamaged, StorageError: the record of the earlier data cannot be read.
    """
    before = _written(directory, DATA)
    if before is None:
        raise StoreDamaged(
            f"{str(directory / SETTINGS)!r} is damaged: it has no {DATA!r}; start a new training"
        )
    now = identify_data(data)
    if changed := [key for key in sorted({*before, *now}) if before.get(key) != now.get(key)]:
        raise ConfigError(
            f"the training in {str(directory)!r} cannot go on with {str(plan.data)!r}, which differs from the data "
            f"it began with in {', '.join(changed)}; name those with --data, or begin another with --out"
        )


def changed_computation(directory: Path, now: Mapping[str, Any]) -> list[str]:
    """Return a notice if a resumed training computes with something else than it began with."""
    before = _written(directory, COMPUTED_WITH)
    if before is None:  # written by a version that did not record it
        return []
    changed = differences(before, dict(now))
    if not changed:
        return []
    return [f"this training goes on with {'; '.join(changed)}: its numbers may differ in the last bits"]


def _written(directory: Path, part: str) -> dict[str, Any] | None:
    path = directory / SETTINGS
    with storage_errors(path):
        text = path.read_text(encoding="utf-8")
    try:
        found = json.loads(text).get(part)
    except (ValueError, AttributeError) as error:
        raise StoreDamaged(f"{str(path)!r} is damaged: {error!r}; start a new training") from error
    return found if isinstance(found, dict) else None


def identify_data(data: TaskData[Any]) -> dict[str, Any]:
    """Return what is the same for the same data, wherever they are: facts, and the number of samples."""
    plain: dict[str, Any] = json.loads(json.dumps({**data.facts, "samples": len(data.train or ())}))
    return plain


def _named(document: Mapping[str, Any]) -> dict[str, Any]:
    return {"name": document["id"], "options": document["options"]}
