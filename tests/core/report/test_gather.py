from __future__ import annotations

import json
import os
import signal
from pathlib import Path
from typing import Any

import pytest

from denas_core.errors import Interrupted
from denas_core.launch import run_search
from denas_core.registry.registry import Registry
from denas_core.report.gather import gather
from denas_core.report.page.html import render_html
from denas_core.report.sections.failures import group_reasons
from denas_core.report.write import insight_of
from denas_core.results.insight import Insight
from denas_core.runs.files import read_run
from denas_core.setup.config import make_config
from denas_core.setup.setup import Setup
from denas_core.values.trial import Trial
from tests.core.toy_searches import Watcher, denas, toy_config, toy_search

from .pages import Page


def gathered(run: Path) -> dict[str, Any]:
    store = read_run(run)
    try:
        return gather(run, store, Insight.read(run))
    finally:
        store.close()


def trials_of(run: Path) -> list[Trial]:
    store = read_run(run)
    try:
        return store.trials()
    finally:
        store.close()


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("report") / "run"
    toy_search(
        path,
        budget=150,
        score={"name": "toy/both", "failing": 9},
        probe={"name": "toy/ruler", "width": 0.02},
        constraints=["params<=300", "latency_ms<=280"],
    )
    return path


def test_a_search_leaves_a_page_behind(run: Path) -> None:
    page = Page((run / "report.html").read_text(encoding="utf-8"))
    assert page.unclosed == []
    assert "toy/stairs" in page.text


def test_the_numbers_are_those_of_the_run(run: Path) -> None:
    document, trials = gathered(run), trials_of(run)
    result = json.loads((run / "result.json").read_text())
    assert document["counts"] == result["trials"]
    assert document["best"]["key"] == result["best"]["key"]
    assert document["best"]["score"] == result["best"]["score"]
    assert sorted(document["front"]) == sorted(row["key"] for row in result["front"])
    assert [row["key"] for row in document["trials"]] == [trial.arch.key for trial in trials]
    assert json.loads(json.dumps(document, allow_nan=False)) == document


def test_the_best_is_compared_with_the_scored_trials_of_generation_0(run: Path) -> None:
    document, trials = gathered(run), trials_of(run)
    best = document["best"]["key"]
    others = [t for t in trials if t.is_scored and t.generation == 0 and t.arch.key != best]
    rows = {row["name"]: row for row in document["comparison"]["rows"]}
    for name in ("height", "slope"):
        values = sorted(t.evaluation.components[name] for t in others)
        middle = len(values) // 2
        median = values[middle] if len(values) % 2 else (values[middle - 1] + values[middle]) / 2
        assert rows[name]["median"] == pytest.approx(median)
    mine = document["best"]["components"]["slope"]
    worse = sum(t.evaluation.components["slope"] > mine for t in others)
    assert rows["slope"]["beaten"] == worse / len(others)


def test_budgets_say_what_they_turned_away_and_what_room_is_left(run: Path) -> None:
    document, trials = gathered(run), trials_of(run)
    rows = {row["metric"]: row for row in document["budgets"]["constraints"]}
    rejected = sum("latency_ms<=280" in t.evaluation.reason for t in trials)
    assert rejected > 0
    assert rows["latency_ms"]["rejected"] == rejected
    best = document["best"]
    assert rows["params"]["margin"] == pytest.approx((300 - best["metrics"]["params"]) / 300)
    assert rows["latency_ms"]["margin"] == pytest.approx((280 - best["latency"]["high"]) / 280)
    for metric in document["budgets"]["metrics"]:
        counted = sum(metric["name"] in t.evaluation.metrics for t in trials)
        assert sum(metric["scored"]) + sum(metric["others"]) == counted


def test_reasons_are_grouped_without_their_numbers_but_with_their_bounds(run: Path) -> None:
    groups = group_reasons(trials_of(run))
    reasons = [group["reason"] for group in groups]
    assert "height: the stairs are broken" in reasons
    assert "latency_ms<=280: … […, …]" in reasons
    assert sum(group["count"] for group in groups) == sum(not t.is_scored for t in trials_of(run))
    assert all(group["examples"][0]["key"] for group in groups)


