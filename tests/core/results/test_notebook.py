"""A result in a notebook: its table, its data frame, its figures; and a run that is opened again."""

from __future__ import annotations

import dataclasses
import html
import re
from pathlib import Path

import pytest

import denas_core
from denas_core.errors import ConfigError
from denas_core.system import extras


@pytest.fixture(scope="module")
def result(tmp_path_factory: pytest.TempPathFactory) -> denas_core.SearchResult:
    return denas_core.search(
        "cv/cnn:micro",
        score="scores/params",
        strategy="builtin/random",
        constraints=["params<=300k"],
        budget=12,
        device="cpu",
        out=tmp_path_factory.mktemp("notebook") / "run",
    )


def test_a_notebook_shows_the_best_networks(result: denas_core.SearchResult) -> None:
    shown = result._repr_html_()
    assert "12 scored" in shown and f"{len(result.front)} on the Pareto front" in shown
    assert shown.count("<tr>") == 11
    assert result.best.arch.key[:12] in shown
    headings = re.findall("<th>([^<]*)</th>", shown)
    assert len(set(headings)) == len(headings) and {"score", "params", "flops"} <= set(headings)


def test_texts_of_others_are_escaped(result: denas_core.SearchResult) -> None:
    changed = dataclasses.replace(result, notices=["<script>x</script>"])
    assert "<script>" not in changed._repr_html_()


def test_a_notebook_shows_a_trial_with_its_knobs(result: denas_core.SearchResult) -> None:
    shown = result.best._repr_html_()
    assert f"trial {result.best.index}, {result.best.arch.key[:12]}: scored" in shown
    assert "<td>stem.channels</td>" in shown and "<td>flops</td>" in shown


def test_a_notebook_shows_the_report_in_a_frame_of_its_own(result: denas_core.SearchResult) -> None:
    report = result.report()
    assert report.path == result.path / "report.html"
    frame = re.fullmatch(
        r'<iframe srcdoc="([^"]*)" title="Report of run" [^>]*></iframe>', report._repr_html_()
    )
    assert frame is not None and html.unescape(frame[1]) == report.html


def test_a_notebook_shows_a_build(tmp_path: Path) -> None:
    decision = {"what": "space", "value": "cv/cnn", "reason": "it <suits> the data"}
    planned = denas_core.BuildResult(path=tmp_path, document={"decisions": [decision]})
    assert "it &lt;suits&gt; the data" in planned._repr_html_()
    found = {
        "metric": "accuracy",
        "metrics": {"accuracy": 0.75},
        "samples": 8,
        "model": "model.onnx",
        "bounds": [{"bound": "params<=1M", "verdict": "holds"}],
    }
    built = denas_core.BuildResult(path=tmp_path, document={"decisions": [decision], "result": found})
    assert (built.metric, built.value, built.samples) == ("accuracy", 0.75, 8)
    assert "on 8 samples" in built._repr_html_() and "params&lt;=1M: holds" in built._repr_html_()
    with pytest.raises(ConfigError, match="has no report yet"):
        built.report()


def test_pandas_gets_a_row_for_each_scored_network(result: denas_core.SearchResult) -> None:
    pytest.importorskip("pandas")
    frame = result.to_pandas()
    assert list(frame.index) == [trial.arch.key for trial in result.ranked]
    assert frame["front"].sum() == len(result.front)
    assert frame["score"].is_monotonic_decreasing
    assert (frame["params"] <= 300_000).all() and "arch.stem.channels" in frame
    assert frame["index"].iloc[0] == result.best.index


def test_figures_hold_every_network(result: denas_core.SearchResult, tmp_path: Path) -> None:
    matplotlib = pytest.importorskip("matplotlib")
    matplotlib.use("agg")
    axes = result.plot_front("flops")
    drawn = sum(len(points.get_offsets()) for points in axes.collections)
    assert drawn == len(result.ranked) + 1, "all networks, and a mark on the best one"
    assert axes.get_xlabel() and axes.get_ylabel() == "score"
    assert result.plot_front().get_xlabel() != axes.get_xlabel(), "by default parameters"
    line = result.plot_progress(ax=axes).lines[-1]
    heights = list(line.get_ydata())
    assert heights == sorted(heights) and heights[-1] == result.values[result.best.arch.key]
    axes.figure.savefig(tmp_path / "front.png")
    with pytest.raises(ConfigError, match="no network of the run has the metric 'latency_ms'"):
        result.plot_front("latency_ms")


def test_without_the_libraries_one_line_says_what_to_install(
    result: denas_core.SearchResult, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(extras.importlib.util, "find_spec", lambda name: None)
    for call in (result.to_pandas, result.plot_front, result.plot_progress):
        with pytest.raises(ConfigError, match=r"pip install 'denas-core\[notebook\]'"):
            call()


def test_a_run_is_opened_as_the_search_returned_it(result: denas_core.SearchResult, tmp_path: Path) -> None:
    again = denas_core.load_run(result.path)
    assert again.is_finished
    assert {**again.as_dict(), "notices": []} == {**result.as_dict(), "notices": []}
    (result.path / "result.json").rename(tmp_path / "kept.json")
    try:
        assert not denas_core.load_run(str(result.path)).is_finished
    finally:
        (tmp_path / "kept.json").rename(result.path / "result.json")


def test_what_is_no_run_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="run"):
        denas_core.load_run(tmp_path)
