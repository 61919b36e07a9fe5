"""The contract of exporters of whole runs: all trials of a search in a format that another program shows."""

from __future__ import annotations

import dataclasses
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from denas_core.values.architecture import KnobValue
from denas_core.values.objectives import SCORE
from denas_core.values.trial import State, Trial

from .component import Component
from .problem import Problem
from .strategy import History


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class RecordedRun:
    """A run with all of its trials, as an exporter gets it.

    Attributes:
        name: Name of its directory.
        problem: Its space, constraints and objectives.
        history: Its trials, their ranking, and the combined score of each scored trial by key.
        config: Its configuration, with every option written out; JSON can represent it.
    """

    name: str
    problem: Problem
    history: History
    config: Mapping[str, Any]

    def values(self, trial: Trial) -> dict[str, float]:
        """Return the value of each objective of a trial by name, without those that are unknown."""
        found = {**trial.evaluation.metrics}
        if trial.arch.key in self.history.values:
            found[SCORE] = self.history.values[trial.arch.key]
        return {each.name: found[each.name] for each in self.problem.objectives if each.name in found}

    def exported(self) -> list[ExportedTrial]:
        """Return what an exporter must read back from its file."""
        return [
            ExportedTrial(trial.evaluation.state, trial.arch.as_dict(), self.values(trial))
            for trial in self.history.trials
        ]


@dataclasses.dataclass(frozen=True, slots=True)
class ExportedTrial:
    """What every export keeps of a trial.

    Attributes:
        state: ``scored``, ``infeasible`` or ``failed``.
        arch: The values of the active knobs.
        values: The known objectives, see `RecordedRun.values`.
    """

    state: State
    arch: Mapping[str, KnobValue]
    values: Mapping[str, float]


@dataclasses.dataclass(kw_only=True)
class RunExporter(Component, ABC):
    """A way to write the trials of a run, so that another program shows them.

    A subclass is a keyword-only dataclass whose fields are its options. It can write a run, and read what it has
    written. The core compares the trials, and removes an export whose trials differ, see
    `denas_core.results.run_export`.

    A complete exporter, and a run that it writes and reads:

    >>> import dataclasses
    >>> import json
    >>> import tempfile
    >>> from pathlib import Path
    >>> from denas_core import Evaluation, ExportedTrial, History, Problem, RecordedRun, RunExporter, Trial
    >>> from denas_core.testing import SampleMLP
    >>> @dataclasses.dataclass(kw_only=True)
    ... class Lines(RunExporter):
    ...     def write(self, run, directory):
    ...         path = directory / "trials.jsonl"
    ...         path.write_text("".join(json.dumps(dataclasses.astuple(each)) + "\\n" for each in run.exported()))
    ...         return path
    ...
    ...     def trials(self, artefact):
    ...         return [ExportedTrial(*json.loads(line)) for line in artefact.read_text().splitlines()]
    ...
    ...     def usage(self, artefact):
    ...         return f"import json; trials = [*map(json.loads, open({str(artefact)!r}))]"
    >>> space = SampleMLP()
    >>> failed = Evaluation(state="failed", reason="it has no score")
    >>> trial = Trial(index=0, generation=0, arch=space.smallest(), evaluation=failed)
    >>> run = RecordedRun(name="run", problem=Problem(space), history=History(trials=[trial]), config={})
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     Lines().trials(Lines().write(run, Path(folder))) == run.exported()
    True
    """

    @abstractmethod
    def write(self, run: RecordedRun, directory: Path) -> Path:
        """Write `run` into the empty `directory`, and return the path of the file or folder that a user opens.

        The directory is renamed later, so no file in it may contain its path.

        Raises:
            ConfigError: the run cannot be written in this format. The text says why.
        """

    @abstractmethod
    def trials(self, artefact: Path) -> Sequence[ExportedTrial]:
        """Read every trial, in order, from the path that `write` returned.

        Args:
            artefact: The path, whose directory may have been renamed.
        """

    @abstractmethod
    def usage(self, artefact: Path) -> str:
        """Return Python code with which a user loads the export: complete lines, without a prompt.

        Args:
            artefact: The path that the export will have. It may not exist yet.
        """
