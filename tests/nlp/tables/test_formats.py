"""Rows in JSON, Parquet, and folders of the library datasets are the same as those of CSV."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import pytest

from denas_core.errors import ConfigError, NotInstalled
from denas_nlp.tables.read import read_records
from denas_nlp.tables.records import Records
from denas_nlp.tables.values import label_of, text_of

ROWS: list[dict[str, Any]] = [{"text": "a fine film", "label": 1}, {"text": "no", "label": 0}]


def write(path: Path, content: str) -> Records:
    path.write_text(content, encoding="utf-8")
    return read_records(path)


@pytest.mark.parametrize(
    "content",
    [
        "\n".join(map(json.dumps, ROWS)),
        json.dumps(ROWS, indent=1),
        json.dumps(ROWS),
        json.dumps({"data": ROWS}),
        json.dumps({"text": ["a fine film", "no"], "label": [1, 0]}),
        json.dumps({"text": {"0": "a fine film", "1": "no"}, "label": {"0": 1, "1": 0}}),
    ],
    ids=["lines", "list", "short list", "list in an object", "columns", "pandas"],
)
def test_every_form_of_json_has_the_same_rows(tmp_path: Path, content: str) -> None:
    found = write(tmp_path / "x.dat", content)
    assert found.columns == ("text", "label")
    assert [dict(record.values) for record in found.rows] == ROWS


def test_one_line_of_json_is_one_row(tmp_path: Path) -> None:
    assert len(write(tmp_path / "x.jsonl", json.dumps(ROWS[0]) + "\n").rows) == 1


def test_damaged_lines_of_json_are_named(tmp_path: Path) -> None:
    path = tmp_path / "x.jsonl"
    path.write_bytes(b'{"text": "a"}\n{"text": "b"}\n{"text": \n[1]\n{"text": "\xff"}\n')
    found = read_records(path)
    assert len(found.rows) == 2
    assert found.damaged == [
        "line 3 (not JSON: Expecting value)",
        "line 4 ([1] is not an object)",
        "line 5 (not UTF-8)",
    ]


def test_json_that_is_no_table_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "x.json"
    for content, reason in (
        ('{"a": 1,\n "b": 2}', "holds one object of JSON with 'a', 'b', and no list of rows"),
        ("[1,\n2", "is not JSON (line 2: "),
    ):
        with pytest.raises(ConfigError) as caught:
            write(path, content)
        assert reason in str(caught.value)


def test_parquet_is_read_by_its_content_with_the_names_of_classes(tmp_path: Path) -> None:
    datasets = pytest.importorskip("datasets")
    features = datasets.Features(
        text=datasets.Value("string"), label=datasets.ClassLabel(names=["neg", "pos"])
    )
    data = datasets.Dataset.from_list(ROWS, features=features)
    data.to_parquet(str(tmp_path / "x.csv"))
    found = read_records(tmp_path / "x.csv")
    assert [dict(record.values) for record in found.rows] == ROWS
    assert (found.format, found.names) == ("Parquet", {"label": ["neg", "pos"]})
    data.save_to_disk(str(tmp_path / "saved"))
    again = read_records(tmp_path / "saved")
    assert [dict(record.values) for record in again.rows] == ROWS
    assert again.names == {"label": ["neg", "pos"]}


def test_a_table_is_parsed_once_until_its_content_changes(tmp_path: Path) -> None:
    path = tmp_path / "x.csv"
    first = write(path, "text,label\na,1\nb,0\n")
    # A description reads the begin of a table, which is all of a small one.
    assert read_records(path, most=100) is first
    second = write(path, "text,label\na,1\nc,0\n")
    assert [row.values["text"] for row in second.rows] == ["a", "c"]
    assert len(read_records(path, most=18).rows) == 1


def test_damaged_parquet_is_refused(tmp_path: Path) -> None:
    pytest.importorskip("pyarrow")
    (tmp_path / "x.parquet").write_bytes(b"PAR1 and more")
    with pytest.raises(ConfigError, match="is damaged Parquet"):
        read_records(tmp_path / "x.parquet")


def test_a_missing_library_is_named_with_the_command_that_installs_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "pyarrow.parquet", None)
    monkeypatch.setitem(sys.modules, "datasets", None)
    (tmp_path / "x.parquet").write_bytes(b"PAR1")
    for name in ("state.json", "dataset_info.json"):
        (tmp_path / name).write_text("{}")
    with pytest.raises(
        NotInstalled, match=r"is Parquet, which pyarrow reads: pip install 'denas-nlp\[parquet\]'"
    ):
        read_records(tmp_path / "x.parquet")
    with pytest.raises(NotInstalled, match=r"which reads it: pip install 'denas-nlp\[datasets\]'"):
        read_records(tmp_path)


@pytest.mark.parametrize(
    ("value", "label"),
    [
        (" spam ", "spam"),
        (3, "3"),
        (3.0, "3"),
        (2.5, "2.5"),
        (True, "true"),
        (False, "false"),
        ("None", "None"),
        ("NA", "NA"),
        (None, None),
        (float("nan"), None),
        ("", None),
        ("nan", None),
        ({"a": 1}, None),
    ],
)
def test_labels_are_kept_as_they_are(value: Any, label: str | None) -> None:
    assert label_of(value) == label


def test_numbers_of_classes_have_their_names() -> None:
    assert [label_of(value, ("neg", "pos")) for value in (0, 1, 2, -1)] == ["neg", "pos", None, None]


@pytest.mark.parametrize("value", ["", " ", None, float("nan"), "\ud800", ["a"]])
def test_what_is_no_text_is_none(value: Any) -> None:
    assert text_of(value) is None
