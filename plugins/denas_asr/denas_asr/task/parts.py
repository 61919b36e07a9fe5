"""Which parts of a data set are learnt from, and which are measured on."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from denas_asr.data.layouts import part_names
from denas_core.errors import ConfigError

TRAIN = ("train",)
DEV = ("dev", "valid", "val")
TEST = ("test",)


def training_part(data: Path, named: str) -> str:
    """Return the part to learn from: the one that is named, or the only one that looks like it.

    Raises:
        ConfigError: none is named, and none or several look like it.
    """
    return named or _only(data, TRAIN, "learn from", "--train")


def validation_part(data: Path, named: str) -> str:
    """Return the part to measure on while training, as `training_part` does."""
    return named or _only(data, DEV, "measure on", "--dev")


def evaluation_part(data: Path, named: str, validated_on: str) -> str | None:
    """Return the part that an evaluation measures on; None for all that there is.

    It is the one that is named, or the only test part, or the one that training was steered by.

    Raises:
        ConfigError: none is named, and none or several look like it.
    """
    if named:
        return named
    names = part_names(data)
    if len(names) < 2:
        return None
    tests = _beginning_with(names, TEST)
    if len(tests) == 1:
        return tests[0]
    return validated_on if validated_on in names else _only(data, (*TEST, *DEV), "measure on", "--split")


def _only(data: Path, words: Sequence[str], purpose: str, flag: str) -> str:
    names = part_names(data)
    found = _beginning_with(names, words)
    if len(found) == 1:
        return found[0]
    reason = f"several are called so: {', '.join(found)}" if found else f"it has {', '.join(names) or 'none'}"
    raise ConfigError(
        f"{str(data)!r} has no single part to {purpose}, whose name begins with {' or '.join(words)} ({reason}); name "
        f"one with {flag}"
    )


def _beginning_with(names: Sequence[str], words: Sequence[str]) -> list[str]:
    return [name for name in names if name.lower().startswith(tuple(words))]
