"""Finding what the records of a table say of their architectures: one column, or several."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from denas_core.errors import ConfigError, did_you_mean

from .records import RecordOfFile, read_lines, read_records

if TYPE_CHECKING:
    from pathlib import Path

    from denas_core.contracts.space import SearchSpace
    from denas_core.values.architecture import Architecture

NAMES = ("arch", "architecture", "arch_str")
"""Columns that hold architectures, whatever the space makes of them."""

TRIED = 20
"""Records that columns are tried on: the first ones may be wrong."""

Notation = Callable[[Mapping[str, Any]], str]
"""Returns, of the values of a record, the text that the space parses."""


def find_notation(
    records: Sequence[RecordOfFile], space: SearchSpace, *, column: str = "", table: str
) -> Notation:
    """Return how the architecture of a record is read.

    That is the named column; or one of `NAMES`; or the first column that the space parses; or columns with the names of
    its knobs; or those columns of which the space parses a mapping.

    Args:
        records: Records of the table.
        space: Whose architectures they are.
        column: Name of the column, if the user says it.
        table: Name of the table, for errors.

    Raises:
        ConfigError: there is no such column, or none that holds architectures.
    """
    columns = list(records[0].values)
    if column and column not in columns:
        hint = did_you_mean(column, columns) or f"; it has {', '.join(columns)}"
        raise ConfigError(f"{table} has no column {column!r} of architectures{hint}")
    named = [column] if column else [name for name in NAMES if name in columns]
    if named:
        return _of_column(named[0])
    tried = records[:TRIED]
    for notation in _candidates(tried, columns, space):
        if any(_is_parsed(space, notation(record.values)) for record in tried):
            return notation
    raise ConfigError(
        f"no column of {table} holds architectures of {space.id!r}: it has {', '.join(columns)}; name the column of "
        "architectures, or another space"
    )


def read_list(path: Path, space: SearchSpace) -> list[Architecture]:
    """Return the distinct architectures in a file: a CSV or JSON file, or a text with one on each line.

    Raises:
        ConfigError: the file cannot be read, holds none, one that the space does not have, or one twice.
    """
    if path.suffix in (".csv", ".tsv", ".json"):
        records = read_records(path)
        notation = find_notation(records, space, table=path.name)
        texts = [(notation(record.values), record.origin) for record in records]
    else:
        texts = read_lines(path)
    architectures = parse_each(texts, space)
    first: dict[str, str] = {}
    for arch, (text, origin) in zip(architectures, texts, strict=True):
        if arch.key in first:
            raise ConfigError(
                f"the network {text[:80]!r} is there twice ({first[arch.key]} and {origin}); remove one of them"
            )
        first[arch.key] = origin
    return architectures


def parse_each(texts: Sequence[tuple[str, str]], space: SearchSpace) -> list[Architecture]:
    """Return the architectures of texts that each have an origin, for errors.

    Raises:
        ConfigError: the first text that the space cannot read, and how many others there are.
    """
    architectures: list[Architecture] = []
    errors: list[ConfigError] = []
    for text, origin in texts:
        try:
            architectures.append(space.parse(text, origin=origin))
        except ConfigError as error:
            errors.append(error)
    if errors:
        others = f"; {len(errors) - 1} more of {len(texts)} cannot be read" if len(errors) > 1 else ""
        raise ConfigError(f"{errors[0]}{others}") from errors[0]
    return architectures


def _candidates(tried: Sequence[RecordOfFile], columns: list[str], space: SearchSpace) -> Iterator[Notation]:
    yield from map(_of_column, columns)
    if {knob.name for knob in space.knobs() if knob.when is None} <= set(columns):
        yield _of_knobs(space)
    whole = next((r for r in tried if _is_parsed(space, _as_json(r.values, columns))), None)
    if whole is not None:
        # Without the others, such as a number of the row, equal networks have equal texts.
        needed = [
            name
            for name in columns
            if not _is_parsed(space, _as_json(whole.values, [other for other in columns if other != name]))
        ]
        yield lambda values: _as_json(values, needed)


def _of_column(name: str) -> Notation:
    def notation(values: Mapping[str, Any]) -> str:
        value = values.get(name, "")
        return value if isinstance(value, str) else json.dumps(value)

    return notation


def _of_knobs(space: SearchSpace) -> Notation:
    knobs = space.knobs()

    def notation(values: Mapping[str, Any]) -> str:
        chosen: dict[str, Any] = {}
        for knob in knobs:
            value = values.get(knob.name, "")
            if value not in ("", None):
                same = [choice for choice in knob.values if str(choice) == value]
                chosen[knob.name] = same[0] if same else value
        return json.dumps({"arch": chosen})

    return notation


def _as_json(values: Mapping[str, Any], columns: Sequence[str]) -> str:
    return json.dumps({name: values[name] for name in columns if name in values})


def _is_parsed(space: SearchSpace, text: str) -> bool:
    try:
        space.parse(text)
    except ConfigError:
        return False
    return True
