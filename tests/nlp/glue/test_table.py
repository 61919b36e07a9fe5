"""Tables of sentences: headers, quotes, marks and damaged rows."""

from __future__ import annotations

from pathlib import Path

import pytest

from denas_core.errors import ConfigError
from denas_nlp.glue.tasks import MRPC, RTE, SST2, STSB, CoLA
from denas_nlp.text.sentences import Row
from tests.nlp.texts import write_rows, write_vocab
from tests.nlp.toy_text_space import ToyText

PAIRS = "Quality\t#1 ID\t#2 ID\t#1 String\t#2 String"


def refused(path: Path, table: object = SST2.table) -> str:
    with pytest.raises(ConfigError) as caught:
        table.read(path)  # type: ignore[attr-defined]
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_columns_are_found_by_their_names(tmp_path: Path) -> None:
    path = write_rows(tmp_path / "t.tsv", ["label\tnote\tsentence", "1\t-\ta fine town ", "0\t-\tno"])
    assert SST2.table.read(path) == ([Row(("a fine town",), 1), Row(("no",), 0)], ())


def test_a_file_without_a_header_is_read_by_its_known_columns(tmp_path: Path) -> None:
    cola = write_rows(tmp_path / "c.tsv", ["gj04\t1\t\tThe ropes held.", "gj04\t0\t*\tRopes the held."])
    assert CoLA.table.read(cola)[0] == [Row(("The ropes held.",), 1), Row(("Ropes the held.",), 0)]
    sst = write_rows(tmp_path / "s.tsv", ["a film\t0", "the film\t1"])
    assert SST2.table.read(sst)[0] == [Row(("a film",), 0), Row(("the film",), 1)]


def test_a_mark_before_the_header_is_no_part_of_it_and_quotes_are_text(tmp_path: Path) -> None:
    path = write_rows(
        tmp_path / "m.tsv",
        [f"\ufeff{PAIRS}", '1\t7\t8\tHe said " no .\t" No " he said', '0\t7\t8\t"\tb"'],
    )
    assert MRPC.table.read(path)[0] == [Row(('He said " no .', '" No " he said'), 1), Row(('"', 'b"'), 0)]


def test_labels_are_numbered_as_they_are_declared(tmp_path: Path) -> None:
    path = write_rows(
        tmp_path / "r.tsv",
        ["index\tsentence1\tsentence2\tlabel", "0\ta\tb\tnot_entailment", "1\ta\tb\tentailment"],
    )
    assert [row.target for row in RTE.table.read(path)[0]] == [1, 0]


def test_scores_are_numbers_from_0_to_5(tmp_path: Path) -> None:
    header = "index\tsentence1\tsentence2\tscore"
    good = [f"{n}\ta\tb\t{score}" for n, score in enumerate(("0", "5.000", "3.75", *["1"] * 48))]
    bad = [f"9\ta\tb\t{score}" for score in ("5.1", "-1", "nan", "much", "")]
    rows, [notice] = STSB.table.read(write_rows(tmp_path / "s.tsv", [header, *good, *bad]))
    assert [row.target for row in rows[:3]] == [0.0, 5.0, 3.75]
    assert notice == (
        "5 of the 56 rows of 's.tsv' are damaged and were left out: line 53 (the score '5.1'); "
        "line 54 (the score '-1'); line 55 (the score 'nan'); line 56 (the score 'much'); line 57 (the score '')"
    )


def test_lines_end_at_line_feeds_alone_and_may_have_returns(tmp_path: Path) -> None:
    path = tmp_path / "t.tsv"
    path.write_bytes("sentence\tlabel\r\na\u2028b\x85c\t1\r\nd\t0\r\n\r\n".encode())
    assert SST2.table.read(path)[0] == [Row(("a\u2028b\x85c",), 1), Row(("d",), 0)]


def test_damaged_rows_are_left_out_and_told_with_their_lines(tmp_path: Path) -> None:
    good = ["the town\t1"] * 60
    path = tmp_path / "t.tsv"
    lines = [line.encode() for line in ["sentence\tlabel", *good, "no label", "a\tb\tc", " \t1", "town\tyes"]]
    path.write_bytes(b"\n".join([*lines, b"\xff\t1", b"", b"x\t0"]))
    rows, [notice] = SST2.table.read(path)
    assert len(rows) == 61
    assert notice == (
        "6 of the 67 rows of 't.tsv' are damaged and were left out: line 62 (1 instead of 2 columns); "
        "line 63 (3 instead of 2 columns); line 64 (an empty sentence); "
        "line 65 (the label 'yes'); line 66 (not UTF-8); ..."
    )


