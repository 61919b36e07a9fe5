"""Labels as numbers, and what is odd about them in the parts of a data set."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from denas_core.errors import ConfigError, safe_repr
from denas_nlp.text.faults import MANY_DAMAGED
from denas_nlp.text.parts import Parts
from denas_nlp.text.sentences import Row

from .labels import check_labels, ordered_labels
from .reading import Labelled, TableReader

_LISTED = 5


def label_facts(parts: Parts[Labelled], reader: TableReader) -> dict[str, Any]:
    """Return the facts about the labels of a data set: those of the training texts and of the validation texts.

    Raises:
        ConfigError: the labels are not classes, or no text has one.
    """
    learnt = [label for row in parts.train or () for label in row.labels]
    path, column = reader.files[0], reader.columns.labels[0]
    if not learnt:
        raise ConfigError(f"no training text of {str(path)!r} has a label (column {column!r})")
    if not reader.multi_label:
        check_labels(learnt, path, column)
    labels = [*learnt, *(label for row in parts.valid for label in row.labels)]
    names = reader.columns.labels if len(reader.columns.labels) > 1 else reader.names
    return {
        "labels": ordered_labels(labels, names),
        "multi_label": reader.multi_label,
        "columns": reader.columns.as_dict(),
    }


def rows_of(
    items: Sequence[Labelled], facts: Mapping[str, Any], reader: TableReader, notices: list[str]
) -> list[Row]:
    """Return texts with their labels as numbers. Texts with a label that a model does not know are left out.

    Args:
        items: The texts.
        facts: The facts of the data set, or of a trained model.
        reader: The reader of the tables.
        notices: Gets a notice if texts are left out.

    Raises:
        ConfigError: many texts have labels that the model does not know, or they are pairs where it takes one text.
    """
    labels = list(facts["labels"])
    numbers = {label: number for number, label in enumerate(labels)}
    wanted = len(facts["columns"]["texts"])
    strange = Counter(label for item in items for label in item.labels if label not in numbers)
    rows = [
        Row(item.texts, _target(item, numbers, facts))
        for item in items
        if all(label in numbers for label in item.labels)
    ]
    name = reader.files[-1]
    if any(len(item.texts) != wanted for item in items[:1]):
        raise ConfigError(
            f"{str(name)!r} has {'pairs of texts' if wanted == 1 else 'single texts'}, but the others have "
            f"{'single texts' if wanted == 1 else 'pairs'}; name the columns with task.text and task.pair"
        )
    if strange:
        listed = ", ".join(
            f"{safe_repr(label, 30)} ({count})" for label, count in strange.most_common(_LISTED)
        )
        count = len(items) - len(rows)
        found = f"{count} of {len(items)} texts of {str(name)!r} have labels that the model does not know: {listed}"
        if count * MANY_DAMAGED > len(items):
            raise ConfigError(f"{found}; it was trained for {', '.join(labels[:20])}")
        notices.append(f"{found}; they are left out")
    return rows


def label_notices(items: Sequence[Labelled], facts: Mapping[str, Any]) -> list[str]:
    """Return notices about labels that may be the same, and about training texts that say nothing about their label."""
    notices = []
    spellings: dict[str, list[str]] = {}
    for label in facts["labels"]:
        spellings.setdefault(" ".join(label.split()).casefold(), []).append(label)
    for same in (each for each in spellings.values() if len(each) > 1):
        listed = " and ".join(safe_repr(label, 30) for label in same)
        notices.append(f"the labels {listed} differ only in upper and lower case or in white space")
    labels: dict[tuple[str, ...], set[tuple[str, ...]]] = {}
    for item in items:
        labels.setdefault(item.texts, set()).add(item.labels)
    unclear = [texts for texts, found in labels.items() if len(found) > 1]
    if unclear:
        notices.append(
            f"{len(unclear)} of the {len(labels)} different training texts occur with different labels, such as "
            f"{safe_repr(' | '.join(unclear[0]), 40)}"
        )
    if len(labels) * 2 < len(items):
        notices.append(f"the {len(items)} training texts are only {len(labels)} different ones")
    return notices[:_LISTED]


def overlap_notices(parts: Parts[Labelled], facts: Mapping[str, Any]) -> list[str]:
    """Return notices about texts that are in both parts, and labels that are in one part only."""
    if parts.train is None:
        return []
    notices = []
    learnt = {item.texts for item in parts.train}
    shared = sum(item.texts in learnt for item in parts.valid)
    if shared:
        notices.append(
            f"{shared} of the {len(parts.valid)} validation texts are training texts, too: the metrics are better than "
            "for new texts"
        )
    sides = [Counter(label for item in part for label in item.labels) for part in (parts.train, parts.valid)]
    for label in facts["labels"]:
        if not sides[0][label]:
            count = sides[1][label]
            reason = f"is in no training text, so it cannot be learnt; {count} validation texts have it"
        elif not sides[1][label]:
            reason = (
                f"is in no validation text, so nothing measures it; {sides[0][label]} training texts have it"
            )
        else:
            continue
        notices.append(f"the label {safe_repr(label, 30)} {reason}")
    return (
        notices
        if len(notices) <= _LISTED
        else [*notices[:_LISTED], f"{len(notices) - _LISTED} more such notices"]
    )


def _target(
    item: Labelled, numbers: Mapping[str, int], facts: Mapping[str, Any]
) -> float | tuple[float, ...]:
    if not facts["multi_label"]:
        return float(numbers[item.labels[0]])
    return tuple(float(label in item.labels) for label in numbers)
