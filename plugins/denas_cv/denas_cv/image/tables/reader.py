"""Open tables of paths and labels as a data set of images."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from denas_core import is_hidden
from denas_core.errors import ConfigError
from denas_cv.image.classes import KnownClasses
from denas_cv.image.images import FileSource, Images, Label
from denas_cv.image.listing import folders_in
from denas_cv.image.parts import TEST, TRAIN, VALID, part_of

from .columns import Columns, label_columns, path_column, split_column
from .labels import CellLabels, read_labels
from .paths import FileFinder
from .rows import Table, is_table, read_table

KIND = "image-table"
LOOKS_LIKE = (
    "a table of paths and labels (CSV, TSV or JSON lines), or a folder with train.csv, labels.csv or the like"
)
ANY = "any"
"""The part of a table whose name says none."""

NUMBERS = {"0": TRAIN[0], "1": VALID[0], "2": TEST[0]}
"""Parts as numbers, as CelebA has them."""


class Found(NamedTuple):
    """A table whose columns are known: its part, its column of paths, and what finds its files."""

    part: str
    table: Table
    path: str
    finder: FileFinder


class Row(NamedTuple):
    """An image of a table."""

    part: str
    file: str
    labels: tuple[str, ...]


def tables_in(path: Path, columns: Columns) -> list[Found]:
    """Return the tables that name image files: `path` itself, or those in the folder and in its folders of parts.

    Raises:
        ConfigError: a table cannot be read, or several are of the same part.
    """
    if path.is_file():
        return [found for found in [_usable(path, part_of(path.name) or ANY, columns, only=True)] if found]
    places = [(inner, part_of(inner.name)) for inner in sorted(path.iterdir()) if is_table(inner)]
    for folder in folders_in(path):
        if (part := part_of(folder.name)) is not None:
            places += [(inner, part) for inner in sorted(folder.iterdir()) if is_table(inner)]
    usable: defaultdict[str, list[Found]] = defaultdict(list)
    for place, known in places:
        if is_hidden(place.name) or "submission" in place.name.lower():
            continue
        if found := _usable(place, known or ANY, columns):
            usable[found.part].append(found)
    if TRAIN[0] in usable:
        usable.pop(ANY, None)
    for found_here in usable.values():
        if len(found_here) > 1:
            names = ", ".join(repr(str(found.table.path)) for found in found_here)
            raise ConfigError(f"{str(path)!r} has several tables of images: {names}; give one of these files")
    return [found for found_here in usable.values() for found in found_here]


def open_tables(
    found: Sequence[Found], columns: Columns, path: Path, *, test_first: bool, multiple: bool = False
) -> Images:
    """Return the images that tables name.

    Args:
        found: What `tables_in` returned.
        columns: The columns that the user names.
        path: The data set, for errors.
        test_first: Whether to prefer the test images over those for validation if there are both.
        multiple: Whether labels are wanted as sets, even if each image has one.

    Raises:
        ConfigError: a column is missing, or no row can be used; the text names the table.
    """
    rows, cells, notices = _rows(found, columns)
    multiple = multiple or any(each.multiple for each in cells)
    if multiple:
        rows = merged(rows)
    by_part: defaultdict[str, list[Row]] = defaultdict(list)
    for row in rows:
        by_part[row.part].append(row)
    order = (TEST[0], VALID[0]) if test_first else (VALID[0], TEST[0])
    measured = next((part for part in order if part in by_part), None)
    train = by_part.get(TRAIN[0]) or by_part.get(ANY)
    if measured and len([part for part in order if part in by_part]) > 1:
        notices.append(f"evaluated on the part {measured}")
    known = KnownClasses(_names(train or by_part[measured or ANY]))
    sources = {
        part: _source(by_part[part], known, path, multiple=multiple)
        for part in (TRAIN[0], ANY, measured)
        if part is not None and part in by_part
    }
    training = sources.get(TRAIN[0]) or sources.get(ANY)
    return Images(
        train=training,
        valid=None if measured is None else sources[measured],
        labels=known.names,
        kind=KIND,
        notices=(*notices, *known.notices()),
        multiple=multiple,
    )


def _usable(path: Path, part: str, columns: Columns, *, only: bool = False) -> Found | None:
    try:
        table = read_table(path)
    except ConfigError:
        # Other files of a folder may have nothing to do with images.
        if only:
            raise
        return None
    finder = FileFinder(path)
    column = path_column(table, columns.path, finder)
    return None if column is None else Found(part, table, column, finder)


def _rows(found: Sequence[Found], columns: Columns) -> tuple[list[Row], list[CellLabels], list[str]]:
    notices = [notice for each in found for notice in each.table.notices]
    labelled, names = [], None
    for each in found:
        split = split_column(each.table, columns.split)
        names = label_columns(each.table, columns.label, [name for name in (each.path, split) if name])
        if names:
            labelled.append((each, split, names))
        else:
            notices.append(f"{str(each.table.path)!r} has no column of labels (task.label): not read")
    if not labelled:
        raise ConfigError(
            f"{str(found[0].table.path)!r} has no column of labels; name it with task.label; its columns are "
            f"{', '.join(map(repr, found[0].table.columns))}"
        )
    first = labelled[0][2]
    differing = next((each for each, _, names in labelled if names != first), None)
    if differing is not None:
        raise ConfigError(
            f"{str(differing.table.path)!r} has other columns of labels than {str(labelled[0][0].table.path)!r}; name "
            "them with task.label"
        )
    cells = read_labels([each.table for each, _, _ in labelled], first, columns.separator)
    rows: list[Row] = []
    for (each, split, _), labels in zip(labelled, cells, strict=True):
        more, faults = _rows_of(each, split, labels, is_named=bool(columns.split))
        rows += more
        notices += faults
    if not rows:
        raise ConfigError("; ".join([f"no row of {str(found[0].table.path)!r} can be used", *notices]))
    return rows, cells, notices


def _rows_of(
    found: Found, split: str | None, cells: CellLabels, *, is_named: bool
) -> tuple[list[Row], list[str]]:
    table = found.table
    parts = _parts_of_rows(found, split, is_named=is_named)
    rows, missing, unlabelled = [], [], []
    for number, (row, part, labels) in enumerate(zip(table.rows, parts, cells.labels, strict=True), 1):
        file = found.finder.find(row.get(found.path))
        if file is None:
            missing.append(f"row {number}, {row.get(found.path)!r}")
        elif labels is None:
            unlabelled.append(f"row {number}, {row.get(found.path)!r}")
        else:
            rows.append(Row(part, file, labels))
    notices = []
    for bad, what in ((missing, "name no file"), (unlabelled, "have no label")):
        if bad:
            notices.append(
                f"{len(bad)} of {len(table.rows)} rows of {str(table.path)!r} {what} and are left out, such as {bad[0]}"
            )
    return rows, notices


def _parts_of_rows(found: Found, split: str | None, *, is_named: bool) -> list[str]:
    rows = found.table.rows
    if split is None:
        return [found.part] * len(rows)
    values = [str(row.get(split)).strip() for row in rows]
    numbers: Mapping[str, str] = NUMBERS if set(values) <= set(NUMBERS) else {}
    parts = [numbers.get(value) or part_of(value) for value in values]
    if None not in parts:
        return [part for part in parts if part is not None]
    if not is_named:
        return [found.part] * len(rows)
    wrong = next(value for value, part in zip(values, parts, strict=True) if part is None)
    raise ConfigError(
        f"{str(found.table.path)!r} has {wrong!r} in the column {split!r}, which is none of train, valid and test"
    )


def _names(rows: Sequence[Row]) -> tuple[str, ...]:
    names = {name for row in rows for name in row.labels}
    if all(name.isdecimal() for name in names):
        return tuple(sorted(names, key=int))
    return tuple(sorted(names))


def _source(rows: Sequence[Row], known: KnownClasses, path: Path, *, multiple: bool) -> FileSource:
    labels: list[Label] = []
    for row in rows:
        numbers = [known.number(name) for name in row.labels]
        if None in numbers:
            name = row.labels[numbers.index(None)]
            raise ConfigError(
                f"{str(path)!r} gives {row.file!r} the label {name!r}, which no training image has; the labels are "
                f"{', '.join(known.names[:20])}"
            )
        found = tuple(sorted(number for number in numbers if number is not None))
        labels.append(found if multiple else found[0])
    return FileSource([row.file for row in rows], labels)


def merged(rows: Sequence[Row]) -> list[Row]:
    """Return one row for each image; an image that has several rows gets the labels of all of them."""
    by_file: dict[tuple[str, str], Row] = {}
    for row in rows:
        before = by_file.get((row.part, row.file))
        labels = row.labels if before is None else tuple(dict.fromkeys((*before.labels, *row.labels)))
        by_file[row.part, row.file] = row._replace(labels=labels)
    return list(by_file.values())
