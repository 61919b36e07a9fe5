"""Rank a run whose plugins are missing, from what the search has stored."""

from __future__ import annotations

import dataclasses
import json
import sys
from pathlib import Path

import pytest
from denas_toy.scores import Both
from denas_toy.stairs import Stairs

from denas_core import ProxyScore, search
from denas_core.contracts.candidate import Candidate
from tests.core.toy_searches import denas_here, toy_search


@dataclasses.dataclass(kw_only=True)
class Mine(ProxyScore):
    def measure(self, candidate: Candidate) -> float:
        return float(int(candidate.arch.key[:8], 16))


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("rank") / "run"
    toy_search(path, budget=30)
    return path


@pytest.fixture(scope="module")
def own(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("own") / "run"
    search(space=Stairs(), score=Mine(), budget=10, device="cpu", out=path)
    return path


@pytest.fixture
def _elsewhere(monkeypatch: pytest.MonkeyPatch) -> None:
    """The state of a program that has not imported the classes of the run: an imported class would be found."""
    for kind in (Stairs, Mine):
        monkeypatch.delitem(sys.modules, kind.__module__, raising=False)


@pytest.mark.parametrize("weights", [[], ["--weights", "height=3"], ["--weights", "slope=0"]])
def test_a_run_ranks_the_same_without_its_plugin(
    run: Path, weights: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    ranked = denas_here("rank", str(run), *weights, "--json")
    shown = denas_here("rank", str(run), *weights)
    monkeypatch.setenv("DENAS_DISABLE_PLUGINS", "toy")
    without = denas_here("rank", str(run), *weights, "--json")
    assert without.returncode == 0, without.stderr
    assert json.loads(without.stdout) == json.loads(ranked.stdout)
    assert "named in DENAS_DISABLE_PLUGINS" in without.stderr
    assert "the ranking uses what the search has stored" in without.stderr
    assert denas_here("rank", str(run), *weights).stdout == shown.stdout


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        (["--compute"], "plugin 'toy'"),
        (["--weights", "width=1"], "did not rank by component 'width' (it has height, slope)"),
        (["--weights", "height=0,slope=0"], "every component of run"),
        (["--weights", "height=-1"], "must be a finite number >= 0"),
    ],
)
def test_what_takes_the_plugin_is_refused_without_it(
    run: Path, arguments: list[str], text: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DENAS_DISABLE_PLUGINS", "toy")
    done = denas_here("rank", str(run), *arguments)
    assert done.returncode in (2, 3)
    assert text in done.stderr


def test_a_wrong_weight_is_told_as_such_while_the_plugin_is_there(run: Path) -> None:
    done = denas_here("rank", str(run), "--weights", "nope=1")
    assert done.returncode == 2
    assert "no installed plugin has a score 'nope'" in done.stderr


@pytest.mark.usefixtures("_elsewhere")
def test_a_run_of_python_objects_is_ranked_by_what_it_left(own: Path) -> None:
    done = denas_here("rank", str(own), "--top", "3")
    assert done.returncode == 0, done.stderr
    best = json.loads((own / "result.json").read_text())["best"]["key"]
    assert best[:12] in done.stdout
    assert "is a class of a Python program" in done.stderr
    assert "takes no weights" in denas_here("rank", str(own), "--weights", "Mine=2").stderr


@pytest.mark.parametrize(
    "arguments",
    [
        ["rank", "RUN", "--compute"],
        ["report", "RUN", "--confidence"],
        ["score", "--config", "RUN/config.yaml", "--arch", "RUN/best.json"],
        ["latency", "--config", "RUN/config.yaml", "--arch", "RUN/best.json"],
    ],
)
@pytest.mark.usefixtures("_elsewhere")
def test_what_takes_the_objects_says_where_they_can_be_given(own: Path, arguments: list[str]) -> None:
    done = denas_here(*(argument.replace("RUN", str(own)) for argument in arguments))
    assert done.returncode == 2
    assert "'tests.core.cli.test_rank:Mine' is a class of a Python program and of no plugin" in done.stderr
    assert "denas_core.resume(RUN, objects={'score': ...})" in done.stderr
    assert done.stderr.count("\n") == 1


def test_a_misspelt_name_with_a_preset_is_no_class() -> None:
    done = denas_here("search", "stair:small")
    assert "did you mean 'stairs'?" in done.stderr
    assert "Python" not in done.stderr


def test_a_combined_score_given_in_python_takes_other_weights(tmp_path: Path) -> None:
    search(space=Stairs(), score=Both(), budget=20, device="cpu", out=tmp_path / "run")
    plain = json.loads(denas_here("rank", str(tmp_path / "run"), "--json").stdout)
    other = denas_here("rank", str(tmp_path / "run"), "--weights", "slope=0", "--json")
    assert json.loads(other.stdout)["weights"] == {"height": 1.0}
    heights = [row["components"]["height"] for row in json.loads(other.stdout)["ranked"]]
    assert heights == sorted(heights, reverse=True)
    assert [row["components"]["height"] for row in plain["ranked"]] != heights


def test_keys_are_no_numbers(run: Path) -> None:
    lines = denas_here("rank", str(run)).stdout.splitlines()
    places = {line.index(row["key"][:12]) for row, line in zip(_rows(run), lines[2:12], strict=True)}
    assert len(places) == 1


def _rows(run: Path) -> list[dict[str, str]]:
    rows: list[dict[str, str]] = json.loads(denas_here("rank", str(run), "--json").stdout)["ranked"]
    return rows
