"""The report of trained runs: whole ones, half done ones, damaged ones, and trainings without a search."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from denas_core.report.gather import gather
from denas_core.report.page.html import render_html
from denas_core.results.insight import Insight
from denas_core.runs.files import read_run
from tests.core.racing.conftest import installed as installed
from tests.core.racing.conftest import points as points
from tests.core.racing.conftest import searched as searched
from tests.core.toy_searches import denas_here

from .pages import Page


def report_of(run: Path) -> tuple[dict[str, Any], Page]:
    with read_run(run) as store:
        document = gather(run, store, Insight.read(run))
    assert json.loads(json.dumps(document, allow_nan=False))
    page = Page(render_html(document))
    assert page.unclosed == []
    return document, page


def train(run: Path, data: Path, *options: str) -> None:
    done = denas_here("train", str(run), "--data", str(data), "-q", *options)
    assert done.returncode == 0, done.stderr


@pytest.fixture
def raced(searched: Path, points: Path) -> Path:
    train(
        searched, points, "--executor", "builtin/serial", "--top", "3", "--also", "random:2", "--epochs", "2"
    )
    return searched


def test_a_race_is_in_the_report_with_its_curves_and_what_is_confused(raced: Path) -> None:
    document, page = report_of(raced)
    trained = document["trained"]
    assert trained["metric"] == "accuracy"
    assert trained["rows"][0]["is_kept"]
    assert f"accuracy {100 * trained['rows'][0]['value']:.3g} %" in document["verdict"][0]
    assert document["answer"]["sure"] in ("yes", "probably", "cannot say")
    assert "trained" in page.ids and "build" not in page.ids
    assert "training loss" in page.text
    assert "no random network" not in document["verdict"][0]


def test_the_page_of_the_run_has_its_training_as_soon_as_it_has_ended(searched: Path, points: Path) -> None:
    assert "trained" not in Page((searched / "report.html").read_text()).ids
    train(searched, points, "--epochs", "1")
    page = Page((searched / "report.html").read_text())
    assert "trained" in page.ids
    assert "not yet trained" not in page.text


def test_a_run_without_a_training_says_so(searched: Path) -> None:
    document, page = report_of(searched)
    assert document["trained"] is None
    assert "trained" not in page.ids
    assert "not yet trained" in document["verdict"][0]


def test_a_race_that_is_half_done_shows_what_is_known(raced: Path) -> None:
    record = json.loads((raced / "race/race.json").read_text())
    record["result"] = None
    last = record["rungs"][-1]
    for entrant in record["entrants"]:
        entrant["trainings"] = [one for one in entrant["trainings"] if one["epochs"] < last]
    (raced / "race/race.json").write_text(json.dumps(record))
    shutil.rmtree(raced / "training")
    document, _ = report_of(raced)
    assert not any(row["is_kept"] for row in document["trained"]["rows"])
    assert document["answer"]["sure"] == "cannot say"
    assert "not yet trained" in document["verdict"][0]


def test_a_training_that_was_stopped_is_listed_as_not_ended(searched: Path, points: Path) -> None:
    train(searched, points, "--epochs", "1")
    (searched / "training/result.json").unlink()
    document, page = report_of(searched)
    assert "it has not ended" in document["trained"]["missing"][0]
    assert "it has not ended" in page.text


@pytest.mark.parametrize("name", ["result.json", "settings.json", "log.jsonl"])
def test_a_damaged_training_never_costs_the_report(searched: Path, points: Path, name: str) -> None:
    train(searched, points, "--epochs", "1")
    (searched / "training" / name).write_text('{"best": [1, ')
    document, page = report_of(searched)
    assert len(document["trained"]["missing"]) == 1
    assert name in page.text
    done = denas_here("report", str(searched))
    assert done.returncode == 0, done.stderr
    assert name in " ".join(done.stdout.split())


def test_a_training_of_an_older_version_has_no_interval_and_no_direction(
    searched: Path, points: Path
) -> None:
    train(searched, points, "--epochs", "1")
    for name, key in (("result.json", "measured"), ("settings.json", "metric")):
        path = searched / "training" / name
        content = json.loads(path.read_text())
        del content[key]
        path.write_text(json.dumps(content))
    document, page = report_of(searched)
    (row,) = document["trained"]["rows"]
    assert row["value"] is not None and row["interval"] is None and row["chance"] is None
    assert "which direction is better" in page.text
    assert document["answer"]["sure"] == "cannot say"


def test_a_training_without_a_search_has_a_report_of_its_own(
    searched: Path, points: Path, tmp_path: Path
) -> None:
    alone = tmp_path / "alone"
    train(searched, points, "--epochs", "2", "--out", str(alone))
    done = denas_here("report", str(alone))
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("This training gave a network with accuracy")
    page = Page((alone / "report.html").read_text())
    assert page.unclosed == [] and "trained" in page.ids
    document = json.loads(denas_here("report", str(alone), "--json").stdout)
    assert document["trained"]["rows"][0]["origin"] == "given"


def test_a_training_without_a_search_has_no_candidates(searched: Path, points: Path, tmp_path: Path) -> None:
    alone = tmp_path / "alone"
    train(searched, points, "--epochs", "1", "--out", str(alone))
    for option in (["--confidence"], ["--csv", str(tmp_path / "trials.csv")]):
        done = denas_here("report", str(alone), *option)
        assert done.returncode == 2
        assert f"has no candidates for {option[0]}" in done.stderr


@pytest.mark.parametrize(
    "content",
    [
        "{",
        "[]",
        "{}",
        '{"steps": 3, "decisions": {}, "request": []}',
        '{"steps": {"search": {"run": "run"}, "training": 4, '
        '"measure onnx": {"bounds": [3, {"bound": 1}], "latency": 5}}}',
        '{"state": "finished", "seconds": "long", "request": {"seconds": 4}, "steps": {"search": {"run": "run"}}, '
        '"decisions": [{"what": "space", "value": [1, 2]}, 7]}',
    ],
)
def test_a_damaged_build_never_costs_the_report(searched: Path, content: str) -> None:
    (searched.parent / "build.json").write_text(content)
    document, page = report_of(searched)
    assert ("build" in page.ids) == (document["build"] is not None)


def test_a_build_is_in_the_report_with_its_steps_and_decisions(searched: Path) -> None:
    steps = {"search": {"run": "run", "seconds": 4.0}, "race": {"seconds": 2.0}}
    decision = {"step": "race", "what": "epochs of the race", "value": 2, "reason": "there is no more time"}
    plan = [{"step": "race", "planned": 13.5, "given": 15.25, "used": None}, {"step": 3, "planned": "long"}]
    build = {"state": "running", "seconds": 9.0, "request": {"seconds": 60.0, "data": "/data/photos"}}
    (searched.parent / "build.json").write_text(
        json.dumps({**build, "plan": plan, "steps": steps, "decisions": [decision]})
    )
    document, page = report_of(searched)
    assert [one["name"] for one in document["build"]["steps"]] == ["search", "race"]
    assert document["build"]["plan"][0] == {"name": "race", "planned": 13.5, "given": 15.25, "used": None}
    assert "13.5 s" in page.text and "15.2 s" in page.text
    assert "there is no more time" in page.text
    assert "The build has not ended" in page.text


WORST = {
    "errors": "wrong words",
    "samples": 40,
    "wrong": 3,
    "answers": [
        {"sample": "3-1-0000", "expected": "GO <b>HOME", "answered": "ROW " * 200, "errors": 2.0},
        {"sample": "3-1-0001", "expected": "", "answered": None, "errors": 1.0},
    ],
}


def with_measured(run: Path, **measured: Any) -> tuple[dict[str, Any], Page]:
    path = run / "training/result.json"
    found = json.loads(path.read_text())
    path.write_text(json.dumps({**found, "measured": {**found["measured"], **measured}}))
    return report_of(run)


def test_the_worst_answers_are_in_the_report(searched: Path, points: Path) -> None:
    train(searched, points, "--epochs", "1")
    document, page = with_measured(searched, worst=WORST)
    assert document["trained"]["worst"] == WORST
    assert "What the network gets most wrong: 3 of 40 samples have errors" in page.text
    assert "GO <b>HOME" in page.text and "wrong words: 2" in page.text
    assert page.text.count("whole text") == 1
    # A network that gives no answer in a training has no line for it, and an empty answer is named.
    assert "rightnetworkright" in page.inside["dt"]
    assert "nothing" in page.inside["dd"]


@pytest.mark.parametrize(
    "damaged",
    [
        {"worst": {"answers": [3, {}, {"errors": "many", "sample": ["a"]}], "samples": "x"}},
        {"worst": [1]},
        {"worst": {"answers": {"a": 1}}},
        {"mistakes": {"labels": ["a", "b"], "matrix": [[1, 2]]}},
        {"mistakes": {"labels": ["a"], "matrix": [["many"]]}},
        {"mistakes": {"pairs": [1, {"expected": "a"}]}},
        {"mistakes": {"labels": 7, "matrix": None}},
    ],
)
def test_damaged_mistakes_leave_a_report(searched: Path, points: Path, damaged: dict[str, Any]) -> None:
    train(searched, points, "--epochs", "1")
    document, page = with_measured(searched, **damaged)
    assert "trained" in page.ids
    if "mistakes" in damaged:
        assert document["trained"]["mistakes"] == {} and "confuses" not in page.text


def test_a_training_is_named_although_the_ranking_cannot_be_read(searched: Path, points: Path) -> None:
    train(searched, points, "--epochs", "1")
    (searched / "insight.json").write_text("{")
    document, _ = report_of(searched)
    assert document["best"] is None and document["verdict"][0].startswith("The search found a network")
    assert "the run has no ranking that can be read, and it could not be made again" in document["verdict"][1]
