"""What ``denas train`` does with one network: its plan and its place, and the training in it."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from denas_core.errors import ConfigError

from .training_options import GivenOptions, new_plan, resumed_plan

if TYPE_CHECKING:
    from denas_core.registry.registry import Registry
    from denas_core.training.observers import TrainingObserver
    from denas_core.training.plan import Plan
    from denas_core.training.result import TrainingResult


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class ReadyTraining:
    """A training that can begin, or go on.

    Attributes:
        plan: What is trained, on which data and with which settings.
        directory: Its directory.
        resume: Whether it goes on.
    """

    plan: Plan
    directory: Path
    resume: bool

    def run(
        self,
        registry: Registry,
        *,
        observers: Sequence[TrainingObserver] = (),
        notify: Callable[[str], None] | None = None,
        on_begin: Callable[[Sequence[str], Sequence[str]], None] | None = None,
    ) -> TrainingResult:
        """Train, and write the report of the run again; see `denas_core.training.session.train`."""
        from denas_core.report.write import rewrite_report
        from denas_core.runs.files import TRAINING, is_run
        from denas_core.training.processes import is_first
        from denas_core.training.session import train

        result = train(
            self.plan,
            self.directory,
            registry=registry,
            resume=self.resume,
            observers=observers,
            notify=notify,
            on_begin=on_begin,
        )
        run = self.directory.parent
        if not (is_first() and self.directory.name == TRAINING and is_run(run)):
            return result
        return dataclasses.replace(result, notices=[*result.notices, *rewrite_report(run)])


def prepare_training(
    run: str | None, given: GivenOptions, registry: Registry, *, out: Path | None, resume: bool
) -> ReadyTraining:
    """Return a training that is ready to begin, or to go on.

    Args:
        run: The run, the space, or the directory of a training; None for the space of a file.
        given: What the user says of it.
        registry: The installed plugins.
        out: The directory that the user names; by default that of the run.
        resume: Go on with the training in the directory.

    Raises:
        ConfigError: something is missing or does not fit; the data are not read.
    """
    from denas_core.training.plan import SETTINGS

    given = dataclasses.replace(given, arch=_chosen(run, given.arch))
    directory = out or Path(run or ".") / "training"
    if not resume:
        return ReadyTraining(plan=new_plan(run, given, registry, out=out), directory=directory, resume=False)
    if run is None:
        raise ConfigError("a training that goes on is named by its run or its directory")
    if out is None and (Path(run) / SETTINGS).is_file():
        directory = Path(run)
    return ReadyTraining(plan=resumed_plan(directory, given, registry), directory=directory, resume=True)


def _chosen(run: str | None, arch: str | None) -> str | None:
    """Return the key that a name such as ``knee`` stands for, or what the user gave."""
    from denas_core.runs.choices import chosen_key
    from denas_core.runs.files import is_run

    if run is None or arch is None:
        return arch
    # A training that goes on may be named by its directory.
    owner = next((path for path in (Path(run), Path(run).parent) if is_run(path)), None)
    return arch if owner is None else chosen_key(owner, arch)
