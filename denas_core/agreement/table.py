"""A table of trained networks: architectures of a space, with measured targets."""

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
        text: The architecture as in the table.
        origin: Its place in the table, for errors.
        targets: The measured values by column.
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
        rows: The rows, in the order of the file. A network that was trained several times may have several rows.
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
    """Read a CSV or JSON file of trained networks. `read_records` and `find_notation` describe its format.

    Args:
        path: The file.
        space: The space of the architectures.
        targets: Columns of accuracies, or of other values with which scores are compared.
        column: Column of architectures; if empty, it is searched for.

    Raises:
        ConfigError: the file cannot be read; a target is not a column, is missing in a row, or has the same value in
            all rows; the space does not have an architecture; two rows are equal; there are fewer than 10 rows.
    """
    path = Path(path)
    records = read_records(path)
    _check_targets(records, targets, path.name)
    _check_count(len(records), path.name)
    notation = find_notation(records, space, column=column, table=path.name)
    architectures = parse_each([(notation(record.values), record.origin) for record in records], space)
    rows = tuple(
        Row(arch, notation(record.values), record.origin, _read_targets(record, targets))
        for record, arch in zip(records, architectures, strict=True)
    )
    _check_distinct(records, rows)
    check_rows(rows, targets, path.name)
    return AccuracyTable(path.name, tuple(dict.fromkeys(targets)), rows)


def check_rows(rows: Sequence[Row], targets: Sequence[str], table: str) -> None:
    """Check that scores can be compared with these rows.

    Raises:
        ConfigError: there are fewer than 10 rows, or a target has the same value in all of them.
    """
    _check_count(len(rows), table)
    for target in targets:
        if len({row.targets[target] for row in rows}) == 1:
            value = rows[0].targets[target]
            raise ConfigError(
                f"{target!r} is {value:g} in all {len(rows)} rows of {table}, so it gives no ranking; choose another "
                "target"
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
            f"no target is named; {table} has these columns of numbers: {', '.join(numeric) or 'none'}"
        )
    for target in targets:
        if target not in columns:
            hint = did_you_mean(target, columns) or f"; columns of numbers: {', '.join(numeric) or 'none'}"
            raise ConfigError(f"{table} has no column {target!r}{hint}")


def _read_targets(record: RecordOfFile, targets: Sequence[str]) -> dict[str, float]:
    values: dict[str, float] = {}
    for target in targets:
        number = _number(record.values.get(target))
        if number is None:
            value = str(record.values.get(target, ""))[:40]
            raise ConfigError(f"{target!r} is {value!r}, which is not a finite number ({record.origin})")
        values[target] = number
    return values


def _check_distinct(records: Sequence[RecordOfFile], rows: Sequence[Row]) -> None:
    """Refuse two rows of one network that are equal except for their targets, or except for columns of whole numbers.

    A network that was trained several times has rows that differ in their targets, and also in a column that names
    them. Columns of whole numbers are ignored because a table may number its rows.
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
            rest = sorted((name, repr(value)) for name, value in record.values.items() if name not in without)
            first = seen.setdefault((row.arch.key, *rest), row)
            if first is not row:
                raise ConfigError(
                    f"the network {row.text[:80]!r} occurs twice ({first.origin} and {row.origin}); "
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
