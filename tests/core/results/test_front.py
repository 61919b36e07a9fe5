from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from denas_core.cli.run_source import choose_architecture
from denas_core.errors import ConfigError
from denas_core.registry.registry import Registry
from denas_core.results.result import SearchResult
from denas_core.runs.choices import check_choice, chosen_key
from tests.core.report.pages import Page
from tests.core.toy_searches import denas_here, toy_search

OBJECTIVES = ["max:score", "min:params"]


@pytest.fixture(scope="module")
def result(tmp_path_factory: pytest.TempPathFactory) -> SearchResult:
    path = tmp_path_factory.mktemp("front") / "run"
    return toy_search(path, budget=90, strategy="builtin/nsga2", objectives=OBJECTIVES)


def document(result: SearchResult) -> dict[str, Any]:
    read: dict[str, Any] = json.loads((result.path / "result.json").read_text())
    return read


def test_the_result_names_its_objectives_choices_and_hypervolume(result: SearchResult) -> None:
    found = document(result)
    assert found["objectives"] == ["score", "params"]
    front = {row["key"]: row for row in found["front"]}
    assert found["choices"]["best"] == found["best"]["key"]
    assert found["choices"]["smallest"] == min(front, key=lambda key: front[key]["metrics"]["params"])
    assert found["choices"]["knee"] in front
    assert "fastest" not in found["choices"]
    assert 0 < found["hypervolume"] <= 1


def test_the_knee_is_the_farthest_from_the_line_between_the_ends_of_the_front(result: SearchResult) -> None:
    found = document(result)
    points = {row["key"]: (row["metrics"]["params"], -row["score"]) for row in found["front"]}
    (low_x, high_y), (high_x, low_y) = min(points.values()), max(points.values())

    def distance(key: str) -> float:
        x, y = points[key]
        # The scaled line runs from (0, 1) to (1, 0).
        return 1 - (x - low_x) / (high_x - low_x) - (y - low_y) / (high_y - low_y)

    assert found["choices"]["knee"] == max(points, key=distance)
    assert distance(found["choices"]["knee"]) > 0


def test_large_is_the_best_of_the_tenth_with_the_most_parameters(result: SearchResult) -> None:
    by_size = sorted(result.ranked, key=lambda trial: -trial.evaluation.metrics["params"])
    tenth = by_size[: -(-len(by_size) // 10)]
    least = tenth[-1].evaluation.metrics["params"]
    large = [trial for trial in tenth if trial.evaluation.metrics["params"] > least]
    chosen = result.select("large")
    assert chosen.evaluation.metrics["params"] >= least
    assert large and all(result.values[chosen.arch.key] >= result.values[trial.arch.key] for trial in large)
    assert chosen.arch.key == document(result)["choices"]["large"]


def test_a_result_without_a_choice_says_how_to_get_it() -> None:
    with pytest.raises(
        ConfigError, match=r"'large' means the best score among the tenth .* 'denas search --resume'"
    ):
        check_choice("large", {"best": "0"})


def test_every_choice_has_its_architecture_file(result: SearchResult) -> None:
    for key in document(result)["choices"].values():
        assert (result.path / "architectures" / f"{key}.json").is_file()


def test_the_report_shows_the_knee_and_the_hypervolume_over_time(result: SearchResult) -> None:
    page = Page((result.path / "report.html").read_text(encoding="utf-8"))
    assert page.unclosed == []
    assert f"knee of the front: {document(result)['choices']['knee'][:12]}" in page.text
    assert "The hypervolume of the front of score, params after each trial." in page.text
    report = json.loads(denas_here("report", str(result.path), "--json").stdout)
    assert report["knee"] == document(result)["choices"]["knee"]
    assert report["hypervolume"][-1][1] == document(result)["hypervolume"]


def test_a_command_takes_a_choice_of_a_run_by_name(result: SearchResult) -> None:
    chosen = document(result)["choices"]
    assert chosen["knee"] != chosen["smallest"]
    space = Registry.discover().create("space", "toy/stairs")
    for name in ("knee", "smallest", "best"):
        assert choose_architecture(space, result.path, name).key == chosen[name]
    refused = denas_here("score", str(result.path), "--select", "fastest")
    assert refused.returncode == 2
    assert refused.stderr == (
        "error: 'fastest' means the lowest latency on the Pareto front, and no trial on the front of this run has a "
        "stable latency; search with --objective min:latency_ms\n"
    )


def test_a_search_prints_what_it_was_asked_to_select(tmp_path: Path) -> None:
    options = ["toy/stairs", "--score", "toy/both", "--budget", "60", "--device", "cpu", "-q"]
    done = denas_here("search", *options, "--select", "smallest", "-o", str(tmp_path / "run"), "--json")
    printed = json.loads(done.stdout)
    assert printed["selected"]["key"] == printed["choices"]["smallest"]
    again = denas_here(
        "search", "--resume", str(tmp_path / "run"), "--select", printed["best"]["key"][:10], "-q"
    )
    assert "the chosen one:" in again.stdout
    refused = denas_here("search", *options, "--select", "quickest", "-o", str(tmp_path / "other"))
    assert refused.returncode == 2
    assert refused.stderr == (
        "error: --select 'quickest' is none of best, knee, fastest, smallest, large; the keys of a run are known once "
        "it has a result\n"
    )
    assert not (tmp_path / "other").exists()


def test_a_run_without_a_result_has_no_choices(result: SearchResult, tmp_path: Path) -> None:
    shutil.copytree(result.path, tmp_path / "run")
    (tmp_path / "run" / "result.json").unlink()
    with pytest.raises(
        ConfigError, match="has no result with named choices, so 'knee' names none; finish its search"
    ):
        chosen_key(tmp_path / "run", "knee")
    assert chosen_key(tmp_path / "run", "abcd") == "abcd"


def test_a_resumed_search_with_several_objectives_gives_the_same_result(
    result: SearchResult, tmp_path: Path
) -> None:
    from denas_core import resume

    part = toy_search(tmp_path / "run", budget=65, strategy="builtin/nsga2", objectives=OBJECTIVES)
    assert len(part.ranked) == 65
    whole = resume(tmp_path / "run", budget=90)
    assert [trial.arch.key for trial in whole.ranked] == [trial.arch.key for trial in result.ranked]
    assert whole.choices == result.choices
