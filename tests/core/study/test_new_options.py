"""A run that was made before an option existed goes on with the default of that option."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest

from denas_core.contracts.candidate import Candidate
from denas_core.contracts.score import ProxyScore
from denas_core.errors import ConfigError
from denas_core.launch import resume, resume_search
from denas_core.results.compare import compare_runs, read_runs
from denas_core.runs.files import read_run
from denas_core.runs.store import Store
from denas_core.setup.config import apply_settings
from denas_core.setup.stored import with_new_options
from tests.core.toy_searches import denas_here, table, toy_search


@dataclasses.dataclass(kw_only=True)
class Sized(ProxyScore):
    """A score that derives one option from another."""

    image_size: int = 224
    probe_size: int = 224

    def __post_init__(self) -> None:
        self.probe_size = min(self.probe_size, self.image_size)

    def measure(self, candidate: Candidate) -> float:
        return 0.0


OPTIONS = ("space.highest", "score.failing", "strategy.crossovers", "probe.batch_size", "threads")


@pytest.fixture
def older(tmp_path: Path) -> Path:
    """Return a run of which no component had the options above when it was made."""
    run = tmp_path / "older"
    toy_search(run, budget=40)
    forget(run, *OPTIONS)
    return run


def forget(run: Path, *options: str) -> None:
    """Remove options from what a run has stored."""
    with Store.open(run / "study.db") as store:
        header = store.header()
        for option in options:
            place, _, name = option.rpartition(".")
            del (header["config"][place] if place else header["config"])[name]
        store.set_header(header)


def test_a_resume_takes_the_default_and_stores_it(older: Path, tmp_path: Path) -> None:
    toy_search(tmp_path / "whole", budget=130)
    resume(older, budget=130)
    assert table(older) == table(tmp_path / "whole")
    now, whole = (read_run(run).header()["config"] for run in (older, tmp_path / "whole"))
    assert {**now, "out": None} == {**whole, "out": None}


def test_a_resume_cannot_choose_another_value_than_the_default(older: Path) -> None:
    with pytest.raises(ConfigError, match=r"cannot go on with score\.failing: 0 -> 7; threads: 1 -> 2: only"):
        resume_search(older, lambda stored: apply_settings(stored, ["score.failing=7", "threads=2"]))


def test_a_stored_value_is_used_although_the_default_is_another(tmp_path: Path) -> None:
    score = {"name": "toy/both", "failing": 9}
    for name, budget in (("whole", 130), ("cut", 40)):
        toy_search(tmp_path / name, score=score, budget=budget)
    forget(tmp_path / "cut", "score.pause")
    resume(tmp_path / "cut", budget=130)
    assert table(tmp_path / "cut") == table(tmp_path / "whole")


def test_the_default_may_depend_on_stored_options() -> None:
    stored = {"name": "toy/sized", "image_size": 32}
    assert with_new_options(stored, Sized) == {**stored, "probe_size": 32}


@pytest.mark.parametrize("command", ["rank", "trials", "report"])
def test_commands_read_such_a_run(older: Path, command: str) -> None:
    done = denas_here(command, str(older))
    assert (done.returncode, done.stderr) == (0, "")


def test_a_comparison_counts_a_missing_option_as_its_default(older: Path, tmp_path: Path) -> None:
    toy_search(tmp_path / "newer", budget=40)
    toy_search(tmp_path / "other", score={"name": "toy/both", "failing": 9}, budget=40)
    document = compare_runs(read_runs([older, tmp_path / "newer"]))
    assert document["differences"][0]["config"] == []
    assert document["joint"] is not None
    document = compare_runs(read_runs([older, tmp_path / "other"]))
    assert "score.failing: 0 -> 9" in document["not_comparable"]
