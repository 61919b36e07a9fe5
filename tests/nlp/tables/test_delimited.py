"""Values with delimiters as people have them: delimiters, quotes, encodings, headers, and damaged rows."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest

from denas_core.errors import ConfigError
from denas_nlp.tables.read import read_records
from denas_nlp.tables.records import Records


def table(path: Path, content: str | bytes) -> Records:
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return read_records(path)


def rows(records: Records) -> list[list[str]]:
    return [list(record.values.values()) for record in records.rows]


def refused(path: Path, content: str | bytes) -> str:
    with pytest.raises(ConfigError) as caught:
        table(path, content)
    assert "\n" not in str(caught.value)
    return str(caught.value)


@pytest.mark.parametrize(
    ("delimiter", "name"), [(",", "commas"), (";", "semicolons"), ("\t", "tabs"), ("|", "bars")]
)
def test_the_delimiter_is_found_whatever_the_name_of_the_file_is(
    tmp_path: Path, delimiter: str, name: str
) -> None:
    lines = [["text", "label"], ["It was fun, really", "good"], ["No; not at all", "bad"]]
    quoted = [[f'"{field}"' if delimiter in field else field for field in line] for line in lines]
    found = table(tmp_path / "x.csv", "\n".join(delimiter.join(line) for line in quoted))
    assert found.columns == ("text", "label")
    assert rows(found) == lines[1:]
    assert found.format.endswith(name)
    assert not found.damaged


def test_quotes_enclose_delimiters_line_feeds_and_quotes(tmp_path: Path) -> None:
    found = table(tmp_path / "x.csv", 'label,text\r\n1,"a ""b"", c\nd"\r\n2,"e"\r\n')
    assert rows(found) == [["1", 'a "b", c\nd'], ["2", "e"]]
    assert [record.place for record in found.rows] == ["line 2", "line 4"]


def test_a_quote_without_an_end_is_a_character_of_its_line(tmp_path: Path) -> None:
    content = 'label,text\n1,"open\n2,fine\n3,"closed, and\nlong"\n4,"Great" film\n'
    found = table(tmp_path / "x.csv", content)
    assert rows(found) == [["1", '"open'], ["2", "fine"], ["3", "closed, and\nlong"], ["4", '"Great" film']]


def test_quotes_in_tables_with_tabs_are_text_unless_all_fields_with_them_are_enclosed(tmp_path: Path) -> None:
    assert rows(table(tmp_path / "a.tsv", 'text\tlabel\n" no\t1\n"yes"\t0\n')) == [
        ['" no', "1"],
        ['"yes"', "0"],
    ]
    assert rows(table(tmp_path / "b.tsv", 'text\tlabel\n"no ""a"""\t1\n"yes"\t0\n')) == [
        ['no "a"', "1"],
        ["yes", "0"],
    ]


@pytest.mark.parametrize(
    "content",
    [
        "text,label\nnaïve,good\n".encode("utf-8-sig"),
        "text,label\nnaïve,good\n".encode("utf-16"),
        "text,label\nnaïve,good\n".encode("utf-16-le"),
        "text,label\nnaïve,good\n".encode("utf-16-be"),
        gzip.compress("text,label\nnaïve,good\n".encode()),
    ],
    ids=["mark", "UTF-16", "UTF-16 LE", "UTF-16 BE", "gzip"],
)
def test_encodings_and_gzip_are_found_by_the_content(tmp_path: Path, content: bytes) -> None:
    # The name says nothing, or the opposite.
    for name in ("x.csv", "x.csv.gz"):
        found = table(tmp_path / name, content)
        assert (rows(found), found.notices) == ([["naïve", "good"]], ())


