"""The names of tags that are numbers in the data."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from denas_core.errors import ConfigError
from denas_nlp.tables.values import composed, label_of
from denas_nlp.text.content import decoded, read_text


def given_names(option: str) -> tuple[str, ...]:
    """Return the names that a user gives.

    Args:
        option: Names with commas between them, or a file: a name in each line, a list in JSON, or an object in JSON
            with the number of each name, or the name of each number.

    Raises:
        ConfigError: the file cannot be read, or its numbers are not 0, 1 and so on.
    """
    if not option:
        return ()
    path = Path(option).expanduser()
    if not path.is_file():
        return tuple(composed(name.strip()) for name in option.split(",") if name.strip())
    text = decoded(read_text(path), path).text
    if text.lstrip()[:1] not in ("{", "["):
        return tuple(composed(line.strip()) for line in text.splitlines() if line.strip())
    try:
        return tuple(composed(name) for name in _in_order(json.loads(text)))
    except (ValueError, TypeError, KeyError) as error:
        raise ConfigError(
            f"{option!r} does not say the names of tags (task.names); write a name in each line, in the order of their "
            "numbers"
        ) from error


def _in_order(document: Any) -> list[str]:
    if isinstance(document, list):
        return [str(name) for name in document]
    by_number = {
        int(number): str(name)
        for name, number in (
            (value, key) if str(key).isdecimal() else (key, value) for key, value in document.items()
        )
    }
    return [by_number[number] for number in range(len(by_number))]


def tag_of(value: Any, names: Sequence[str]) -> str | None:
    """Return a tag as text; None if there is none, or if it is a number without a name.

    Args:
        value: The value in the data.
        names: The names of tags that are numbers; empty if they have none.
    """
    if names and isinstance(value, str) and value.strip().isdecimal():
        value = int(value)
    return label_of(value, names)


def is_number(value: Any) -> bool:
    """Return whether a tag is a number."""
    return (isinstance(value, (int, float)) and not isinstance(value, bool)) or (
        isinstance(value, str) and value.strip().isdecimal()
    )


def unnamed(path: Path) -> ConfigError:
    """Return the error about tags that are numbers without names."""
    return ConfigError(
        f"the tags of {str(path)!r} are numbers whose names are not in the file; name them in order with --set "
        "task.names=O,B-PER,I-PER or a file with a name in each line, or save the data set with datasets.save_to_disk"
    )


def wrong_tag(value: Any, names: Sequence[str]) -> str:
    """Return what is wrong with a tag."""
    if names and is_number(value):
        return f"the tag {value} has no name: the names are those of 0 to {len(names) - 1}"
    return "an empty tag"
