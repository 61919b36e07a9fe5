"""A table of trained networks: architectures of a space, and what was measured of each."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from denas_core.errors import ConfigError, did_you_mean

from .notation import find_notation, parse_each
from .records import RecordOfFile, read_records

if TYPE_CHECKING:
    from denas_core.contracts.space import SearchSpace
    from denas_core.values.architecture import Architecture

FEWEST_ROWS = 10


@dataclasses.dataclass(frozen=True, slots=True)
class Row:
    """A trained network.

    Attributes:
        arch: Its architecture.
        text: What the table says of it.
        origin: Where it is in the table, for errors.
        targets: What was measured, by column.
    """

    arch: Architecture
    text: str
    origin: str
    targets: Mapping[str, float]


@dataclasses.dataclass(frozen=True, slots=True)
class AccuracyTable:
    """Trained networks of one space.

    Attributes:
        name: File name of the table.
        targets: Columns that were read.
        rows: In the order of the file. A network that was trained several times may have several rows.
    """

    name: str
    targets: tuple[str, ...]
    rows: tuple[Row, ...]

    def architectures(self) -> list[Architecture]:
        """Return the distinct architectures, in the order of the file."""
        return list(dict.fromkeys(row.arch for row in self.rows))


def read_table(
    path: Path | str, space: SearchSpace, *, targets: Sequence[str], column: str = ""
) -> AccuracyTable:
    """Read a CSV or JSON file of trained networks; see `read_records` and `find_notation` for what it may look like.

    Args:
        path: The file.
        space: Whose architectures it holds.
        targets: Columns of accuracies, or of whatever else scores are compared with.
        column: Column of architectures; by default it is found.

    Raises:
        ConfigError: the file cannot be read; a target is not a column, is missing in a row, or is the same in all; a
            row has an architecture that the space does not have, or that of another row; there are fewer than 10 rows.
    """
    path = Path(path)
    records = read_records(path)
    _check_targets(records, targets, path.name)
    _check_count(len(records), path.name)
    notation = find_notation(records, space, column=column, table=path.name)
    architectures = parse_each([(notation(record.values), record.origin) for record in records], space)
    rows = tuple(
        Row(arch, notation(record.values), record.origin, _measured(record, targets))
        for record, arch in zip(records, architectures, strict=True)
    )
    _check_distinct(records, rows)
    check_rows(rows, targets, path.name)
    return AccuracyTable(path.name, tuple(dict.fromkeys(targets)), rows)


def check_rows(rows: Sequence[Row], targets: Sequence[str], table: str) -> None:
    """Refuse rows that no score can be compared with.

    Raises:
        ConfigError: there are fewer than 10, or a target is the same in all of them.
    """
    _check_count(len(rows), table)
    for target in targets:
        if len({row.targets[target] for row in rows}) == 1:
            value = rows[0].targets[target]
            raise ConfigError(
                f"{target!r} is {value:g} in all {len(rows)} rows of {table}, so it ranks nothing; choose another"
            )


def _check_count(rows: int, table: str) -> None:
    if rows < FEWEST_ROWS:
        raise ConfigError(f"{table} has {rows} rows; a correlation needs at least {FEWEST_ROWS}")


def _check_targets(records: Sequence[RecordOfFile], targets: Sequence[str], table: str) -> None:
    columns = list(dict.fromkeys(name for record in records for name in record.values))
    numeric = [
        name for name in columns if all(_number(record.values.get(name)) is not None for record in records)
    ]
    if not targets:
        raise ConfigError(
            f"no target is named; columns of numbers of {table}: {', '.join(numeric) or 'none'}"
        )
    for target in targets:
        if target not in columns:
            hint = did_you_mean(target, columns) or f"; columns of numbers: {', '.join(numeric) or 'none'}"
            raise ConfigError(f"{table} has no column {target!r}{hint}")


def _measured(record: RecordOfFile, targets: Sequence[str]) -> dict[str, float]:
    values: dict[str, float] = {}
    for target in targets:
        number = _number(record.values.get(target))
        if number is None:
            value = str(record.values.get(target, ""))[:40]
            raise ConfigError(f"{target!r} is {value!r}, which is not a finite number ({record.origin})")
        values[target] = number
    return values


def _check_distinct(records: Sequence[RecordOfFile], rows: Sequence[Row]) -> None:
    """Refuse a row that says of a network what another says: all but its targets, or all but its number.

    A network may have been trained several times: then its rows differ in what was measured, and in what names them.
    """
    targets = rows[0].targets
    whole = {
        name
        for name in records[0].values
        if name not in targets and all(_is_whole(record.values.get(name)) for record in records)
    }
    seen: dict[Any, Row] = {}
    for record, row in zip(records, rows, strict=True):
        for without in (targets.keys(), whole):
            said = sorted((name, repr(value)) for name, value in record.values.items() if name not in without)
            first = seen.setdefault((row.arch.key, *said), row)
            if first is not row:
                raise ConfigError(
                    f"the network {row.text[:80]!r} is there twice ({first.origin} and {row.origin}); "
                    "remove one of the rows"
                )


def _is_whole(value: Any) -> bool:
    number = _number(value)
    return number is not None and number == int(number)


def _number(value: Any) -> float | None:
    if isinstance(value, bool):
        return None
    try:
        number = float(value)
    except (TypeError, ValueError):
        return None
    return number if math.isfinite(number) else None
