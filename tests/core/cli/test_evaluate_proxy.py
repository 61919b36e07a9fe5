"""``denas evaluate-proxy`` as a user sees it: output, files, and one line for what cannot be used."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.core.agreement.toy_tables import Rows, stairs, write
from tests.core.toy_searches import denas_here

COMMON = ["--space", "toy/stairs", "--device", "cpu", "--seeds", "2", "-q"]
HEIGHT = ["--scores", "toy/height", "--baseline", "toy/height"]


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    write(tmp_path / "acc.csv", stairs())
    return tmp_path


def test_the_document_is_printed_and_every_file_written(place: Path) -> None:
    given = ["--scores", "toy/height,toy/both", "--baseline", "toy/both", "--target", "acc"]
    done = denas_here("evaluate-proxy", "--table", "acc.csv", *COMMON, *given, "--json")
    assert done.returncode == 0, done.stderr
    document = json.loads(done.stdout)
    assert document["schema"] == "denas.proxies/1"
    assert {one["score"] for one in document["scores"]} == {
        *("toy/height", "toy/both", "params", "flops", "depth x width")
    }
    for one in document["scores"]:
        assert {"score", "kendall", "kendall_ci", "spearman", "n"} <= one.keys()
        assert one["n"] == 12
    out = place / "evaluations" / "toy-stairs-acc"
    assert json.loads((out / "scores.json").read_text()) == document
    with (out / "scores.csv").open(newline="") as file:
        rows = {row["score"]: row for row in csv.DictReader(file)}
    height = next(one for one in document["scores"] if one["score"] == "toy/height")
    assert float(rows["toy/height"]["kendall"]) == height["kendall"]
    assert float(rows["toy/height"]["kendall_ci_low"]) == height["kendall_ci"][0]
    with (out / "networks.csv").open(newline="") as file:
        networks = list(csv.DictReader(file))
    assert len(networks) == 12
    assert {"architecture", "acc", "params", "toy/height:0", "toy/both:1"} <= networks[0].keys()
    markdown = (out / "scores.md").read_text()
    assert "| toy/height |" in markdown
    assert "depth x width failed for 12 of 12 networks" in markdown


def test_the_table_of_a_terminal_names_failures_and_files(place: Path) -> None:
    failing = ["--set", "toy/height.failing=3"]
    done = denas_here("evaluate-proxy", "--table", "acc.csv", *COMMON, *HEIGHT, *failing, "--target", "acc")
    assert done.returncode == 0, done.stderr
    assert "acc: 12 networks, 2 seeds" in done.stdout
    assert "report: evaluations/toy-stairs-acc/report.html" in done.stdout
    assert "note: toy/height failed for" in done.stderr
    assert "which rank last; the first is" in done.stderr


def test_the_page_shows_hostile_text_as_text_and_loads_nothing(place: Path) -> None:
    rows = [{"arch": row["arch"], "<script>alert(1)</script>": row["acc"]} for row in stairs()]
    write(place / "acc.csv", rows)
    given = ["--target", "<script>alert(1)</script>"]
    done = denas_here("evaluate-proxy", "--table", "acc.csv", *COMMON, *HEIGHT, *given, "--out", "out")
    assert done.returncode == 0, done.stderr
    page = (place / "out" / "report.html").read_text()
    assert "<script" not in page
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page
    assert "script-src &#39;none&#39;" in page
    assert "http" not in page.replace("http-equiv", "")
    assert page.count("<figure>") == 3


def changed(change: Callable[[Rows], object]) -> Rows:
    rows = stairs()
    change(rows)
    return rows


BAD_TABLES = {
    "unknown architecture": (
        changed(lambda rows: rows[3].update(arch='{"depth": 99}')),
        "depth",
    ),
    "duplicate": (
        changed(lambda rows: rows.append(dict(rows[2]))),
        "occurs twice (acc.csv:4 and acc.csv:14); remove one of the rows",
    ),
    "missing target": (
        changed(lambda rows: rows[5].update(acc="")),
        "'acc' is '', which is not a finite number (acc.csv:7)",
    ),
    "constant": (
        changed(lambda rows: [row.update(acc=90) for row in rows]),
        "'acc' is 90 in all 12 rows of acc.csv, so it gives no ranking",
    ),
    "few rows": (stairs(9), "acc.csv has 9 rows; a correlation needs at least 10"),
    "no column": (
        [{"arch": row["arch"], "accuracy": row["acc"]} for row in stairs()],
        "acc.csv has no column 'acc'",
    ),
}


@pytest.mark.parametrize(("rows", "text"), BAD_TABLES.values(), ids=list(BAD_TABLES))
def test_a_table_that_cannot_be_used_is_one_line(place: Path, rows: Rows, text: str) -> None:
    write(place / "acc.csv", rows)
    done = denas_here("evaluate-proxy", "--table", "acc.csv", *COMMON, *HEIGHT, "--target", "acc")
    assert done.returncode == 2
    assert text in done.stderr
    assert done.stderr.count("\n") == 1
    assert not (place / "evaluations").exists()


BAD_OPTIONS = {
    "no table": (["--target", "acc"], "no table of trained networks is named"),
    "missing file": (["--table", "none.csv", "--target", "acc"], "cannot read 'none.csv': No such file"),
    "no target": (
        ["--table", "acc.csv"],
        "no target is named; acc.csv has these columns of numbers: acc, loss",
    ),
    "unknown score": (
        ["--table", "acc.csv", "--target", "acc", "--scores", "toy/hight"],
        "no installed plugin has a score 'toy/hight'; did you mean 'toy/height'?",
    ),
    "a score twice": (
        ["--table", "acc.csv", "--target", "acc", "--scores", "toy/height,toy/height"],
        "two scores have the name 'toy/height'",
    ),
    "a measured score": (
        [
            "--table",
            "acc.csv",
            "--target",
            "acc",
            "--scores",
            "toy/both",
            "--set",
            "toy/both.weights.latency=1",
        ],
        "score 'toy/both' needs a measured latency",
    ),
    "an option of another score": (
        ["--table", "acc.csv", "--target", "acc", "--set", "zen.x=1"],
        "--set names 'zen', which is neither 'space' nor 'task' nor one of the evaluated scores (toy/height)",
    ),
    "an option that a score lacks": (
        ["--table", "acc.csv", "--target", "acc", "--set", "toy/height.paws=1"],
        "paws",
    ),
    "few networks": (
        ["--table", "acc.csv", "--target", "acc", "--networks", "9"],
        "the sample of 9 networks from acc.csv has 9 rows; a correlation needs at least 10",
    ),
    "unknown device": (
        ["--table", "acc.csv", "--target", "acc", "--device", "tpu"],
        "device 'tpu' is none of auto, cpu, cuda",
    ),
    "a file as directory": (
        ["--table", "acc.csv", "--target", "acc", "--out", "acc.csv"],
        "out 'acc.csv' is a file; name a directory",
    ),
    "an unknown space": (["--table", "acc.csv", "--target", "acc", "--space", "toy/stair"], "toy/stairs"),
}


@pytest.mark.parametrize(("given", "text"), BAD_OPTIONS.values(), ids=list(BAD_OPTIONS))
def test_an_option_that_cannot_be_used_is_one_line(place: Path, given: list[str], text: str) -> None:
    done = denas_here("evaluate-proxy", *COMMON, *HEIGHT, *given)
    assert done.returncode == 2
    assert text in done.stderr
    assert done.stderr.count("\n") == 1


@pytest.mark.parametrize("name", ["diversity", "scores/diversity"])
def test_a_score_that_the_space_cannot_have_is_refused(place: Path, name: str) -> None:
    import random

    from denas_cv.cnn.space import CNN

    space, rng = CNN().named("cv/cnn"), random.Random(0)
    networks = list({space.sample(rng): None for _ in range(12)})
    write(
        place / "cnn.csv",
        [{"arch": space.format(arch), "acc": number} for number, arch in enumerate(networks)],
    )
    given = ["--space", "cv/cnn", "--scores", name, "--baseline", "params", "--target", "acc", "-q"]
    done = denas_here("evaluate-proxy", "--table", "cnn.csv", *given)
    assert done.returncode == 2
    assert "needs attention, and 'cv/cnn' has none" in done.stderr
    assert done.stderr.count("\n") == 1
