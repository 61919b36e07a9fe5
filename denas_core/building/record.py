"""``build.json``: what a build was asked, what it decided and why, and what each step has come to."""

from __future__ import annotations

import dataclasses
import json
import shlex
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from denas_core.errors import ConfigError, StoreDamaged
from denas_core.runs.files import BUILD
from denas_core.setup.config import differences
from denas_core.system.atomic import LOCK, storage_errors, write_json
from denas_core.system.lock import OWNER
from denas_core.system.machine import environment, moment

from .request import BuildRequest

SCHEMA = "denas.build/1"
FILE = BUILD


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """Something that a build decided, or that the user did.

    Attributes:
        step: The step that it belongs to.
        what: What was to be decided, such as ``space``.
        value: What was chosen; JSON must be able to represent it.
        reason: A sentence without its full stop.
    """

    step: str
    what: str
    value: Any
    reason: str

    def as_dict(self) -> dict[str, Any]:
        """Return the decision as JSON can represent it."""
        return dataclasses.asdict(self)

    def text(self) -> str:
        """Return the decision in one line."""
        value = ", ".join(map(str, self.value)) if isinstance(self.value, (list, tuple)) else str(self.value)
        return f"{self.what}: {value} ({self.reason})" if self.reason else f"{self.what}: {value}"


class BuildRecord:
    """The record of a build, which is written after each change.

    Attributes:
        path: The folder of the build.
        document: What the file contains.
    """

    def __init__(self, path: Path, document: dict[str, Any]) -> None:
        self.path, self.document = path, document

    @classmethod
    def begin(cls, request: BuildRequest) -> BuildRecord:
        """Return the record of a build that begins; nothing is written yet."""
        document = {
            "schema": SCHEMA,
            "request": request.as_dict(),
            "state": "running",
            "seconds": 0.0,
            "decisions": [],
            "steps": {},
            "environment": environment(),
            "began": moment(),
        }
        return cls(request.out, document)

    @classmethod
    def read(cls, path: Path) -> BuildRecord | None:
        """Return the record in a folder, or None.

        Raises:
            StoreDamaged, StorageError: it cannot be read.
        """
        file = path / FILE
        with storage_errors(file):
            if not file.is_file():
                return None
            text = file.read_text(encoding="utf-8")
        try:
            document = json.loads(text)
            if document["schema"] != SCHEMA or not isinstance(document["steps"], dict):
                raise ValueError(f"it has the format {document['schema']!r} and not {SCHEMA!r}")
        except (ValueError, KeyError, TypeError) as error:
            raise StoreDamaged(f"{str(file)!r} is damaged: {error!r}; build in another folder") from error
        return cls(path, document)

    @property
    def is_finished(self) -> bool:
        """Whether every step has ended."""
        return bool(self.document["state"] == "finished")

    @property
    def seconds(self) -> float:
        """The seconds of the build so far, without the part in hand."""
        return float(self.document["seconds"])

    def check_same(self, request: BuildRequest) -> None:
        """Check that the build in the folder is the one that is asked for.

        Raises:
            ConfigError: it is another one; names what differs.
        """
        changed = differences(self.document["request"], request.as_dict())
        if changed:
            raise ConfigError(
                f"{str(self.path)!r} holds another build ({'; '.join(changed)}); name another folder with --out"
            )

    def done(self, step: str) -> Mapping[str, Any] | None:
        """Return what a step has come to; None if it has not ended."""
        found: Mapping[str, Any] | None = self.document["steps"].get(step)
        return found

    def decide(self, decision: Decision) -> bool:
        """Keep a decision in place of an earlier one; return whether it is new."""
        rows = self.document["decisions"]
        row = decision.as_dict()
        if row in rows:
            return False
        same = [one for one in rows if (one["step"], one["what"]) == (decision.step, decision.what)]
        self.document["decisions"] = [*(one for one in rows if one not in same), row]
        return True

    def plan(self, prepared: float, planned: Mapping[str, float]) -> None:
        """Keep how many seconds each phase is planned to take; a build that goes on has its plan already."""
        if "plan" not in self.document:
            self.document["plan"] = [
                {"step": "preparation", "planned": None, "given": None, "used": round(prepared, 3)},
                *(
                    {"step": name, "planned": round(seconds, 3), "given": None, "used": None}
                    for name, seconds in planned.items()
                ),
            ]

    def give(self, phase: str, seconds: float) -> None:
        """Keep how many seconds a phase has when it begins, by what is known then."""
        row = self._phase(phase)
        if row["given"] is None:
            row["given"] = round(seconds, 3)

    def use(self, phase: str, elapsed: float) -> None:
        """Keep how many seconds a phase has used: what the phases before it have left of the seconds so far."""
        row = self._phase(phase)
        others = sum(one["used"] or 0.0 for one in self.document["plan"] if one is not row)
        row["used"] = round(max(elapsed - others, 0.0), 3)

    def _phase(self, name: str) -> dict[str, Any]:
        found: dict[str, Any] = next(one for one in self.document["plan"] if one["step"] == name)
        return found

    def end_step(self, step: str, result: Mapping[str, Any], *, took: float, elapsed: float) -> None:
        """Keep what a step has come to, and write the file."""
        self.document["steps"][step] = {**result, "seconds": round(took, 3)}
        self.write(elapsed)

    def finish(self, result: Mapping[str, Any], *, elapsed: float) -> None:
        """Keep the result of the build."""
        self.use("end", elapsed)
        self.document |= {"state": "finished", "result": dict(result)}
        self.write(elapsed)

    def write(self, elapsed: float) -> None:
        """Write the file.

        Raises:
            StorageError: the file system refuses.
        """
        self.document["seconds"] = round(elapsed, 3)
        write_json(self.path / FILE, self.document)


def check_folder(out: Path) -> None:
    """Check that a folder can hold a new build.

    Raises:
        ConfigError: it is a file, or has other files in it.
    """
    with storage_errors(out):
        if not out.exists():
            return
        # A kill may come between the lock and the record.
        if not out.is_dir() or {file.name for file in out.iterdir()} - {LOCK, OWNER}:
            raise ConfigError(f"{str(out)!r} exists and is not a build; name another folder with --out")


def again(request: BuildRequest) -> str:
    """Return the sentence about going on."""
    return f"the same command goes on with the build in {shlex.quote(str(request.out))}"
