"""An exporter of runs that breaks each promise of one, by the name of the check that must notice."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch

from denas_core.contracts.run_exporter import ExportedTrial, RecordedRun, RunExporter


@dataclasses.dataclass(kw_only=True)
class Lines(RunExporter):
    """A line of JSON for each trial."""

    def write(self, run: RecordedRun, directory: Path) -> Path:
        path = directory / "trials.jsonl"
        path.write_text("".join(json.dumps(dataclasses.astuple(each)) + "\n" for each in run.exported()))
        return path

    def trials(self, artefact: Path) -> Sequence[ExportedTrial]:
        return [ExportedTrial(*json.loads(line)) for line in artefact.read_text().splitlines()]

    def usage(self, artefact: Path) -> str:
        return f"import json; trials = [*map(json.loads, open({str(artefact)!r}))]"


class Forgetful(Lines):
    """Leaves the last trial out."""

    def trials(self, artefact: Path) -> Sequence[ExportedTrial]:
        return super().trials(artefact)[:-1]


class Rooted(Lines):
    """Leaves an absolute path behind."""

    def write(self, run: RecordedRun, directory: Path) -> Path:
        (directory / "index").write_text(str(super().write(run, directory)))
        return directory / "index"

    def trials(self, artefact: Path) -> Sequence[ExportedTrial]:
        return super().trials(Path(artefact.read_text()))


class Elsewhere(Lines):
    """Returns a path that it has not written."""

    def write(self, run: RecordedRun, directory: Path) -> Path:
        return super().write(run, directory).with_name("trials.db")


class Unfinished(Lines):
    def usage(self, artefact: Path) -> str:
        return "trials = load(...)"


class Reseeding(Lines):
    def write(self, run: RecordedRun, directory: Path) -> Path:
        torch.manual_seed(0)
        return super().write(run, directory)


class Chatty(Lines):
    def write(self, run: RecordedRun, directory: Path) -> Path:
        print("writing")
        return super().write(run, directory)


class Noisy(Lines):
    """Draws the values that it reads from the generator that everyone shares."""

    def trials(self, artefact: Path) -> Sequence[ExportedTrial]:
        return [
            dataclasses.replace(each, values={"score": float(torch.rand(()))})
            for each in super().trials(artefact)
        ]


class Emptying(Lines):
    """Takes the values out of the run itself."""

    def write(self, run: RecordedRun, directory: Path) -> Path:
        path = super().write(run, directory)
        run.history.values.clear()
        return path


BROKEN: dict[str, Any] = {
    "every_trial_is_read_back": Forgetful,
    "files_can_be_moved": (Elsewhere, Rooted),
    "its_usage_runs": Unfinished,
    "it_leaves_the_process_alone": Reseeding,
    "it_prints_nothing": Chatty,
    "it_repeats": Noisy,
    "it_leaves_its_arguments_alone": Emptying,
}
