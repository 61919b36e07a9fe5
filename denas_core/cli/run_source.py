"""Commands that take a run where they take a space: its configuration, and its architectures by key."""

from __future__ import annotations

import re
import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Any

from denas_core.errors import ConfigError

if TYPE_CHECKING:
    from denas_core.contracts.space import SearchSpace
    from denas_core.registry.registry import Registry
    from denas_core.values.architecture import Architecture


NO_ARCHITECTURE = "no architecture is named; name one with --arch, or name a run instead of a space"


def find_run(name: str | None, registry: Registry) -> Path | None:
    """Return the run directory that the user names, or None if the name is that of a space.

    Raises:
        ConfigError: it is a path and there is no run.
        StoreDamaged: it is a run that has lost its store.
    """
    from denas_core.runs.files import check_is_run, is_run

    if name is None:
        return None
    path = Path(name)
    try:
        if is_run(path):
            check_is_run(path)
            return path
        if registry.has("space", name):
            return None
        if path.is_dir():
            check_is_run(path)
        is_path = path.is_absolute() or len(path.parts) != 2 or path.parent.is_dir()
        if is_path and "/" in name:
            raise ConfigError(
                f"there is no run directory {name!r}; 'denas run ls' lists the runs in a directory"
            )
    except (OSError, ValueError) as error:
        raise ConfigError(f"{name[:200]!r} is neither a space nor a run directory: {error}") from None
    return None


def read_config(run: Path) -> dict[str, Any]:
    """Return the configuration that a run has, every option written out.

    Raises:
        StoreDamaged, StorageError: it cannot be read.
    """
    from denas_core.runs.files import read_run

    store = read_run(run)
    try:
        return dict(store.header()["config"])
    finally:
        store.close()


def choose_architecture(space: SearchSpace, run: Path | None, given: str | None) -> Architecture:
    """Return the architecture that ``--arch`` names; of a run the best one if it names none.

    Args:
        space: The space of the architecture.
        run: The run whose trials ``--arch`` may name by their keys.
        given: What the user gave: the first digits of a key, a name of `CHOICES`, a file, or the space's notation.

    Raises:
        ConfigError: there is no such architecture.
        StoreDamaged, StorageError: the run or the file cannot be read.
    """
    from denas_core.setup.architectures import read_architecture

    if given is None:
        from denas_core.runs.files import BEST

        if run is None:
            raise ConfigError(NO_ARCHITECTURE)
        best = run / BEST
        if not best.is_file():
            raise ConfigError(
                f"run {str(run)!r} has no best architecture yet; finish its search: "
                f"denas search --resume {shlex.quote(str(run))}"
            )
        return read_architecture(space, str(best))
    if run is not None:
        from denas_core.runs.choices import chosen_key

        given = chosen_key(run, given)
    if run is not None and re.fullmatch(r"[0-9a-f]{4,}", given):
        return _architecture_of_trial(space, run, given)
    return read_architecture(space, given)


def _architecture_of_trial(space: SearchSpace, run: Path, prefix: str) -> Architecture:
    from denas_core.runs.files import read_run

    store = read_run(run)
    try:
        found = [trial.arch for trial in store.trials() if trial.arch.key.startswith(prefix)]
    finally:
        store.close()
    if not found:
        raise ConfigError(
            f"no trial of run {str(run)!r} has a key that begins with {prefix!r}; "
            f"'denas trials {shlex.quote(str(run))}' lists them"
        )
    if len(found) > 1:
        raise ConfigError(
            f"{len(found)} trials of run {str(run)!r} have keys that begin with {prefix!r}; write more digits: "
            f"{', '.join(arch.key[:12] for arch in found[:5])}"
        )
    return space.architecture(found[0].as_dict(), origin=f"run {run}")
