"""Find the files of a data set: for training, for validation, and for a last test."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Sequence
from pathlib import Path

from denas_core import is_hidden
from denas_core.errors import ConfigError
from denas_nlp.tables.saved import is_saved, saved_parts
from denas_nlp.tables.text_folders import holds_texts, label_folders

TRAIN = ("train", "training")
VALID = ("dev", "valid", "validation", "val", "eval")
TEST = ("test", "testing")
"""Words in a file name that show which part the file is."""

BESIDE = (
    *("vocab.txt", "tokenizer.json", "config.json", "dataset_info.json", "dataset_infos.json"),
    *("readme.txt", "license.txt", "requirements.txt"),
)
"""Names of files beside the data, in lower case."""

_SHARD = re.compile(r"(.*)-\d{5}-of-\d{5}\b(.*)")
_LISTED = 5


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Files:
    """The names of a data set's files.

    Attributes:
        kind: Name of the data set in errors.
        items: Name of its items in errors.
        train: Usual name of the training file.
        valid: Usual name of the validation file.
        folder: Usual name of their folder, so that its parent can be given instead; empty for none.
        suffixes: Suffixes that files may have; by default that of the training file.
        may_be_folders: Whether a part may be a folder with a folder of text files for each label.
    """

    kind: str
    items: str
    train: str
    valid: str
    folder: str = ""
    suffixes: tuple[str, ...] = ()
    may_be_folders: bool = False

    def suffix_of(self, path: Path) -> str:
        """Return the suffix of a file if files may have it, otherwise an empty text; ``.gz`` is ignored."""
        suffix = Path(path.name.removesuffix(".gz")).suffix.lower()
        return suffix if suffix in (self.suffixes or (Path(self.train).suffix,)) else ""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """The files that were found. Several files of one part are pieces of one table.

    Attributes:
        train: Training files.
        valid: Validation files.
        test: Files for a last test.
        notices: A notice about files that are not read.
    """

    train: tuple[Path, ...] = ()
    valid: tuple[Path, ...] = ()
    test: tuple[Path, ...] = ()
    notices: tuple[str, ...] = ()


def found_files(path: Path, files: Files, *, to_evaluate: bool) -> Found:
    """Return the files of the data set at `path`.

    Raises:
        ConfigError: there is nothing at `path`, or several files could be the same part.
    """
    if not path.exists():
        raise ConfigError(
            f"there is no data set at {str(path)!r}; give a file of {files.kind}, or the folder with {files.train} and "
            f"{files.valid}"
        )
    if not path.is_dir() or is_saved(path) or (files.may_be_folders and _is_of_labels(path)):
        # A single file is used for the requested purpose, unless its name shows that it is the training file.
        is_train = not to_evaluate or is_named(path, TRAIN)
        return Found(train=(path,)) if is_train else Found(valid=(path,))
    try:
        there = _files_of(path, files)
    except OSError as error:
        raise ConfigError(f"{str(path)!r} cannot be read: {error.strerror or error}") from error
    valid = _one(path, there, files, files.valid, VALID)
    test = _one(path, there, files, f"test{Path(files.train).suffix}", TEST, is_needed=to_evaluate)
    is_enough = to_evaluate and bool(valid)
    train = _one(path, there, files, files.train, TRAIN, is_needed=not is_enough)
    if not (train or valid or test) and len(there) == 1:
        # The only file may have any name.
        train = (there[0],)
    read = {*train, *valid, *test}
    unread = [each.name for each in there if each not in read]
    listed = ", ".join(map(repr, unread[:_LISTED])) + (", ..." if len(unread) > _LISTED else "")
    notice = f"{len(unread)} other files of {path.name!r} are not read: {listed}"
    return Found(train=train, valid=valid, test=test, notices=(notice,) if unread and not is_enough else ())


def _is_of_labels(path: Path) -> bool:
    try:
        return holds_texts(path) and not any(
            is_named(folder, (*TRAIN, *VALID, *TEST)) for folder in label_folders(path)
        )
    except OSError:
        # What opens the folder reports the error.
        return False


def _parts_of_labels(path: Path) -> list[Path]:
    """Return the folders of parts that have a folder of text files for each label."""
    folders = [each for each in sorted(path.iterdir()) if each.is_dir() and not is_hidden(each.name)]
    return [each for each in folders if is_named(each, (*TRAIN, *VALID, *TEST)) and holds_texts(each)]


def _files_of(path: Path, files: Files) -> list[Path]:
    """Return the files of a folder with a suffix of the data set, or of the folder in it that has them."""
    if saved := saved_parts(path):
        return saved
    if files.may_be_folders and (parts := _parts_of_labels(path)):
        return parts
    folders = [path, *((path / name) for name in (files.folder, "data") if name)]
    for folder in (each for each in folders if each.is_dir()):
        there = [
            each
            for each in sorted(folder.iterdir())
            if files.suffix_of(each) and not is_hidden(each.name) and each.is_file()
            if each.name.lower() not in BESIDE
        ]
        # The usual names decide between a folder and the one in it.
        is_outer = folder == path and files.folder and (path / files.folder).is_dir()
        if there and not (is_outer and not {files.train, files.valid} & {each.name for each in there}):
            return there
    return []


def _one(
    folder: Path,
    there: Sequence[Path],
    files: Files,
    usual: str,
    words: Sequence[str],
    *,
    is_needed: bool = True,
) -> tuple[Path, ...]:
    """Return the file of one part, or its pieces; empty if there is none, or if none is needed and several match."""
    exact = [each for each in there if each.name == usual]
    stem = Path(usual).stem
    called = [each for each in there if each.name.partition(".")[0] == stem]
    for named in (exact, called, [each for each in there if is_named(each, words)]):
        groups: dict[str, list[Path]] = {}
        for each in named:
            groups.setdefault(_SHARD.sub(r"\1\2", each.name), []).append(each)
        if len(groups) == 1:
            return tuple(next(iter(groups.values())))
        if groups and is_needed:
            listed = ", ".join(repr(each.name) for each in named)
            raise ConfigError(
                f"{str(folder)!r} has several files that could be {usual!r}: {listed}; rename one to that"
            )
        if groups:
            return ()
    return ()


def is_named(path: Path, words: Sequence[str]) -> bool:
    """Return whether the name of a file has one of the words."""
    return not set(words).isdisjoint(re.split(r"[^a-z]+", path.name.lower()))
