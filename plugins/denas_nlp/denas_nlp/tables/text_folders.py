"""Read folders in which every text is a file in the folder of its label, as those of the film reviews IMDb."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from denas_core import is_hidden
from denas_core.errors import ConfigError
from denas_nlp.text.content import LOST, decoded, read_text

from .records import Record, Records

COLUMNS = ("text", "label")

UNLABELLED = frozenset({"unsup", "unlabeled", "unlabelled"})
"""Names of folders of texts without a label."""

_SUFFIXES = ("", ".txt")
_LISTED = 3
_LETTERS = 2000
"""A guess of the letters of a text, from which the number of texts follows that a quick look reads."""


def holds_texts(folder: Path) -> bool:
    """Return whether a folder has two or more folders of text files, and so one for each label."""
    return len(label_folders(folder)) > 1


def label_folders(folder: Path) -> list[Path]:
    """Return the folders of labels in a folder: those that hold text files and no files of another kind."""
    inner = [each for each in sorted(folder.iterdir()) if each.is_dir() and not is_hidden(each.name)]
    return [each for each in inner if each.name.lower() not in UNLABELLED and _is_of_texts(each)]


def read_text_folders(path: Path, *, most: int | None = None) -> Records:
    """Return a row for each text, with the name of its folder as its label.

    Args:
        path: The folder with a folder for each label.
        most: Number of bytes that are read roughly, of texts at equal distances; None for all.

    Raises:
        ConfigError: the folder cannot be read.
    """
    try:
        folders = label_folders(path)
        every = [file for folder in folders for file in sorted(folder.iterdir()) if not is_hidden(file.name)]
        notices = _unread(path, folders, [file for file in every if not file.is_file()])
    except OSError as error:
        raise ConfigError(f"{str(path)!r} cannot be read: {error.strerror or error}") from error
    files = [file for file in every if file.is_file()]
    step = 1 if most is None else max(1, len(files) * _LETTERS // most)
    rows, damaged, others = [], [], []
    for file in files[::step]:
        place = f"file {file.relative_to(path).as_posix()}"
        try:
            found = decoded(read_text(file), file)
        except ConfigError as error:
            damaged.append(f"{place} ({error})")
            continue
        if found.notices:
            others.append(file)
        if LOST.search(found.text):
            damaged.append(f"{place} (not UTF-8)")
        else:
            rows.append(Record(place, {"text": found.text, "label": file.parent.name}))
    if others:
        notices.append(
            f"{len(others)} of the {len(files[::step])} texts of {path.name!r} are not UTF-8, such as "
            f"{others[0].name!r}: they are read as Windows-1252 (Latin-1)"
        )
    return Records(
        path=path,
        format="a folder of text files for each label",
        columns=COLUMNS,
        rows=rows,
        damaged=damaged,
        notices=tuple(notices),
        share=1 / step,
        has_names=False,
    )


def texts_in(folder: Path) -> list[Path]:
    """Return every text file below a folder, sorted by its path."""
    return sorted(
        file
        for file in folder.rglob("*")
        if file.suffix.lower() in _SUFFIXES and file.is_file()
        if not any(map(is_hidden, file.relative_to(folder).parts))
    )


def _is_of_texts(folder: Path) -> bool:
    files = [each for each in folder.iterdir() if not is_hidden(each.name) and each.is_file()]
    # 20 Newsgroups has files without a suffix, whose names are numbers.
    return bool(files) and all(
        file.suffix.lower() == ".txt" or (file.name.isdecimal() and not file.suffix) for file in files
    )


def _unread(path: Path, folders: Sequence[Path], deep: Sequence[Path]) -> list[str]:
    beside = [each for each in sorted(path.iterdir()) if not is_hidden(each.name) and each not in folders]
    notices = []
    if beside:
        names = ", ".join(repr(each.name) for each in beside[:_LISTED])
        more = ", ..." if len(beside) > _LISTED else ""
        notices.append(
            f"{len(beside)} others beside the folders of labels in {path.name!r} are not read: {names}{more}"
        )
    if deep:
        notices.append(
            f"{len(deep)} folders in those of labels are not read, such as {str(deep[0].relative_to(path))!r}"
        )
    return notices
