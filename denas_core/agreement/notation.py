"""Find the architecture in the records of a table: one column, or several columns together."""

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
"""Names of columns that are taken as columns of architectures without a trial."""

TRIED = 20
"""Number of records on which columns are tried, because the first ones may have mistakes."""

Notation = Callable[[Mapping[str, Any]], str]
"""Returns the text for the parser of the space from the values of a record."""


def find_notation(
    records: Sequence[RecordOfFile], space: SearchSpace, *, column: str = "", table: str
) -> Notation:
    """Return a function that finds the architecture in a record.

    It uses the first of these possibilities that exists: the column with the name `column`; a column with a name in
    `NAMES`; the first column that the space can parse; columns with the names of the knobs; those
    columns that the space needs to parse a mapping from name to value.

    Args:
        records: Records of the table.
        space: The space of the architectures.
        column: Name of the column, if the user gave one.
        table: Name of the table, for errors.

    Raises:
        ConfigError: there is no such column, or no column holds architectures.
    """
    columns = list(records[0].values)
    if column and column not in columns:
        hint = did_you_mean(column, columns) or f"; it has {', '.join(columns)}"
        raise ConfigError(f"{table} has no column {column!r} of architectures{hint}")
    named = [column] if column else [name for name in NAMES if name in columns]
    if named:
        return _column_notation(named[0])
    tried = records[:TRIED]
    for notation in _candidates(tried, columns, space):
        if any(_is_parsed(space, notation(record.values)) for record in tried):
            return notation
    raise ConfigError(
        f"no column of {table} holds architectures of {space.id!r}: it has {', '.join(columns)}; name the column of "
        "architectures, or another space"
    )


def read_list(path: Path, space: SearchSpace) -> list[Architecture]:
    """Return the architectures in a CSV file, in a JSON file, or in a text file with one on each line.

    Raises:
        ConfigError: the file cannot be read, is empty, or contains an architecture twice or one that is not in the
            space.
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
                f"the network {text[:80]!r} occurs twice ({first[arch.key]} and {origin}); remove one of them"
            )
        first[arch.key] = origin
    return architectures


def parse_each(texts: Sequence[tuple[str, str]], space: SearchSpace) -> list[Architecture]:
    """Return the architectures of pairs of a text and its origin, which errors name.

    Raises:
        ConfigError: the space cannot parse a text. The error describes the first one, and gives the number of others.
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
    yield from map(_column_notation, columns)
    if {knob.name for knob in space.knobs() if knob.when is None} <= set(columns):
        yield _knob_notation(space)
    whole = next((r for r in tried if _is_parsed(space, _as_json(r.values, columns))), None)
    if whole is not None:
        # Other columns, such as the number of the row, are left out, so that equal networks have equal texts.
        needed = [
            name
            for name in columns
            if not _is_parsed(space, _as_json(whole.values, [other for other in columns if other != name]))
        ]
        yield lambda values: _as_json(values, needed)


def _column_notation(name: str) -> Notation:
    def notation(values: Mapping[str, Any]) -> str:
        value = values.get(name, "")
        return value if isinstance(value, str) else json.dumps(value)

    return notation


def _knob_notation(space: SearchSpace) -> Notation:
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
