"""Read a table of text, whatever its delimiter and encoding are."""

from __future__ import annotations

import codecs
import csv
import dataclasses
import gzip
import io
import json
import zlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from denas_core.errors import ConfigError

EXTENSIONS = (".csv", ".tsv", ".jsonl", ".ndjson", ".json")
GZIP_MAGIC = b"\x1f\x8b"
DELIMITERS = ",\t;|"
PROBED = 50
"""Number of lines by which the delimiter is found."""

LONGEST_FIELD = 1 << 24


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """The rows of a file.

    Attributes:
        path: The file.
        columns: Names of the columns, in order.
        rows: Values by column; those of CSV are text, those of JSON may be numbers and lists.
        notices: What the user should know about the file.
    """

    path: Path
    columns: tuple[str, ...]
    rows: Sequence[Mapping[str, Any]]
    notices: tuple[str, ...] = ()


def is_table(path: Path) -> bool:
    """Return whether a file is a table by its name."""
    return path.name.lower().removesuffix(".gz").endswith(EXTENSIONS) and path.is_file()


def read_table(path: Path) -> Table:
    """Read a whole table.

    Raises:
        ConfigError: the file is empty, damaged or no table; the text names it.
    """
    text, notices = _text(path)
    if not text.strip():
        raise ConfigError(f"{str(path)!r} is empty")
    table = _from_json(path, text) if text.lstrip()[0] in "[{" else _from_lines(path, text)
    if not table.rows:
        raise ConfigError(f"{str(path)!r} has no rows below its header")
    return dataclasses.replace(table, notices=(*notices, *table.notices))


def _text(path: Path) -> tuple[str, list[str]]:
    content = path.read_bytes()
    if content.startswith(GZIP_MAGIC):
        try:
            content = gzip.decompress(content)
        except (EOFError, zlib.error, gzip.BadGzipFile) as error:
            raise ConfigError(f"{str(path)!r} is damaged: {error}") from error
    if b"\0" in content and not content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        raise ConfigError(f"{str(path)!r} is not a table of text: it holds zero bytes")
    for encoding in ("utf-16" if content.startswith((b"\xff\xfe", b"\xfe\xff")) else "utf-8-sig", "cp1252"):
        try:
            text = content.decode(encoding)
        except UnicodeDecodeError:
            continue
        return text, [
            f"{str(path)!r} is not in UTF-8: it is read as Windows-1252"
        ] if encoding == "cp1252" else []
    raise ConfigError(f"{str(path)!r} is in no known encoding of text; save it as UTF-8")


def _from_json(path: Path, text: str) -> Table:
    rows: list[Any] = []
    number = 0
    try:
        if text.lstrip().startswith("["):
            rows = json.loads(text)
        else:
            for number, line in enumerate(text.split("\n"), 1):  # noqa: B007 - the error names it
                if line.strip():
                    rows.append(json.loads(line))
    except ValueError as error:
        where = f" in line {number}" if number else ""
        raise ConfigError(f"{str(path)!r} is not JSON with one object a line{where}: {error}") from error
    wrong = next((index for index, row in enumerate(rows) if not isinstance(row, dict)), None)
    if wrong is not None:
        raise ConfigError(f"{str(path)!r} has row {wrong + 1}, which is not an object with names and values")
    columns = dict.fromkeys(name for row in rows for name in row)
    return Table(path=path, columns=tuple(columns), rows=rows)


def _from_lines(path: Path, text: str) -> Table:
    delimiter = _delimiter(text)
    before = csv.field_size_limit(LONGEST_FIELD)
    try:
        lines = list(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, skipinitialspace=True))
    except csv.Error as error:
        raise ConfigError(f"{str(path)!r} is damaged: {error}") from error
    finally:
        csv.field_size_limit(before)
    lines = [line for line in lines if any(field.strip() for field in line)]
    columns = tuple(name.strip() for name in lines[0])
    if "" in columns:
        # A column of row numbers has no name where pandas has written the table.
        columns = tuple(name or f"column {place}" for place, name in enumerate(columns, 1))
    doubled = next((name for name in columns if columns.count(name) > 1), None)
    if doubled is not None:
        raise ConfigError(f"{str(path)!r} has two columns {doubled!r} in its header; rename one of them")
    fitting = [line for line in lines[1:] if len(line) == len(columns)]
    wrong = len(lines) - 1 - len(fitting)
    notices = (
        f"{wrong} rows of {str(path)!r} have another number of columns than its header and are left out",
    )
    return Table(
        path=path,
        columns=columns,
        rows=[dict(zip(columns, line, strict=True)) for line in fitting],
        notices=notices if wrong else (),
    )


def _delimiter(text: str) -> str:
    """Return the delimiter that divides the first lines most evenly into more than one column."""
    lines = [line for line in text.splitlines()[:PROBED] if line.strip()]
    in_header = [(lines[0].count(each), each) for each in DELIMITERS if each in lines[0]]
    even = [
        (count, each)
        for count, each in in_header
        if sum(line.count(each) == count for line in lines) * 2 > len(lines)
    ]
    return max(even or in_header or [(0, ",")], key=lambda pair: pair[0])[1]
