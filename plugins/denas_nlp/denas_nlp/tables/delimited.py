"""Read delimiter-separated values: the delimiter, the quotes and the header are found from the content."""

from __future__ import annotations

import csv
import itertools
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from denas_core.errors import ConfigError, safe_repr
from denas_nlp.text.content import LOST

from .header import has_header
from .records import Record, Records

DELIMITERS = {",": "commas", "\t": "tabs", ";": "semicolons", "|": "bars"}
_PROBED = 200
"""Number of lines by which the delimiter is chosen."""

_SEPARATOR = re.compile(r'"?sep=.?"?', re.IGNORECASE)
_LONGEST_FIELD = 2**31 - 1
_MOST_REPAIRS = 50
"""After this many quotes without an end, quotes are taken as characters, because each of them costs a pass."""


class Fields(NamedTuple):
    """A row before its columns are known: the number of its first line, and its fields."""

    line: int
    fields: list[str]


def read_delimited(path: Path, text: str, *, notices: tuple[str, ...] = ()) -> Records:
    """Return the rows of a text with delimiters.

    Args:
        path: The file, for messages.
        text: Its text.
        notices: Notices about the text.

    Raises:
        ConfigError: there is no row below the header, or two columns have the same name.
    """
    every = _lines(text)
    lines = every[(above := _lines_above(every)) :]
    if above:
        notices = (
            *notices,
            f"{path.name!r} has {above} line(s) above its table: {safe_repr(every[0].strip(), 40)}",
        )
    delimiter = _delimiter(lines, path)
    rows = [
        Fields(line + above, fields)
        for line, fields in _rows(lines, delimiter, quoted=_is_quoted(lines, delimiter))
    ]
    first = rows[0].fields
    table = [row.fields for row in rows if len(row.fields) == len(first)]
    if has_header(table):
        columns, rows = tuple(name.strip() for name in first), rows[1:]
        doubled = [name for name, count in Counter(columns).items() if name and count > 1]
        if doubled:
            raise ConfigError(
                f"{str(path)!r} has two columns {safe_repr(doubled[0], 40)} in its header; rename one of them"
            )
        if not rows:
            raise ConfigError(f"{str(path)!r} has a header ({', '.join(columns)[:80]}), but no rows")
    else:
        columns = tuple(str(place) for place in range(1, len(first) + 1))
        notices = (*notices, f"{path.name!r} has no header: its columns are called {', '.join(columns)}")
    found: list[Record] = []
    damaged: list[str] = []
    breaks: set[int] = set()
    for line, fields in rows:
        place = f"line {line}"
        if line - above > 1 and not lines[line - above - 2].strip():
            breaks.add(len(found))
        if len(fields) != len(columns):
            damaged.append(f"{place} ({len(fields)} instead of {len(columns)} columns)")
        elif any(map(LOST.search, fields)):
            damaged.append(f"{place} (not UTF-8)")
        else:
            found.append(Record(place, dict(zip(columns, fields, strict=True))))
    return Records(
        path=path,
        format=f"{'TSV' if delimiter == chr(9) else 'CSV'} with {DELIMITERS[delimiter]}",
        columns=columns,
        rows=found,
        damaged=damaged,
        breaks=frozenset(breaks),
        notices=notices,
    )


def _lines_above(lines: Sequence[str]) -> int:
    """Return the number of lines that come before a table: the delimiter that Excel writes, and comments."""
    above = itertools.takewhile(
        lambda line: line.startswith("# ") or _SEPARATOR.fullmatch(line.strip()), lines
    )
    count = sum(1 for _ in above)
    return count if count < len(lines) else 0


def _lines(text: str) -> list[str]:
    # Not splitlines(), because a text may contain a rare line separator.
    if "\n" not in text:
        text = text.replace("\r", "\n")
    lines = [f"{line}\n" for line in text.split("\n")]
    while lines and not lines[-1].strip():
        lines.pop()
    while lines and not lines[0].strip():
        lines.pop(0)
    return lines


def _delimiter(lines: Sequence[str], path: Path) -> str:
    """Return the delimiter with which most rows have as many columns as the first one; a comma if there is only one."""
    wanted = "\t" if path.name.removesuffix(".gz").endswith((".tsv", ".tab")) else ","
    best, chosen = 0.0, wanted
    for delimiter in sorted(DELIMITERS, key=lambda each: each != wanted):
        rows = [
            row.fields
            for row in _rows(lines[:_PROBED], delimiter, quoted=_is_quoted(lines[:_PROBED], delimiter))
        ]
        columns = len(rows[0])
        share = sum(len(row) == columns for row in rows) / len(rows)
        # A delimiter in most rows by chance, such as a comma in sentences, gives rows of different lengths.
        if columns > 1 and share > best + 0.05:
            best, chosen = share, delimiter
    return chosen


def _is_quoted(lines: Sequence[str], delimiter: str) -> bool:
    """Return whether quotes enclose fields. In tables with tabs, a quote is often a character of the text."""
    if delimiter != "\t":
        return True
    begun = [field for line in lines for field in line.rstrip("\r\n").split("\t") if field.startswith('"')]
    closed = [
        field
        for field in begun
        if len(field) > 1 and field.endswith('"') and '"' not in field[1:-1].replace('""', "")
    ]
    return len(closed) == len(begun) > 0


def _rows(lines: Sequence[str], delimiter: str, *, quoted: bool) -> Iterator[Fields]:
    """Yield the rows that are not empty. A quote without an end is a character of its line."""
    start, repairs = 0, 0
    limit = csv.field_size_limit(_LONGEST_FIELD)
    try:
        while start < len(lines):
            if not quoted or repairs > _MOST_REPAIRS:
                yield from _plain(lines, start, len(lines), delimiter)
                return
            reader = csv.reader(_from(lines, start), delimiter=delimiter, strict=True)
            done = 0
            try:
                for fields in reader:
                    if fields:
                        yield Fields(start + done + 1, fields)
                    done = reader.line_num
                return
            except csv.Error:
                start, repairs = start + done, repairs + 1
                yield from _plain(lines, start, start + 1, delimiter)
                start += 1
    finally:
        csv.field_size_limit(limit)


def _plain(lines: Sequence[str], start: int, stop: int, delimiter: str) -> Iterator[Fields]:
    for number in range(start, stop):
        line = lines[number].rstrip("\r\n")
        if line.strip():
            yield Fields(number + 1, line.split(delimiter))


def _from(lines: Sequence[str], start: int) -> Iterator[str]:
    return (lines[number] for number in range(start, len(lines)))