def test_a_run_that_measures_latency_is_not_called_reproducible(run: Path, tmp_path: Path) -> None:
    assert not gathered(run)["provenance"]["reproducible"]["bit_for_bit"]
    toy_search(tmp_path / "plain", budget=10)
    assert gathered(tmp_path / "plain")["provenance"]["reproducible"]["bit_for_bit"]
    watcher = Watcher(after=10, act=lambda: os.kill(os.getpid(), signal.SIGTERM))
    config = toy_config(tmp_path / "timed", budget="1h")
    with pytest.raises(Interrupted):
        run_search(config, Registry.discover(), observers=[watcher])
    found = gathered(tmp_path / "timed")["provenance"]["reproducible"]
    assert not found["bit_for_bit"] and "time" in found["why"]


def test_knobs_that_decide_the_score_come_before_those_that_do_not(tmp_path: Path) -> None:
    toy_search(tmp_path / "run", budget=200, strategy="builtin/random", score="toy/height")
    rows = gathered(tmp_path / "run")["knobs"]["knobs"]
    by_name = {row["name"]: row for row in rows}
    # The height is the sum of the steps, so the number of steps decides most of it.
    assert rows[0]["name"] == "depth"
    assert by_name["depth"]["p"] == pytest.approx(0.001)
    assert by_name["depth"]["best"] == 6
    assert by_name["step5"]["active"] < by_name["step1"]["active"] == 200


def test_an_interrupted_search_leaves_a_page_too(tmp_path: Path) -> None:
    watcher = Watcher(after=30, act=lambda: os.kill(os.getpid(), signal.SIGTERM))
    with pytest.raises(Interrupted):
        run_search(toy_config(tmp_path / "run"), Registry.discover(), observers=[watcher])
    assert "scored candidates" in Page((tmp_path / "run/report.html").read_text(encoding="utf-8")).text


def test_a_report_that_cannot_be_written_costs_one_notice_and_no_result(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import denas_core.report.write as write

    def fail(document: Any) -> str:
        raise RuntimeError("no ink")

    monkeypatch.setattr(write, "render_html", fail)
    result = toy_search(tmp_path / "run", budget=20)
    assert result.notices[-1] == "the report was not written: RuntimeError: no ink"
    assert (tmp_path / "run/result.json").is_file()


def test_a_run_of_a_missing_plugin_still_has_its_whole_report(run: Path) -> None:
    done = denas("report", str(run), "--json", PYTHONPATH="")
    assert done.returncode == 0, done.stderr
    document, before = json.loads(done.stdout), gathered(run)
    assert document["best"] == before["best"]
    assert document["front"] == before["front"]
    assert any("the report shows what the search has stored" in notice for notice in document["notices"])


@pytest.mark.parametrize(
    "left", [None, "", "[]", '{"schema": "denas.insight/1"}', '{"schema": "denas.insight/1", "values": 3}']
)
def test_without_anything_left_behind_the_report_says_what_it_cannot(
    left: str | None, run: Path, tmp_path: Path
) -> None:
    import shutil

    shutil.copytree(run, tmp_path / "run")
    (tmp_path / "run/insight.json").unlink()
    if left is not None:
        (tmp_path / "run/insight.json").write_text(left)
    document = gathered(tmp_path / "run")
    assert document["best"] is None
    assert "cannot be ranked" in document["verdict"][0]
    assert Page(render_html(document)).unclosed == []


def test_a_run_without_any_score_has_a_report(tmp_path: Path) -> None:
    config = make_config({"space": "toy/stairs", "score": "toy/both", "device": "cpu"}, origin="test")
    from denas_core.study.run_directory import RunDirectory

    registry = Registry.discover()
    setup = Setup.from_config(config, registry)
    with RunDirectory.create(setup, registry, out=str(tmp_path / "run")) as directory:
        document = gather(tmp_path / "run", directory.store, insight_of(setup, []))
    assert document["verdict"][0].startswith("No candidate has been evaluated yet")
    assert Page(render_html(document)).unclosed == []
