"""Read documents: a text file is one, and each row of a table is one."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from pathlib import Path

from denas_core.errors import ConfigError
from denas_nlp.classification.columns import found_columns
from denas_nlp.tables.names import TEXTS as USUAL
from denas_nlp.tables.names import known
from denas_nlp.tables.read import read_records
from denas_nlp.tables.records import Records
from denas_nlp.tables.values import column_value, text_of
from denas_nlp.text.content import LOST, decoded, read_text
from denas_nlp.text.faults import damage_notices, with_notices
from denas_nlp.text.parts import held_out

from .finding import FILES, TABLES, found_texts

FEWEST = 10
"""From this number of documents on, whole documents are set aside for validation; of fewer, the end of each."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Corpus:
    """The documents of a data set.

    Attributes:
        train: Documents to learn from; None if only those to measure on were requested.
        valid: Documents to measure on.
        notices: Notices for the user.
    """

    train: Sequence[str] | None
    valid: Sequence[str]
    notices: tuple[str, ...]


def read_corpus(path: Path, *, column: str, to_evaluate: bool, valid_share: float, part: str = "") -> Corpus:
    """Read the texts at `path`.

    Args:
        path: A text file, a table, or a folder of them.
        column: The column of tables with the texts; empty to find it.
        to_evaluate: Whether only documents to measure on are needed.
        valid_share: Share to measure on if there are no files for it.
        part: The part to measure on: ``train``, ``valid`` or ``test``; empty for the usual one.

    Raises:
        ConfigError: a file is missing, or cannot be read, or there is too little text.
    """
    found = found_texts(path, to_evaluate=to_evaluate)
    notices = list(found.notices)

    def read(paths: Sequence[Path]) -> list[str]:
        texts: list[str] = []
        for each in paths:
            more, said = read_documents(each, column=column)
            texts += more
            notices.extend(said)
        return texts

    with with_notices(notices):
        measured = _measured_files(found.train, found.valid, found.test, part, path)
        if to_evaluate and measured:
            return Corpus(train=None, valid=_some(read(measured), path), notices=tuple(notices))
        texts = _some(read(found.train), path)
        if found.valid:
            return Corpus(train=texts, valid=_some(read(found.valid), path), notices=tuple(notices))
        train, valid, what = _divided(texts, valid_share, path)
    notices.append(
        f"there are no texts for validation ({FILES.valid}): {what}, always the same, used for validation "
        "(task.valid_share)"
    )
    return Corpus(train=None if to_evaluate else train, valid=valid, notices=tuple(notices))


def read_documents(path: Path, *, column: str = "") -> tuple[list[str], tuple[str, ...]]:
    """Return the documents of a file, and notices about it.

    Raises:
        ConfigError: the file cannot be read, or a table has no column of texts.
    """
    if path.is_dir() or FILES.suffix_of(path) in TABLES:
        return _rows(read_records(path), column)
    found = decoded(read_text(path), path)
    text, lost = LOST.subn("\ufffd", found.text)
    notices = list(found.notices)
    if lost:
        notices.append(
            f"{lost} bytes of {path.name!r} are not UTF-8 and are replaced by a question mark (U+FFFD)"
        )
    text = text.replace("\r\n", "\n")
    return [text] if text.strip() else [], tuple(notices)


def text_column(records: Records, column: str) -> str:
    """Return the column with the texts of a table.

    Raises:
        ConfigError: there is none, or several could be meant.
    """
    usual = None if column else known(records.columns, USUAL)
    if usual is not None:
        return usual
    return found_columns(records, text=column, needs_labels=False).texts[0]


def _rows(records: Records, column: str) -> tuple[list[str], tuple[str, ...]]:
    name = text_column(records, column)
    texts, damaged, empty = [], list(records.damaged), 0
    for record in records.rows:
        value = column_value(record.values, name)
        text = text_of(value)
        if text is not None:
            texts.append(text)
        elif value is None or not str(value).strip():
            empty += 1
        else:
            damaged.append(f"{record.place} (no text in {name!r})")
    damage = damage_notices(
        records.path, damaged, len(texts) + len(damaged), way_out="give a table in which every row has a text"
    )
    others = [repr(each) for each in records.columns if each and each != name]
    rest = f"; {', '.join(others[:6])}{', ...' if len(others) > 6 else ''} not read" if others else ""
    used = f"{records.path.name!r} is {records.format}: texts from {name!r}{rest}"
    blank = [f"{empty} rows of {records.path.name!r} have no text"] if empty else []
    return texts, (*records.notices, used, *blank, *damage)


def _measured_files(
    train: tuple[Path, ...], valid: tuple[Path, ...], test: tuple[Path, ...], part: str, path: Path
) -> tuple[Path, ...]:
    if not part:
        return valid or test
    if part not in ("train", "valid", "test"):
        raise ConfigError(f"there is no part {part!r}; choose train, valid or test (task.split)")
    files = {"train": train, "valid": valid, "test": test}[part]
    if not files and part != "valid":
        raise ConfigError(f"{str(path)!r} has no texts of the part {part!r}; choose another (task.split)")
    return files


def _some(texts: list[str], path: Path) -> list[str]:
    if not texts:
        raise ConfigError(f"{str(path)!r} holds no text: its files are empty")
    return texts


def _divided(texts: Sequence[str], share: float, path: Path) -> tuple[list[str], list[str], str]:
    """Return documents to learn from and to measure on, and what was set aside."""
    if len(texts) >= FEWEST:
        train, valid = held_out(texts, share, path=path)
        return train, valid, f"{len(valid)} of the {len(texts)} documents are"
    pairs = [_cut(text, share) for text in texts]
    train, valid = ([part for part in parts if part.strip()] for parts in zip(*pairs, strict=True))
    if not train or not valid:
        raise ConfigError(f"{str(path)!r} has too little text to use a part of it for validation")
    whose = "the text" if len(texts) == 1 else "each document"
    return train, valid, f"the last {100 * share:.0f} % of {whose} are"


def _cut(text: str, share: float) -> tuple[str, str]:
    """Return a text without its last part, and this part, divided at the end of a line or of a word."""
    place = round(len(text) * (1 - share))
    ends: list[Callable[[], int]] = [lambda: text.rfind("\n", 0, place), lambda: text.rfind(" ", 0, place)]
    for find in ends:
        end = find() + 1
        # A text without line feeds, or with very long lines, is divided between words.
        if end > place - max(place // 10, 1):
            return text[:end], text[end:]
    return text[:place], text[place:]
