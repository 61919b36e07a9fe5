"""Which columns of a table have the texts and the labels."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from denas_core.errors import ConfigError
from denas_nlp.classification.columns import found_columns, is_several
from denas_nlp.tables.records import Record, Records

TEXT = ["It was a good film", "I did not like it", "So long, and so dull", "We laughed all night"]


def table(**columns: list[Any]) -> Records:
    rows = [dict(zip(columns, values, strict=True)) for values in zip(*columns.values(), strict=True)]
    return Records(
        path=Path("t.csv"),
        format="CSV",
        columns=tuple(columns),
        rows=[Record(f"row {number}", row) for number, row in enumerate(rows)],
    )


def found(records: Records, **options: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    columns = found_columns(records, **options)  # type: ignore[arg-type]
    return columns.texts, columns.labels


@pytest.mark.parametrize("text", ["text", "Sentence", "review_body", "Content", "Tweet", "Review Text"])
@pytest.mark.parametrize("label", ["label", "Class Index", "category", "stars", "Sentiment"])
def test_usual_names_are_known(text: str, label: str) -> None:
    columns: dict[str, list[Any]] = {"id": [1, 2, 3, 4], text: TEXT, label: [1, 0, 0, 1], "note": TEXT}
    assert found(table(**columns)) == ((text,), (label,))


@pytest.mark.parametrize(
    "pair", [("premise", "hypothesis"), ("sentence1", "sentence2"), ("question1", "question2")]
)
def test_pairs_are_known(pair: tuple[str, str]) -> None:
    assert found(table(**dict.fromkeys(pair, TEXT), label=[0, 1, 0, 1])) == (pair, ("label",))


def test_other_names_are_found_if_one_column_alone_can_be_meant() -> None:
    records = table(nr=[1, 2, 3, 4], meldung=TEXT, art=["gut", "übel", "übel", "gut"])
    assert found(records) == (("meldung",), ("art",))
    two = table(meldung=TEXT, art=["gut", "übel", "übel", "gut"], ort=["hier", "da", "da", "hier"])
    with pytest.raises(
        ConfigError, match=r"'art', 'ort' could be its labels; name it with --set task\.label=COLUMN"
    ):
        found(two)
    assert found(two, label="ort") == (("meldung",), ("ort",))


def test_columns_that_are_named_come_first_and_must_be_there() -> None:
    records = table(text=TEXT, reply=TEXT, label=[0, 1, 0, 1], grade=[0, 1, 2, 3])
    assert found(records, text="reply", label="grade") == (("reply",), ("grade",))
    assert found(records, pair="reply") == (("text", "reply"), ("label",))
    with pytest.raises(ConfigError, match=r"no column 'grad' \(task.label\).*did you mean 'grade'"):
        found(records, label="grad")
    with pytest.raises(ConfigError, match=r"no column 'txt' \(task.text\)"):
        found(records, text="txt")


def test_several_columns_of_0_and_1_are_labels_together() -> None:
    records = table(text=TEXT, toxic=[0, 1, 0, 1], rude=[0, 0, 1, 1])
    columns = found_columns(records)
    assert columns.labels == ("toxic", "rude")
    assert is_several(records, columns)
    assert found(records, label="rude, toxic") == (("text",), ("rude", "toxic"))


@pytest.mark.parametrize(
    ("name", "values", "several"),
    [
        ("label", [["a"], [], ["a", "b"], ["b"]], True),
        ("label", ["['a']", "[]", "['a' 'b']", "['b']"], True),
        ("tags", ["a|b", "a", "", "b"], True),
        ("label", ["a|b", "a", "a", "b"], False),
        ("tags", ["a", "b", "a", "b"], False),
    ],
)
def test_the_form_of_labels_says_whether_there_are_several(
    name: str, values: list[Any], several: bool
) -> None:
    records = table(text=TEXT, **{name: values})
    assert is_several(records, found_columns(records)) == several


def test_inner_values_are_named_with_a_dot() -> None:
    records = table(data=[{"text": text, "label": 1} for text in TEXT])
    assert found(records, text="data.text", label="data.label") == (("data.text",), ("data.label",))
