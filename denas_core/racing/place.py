"""The place of a race in its run: whether one has begun, and whether there is room for one."""

from __future__ import annotations

import shlex
from pathlib import Path

from denas_core.errors import ConfigError
from denas_core.runs.files import RACE, RACE_RECORD, TRAINING
from denas_core.system.atomic import LOCK, storage_errors
from denas_core.system.lock import OWNER
from denas_core.training.plan import SETTINGS


def is_begun(path: Path) -> bool:
    """Return whether a run has a race that has begun."""
    return (path / RACE_RECORD).is_file() and (path / RACE / SETTINGS).is_file()


def check_unbegun(path: Path) -> None:
    """Check that a run has no race.

    Raises:
        ConfigError: it has one, or its folder holds other files.
    """
    directory = path / RACE
    if is_begun(path):
        raise ConfigError(
            f"run {str(path)!r} has a race already; go on with: {resume_command(path)}, or remove {str(directory)!r} "
            "to begin another"
        )
    with storage_errors(directory):
        # A kill may come between the two files that a race begins with.
        own = {LOCK, OWNER, SETTINGS, RACE_RECORD.name}
        if directory.exists() and (
            not directory.is_dir() or {file.name for file in directory.iterdir()} - own
        ):
            raise ConfigError(f"{str(directory)!r} exists and is not a race; move it, or remove it")


def check_no_training(path: Path) -> None:
    """Check that the training of the winner has a place.

    Raises:
        ConfigError: the run has a training.
    """
    directory = path / TRAINING
    if directory.exists():
        moved = shlex.quote(f"{directory}-1")
        raise ConfigError(
            f"{str(directory)!r} exists, where a race puts the training of its winner; move it first: "
            f"mv {shlex.quote(str(directory))} {moved}"
        )


def resume_command(path: Path) -> str:
    """Return the command that goes on with the race of a run."""
    return f"denas train {shlex.quote(str(path))} --resume"