def test_many_damaged_rows_are_an_error(tmp_path: Path) -> None:
    rows = ["sentence\tlabel", *["the town\t1"] * 17, "a", "b"]
    message = refused(write_rows(tmp_path / "t.tsv", rows))
    assert message.startswith("2 of the 19 rows of ")
    assert message.endswith(
        "are damaged: line 19 (1 instead of 2 columns); line 20 (1 instead of 2 columns); download it again"
    )


def test_files_of_another_kind_are_refused_with_what_was_looked_for(tmp_path: Path) -> None:
    (tmp_path / "empty.tsv").write_text("")
    assert "is empty; looked for a header with the columns sentence, label" in refused(tmp_path / "empty.tsv")
    assert "cannot be read: No such file" in refused(tmp_path / "none.tsv")
    assert "is a folder, not a table" in refused(tmp_path)
    header = write_rows(tmp_path / "h.tsv", ["sentence\tlabel"])
    assert "has a header, but no rows" in refused(header)
    test = write_rows(tmp_path / "test.tsv", ["index\tsentence", "0\tthe town"])
    assert (
        "begins with 'index', 'sentence'; looked for a header with the columns sentence, label, or rows"
        in (refused(test))
    )
    assert (
        "begins with 'index', 'sentence'; looked for a header with the columns #1 String, #2 String, Quality"
        in (refused(test, MRPC.table))
    )
    binary = tmp_path / "b.tsv"
    binary.write_bytes(bytes(range(256)) * 4)
    assert "is not text: byte 0 is 0" in refused(binary)


def test_usual_variants_of_a_table_have_the_same_rows(tmp_path: Path) -> None:
    wanted = [Row(("A town, old", 'He said "no"'), 1), Row(("a", "b"), 0)]
    for name, content in (
        ("a.csv", 'sentence1,sentence2,label\n"A town, old","He said ""no""",1\na,b,0\n'),
        (
            "b.csv",
            'idx,sentence1,sentence2,label\n0,"A town, old","He said ""no""",equivalent\n1,a,b,not_equivalent\n',
        ),
        (
            "c.jsonl",
            '{"sentence1": "A town, old", "sentence2": "He said \\"no\\"", "label": 1}\n'
            '{"sentence1": "a", "sentence2": "b", "label": 0}\n',
        ),
        ("msr_paraphrase_train.txt", f'\ufeff{PAIRS}\n1\t7\t8\tA town, old\tHe said "no"\n0\t7\t8\ta\tb\n'),
    ):
        (tmp_path / name).write_text(content, encoding="utf-8")
        assert MRPC.table.read(tmp_path / name) == (wanted, ())


def test_the_original_names_of_mrpc_are_found(tmp_path: Path) -> None:
    for part, count in (("train", 12), ("test", 3)):
        write_rows(tmp_path / f"msr_paraphrase_{part}.txt", [PAIRS, *["1\t7\t8\tthe town\ta town"] * count])
    write_vocab(tmp_path)
    data = MRPC().read(tmp_path, ToyText().named("toy/text"))
    assert data.train is not None and (len(data.train), len(data.valid)) == (11, 1)
    assert len(MRPC().read(tmp_path, ToyText().named("toy/text"), facts=data.facts).valid) == 3


def test_labels_of_the_hubs_are_numbers_in_the_order_of_the_task(tmp_path: Path) -> None:
    path = write_rows(tmp_path / "r.csv", ["sentence1,sentence2,label,idx", "a,b,1,0", "a,b,0,1"])
    assert [row.target for row in RTE.table.read(path)[0]] == [1, 0]
    hidden = write_rows(tmp_path / "test.csv", ["sentence,label,idx", "the town,-1,0"])
    assert "the label '-1'" in refused(hidden)


def test_a_task_describes_its_own_files_only(tmp_path: Path) -> None:
    rows = ["sentence\tlabel", "a fine film\t1", "no\t0", "yes\t1"]
    for folder in ("SST-2", "mine"):
        write_rows(tmp_path / folder / "train.tsv", rows)
    found = SST2().describe(tmp_path / "SST-2")
    assert found is not None and found.exact
    assert (found.samples, found.labels) == ({"train": 3}, {"positive": 2, "negative": 1})
    assert SST2().describe(tmp_path / "mine") is None
    assert CoLA().describe(tmp_path / "mine") is None and CoLA().describe(tmp_path / "SST-2") is None
    write_rows(tmp_path / "SST-2" / "train.tsv", ["other\tcolumns", "a\tb"])
    with pytest.raises(ConfigError, match="looked for a header"):
        SST2().describe(tmp_path / "SST-2")
    write_rows(tmp_path / "pairs" / "train.tsv", [PAIRS, "1\t7\t8\tthe town\ta town"])
    assert MRPC().describe(tmp_path / "pairs").labels == {"equivalent": 1}  # type: ignore[union-attr]
