"""Find the columns of a table that have the texts and the labels."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any

from denas_core.errors import ConfigError, did_you_mean, safe_repr
from denas_nlp.tables.names import LABELS, PAIRS, SEVERAL, TEXTS, known, plain_name
from denas_nlp.tables.records import Records
from denas_nlp.tables.values import column_value, composed, label_of, text_of

_PROBED = 1000
"""Number of rows by which columns are judged."""

_MOST_LABELS = 100
_FEWEST_LETTERS = 8
"""A column whose texts are shorter on average is not one of texts, unless its name says so."""

YES_NO = frozenset({"0", "1", "true", "false", "True", "False"})


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Columns:
    """The columns of a table that are used.

    Attributes:
        texts: The column with the texts, or the two columns with the texts of pairs.
        labels: The column with the labels, or several columns of 0 and 1; empty if only texts are needed.
    """

    texts: tuple[str, ...]
    labels: tuple[str, ...] = ()

    def as_dict(self) -> dict[str, Any]:
        """Return the columns as facts of a model."""
        return {"texts": list(self.texts), "labels": list(self.labels)}


def found_columns(
    records: Records,
    *,
    text: str = "",
    pair: str = "",
    label: str = "",
    usual: Mapping[str, Sequence[str]] | None = None,
    needs_labels: bool = True,
) -> Columns:
    """Return the columns that the user names, or else those with the usual names, or else those that are alone.

    Args:
        records: The table.
        text: The column of texts that the user names.
        pair: The column of second texts that the user names.
        label: The column of labels that the user names, or several with commas between them.
        usual: The columns of the data of a trained model, see `Columns.as_dict`; they come before other names.
        needs_labels: Whether labels are needed.

    Raises:
        ConfigError: a column is missing, or several columns could be meant; the message names the columns.
    """
    text, pair, label = map(composed, (text, pair, label))
    for name, option in ((text, "text"), (pair, "pair")):
        if name and not _is_there(records, name):
            raise _missing(records, name, option)
    texts = _texts(records, text, pair, label, usual or {})
    if not needs_labels:
        return Columns(texts=texts)
    return Columns(texts=texts, labels=_labels(records, texts, label, usual or {}))


def is_several(records: Records, columns: Columns, separator: str = "") -> bool:
    """Return whether a table has several labels for a text, by the form of its labels.

    They are lists, several columns of 0 and 1, or texts with a separator in a column whose name is plural.
    """
    if len(columns.labels) > 1 or separator:
        return True
    (column,) = columns.labels
    values = [column_value(row.values, column) for row in records.rows[:_PROBED]]
    if any(isinstance(value, (list, tuple)) for value in values):
        return True
    texts = [value.strip() for value in values if isinstance(value, str)]
    if texts and all(value.startswith("[") and value.endswith("]") for value in texts):
        return True
    return plain_name(column) in SEVERAL and any(mark in value for value in texts for mark in "|;,")


def _texts(
    records: Records, text: str, pair: str, label: str, usual: Mapping[str, Sequence[str]]
) -> tuple[str, ...]:
    columns = records.columns
    if text:
        return (text, pair) if pair else (text,)
    if usual and all(_is_there(records, name) for name in usual["texts"]) and not pair:
        return tuple(usual["texts"])
    for first, second in PAIRS:
        found = known(columns, (first,)), known(columns, (second,))
        if found[0] and found[1] and pair in ("", found[1]):
            return found[0], found[1]
    others = [name for name in columns if name not in (pair, *_split(records, label))]
    named = known(others, TEXTS)
    # A title beside a longer text has one of the usual names, too.
    if named is None or (label == "" and named == known(others, LABELS)):
        candidates = [name for name in others if _is_of_texts(records, name)]
        named = max(candidates, key=lambda name: _letters(records, name), default=None)
    if named is None:
        raise ConfigError(
            f"{str(records.path)!r} has no column of texts that is known: it has {_listed(columns)}; name it with "
            "--set task.text=COLUMN"
        )
    return (named, pair) if pair else (named,)


def _labels(
    records: Records, texts: Sequence[str], label: str, usual: Mapping[str, Sequence[str]]
) -> tuple[str, ...]:
    if label:
        names = _split(records, label)
        for name in names:
            if not _is_there(records, name):
                raise _missing(records, name, "label")
        return names
    if usual and all(_is_there(records, name) for name in usual["labels"]):
        return tuple(usual["labels"])
    others = [name for name in records.columns if name not in texts]
    if (named := known(others, LABELS)) is not None:
        return (named,)
    candidates = [name for name in others if _is_of_labels(records, name)]
    yes_no = [name for name in candidates if _distinct(records, name) <= YES_NO]
    if len(candidates) == 1:
        return (candidates[0],)
    if len(yes_no) > 1 and len(yes_no) == len(candidates):
        return tuple(yes_no)
    reason = (
        f"{_listed(candidates)} could be its labels" if candidates else f"it has {_listed(records.columns)}"
    )
    raise ConfigError(
        f"{str(records.path)!r} has no column of labels that is known: {reason}; name it with --set task.label=COLUMN"
    )


def _split(records: Records, label: str) -> tuple[str, ...]:
    """Return the columns that an option names; the whole text may be the name of one column."""
    if label in records.columns:
        return (label,)
    return tuple(name.strip() for name in label.split(",") if name.strip())


def _is_there(records: Records, name: str) -> bool:
    return name in records.columns or any(
        column_value(row.values, name) is not None for row in records.rows[:_PROBED]
    )


def _missing(records: Records, name: str, option: str) -> ConfigError:
    return ConfigError(
        f"{str(records.path)!r} has no column {safe_repr(name, 40)} (task.{option}): it has "
        f"{_listed(records.columns)}{did_you_mean(name, records.columns)}"
    )


def _listed(columns: Sequence[str]) -> str:
    return ", ".join(safe_repr(column, 30) for column in columns[:10]) + (
        ", ..." if len(columns) > 10 else ""
    )


def _cells(records: Records, name: str) -> list[Any]:
    return [row.values.get(name) for row in records.rows[:_PROBED]]


def _letters(records: Records, name: str) -> float:
    texts = [value for value in _cells(records, name) if isinstance(value, str)]
    return sum(map(len, texts)) / max(len(texts), 1)


def _is_of_texts(records: Records, name: str) -> bool:
    values = _cells(records, name)
    texts = [text for value in values if isinstance(value, str) and (text := text_of(value))]
    return (
        len(texts) * 2 > len(values)
        and _letters(records, name) >= _FEWEST_LETTERS
        and len(set(texts)) * 2 > len(texts)
        and sum(" " in text for text in texts) * 2 > len(texts)
    )


def _distinct(records: Records, name: str) -> set[str]:
    return {label for value in _cells(records, name) if (label := label_of(value)) is not None}


def _is_of_labels(records: Records, name: str) -> bool:
    values = _cells(records, name)
    if any(isinstance(value, (dict, list)) for value in values) or not name:
        return False
    return 2 <= len(_distinct(records, name)) <= min(_MOST_LABELS, max(len(values) // 2, 2))
