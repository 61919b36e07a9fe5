"""Read rows in JSON: one object a line, a list of objects, texts with what is noted of them, or columns of values."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from denas_core.errors import ConfigError, safe_repr

from .records import Record, Records

TEXT = "text"
"""Name of the column of texts where a row is a pair, see `_as_row`."""

_PAIR = 2


def read_json(path: Path, content: bytes, *, most: int | None = None) -> Records:
    """Return the rows of a file of JSON.

    Args:
        path: The file, for messages.
        content: Its content in UTF-8.
        most: Number of bytes of JSON lines after which the rest is not read.

    Raises:
        ConfigError: the content is not JSON, or it has no rows.
    """
    lines = content.split(b"\n")
    begun = [line for line in lines if line.strip()][:2]
    if len(begun) == 1 or not all(map(_is_object, begun)):
        document = parsed_json(path, content)
        if not (len(begun) == 1 and isinstance(document, dict) and _is_row(document)):
            return _of_document(path, document)
    rows: list[Record] = []
    damaged: list[str] = []
    read, share = 0, 1.0
    for number, line in enumerate(lines, start=1):
        if most is not None and read > most and rows:
            share = read / len(content)
            break
        read += len(line) + 1
        if not line.strip():
            continue
        found = _object(line)
        if isinstance(found, str):
            damaged.append(f"line {number} ({found})")
        else:
            rows.append(Record(f"line {number}", found))
    return Records(
        path=path, format="JSON lines", columns=_names(rows), rows=rows, damaged=damaged, share=share
    )


def parsed_json(path: Path, content: bytes) -> Any:
    """Return a document of JSON.

    Raises:
        ConfigError: it is not JSON; the message names the line.
    """
    try:
        return json.loads(content)
    except json.JSONDecodeError as error:
        raise ConfigError(
            f"{str(path)!r} is not JSON (line {error.lineno}: {error.msg}); download it again"
        ) from error
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise ConfigError(
            f"{str(path)!r} is not JSON (line {line} is not UTF-8: {error.reason}); save it as UTF-8"
        ) from error
    except RecursionError as error:
        raise ConfigError(
            f"{str(path)!r} is not JSON of a table (its brackets are nested too deeply)"
        ) from error


def _of_document(path: Path, document: Any) -> Records:
    if isinstance(document, list):
        return _of_list(path, document, "a list in JSON")
    columns = _columns(document)
    if columns is not None:
        count = len(next(iter(columns.values())))
        rows = [
            Record(f"row {place + 1}", {name: values[place] for name, values in columns.items()})
            for place in range(count)
        ]
        return Records(path=path, format="columns in JSON", columns=tuple(columns), rows=rows)
    lists = [(name, each) for name, each in document.items() if isinstance(each, list)]
    # Beside the texts, a program for annotation may list the labels.
    lists = [(name, each) for name, each in lists if _has_pairs(each)] or lists
    if len(lists) == 1:
        return _of_list(path, lists[0][1], f"the list {safe_repr(lists[0][0], 30)} in JSON")
    raise ConfigError(
        f"{str(path)!r} holds one object of JSON with {', '.join(map(repr, list(document)[:5]))}, and no list of "
        "rows; write one object a line"
    )


def _of_list(path: Path, found: Sequence[Any], format: str) -> Records:
    rows: list[Record] = []
    damaged: list[str] = []
    for number, each in enumerate(found, start=1):
        row = _as_row(each)
        if row is not None:
            rows.append(Record(f"row {number}", row))
        else:
            damaged.append(f"row {number} ({safe_repr(each, 30)} is not an object)")
    return Records(path=path, format=format, columns=_names(rows), rows=rows, damaged=damaged)


def _as_row(value: Any) -> Mapping[str, Any] | None:
    """Return an object, or a pair of a text and an object as one row, as spaCy's training data have them; else None."""
    if isinstance(value, dict):
        return value
    if isinstance(value, list) and len(value) == _PAIR and isinstance(value[1], dict):
        text, noted = value
        return {**noted, TEXT: text} if isinstance(text, str) else None
    return None


def _has_pairs(found: Sequence[Any]) -> bool:
    return any(isinstance(each, list) and _as_row(each) is not None for each in found[:10])


def _is_row(document: Mapping[str, Any]) -> bool:
    """Return whether an object is one row, and neither has columns nor is around a list of rows."""
    lists = [
        each
        for each in document.values()
        if isinstance(each, list) and each and (isinstance(each[0], dict) or _has_pairs(each))
    ]
    return _columns(document) is None and not (len(lists) == 1 and len(document) < 4)


def _columns(document: Mapping[str, Any]) -> Mapping[str, list[Any]] | None:
    """Return columns of equal length, as lists, or as mappings with the same keys as pandas writes them."""
    values = list(document.values())
    if not values:
        return None
    if all(isinstance(each, dict) for each in values) and len({tuple(each) for each in values}) == 1:
        return {name: list(each.values()) for name, each in document.items()}
    if any(isinstance(each, list) and _has_pairs(each) for each in values):
        return None
    if len(values) > 1 and all(isinstance(each, list) for each in values) and len(set(map(len, values))) == 1:
        return dict(document)
    return None


def _names(rows: Sequence[Record]) -> tuple[str, ...]:
    names: dict[str, None] = {}
    for row in rows:
        names.update(dict.fromkeys(row.values))
    return tuple(names)


def _is_object(line: bytes) -> bool:
    return isinstance(_object(line), dict)


def _object(line: bytes) -> Mapping[str, Any] | str:
    try:
        found = json.loads(line)
    except json.JSONDecodeError as error:
        return f"not JSON: {error.msg}"
    except (UnicodeDecodeError, RecursionError) as error:
        return "not UTF-8" if isinstance(error, UnicodeDecodeError) else "nested too deeply"
    row = _as_row(found)
    return f"{safe_repr(found, 30)} is not an object" if row is None else row
