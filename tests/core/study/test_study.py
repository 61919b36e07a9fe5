from __future__ import annotations

import os
import signal
from pathlib import Path
from typing import Any

import pytest
from denas_toy.ruler import Ruler
from denas_toy.scores import Height
from denas_toy.shuffled import Shuffled
from denas_toy.stairs import Stairs

from denas_core.errors import ConfigError, Infeasible, Interrupted, NoResult
from denas_core.launch import resume, run_search, search
from denas_core.registry.registry import Registry
from tests.core.toy_searches import Watcher, table, toy_config, toy_search

MEASURED = {"latency": "measured"}


def test_a_budget_of_candidates_is_met_exactly(tmp_path: Path) -> None:
    result = toy_search(tmp_path / "a", budget=130)
    assert result.counts == {"scored": 130, "infeasible": 0, "failed": 0}
    assert len({row[2] for row in table(tmp_path / "a")}) == 130


def test_the_same_seed_gives_the_same_table_and_another_seed_another(tmp_path: Path) -> None:
    for name, seed in (("a", 0), ("b", 0), ("c", 1)):
        toy_search(tmp_path / name, seed=seed)
    assert table(tmp_path / "a") == table(tmp_path / "b")
    assert table(tmp_path / "a") != table(tmp_path / "c")


@pytest.fixture(scope="module")
def serial(tmp_path_factory: pytest.TempPathFactory) -> list[list[Any]]:
    """The table of a search with one candidate after the other."""
    run = tmp_path_factory.mktemp("serial") / "run"
    toy_search(run, score={"name": "toy/both", "failing": 7}, budget=130)
    return table(run)


@pytest.mark.parametrize("workers", [1, 2, 4, 16])
@pytest.mark.parametrize(
    "order", [0, 1, *(pytest.param(order, marks=pytest.mark.nightly) for order in (2, 3, 4))]
)
def test_neither_workers_nor_the_order_of_results_change_the_table(
    tmp_path: Path, serial: list[list[Any]], workers: int, order: int
) -> None:
    executor = {"name": "toy/shuffled", "workers": workers, "order": order}
    toy_search(tmp_path / "shuffled", score={"name": "toy/both", "failing": 7}, budget=130, executor=executor)
    assert table(tmp_path / "shuffled") == serial


def test_a_latency_is_measured_when_no_candidate_is_evaluated(tmp_path: Path) -> None:
    beside = []

    class Watching(Ruler):
        def time(self, call: Any, reference: Any) -> Any:
            beside.append(Shuffled.in_flight)
            return super().time(call, reference)

    search(
        Stairs(),
        score=Height(),
        probe=Watching(),
        executor=Shuffled(workers=4),
        objectives=["score", "latency_ms"],
        latency="measured",
        budget=20,
        device="cpu",
        out=tmp_path / "a",
    )
    assert len(beside) >= 20
    assert not any(beside)


def test_a_raised_budget_goes_on_to_the_same_table_as_a_longer_run(tmp_path: Path) -> None:
    toy_search(tmp_path / "long", budget=230)
    toy_search(tmp_path / "short", budget=37)
    for budget in (100, 101, 230):
        resume(tmp_path / "short", budget=budget)
    assert table(tmp_path / "short") == table(tmp_path / "long")


def test_a_signal_stops_after_the_candidate_in_hand_and_a_resume_repeats_no_trial(tmp_path: Path) -> None:
    before = signal.getsignal(signal.SIGTERM)
    toy_search(tmp_path / "whole", budget=150)
    watcher = Watcher(after=60, act=lambda: os.kill(os.getpid(), signal.SIGTERM))
    with pytest.raises(Interrupted, match="stopped after 60 trials") as stop:
        run_search(toy_config(tmp_path / "cut", budget=150), Registry.discover(), observers=[watcher])
    assert stop.value.exit_code == 143
    rest = Watcher()
    resume(tmp_path / "cut", observers=[rest])
    assert len(rest.keys) == 90
    assert not set(rest.keys) & set(watcher.keys)
    assert table(tmp_path / "cut") == table(tmp_path / "whole")
    assert signal.getsignal(signal.SIGTERM) is before


def test_failed_candidates_are_trials_with_a_reason_and_do_not_count(tmp_path: Path) -> None:
    result = toy_search(tmp_path / "a", score={"name": "toy/both", "failing": 5}, budget=60)
    assert result.counts["scored"] == 60
    assert result.counts["failed"] > 5
    reasons = {row[5] for row in table(tmp_path / "a") if row[4] == "failed"}
    assert reasons == {"height: the stairs are broken"}


def test_a_search_in_which_everything_fails_stops_early(tmp_path: Path) -> None:
    with pytest.raises(
        NoResult, match="25 candidates failed and none is scored; the last: height: the stairs are broken"
    ):
        toy_search(tmp_path / "a", score={"name": "toy/both", "failing": 1})


