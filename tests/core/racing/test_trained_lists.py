"""Trained networks in lists: `denas run ls`, `denas compare`, and a result in a notebook."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path

import pytest

from denas_core.results.compare_trained import compare_trained
from denas_core.results.stored import load_run
from denas_core.results.trained import trained_networks
from denas_core.values.interval import difference_interval, share_interval
from tests.core.toy_searches import denas_here


@pytest.fixture
def trained(searched: Path, points: Path) -> Path:
    """A run whose best network is trained."""
    done = denas_here("train", str(searched), "--data", str(points), "--epochs", "2", "--device", "cpu", "-q")
    assert done.returncode == 0, done.stderr
    return searched


@pytest.fixture
def pair(trained: Path) -> tuple[Path, Path]:
    """Two runs whose networks are trained, the second one better than by chance."""
    other = trained.parent / "other"
    shutil.copytree(trained, other)
    _set(trained, 0.55)
    _set(other, 0.95)
    return trained, other


def _set(run: Path, value: float) -> None:
    path = run / "training/result.json"
    document = json.loads(path.read_text())
    document["best"]["accuracy"] = value
    path.write_text(json.dumps(document))


def test_the_list_of_runs_shows_the_metric_with_samples_and_chance(trained: Path) -> None:
    (network,) = trained_networks(trained)
    done = denas_here("run", "ls", str(trained))
    head, _, row = done.stdout.splitlines()[:3]
    shown = dict(zip(re.split(r"\s{2,}", head.strip()), re.split(r"\s{2,}", row.strip()), strict=True))
    assert shown["trained"] == f"accuracy {network.value:.4g}"
    assert (shown["samples"], shown["chance"]) == ("40", "-")
    (listed,) = json.loads(denas_here("run", "ls", str(trained), "--json").stdout)["runs"]
    assert listed["network"]["key"] == network.key and listed["network"]["samples"] == 40
    assert listed["trained"] == shown["trained"]


def test_chance_is_shown_where_the_task_says_it(trained: Path) -> None:
    path = trained / "training/result.json"
    document = json.loads(path.read_text())
    path.write_text(json.dumps({**document, "best": {**document["best"], "chance": 0.625}}))
    assert "0.625" in denas_here("run", "ls", str(trained)).stdout
    assert load_run(trained).trained[0].chance == 0.625


def test_a_run_without_a_training_has_no_network(searched: Path) -> None:
    (listed,) = json.loads(denas_here("run", "ls", str(searched), "--json").stdout)["runs"]
    assert listed["network"] is None and listed["trained"] is None
    assert load_run(searched).trained == ()
    assert compare_trained([searched]) is None


def test_a_comparison_says_which_differences_are_larger_than_chance_allows(pair: tuple[Path, Path]) -> None:
    document = json.loads(denas_here("compare", *map(str, pair), "--json").stdout)["trained"]
    rows = {row["run"]: row for row in document["rows"]}
    assert [rows[str(run)]["value"] for run in pair] == [0.55, 0.95]
    assert rows[str(pair[0])]["interval"] == list(share_interval(0.55, 40))
    (found,) = document["pairs"]
    assert found["verdict"] == "worse" and found["lead"] == pytest.approx(-0.4)
    assert found["interval"] == list(difference_interval(0.55, 40, 0.95, 40))
    text = denas_here("compare", *map(str, pair)).stdout
    assert "accuracy of other is 40.0 points better than that of run, more than chance allows" in text


def test_a_small_difference_may_be_chance(pair: tuple[Path, Path]) -> None:
    _set(pair[1], 0.6)
    text = denas_here("compare", *map(str, pair)).stdout
    assert "accuracy of other is 5.0 points better than that of run, which may be chance" in text


def test_without_the_number_of_samples_a_difference_is_unknown(pair: tuple[Path, Path]) -> None:
    for name in ("settings.json", "result.json"):
        path = pair[1] / "training" / name
        document = json.loads(path.read_text())
        kept = {key: value for key, value in document.items() if key not in ("measured", "metric")}
        path.write_text(json.dumps(kept if name == "settings.json" else {**kept, "metric": "accuracy"}))
    (found,) = json.loads(denas_here("compare", *map(str, pair), "--json").stdout)["trained"]["pairs"]
    assert found["verdict"] == "unknown" and found["reason"]


def test_the_network_of_one_run_alone_has_no_comparison(pair: tuple[Path, Path]) -> None:
    shutil.rmtree(pair[1] / "training")
    document = json.loads(denas_here("compare", *map(str, pair), "--json").stdout)["trained"]
    assert {row["run"] for row in document["rows"]} == {str(pair[0])} and document["pairs"] == []


def test_a_notebook_shows_what_was_trained(trained: Path) -> None:
    result = load_run(trained)
    (network,) = result.trained
    html = result._repr_html_()
    assert "<th>trained</th>" in html and network.key[:12] in html and "<td>40</td>" in html


@pytest.mark.parametrize(
    ("first", "second", "expected"),
    # Table II of Newcombe (1998), method 10.
    [
        ((56, 70), (48, 80), (0.0524, 0.3339)),
        ((9, 10), (3, 10), (0.1705, 0.8090)),
        ((10, 10), (0, 10), (0.6075, 1.0)),
    ],
)
def test_the_interval_of_a_difference_is_that_of_the_paper(
    first: tuple[int, int], second: tuple[int, int], expected: tuple[float, float]
) -> None:
    (right, samples), (other, others) = first, second
    found = difference_interval(right / samples, samples, other / others, others)
    assert found == pytest.approx(expected, abs=5e-5)
