"""Read pairs of texts: tables with two columns, or two text files with a line for each text."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from denas_core import is_hidden
from denas_core.errors import ConfigError, did_you_mean, safe_repr
from denas_nlp.tables.names import plain_name
from denas_nlp.tables.read import SUFFIXES, read_records
from denas_nlp.tables.records import Records
from denas_nlp.tables.values import column_value, text_of
from denas_nlp.text.content import decoded, read_text
from denas_nlp.text.faults import damage_notices, with_notices
from denas_nlp.text.files import TEST, TRAIN, VALID, Files
from denas_nlp.text.parts import Parts, held_out, read_parts

FILES = Files(
    kind="pairs of texts", items="pairs", train="train.jsonl", valid="valid.jsonl", suffixes=SUFFIXES
)

COLUMNS = (
    ("source", "target"),
    ("src", "tgt"),
    ("source text", "target text"),
    ("input text", "target text"),
    ("document", "summary"),
    ("article", "highlights"),
    ("article", "summary"),
    ("dialogue", "summary"),
    ("text", "summary"),
    ("input", "output"),
    ("prompt", "completion"),
)
"""The usual names of the columns with the texts that are read and those that are written."""


class Pair(NamedTuple):
    """A text that is read, and the text that is written from it."""

    source: str
    target: str


@dataclasses.dataclass(frozen=True, kw_only=True)
class PairReader:
    """Reads pairs of texts.

    Attributes:
        source: The column, or the ending of the files, with the texts that are read; empty to find it.
        target: The same for the texts that are written.
    """

    source: str = ""
    target: str = ""

    def read(self, data: Path, *, to_evaluate: bool, valid_share: float, part: str = "") -> Parts[Pair]:
        """Return the pairs to learn from and to measure on.

        Raises:
            ConfigError: a file or a column is missing, or the files of a pair have different numbers of lines.
        """
        files = parallel_files(data, self.source, self.target)
        if not files:
            return read_parts(
                data, FILES, self.read_table, to_evaluate=to_evaluate, valid_share=valid_share, part=part
            )
        if part and part not in files:
            raise ConfigError(f"{str(data)!r} has no files of the part {part!r}; it has {', '.join(files)}")
        if to_evaluate and (named := part or next((name for name in ("valid", "test") if name in files), "")):
            valid, notices = read_lines_of(*files[named])
            return Parts(train=None, valid=valid, notices=notices)
        train, notices = read_lines_of(*files["train"])
        if "valid" in files:
            valid, more = read_lines_of(*files["valid"])
            return Parts(train=train, valid=valid, notices=(*notices, *more))
        with with_notices(notices):
            train, valid = held_out(train, valid_share, path=files["train"][0])
        notice = (
            f"there are no files for validation: {len(valid)} pairs, always the same ones, are used for it"
        )
        return Parts(train=None if to_evaluate else train, valid=valid, notices=(*notices, notice))

    def read_table(self, path: Path) -> tuple[list[Pair], tuple[str, ...]]:
        """Return the pairs of a table, and notices about it.

        Raises:
            ConfigError: the table cannot be read, or a column is missing.
        """
        records = read_records(path)
        names = self.columns(records)
        found: list[Pair] = []
        damaged = list(records.damaged)
        for record in records.rows:
            texts = [text_of(column_value(record.values, name)) for name in names]
            if texts[0] is None or texts[1] is None:
                damaged.append(f"{record.place} (no text in {names[texts.index(None)]!r})")
            else:
                found.append(Pair(texts[0], texts[1]))
        damage = damage_notices(
            path, damaged, len(found) + len(damaged), way_out="give a table in which every row has both texts"
        )
        used = f"{path.name!r} is {records.format}: {names[1]!r} is written from {names[0]!r}"
        return found, (*records.notices, used, *damage)

    def columns(self, records: Records) -> tuple[str, str]:
        """Return the columns of a table with the texts that are read and written.

        Raises:
            ConfigError: a column is missing.
        """
        if self.source and self.target:
            return _there(records, self.source, "source"), _there(records, self.target, "target")
        by_name = {plain_name(column): column for column in reversed(records.columns)}
        for source, target in COLUMNS:
            if source in by_name and target in by_name:
                return self.source or by_name[source], self.target or by_name[target]
        listed = ", ".join(safe_repr(column, 30) for column in records.columns[:10])
        raise ConfigError(
            f"{str(records.path)!r} has no known columns of texts to read and to write: it has {listed}; name them "
            "with --set task.source=COLUMN --set task.target=COLUMN"
        )


def parallel_files(data: Path, source: str, target: str) -> Mapping[str, tuple[Path, Path]]:
    """Return the two files of each part of a folder; empty if there are none.

    The files of a part have the same name and two endings, such as ``train.en`` and ``train.de``.

    Args:
        data: The folder.
        source: The ending of the files that are read; empty if the endings are ``source`` and ``target``, or ``src``
            and ``tgt``.
        target: The ending of the files that are written.
    """
    if not data.is_dir():
        return {}
    endings = [(source, target)] if source and target else list(COLUMNS[:2])
    found: dict[str, tuple[Path, Path]] = {}
    for name, words in (("train", TRAIN), ("valid", VALID), ("test", TEST)):
        for word in words:
            for first, second in endings:
                both = (data / f"{word}.{first}", data / f"{word}.{second}")
                if all(each.is_file() and not is_hidden(each.name) for each in both):
                    found.setdefault(name, both)
    return found if "train" in found else {}


def read_lines_of(source: Path, target: Path) -> tuple[list[Pair], tuple[str, ...]]:
    """Return the pairs of two files, and notices about them.

    Raises:
        ConfigError: a file cannot be read, or one has more lines than the other.
    """
    columns: list[list[str]] = []
    notices: list[str] = []
    for path in (source, target):
        found = decoded(read_text(path), path)
        columns.append(found.text.removesuffix("\n").split("\n"))
        notices += found.notices
    counts = [len(lines) for lines in columns]
    if counts[0] != counts[1]:
        raise ConfigError(
            f"{str(source)!r} has {counts[0]} lines and {target.name!r} has {counts[1]}; line by line they must belong "
            "together"
        )
    pairs = [Pair(*(line.strip() for line in lines)) for lines in zip(*columns, strict=True)]
    whole = [pair for pair in pairs if all(pair)]
    damaged = [f"line {number} (no text)" for number, pair in enumerate(pairs, start=1) if not all(pair)]
    return whole, (*notices, *damage_notices(source, damaged, len(pairs), way_out="fill the empty lines"))


def _there(records: Records, name: str, option: str) -> str:
    if name in records.columns or any(
        column_value(row.values, name) is not None for row in records.rows[:100]
    ):
        return name
    listed: Any = ", ".join(safe_repr(column, 30) for column in records.columns[:10])
    raise ConfigError(
        f"{str(records.path)!r} has no column {safe_repr(name, 40)} (task.{option}): it has {listed}"
        f"{did_you_mean(name, records.columns)}"
    )