def test_latin_1_is_read_with_a_notice_and_other_damage_is_not(tmp_path: Path) -> None:
    found = table(tmp_path / "x.csv", "text,label\nnaïve “x”,good\n".encode("cp1252"))
    assert rows(found) == [["naïve “x”", "good"]]
    assert found.notices == (
        "'x.csv' is not UTF-8 (line 2 has the byte 0xef): it is read as Windows-1252 (Latin-1); if letters are wrong, "
        "save it as UTF-8",
    )
    mixed = table(tmp_path / "y.csv", "text,label\nnaïve,good\n".encode() + b"na\xefve,bad\n")
    assert rows(mixed) == [["naïve", "good"]]
    assert (mixed.damaged, mixed.notices) == (["line 3 (not UTF-8)"], ())


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (
            b"PK\x03\x04rest",
            "is not text, but a zip archive, or a workbook of Excel; unpack it, or save it as CSV",
        ),
        (b"BZh91AY", "is not text, but packed by bzip2; unpack it"),
        (b"text,label\na\x00b,c\n", "is not text: byte 12 is 0"),
        (gzip.compress(b"text,label\na,b\n", mtime=0)[:-6], "is damaged gzip"),
        (b"", "is empty"),
        (b"\n \n", "is empty"),
        (b"\xff\xfea", "begins as UTF-16-LE, but byte 0 does not belong to it"),
        (b"text,label\n", "has a header (text, label), but no rows"),
        (b"text,text\na,b\n", "has two columns 'text' in its header; rename one of them"),
    ],
)
def test_what_is_no_table_is_refused_with_the_true_reason(
    tmp_path: Path, content: bytes, reason: str
) -> None:
    assert reason in refused(tmp_path / "x.csv", content)


def test_rows_with_other_columns_are_named(tmp_path: Path) -> None:
    found = table(tmp_path / "x.csv", "text,label\na,1\nb\nc,1,2\n\nd,2\n")
    assert rows(found) == [["a", "1"], ["d", "2"]]
    assert found.damaged == ["line 3 (1 instead of 2 columns)", "line 4 (3 instead of 2 columns)"]


@pytest.mark.parametrize(
    "content",
    [
        "3,A title,A description\n4,Another,More of it\n",
        "ham\tGo on then\nspam\tYou won\nham\tOk\nham\tSee you\nspam\tFree\n",
        "a fine film\t1\nno\t0\n",
    ],
)
def test_a_table_without_a_header_has_numbered_columns(tmp_path: Path, content: str) -> None:
    found = table(tmp_path / "x.csv", content)
    assert len(found.rows) == content.count("\n")
    assert found.columns == ("1", "2", "3")[: len(found.columns)]
    assert found.notices[0].startswith("'x.csv' has no header: its columns are called 1, 2")


def test_a_header_of_unknown_names_is_a_header(tmp_path: Path) -> None:
    found = table(tmp_path / "x.csv", "nachricht,art\nhallo du,gut\nweg da,schlecht\nna gut,gut\n")
    assert found.columns == ("nachricht", "art")


def test_the_beginning_of_a_large_table_is_read_with_its_share(tmp_path: Path) -> None:
    path = tmp_path / "x.csv"
    path.write_text("text,label\n" + "".join(f"words {number:04},good\n" for number in range(1000)))
    found = read_records(path, most=1611)
    assert len(found.rows) == 100
    assert found.share == pytest.approx(0.1, abs=0.01)


def test_a_field_may_be_longer_than_the_usual_limit(tmp_path: Path) -> None:
    assert rows(table(tmp_path / "x.csv", f"text,label\n{'word ' * 50_000},good\n"))[0][1] == "good"


@pytest.mark.parametrize("above", ["sep=;", '"sep=;"', "# written by a shop\n# in 2024, for you"])
def test_lines_above_a_table_are_named_and_are_no_rows(tmp_path: Path, above: str) -> None:
    path = tmp_path / "x.csv"
    path.write_text(f"{above}\ntext;label\na fine film;good\na film\na dull film;bad\n" + "so so;bad\n" * 20)
    found = read_records(path)
    assert found.columns == ("text", "label") and found.rows[0].values["text"] == "a fine film"
    count = above.count("\n") + 1
    assert f"above its table: {above.splitlines()[0]!r}" in found.notices[0]
    assert found.damaged == [f"line {count + 3} (1 instead of 2 columns)"]
