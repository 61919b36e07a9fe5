from __future__ import annotations

import csv
import io
import json
import shutil
from pathlib import Path

import pytest
import typer

from denas_core.cli import _run
from denas_core.cli.app import app
from denas_core.errors import NoResult
from denas_core.report.sections.commands import next_commands
from tests.core.toy_searches import denas_here, toy_search
from tests.repo.documents import denas_arguments
from tests.repo.test_docs import parse


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("report") / "a run; with 'odd' $(name)"
    toy_search(path, budget=60, score={"name": "toy/both", "failing": 9})
    return path


def test_report_writes_the_page_and_prints_its_tables(run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (run / "report.html").unlink()
    assert _run(["report", str(run)], debug=True) == 0
    printed = capsys.readouterr().out
    assert (run / "report.html").is_file()
    assert f"\nreport: {run}/report.html\nnext:\n" in printed
    for title in ("Finalists", "Which knobs mattered", "Trials without a score"):
        assert title in printed
    best = json.loads((run / "result.json").read_text())["best"]["key"]
    assert f"By its score, {best[:12]} is the first of 60 candidates" in printed


def test_confidence_is_measured_and_then_shown_by_every_report(
    run: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert _run(["report", str(run), "--confidence", "--seeds", "2"], debug=True) == 0
    printed = capsys.readouterr()
    assert "scored again: 40 of 40" in printed.err
    assert "Agreement of 3 seeds" in printed.out
    assert _run(["report", str(run)], debug=True) == 0
    assert "The agreement of their orders is" in capsys.readouterr().out
    assert "Agreement between seeds" in (run / "report.html").read_text(encoding="utf-8")


def test_json_and_csv_are_alone_on_standard_output(run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = (run / "report.html").stat().st_mtime_ns
    assert _run(["report", str(run), "--json", "--top", "3"], debug=True) == 0
    document = json.loads(capsys.readouterr().out)
    assert document["schema"] == "denas.report/1"
    assert len(document["finalists"]) == 3
    assert _run(["report", str(run), "--csv", "-"], debug=True) == 0
    rows = list(csv.DictReader(io.StringIO(capsys.readouterr().out)))
    assert [row["key"] for row in rows] == [row["key"] for row in document["trials"]]
    assert (run / "report.html").stat().st_mtime_ns == before


def test_out_and_csv_name_files(run: Path, tmp_path: Path) -> None:
    page, table = tmp_path / "page.html", tmp_path / "trials.csv"
    assert _run(["report", str(run), "--out", str(page), "--csv", str(table)], debug=True) == 0
    assert page.read_text(encoding="utf-8").startswith("<!DOCTYPE html>")
    assert table.read_text(encoding="utf-8").startswith("index,generation,key,state")


def test_a_directory_without_a_run_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert _run(["report", str(tmp_path)], debug=False) == 2
    assert "is not a run directory" in capsys.readouterr().err


def test_the_search_names_its_report(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = str(tmp_path / "run")
    arguments = [
        "search",
        "toy/stairs",
        "--score",
        "toy/both",
        "--device",
        "cpu",
        "-b",
        "12",
        "-q",
        "-o",
        out,
    ]
    assert _run(arguments, debug=True) == 0
    assert f"report: {out}/report.html\n" in capsys.readouterr().out


def test_every_command_of_a_report_can_be_pasted_into_a_shell(run: Path) -> None:
    trained = next_commands(
        run,
        _config(),
        components=["a"],
        has_best=True,
        has_network=True,
        has_confidence=True,
        is_trained=True,
    )
    assert len(_commands(run)) == 9 and len(trained) == 6
    assert not any(" train " in row["command"] for row in trained)
    group = typer.main.get_command(app)
    for command in (*_commands(run), *trained):
        (arguments,) = denas_arguments(command["command"])
        assert str(run) in " ".join(arguments)
        parse(group, arguments, command["command"])


def test_a_path_that_looks_like_an_option_is_quoted_as_a_path() -> None:
    rows = next_commands(
        Path("-rf"), _config(), components=["a"], has_best=True, has_network=True, has_confidence=True
    )
    assert all("./-rf" in row["command"] for row in rows)


def test_a_run_made_in_python_is_offered_no_command_that_cannot_find_its_class() -> None:
    config = {**_config(), "space": {"name": "__main__:Mine"}}
    rows = next_commands(
        Path("run"), config, components=["a"], has_best=True, has_network=True, has_confidence=False
    )
    assert {row["command"].split()[1] for row in rows} == {"trials", "report"}
    assert not any("--confidence" in row["command"] for row in rows)


def _config() -> dict[str, object]:
    return {
        "space": {"name": "toy/stairs"},
        "score": {"name": "toy/both"},
        "strategy": {"name": "builtin/random"},
        "probe": {"name": "builtin/wall-clock"},
        "executor": {"name": "builtin/serial"},
        "budget": "1h",
    }


def _commands(run: Path) -> list[dict[str, str]]:
    return next_commands(
        run, _config(), components=["height", "slope"], has_best=True, has_network=True, has_confidence=False
    )


@pytest.mark.parametrize(
    ("options", "text"),
    [
        (
            ["--csv", "RUN/study.db"],
            "--csv 'RUN/study.db' is a file of the run in 'RUN'; choose another name",
        ),
        (["--csv", "RUN/report.html"], "is a file of the run"),
        (["--out", "RUN/best.json"], "is a file of the run"),
        (["--out", "RUN/architectures/x.json"], "is a file of the run"),
        (["--out", "RUN/run.lock"], "is a file of the run"),
        (["--out", "-"], "for standard output there are --json and --csv -"),
        (["--out", "x.html", "--csv", "x.html"], "are both 'x.html'; name two files"),
        (["--json", "--csv", "-"], "would share standard output"),
        (["--seeds", "3"], "add --confidence"),
    ],
)
def test_nothing_is_written_where_it_would_be_lost(
    run: Path, options: list[str], text: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "RUN").symlink_to(run)
    before = {file.name: file.read_bytes() for file in run.iterdir() if file.is_file()}
    done = denas_here("report", "RUN", *options)
    assert done.returncode == 2, done.stdout
    assert text.replace("'RUN'", repr(str(tmp_path / "RUN"))) in done.stderr
    assert {file.name: file.read_bytes() for file in run.iterdir() if file.is_file()} == before
    assert [file.name for file in tmp_path.iterdir()] == ["RUN"]


def test_files_of_one_s_own_may_lie_in_the_run(run: Path) -> None:
    done = denas_here("report", str(run), "--out", str(run / "report.html"), "--csv", str(run / "mine.csv"))
    assert done.returncode == 0, done.stderr
    assert (run / "mine.csv").read_text().startswith("index,")


def test_tables_are_printed_where_the_page_cannot_be_written(run: Path, tmp_path: Path) -> None:
    copy = tmp_path / "copy"
    shutil.copytree(run, copy)
    (copy / "report.html").unlink()
    (copy / "report.html").mkdir()
    done = denas_here("report", str(copy))
    assert done.returncode == 6
    assert "is the first of 60 candidates" in done.stdout
    assert "report.html" in done.stderr


def test_a_run_without_a_trial_says_that_none_was_judged(tmp_path: Path) -> None:
    with pytest.raises(NoResult):
        toy_search(tmp_path / "run", budget="0.000001s")
    done = denas_here("report", str(tmp_path / "run"))
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("No candidate has been evaluated yet")
