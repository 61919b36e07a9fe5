"""Choose the training, validation and evaluation parts of a data set."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from denas_asr.data.forms.columns import ANY_COLUMNS, Columns
from denas_asr.data.layouts import part_names
from denas_core.errors import ConfigError

TRAIN = ("train",)
DEV = ("dev", "valid", "val")
TEST = ("test",)


def training_part(data: Path, named: str, columns: Columns = ANY_COLUMNS) -> str | None:
    """Return the training part: the given name, or the only part whose name begins with a word for training.

    None stands for the whole data set, if it has only one part.

    Raises:
        ConfigError: no part is given, and none or several match.
    """
    names = part_names(data, columns)
    if not named and len(names) < 2:
        return None
    return named or _only(data, names, TRAIN, "train on", "--train")


def validation_part(data: Path, named: str, columns: Columns = ANY_COLUMNS) -> str | None:
    """Return the part to validate on during training, chosen in the same way as `training_part`.

    None means that no part is for validation.

    Raises:
        ConfigError: no part is given, and several match.
    """
    names = part_names(data, columns)
    if not named and (len(names) < 2 or not _beginning_with(names, DEV)):
        return None
    return named or _only(data, names, DEV, "validate on", "--dev")


def evaluation_part(data: Path, named: str, validated_on: str, columns: Columns = ANY_COLUMNS) -> str | None:
    """Return the part for an evaluation; None for the whole data set.

    It is the given name, or the only test part, or the part that training was validated on.

    Raises:
        ConfigError: no part is given, and none or several match.
    """
    if named:
        return named
    names = part_names(data, columns)
    if len(names) < 2:
        return None
    tests = _beginning_with(names, TEST)
    if len(tests) == 1:
        return tests[0]
    return (
        validated_on if validated_on in names else _only(data, names, (*TEST, *DEV), "evaluate on", "--split")
    )


def _only(data: Path, names: Sequence[str], words: Sequence[str], purpose: str, flag: str) -> str:
    found = _beginning_with(names, words)
    if len(found) == 1:
        return found[0]
    reason = f"several match: {', '.join(found)}" if found else f"it has {', '.join(names) or 'none'}"
    raise ConfigError(
        f"{str(data)!r} has no single part to {purpose}, whose name begins with {' or '.join(words)} ({reason}); "
        f"choose one with {flag}, or everywhere with --set task.{flag.removeprefix('--')}=NAME"
    )


def _beginning_with(names: Sequence[str], words: Sequence[str]) -> list[str]:
    return [name for name in names if name.lower().startswith(tuple(words))]
