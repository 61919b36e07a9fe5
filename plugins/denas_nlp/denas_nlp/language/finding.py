"""Find the texts of a folder: files for training and for validation, or documents."""

from __future__ import annotations

import dataclasses
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path

from denas_core import is_hidden
from denas_core.errors import ConfigError
from denas_nlp.tables.saved import is_saved, saved_parts
from denas_nlp.text.files import BESIDE, TEST, TRAIN, VALID, Files, Found, found_files, is_named

TEXTS = (".txt", ".text", ".md", ".rst", ".tokens", ".raw")
"""Suffixes of files that are read as they are."""

TABLES = (".csv", ".tsv", ".jsonl", ".ndjson", ".json", ".parquet")
"""Suffixes of files with a column of texts."""

FILES = Files(
    kind="texts", items="documents", train="train.txt", valid="valid.txt", suffixes=(*TEXTS, *TABLES)
)

_MOST_PARTS = 10
"""A folder with more files than this holds documents, unless one of them is called ``train``."""

_SHARD = re.compile(r"-\d{5}-of-\d{5}\b")
_LISTED = 5


def found_texts(path: Path, *, to_evaluate: bool) -> Found:
    """Return the files of the texts at `path`.

    Raises:
        ConfigError: there is nothing at `path`, no text is in it, or several files could be the same part.
    """
    if not path.is_dir() or is_saved(path) or saved_parts(path):
        return found_files(path, FILES, to_evaluate=to_evaluate)
    there, unread = _files_below(path)
    parts = {
        name: [each for each in there if each.relative_to(path).parts[0].lower() in words]
        for name, words in (("train", TRAIN), ("valid", VALID), ("test", TEST))
        if any((path / word).is_dir() for word in words)
    }
    if parts.get("train"):
        return Found(**{name: tuple(files) for name, files in parts.items()}, notices=unread)
    direct = [each for each in there if each.parent == path]
    if _are_parts(direct):
        found = found_files(path, FILES, to_evaluate=to_evaluate)
        return dataclasses.replace(found, notices=(*found.notices, *unread))
    if not there:
        raise ConfigError(
            f"{str(path)!r} has no texts; give a text file, or a folder with files that end in "
            f"{', '.join(FILES.suffixes)}"
        )
    return Found(train=tuple(there), notices=unread)


def _are_parts(files: Sequence[Path]) -> bool:
    """Return whether names of files say which part of the data they are."""
    if any(each.name.partition(".")[0].lower() in TRAIN for each in files):
        return True
    names = {_SHARD.sub("", each.name) for each in files}
    trained = any(is_named(each, TRAIN) for each in files)
    measured = any(is_named(each, (*VALID, *TEST)) for each in files)
    return trained and measured and len(names) <= _MOST_PARTS


def _files_below(path: Path) -> tuple[list[Path], tuple[str, ...]]:
    """Return the texts in a folder and its folders, in order, and a notice about the other files.

    If there are plain texts, tables beside them are not read.
    """
    seen = [
        each
        for each in sorted(path.rglob("*"))
        if each.is_file() and not any(map(is_hidden, each.relative_to(path).parts))
    ]
    texts = [each for each in seen if FILES.suffix_of(each) and each.name.lower() not in BESIDE]
    plain = [each for each in texts if FILES.suffix_of(each) in TEXTS]
    read = plain or texts
    return read, _unread_notice(path, set(seen) - set(read))


def _unread_notice(path: Path, unread: Iterable[Path]) -> tuple[str, ...]:
    kinds = Counter(each.suffix or "without an ending" for each in unread)
    if not kinds:
        return ()
    listed = ", ".join(f"{count} {kind}" for kind, count in kinds.most_common(_LISTED))
    more = ", ..." if len(kinds) > _LISTED else ""
    return (f"{kinds.total()} other files of {path.name!r} are not read: {listed}{more}",)
