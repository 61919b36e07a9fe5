"""Exports of whole runs. An export is kept only if it holds the trials of the run."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from denas_core.contracts.run_exporter import ExportedTrial, RecordedRun, RunExporter
from denas_core.contracts.strategy import History
from denas_core.errors import NoResult, PluginError
from denas_core.isolation.plugin_errors import plugin_errors
from denas_core.models.export_folder import CARD, SCHEMA, export_folder, files_in, place_of
from denas_core.registry.registry import Registry
from denas_core.runs.files import read_run
from denas_core.setup.stored import stored_setup
from denas_core.system.atomic import storage_errors, write_json
from denas_core.system.machine import environment, moment
from denas_core.values.html import paragraphs_html

from .calibrated import calibrated_setup


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class RunExport:
    """A finished export of a run.

    Attributes:
        exporter: Id of the exporter.
        path: The file or folder that a user opens.
        directory: The directory with all files.
        size_mb: Total size of the files.
        trials: Number of trials.
        usage: Python code that loads the export.
    """

    exporter: str
    path: Path
    directory: Path
    size_mb: float
    trials: int
    usage: str

    def as_dict(self) -> dict[str, Any]:
        """Return the fields as JSON can represent them."""
        return {**dataclasses.asdict(self), "path": str(self.path), "directory": str(self.directory)}

    def _repr_html_(self) -> str:
        exported = f"{self.exporter}: {self.trials} trials in {self.path} ({self.size_mb:.3g} MB)"
        return paragraphs_html([exported, "load it in Python with:", *self.usage.splitlines()])


def record_run(path: Path, registry: Registry) -> RecordedRun:
    """Read a run with all of its trials, ranked as ``denas rank`` ranks them.

    Raises:
        ConfigError, NotInstalled, PluginError: there is no run, or a component of it cannot be made.
        NoResult: it has no trial.
        StoreDamaged, StorageError: it cannot be read.
    """
    with read_run(path) as store:
        header, trials = store.header(), store.trials()
    if not trials:
        raise NoResult(f"run {str(path)!r} has no trial to export")
    setup = stored_setup(header, registry, origin=str(path))
    ranked, values = calibrated_setup(path, setup, registry).scoring.rank(trials)
    return RecordedRun(
        name=path.resolve().name,
        problem=setup.problem,
        history=History(trials=trials, ranked=ranked, values=values),
        config=header["config"],
    )


def export_run(
    exporter: RunExporter, run: RecordedRun, directory: Path, *, replace: bool = False
) -> RunExport:
    """Write `run` in the format of `exporter`, compare the trials, and then move it to its place.

    Args:
        exporter: The exporter.
        run: The run.
        directory: The target. It is new or empty, or, with `replace`, an earlier export.
        replace: Whether an earlier export is replaced.

    Raises:
        ConfigError: the directory is in use, or the run cannot be written in this format.
        PluginError: the exporter fails, or a trial of the export differs. The text names it.
        StorageError: the file system refuses.
    """
    owner = f"exporter {exporter.id!r}"
    with export_folder(directory, replace=replace) as partial:
        with plugin_errors(owner), storage_errors(directory):
            artefact = exporter.write(run, partial)
        place = place_of(artefact, partial, owner)
        with plugin_errors(owner):
            check_trials(exporter, run.exported(), exporter.trials(artefact))
            usage = exporter.usage(directory / place)
        write_json(
            partial / CARD,
            {
                "schema": SCHEMA,
                "exporter": exporter.reference(),
                "artefact": place.as_posix(),
                "run": run.name,
                "trials": len(run.history.trials),
                "config": dict(run.config),
                "environment": environment(),
                "written": moment(),
            },
        )
        with storage_errors(directory):
            size = sum(path.stat().st_size for path in files_in(partial))
    return RunExport(
        exporter=exporter.id,
        path=directory / place,
        directory=directory,
        size_mb=size / 1e6,
        trials=len(run.history.trials),
        usage=usage,
    )


def check_trials(
    exporter: RunExporter, expected: Sequence[ExportedTrial], found: Sequence[ExportedTrial]
) -> None:
    """Check that an export holds the trials of a run.

    Raises:
        PluginError: a trial is missing or differs.
    """
    if len(found) != len(expected):
        raise PluginError(
            f"what {exporter.id!r} wrote has {len(found)} trials, the run {len(expected)}; nothing is kept"
        )
    for index, (trial, own) in enumerate(zip(found, expected, strict=True)):
        for name in ("state", "arch", "values"):
            if (there := getattr(trial, name)) != (here := getattr(own, name)):
                raise PluginError(
                    f"what {exporter.id!r} wrote has the {name} {there!r:.200} for trial {index}, "
                    f"the run {here!r:.200}; nothing is kept"
                )
