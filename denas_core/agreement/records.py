"""Records of a file: the rows of a CSV file, or the objects of a JSON file."""

from __future__ import annotations

import csv
import dataclasses
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from denas_core.errors import ConfigError

DELIMITERS = {".tsv": "\t"}


@dataclasses.dataclass(frozen=True, slots=True)
class RecordOfFile:
    """One record.

    Attributes:
        values: Values by column. Those of a CSV file are texts.
        origin: Its place in the file, for errors, such as ``accuracy.csv:7``.
    """

    values: Mapping[str, Any]
    origin: str


def read_records(path: Path) -> list[RecordOfFile]:
    """Return the records of a CSV file with a header, or of a JSON file.

    A JSON file must hold a list of objects, or an object that contains one list of objects. If a value of a record is
    an object, its entries become columns: ``{"scores": {"glue": 73.5}}`` has the column ``glue``.

    Raises:
        ConfigError: the file cannot be read, or is neither.
    """
    text = _read(path)
    records = list(_json_records(text, path) if path.suffix == ".json" else _csv_records(text, path))
    if not records:
        raise ConfigError(f"the table {str(path)!r} has no rows")
    return records


def read_lines(path: Path) -> list[tuple[str, str]]:
    """Return the lines of a text file with their places, without empty lines and without comments, which begin with #.

    Raises:
        ConfigError: the file cannot be read, or has no other lines.
    """
    lines = enumerate(map(str.strip, _read(path).splitlines()), start=1)
    found = [(line, f"{path.name}:{number}") for number, line in lines if line and not line.startswith("#")]
    if not found:
        raise ConfigError(f"{str(path)!r} has no lines")
    return found


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not a text file in UTF-8"
        raise ConfigError(f"cannot read {str(path)!r}: {reason}") from error


def _csv_records(text: str, path: Path) -> Iterator[RecordOfFile]:
    reader = csv.DictReader(text.splitlines(), delimiter=DELIMITERS.get(path.suffix, ","), strict=True)
    try:
        names = [name.strip() for name in reader.fieldnames or ()]
        twice = next((name for name in names if names.count(name) > 1), None)
        if twice is not None:
            raise ConfigError(f"the table {str(path)!r} has two columns with the name {twice!r}")
        reader.fieldnames = names
        for row in reader:
            origin = f"{path.name}:{reader.line_num}"
            if None in row or None in row.values():
                raise ConfigError(f"the row does not have the {len(names)} columns of the table ({origin})")
            yield RecordOfFile({name: value.strip() for name, value in row.items()}, origin)
    except csv.Error as error:
        raise ConfigError(f"the table is not a CSV file: {error} ({path.name}:{reader.line_num})") from error


def _json_records(text: str, path: Path) -> Iterator[RecordOfFile]:
    try:
        document = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise ConfigError(f"the table {str(path)!r} is not a JSON file: {error}") from error
    if isinstance(document, dict):
        lists = [value for value in document.values() if _is_list_of_objects(value)]
        document = lists[0] if len(lists) == 1 else document
    if not _is_list_of_objects(document):
        raise ConfigError(f"the table {str(path)!r} must hold exactly one list of objects")
    for index, entry in enumerate(document, start=1):
        values: dict[str, Any] = {}
        for name, value in entry.items():
            values |= value if isinstance(value, dict) else {name: value}
        yield RecordOfFile(values, f"{path.name}, entry {index}")


def _is_list_of_objects(value: Any) -> bool:
    return isinstance(value, list) and bool(value) and all(isinstance(entry, dict) for entry in value)