def test_an_exhausted_space_ends_well_with_a_notice(tmp_path: Path) -> None:
    space = {"name": "toy/stairs", "highest": 2}
    result = toy_search(tmp_path / "a", space=space, budget=1000)
    # Two heights a step, two to six steps: 4 + 8 + 16 + 32 + 64.
    assert result.counts["scored"] == 124
    assert any("nothing new to propose" in notice for notice in result.notices)


def test_every_proposal_keeps_to_constraints_on_counts(tmp_path: Path) -> None:
    result = toy_search(tmp_path / "a", constraints=["params<=100", "flops>=60"], budget=100)
    assert result.counts["scored"] == 100
    for row in table(tmp_path / "a"):
        assert row[7]["params"] <= 100 or row[4] == "infeasible"
    assert result.counts["infeasible"] < 20


def test_relative_constraints_compare_with_the_full_architecture(tmp_path: Path) -> None:
    toy_search(tmp_path / "a", constraints=["params<=0.25x"], budget=50)
    # The full architecture has 6 steps of height 9, 8 wide: 432 parameters.
    assert max(row[7]["params"] for row in table(tmp_path / "a") if row[4] == "scored") <= 108


@pytest.mark.parametrize(
    ("constraints", "text"),
    [
        (["params<=10"], "the smallest has 16 params; the reachable range is 16 to 432"),
        (["params>=1k"], "the largest has 432 params"),
        (["params<=0.01x"], "the smallest has 16 params"),
        (["params<=100", "params>=200"], "contradict each other"),
    ],
)
def test_an_infeasible_budget_is_answered_before_the_search(
    tmp_path: Path, constraints: list[str], text: str
) -> None:
    with pytest.raises(Infeasible, match=text):
        toy_search(tmp_path / "a", constraints=constraints)
    assert not (tmp_path / "a").exists()


def test_a_metric_the_space_does_not_have_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="has no metric 'params_encoder'; it has params, flops, size_mb"):
        toy_search(tmp_path / "a", constraints=["params_encoder<=5"])


def test_measured_latency_decides_by_its_interval(tmp_path: Path) -> None:
    toy_search(
        tmp_path / "a",
        constraints=["latency_ms<=100"],
        probe={"name": "toy/ruler"},
        search=MEASURED,
        budget=20,
    )
    for row in table(tmp_path / "a"):
        latency = row[7]["params"]
        if latency * 1.1 <= 100:
            assert row[4] == "scored"
        else:
            expected = "latency_ms<=100" if latency * 0.9 > 100 else "latency undecided"
            assert row[4] == "infeasible"
            assert row[5].startswith(expected)


def test_latencies_that_nothing_satisfies_end_a_search_by_candidates(tmp_path: Path) -> None:
    with pytest.raises(
        NoResult, match="no feasible architecture found: 200 infeasible, 0 failed; the nearest: latency_ms<=1"
    ):
        toy_search(
            tmp_path / "a",
            constraints=["latency_ms<=1"],
            probe={"name": "toy/ruler"},
            search=MEASURED,
            budget=5,
        )


def test_an_unstable_latency_keeps_a_trial_off_the_front_and_ranks_it_last(tmp_path: Path) -> None:
    probe = {"name": "toy/ruler", "width": 0.9}
    score = {"name": "toy/both", "weights": {"latency": 1}}
    result = toy_search(tmp_path / "a", score=score, probe=probe, search=MEASURED, budget=10)
    assert result.counts["scored"] == 10
    assert result.front == []
    assert any("the Pareto front is empty" in notice for notice in result.notices)
    assert (
        "the latency of 10 of 10 networks is unstable, mostly because its interval has a width of 0.9; "
        "see 'denas doctor'"
    ) in result.notices


def test_stable_latencies_need_no_notice(tmp_path: Path) -> None:
    score = {"name": "toy/both", "weights": {"latency": 1}}
    result = toy_search(tmp_path / "a", score=score, probe={"name": "toy/ruler"}, budget=3)
    assert not any("unstable" in notice for notice in result.notices)


def test_latency_is_measured_only_where_something_asks(tmp_path: Path) -> None:
    toy_search(tmp_path / "without", probe={"name": "toy/ruler"}, search=MEASURED, budget=5)
    toy_search(
        tmp_path / "objective",
        probe={"name": "toy/ruler"},
        search=MEASURED,
        budget=5,
        objectives=["score", "latency_ms"],
    )
    weights = {"name": "toy/both", "weights": {"latency": 1}}
    weighted = toy_search(
        tmp_path / "weight", probe={"name": "toy/ruler"}, search=MEASURED, budget=5, score=weights
    )
    assert toy_search(tmp_path / "plain", budget=5).best.evaluation.latency is None
    assert weighted.best.evaluation.latency is not None


def test_an_observer_hears_of_a_trial_once_it_cannot_be_lost(tmp_path: Path) -> None:
    run = tmp_path / "a"
    kept: list[int] = []
    watcher = Watcher(after=7, act=lambda: kept.append(len(table(run))))
    run_search(toy_config(run, budget=10), Registry.discover(), observers=[watcher])
    assert kept == [7]
