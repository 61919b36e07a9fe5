"""Read sentences with tags, in whatever form a file has them."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Callable, Sequence
from pathlib import Path

from denas_core.errors import ConfigError, did_you_mean, safe_repr
from denas_nlp.tables.names import known
from denas_nlp.tables.read import read_records
from denas_nlp.tables.records import Records
from denas_nlp.tables.values import column_value
from denas_nlp.text.content import PARQUET, as_utf8, decoded, read_file

from .char_spans import read_char_spans
from .columns import TAGS, TOKENS, TagColumns, found_tag_columns
from .conll import read_conll
from .label_names import given_names
from .tagged import Found
from .token_lists import read_token_lists
from .token_rows import read_token_rows

_READERS: dict[str, Callable[[Records, TagColumns, Sequence[str]], Found]] = {
    "rows": read_token_rows,
    "lists": read_token_lists,
    "spans": read_char_spans,
}
_DELIMITERS = ",\t;|"
_BEGINS_JSON = re.compile(rb'[{\[]\s*(\[\s*)?[{"]|\[\s*null\s*,')
"""Objects, or a list of objects, of pairs of a text and an object, or of empty places."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class TagReader:
    """Reads sentences with tags.

    Attributes:
        text: See `found_tag_columns`.
        label: See `found_tag_columns`.
        sentence: See `found_tag_columns`.
        names: The names of tags that are numbers, see `given_names`.
    """

    text: str = ""
    label: str = ""
    sentence: str = ""
    names: str = ""

    def read(self, path: Path) -> Found:
        """Return the sentences of a file or of a folder of the library datasets, and notices about it.

        Raises:
            ConfigError: the file cannot be read, has another format, or has many damaged sentences.
        """
        if not self.is_table(path):
            content = decoded(as_utf8(read_file(path), path), path)
            sentences, notices = read_conll(content.text, path)
            return sentences, (*content.notices, *notices)
        records = read_records(path)
        columns = self.columns(records)
        names = given_names(self.names) or records.names.get(columns.tags, ())
        return _READERS[columns.form](records, columns, names)

    def is_table(self, path: Path) -> bool:
        """Return whether a file is a table, and not lines of a token and its tag.

        Raises:
            ConfigError: the file cannot be read.
        """
        if path.is_dir() or (content := read_file(path)).startswith(PARQUET):
            return True
        content = as_utf8(content, path)
        begin = content[:4096].lstrip()
        if _BEGINS_JSON.match(begin):
            return True
        lines = [line.strip("\r") for line in decoded(content[:4096], path).text.split("\n")]
        header = next((line for line in lines if line.strip() and not _is_comment(line)), "")
        return any(
            self._is_header(header.split(delimiter)) for delimiter in _DELIMITERS if delimiter in header
        )

    def _is_header(self, fields: Sequence[str]) -> bool:
        names = [field.strip().strip('"') for field in fields]
        tokens = self.text in names if self.text else known(names, TOKENS) is not None
        tags = self.label in names if self.label else known(names, TAGS) is not None
        return tokens and tags

    def columns(self, records: Records) -> TagColumns:
        """Return the columns of a table.

        Raises:
            ConfigError: a column is missing.
        """
        for name, option in ((self.text, "text"), (self.label, "label"), (self.sentence, "sentence")):
            if name and not _is_there(records, name):
                raise ConfigError(
                    f"{str(records.path)!r} has no column {safe_repr(name, 40)} (task.{option}): it has "
                    f"{_listed(records)}{did_you_mean(name, records.columns)}"
                )
        found = found_tag_columns(records, text=self.text, label=self.label, sentence=self.sentence)
        if found is None:
            raise ConfigError(
                f"{str(records.path)!r} has the columns {_listed(records)}, and no tokens with tags: give lists of "
                "tokens and tags, or texts with spans, or a token in each row with a column of sentences; name the "
                "columns with --set task.text=COLUMN --set task.label=COLUMN --set task.sentence=COLUMN"
            )
        return found


def _is_there(records: Records, name: str) -> bool:
    return name in records.columns or any(
        column_value(row.values, name) is not None for row in records.rows[:100]
    )


def _listed(records: Records) -> str:
    return ", ".join(safe_repr(column, 30) for column in records.columns[:10])


def _is_comment(line: str) -> bool:
    return line.startswith("# ") or line.strip('"').lower().startswith("sep=")
