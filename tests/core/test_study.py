from __future__ import annotations

import os
import signal
from pathlib import Path
from typing import Any

import pytest

from denas_core.architecture import Architecture
from denas_core.config import make_config
from denas_core.errors import ConfigError, Infeasible, Interrupted, NoResult, PluginError, StoreDamaged
from denas_core.launch import resume, run_search
from denas_core.problem import Problem
from denas_core.registry import Registry
from denas_core.strategy import History, Strategy
from denas_core.study import Study
from denas_core.trial import Trial

from .runs import table, toy_search


class Watcher:
    """An observer that remembers, and acts after so many trials."""

    def __init__(self, after: int = 0, act: Any = None) -> None:
        self.keys: list[str] = []
        self.after = after
        self.act = act

    def started(self, study: Study) -> None: ...

    def trial_done(self, study: Study, trial: Trial) -> None:
        self.keys.append(trial.arch.key)
        if len(self.keys) == self.after:
            self.act()

    def finished(self, study: Study) -> None: ...


def config(out: Path, **changes: Any) -> Any:
    document = {
        "space": "toy/stairs",
        "score": "toy/both",
        "budget": 120,
        "device": "cpu",
        "out": str(out),
        **changes,
    }
    return make_config(document, origin="test")


def test_a_budget_of_candidates_is_met_exactly(tmp_path: Path) -> None:
    result = toy_search(tmp_path / "a", budget=130)
    assert result.counts == {"scored": 130, "infeasible": 0, "failed": 0}
    assert len({row[2] for row in table(tmp_path / "a")}) == 130


def test_the_same_seed_gives_the_same_table_and_another_seed_another(tmp_path: Path) -> None:
    for name, seed in (("a", 0), ("b", 0), ("c", 1)):
        toy_search(tmp_path / name, seed=seed)
    assert table(tmp_path / "a") == table(tmp_path / "b")
    assert table(tmp_path / "a") != table(tmp_path / "c")


@pytest.mark.parametrize("workers", [1, 2, 4, 16])
@pytest.mark.parametrize("order", range(5))
def test_neither_workers_nor_the_order_of_results_change_the_table(
    tmp_path: Path, workers: int, order: int
) -> None:
    toy_search(tmp_path / "serial", score={"name": "toy/both", "failing": 7}, budget=130)
    executor = {"name": "toy/shuffled", "workers": workers, "order": order}
    toy_search(tmp_path / "shuffled", score={"name": "toy/both", "failing": 7}, budget=130, executor=executor)
    assert table(tmp_path / "serial") == table(tmp_path / "shuffled")


def test_a_raised_budget_goes_on_to_the_same_table_as_a_longer_run(tmp_path: Path) -> None:
    toy_search(tmp_path / "long", budget=230)
    toy_search(tmp_path / "short", budget=37)
    for budget in (100, 101, 230):
        resume(tmp_path / "short", budget=budget)
    assert table(tmp_path / "short") == table(tmp_path / "long")


def test_a_signal_stops_after_the_candidate_in_hand_and_a_resume_repeats_no_trial(tmp_path: Path) -> None:
    toy_search(tmp_path / "whole", budget=150)
    watcher = Watcher(after=60, act=lambda: os.kill(os.getpid(), signal.SIGTERM))
    with pytest.raises(Interrupted, match="stopped after 60 trials") as stop:
        run_search(config(tmp_path / "cut", budget=150), Registry.discover(), observers=[watcher])
    assert stop.value.exit_code == 143
    rest = Watcher()
    resume(tmp_path / "cut", observers=[rest])
    assert len(rest.keys) == 90
    assert not set(rest.keys) & set(watcher.keys)
    assert table(tmp_path / "cut") == table(tmp_path / "whole")
    assert signal.getsignal(signal.SIGTERM) is signal.SIG_DFL


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
    toy_search(tmp_path / "a", constraints=["latency_ms<=100"], probe={"name": "toy/ruler"}, budget=20)
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
        toy_search(tmp_path / "a", constraints=["latency_ms<=1"], probe={"name": "toy/ruler"}, budget=5)


def test_an_unstable_latency_keeps_a_trial_off_the_front_and_ranks_it_last(tmp_path: Path) -> None:
    probe = {"name": "toy/ruler", "width": 0.9}
    score = {"name": "toy/both", "weights": {"latency": 1}}
    result = toy_search(tmp_path / "a", score=score, probe=probe, budget=10)
    assert result.counts["scored"] == 10
    assert result.front == []
    assert any("the Pareto front is empty" in notice for notice in result.notices)


def test_latency_is_measured_only_where_something_asks(tmp_path: Path) -> None:
    toy_search(tmp_path / "without", probe={"name": "toy/ruler"}, budget=5)
    toy_search(
        tmp_path / "objective", probe={"name": "toy/ruler"}, budget=5, objectives=["score", "latency_ms"]
    )
    weights = {"name": "toy/both", "weights": {"latency": 1}}
    weighted = toy_search(tmp_path / "weight", probe={"name": "toy/ruler"}, budget=5, score=weights)
    assert toy_search(tmp_path / "plain", budget=5).best.evaluation.latency is None
    assert weighted.best.evaluation.latency is not None


def test_a_store_that_does_not_continue_this_search_is_refused(tmp_path: Path) -> None:
    import sqlite3

    from denas_core.seeding import digest

    toy_search(tmp_path / "a", budget=50)
    with sqlite3.connect(tmp_path / "a" / "study.db") as connection:
        row = connection.execute("SELECT * FROM trial WHERE idx = 3").fetchone()
        names = [c[1] for c in connection.execute("PRAGMA table_info(trial)")]
        changed = {**dict(zip(names, row, strict=True)), "key": "another"}
        changed.pop("digest")
        connection.execute(
            "UPDATE trial SET key = 'another', digest = ? WHERE idx = 3", (digest(changed, size=8),)
        )
    with pytest.raises(StoreDamaged, match="trial 3 of the run is not what this installation proposes"):
        resume(tmp_path / "a", budget=60)


class Repeating(Strategy):
    """Proposes what is known already."""

    @property
    def generation_size(self) -> int:
        return 2

    def ask(self, problem: Problem, history: History, *, count: int, seed: int) -> list[Architecture]:
        return [problem.space.smallest()] * 2  # type: ignore[list-item]


def test_a_strategy_that_repeats_itself_is_named(tmp_path: Path) -> None:
    with pytest.raises(PluginError, match="1 of 2 proposals are no architectures, or are known already"):
        run_search(config(tmp_path / "a"), Registry.discover(), objects={"strategy": Repeating()})


def test_a_time_budget_ends_within_one_candidate_and_counts_over_resumes(tmp_path: Path) -> None:
    score = {"name": "toy/both", "pause": 0.02}
    first = toy_search(tmp_path / "a", score=score, budget="0.5s")
    assert 1 <= first.counts["scored"] <= 25
    again = resume(tmp_path / "a")
    assert again.counts == first.counts
    more = resume(tmp_path / "a", budget="1s")
    assert first.counts["scored"] < more.counts["scored"] <= 50


def test_a_resume_with_another_score_of_one_s_own_is_refused(tmp_path: Path) -> None:
    from denas_toy.scores import Height, Slope

    run_search(config(tmp_path / "a", budget=5), Registry.discover(), objects={"score": Height()})
    with pytest.raises(ConfigError, match=r"cannot go on with score.*only budget and executor may change"):
        resume(tmp_path / "a", budget=9, objects={"score": Slope()})
    assert resume(tmp_path / "a", budget=9, objects={"score": Height()}).counts["scored"] == 9


def test_the_candidate_that_crosses_a_time_budget_is_kept(tmp_path: Path) -> None:
    result = toy_search(tmp_path / "a", score={"name": "toy/both", "pause": 0.5}, budget="0.2s")
    assert result.counts["scored"] == 1


class Failing(Watcher):
    """An observer that breaks."""

    def trial_done(self, study: Study, trial: Trial) -> None:
        raise OSError("nobody reads this")


def test_an_observer_that_fails_changes_no_result(tmp_path: Path) -> None:
    watcher = Watcher()
    observers = [Failing(), watcher]
    result = run_search(config(tmp_path / "a", budget=20), Registry.discover(), observers=observers)
    assert result.counts["scored"] == len(watcher.keys) == 20
    assert any("nobody reads this" in notice for notice in result.notices)


def test_a_hang_up_that_the_caller_ignores_stays_ignored(tmp_path: Path) -> None:
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        watcher = Watcher(after=5, act=lambda: os.kill(os.getpid(), signal.SIGHUP))
        result = run_search(config(tmp_path / "a", budget=20), Registry.discover(), observers=[watcher])
        assert signal.getsignal(signal.SIGHUP) is signal.SIG_IGN
    finally:
        signal.signal(signal.SIGHUP, before)
    assert result.counts["scored"] == 20


def test_an_executor_is_closed_when_the_search_ends(tmp_path: Path) -> None:
    from denas_toy.shuffled import Shuffled

    class Closing(Shuffled):
        closed = 0

        def close(self) -> None:
            self.closed += 1

    executor = Closing()
    run_search(config(tmp_path / "a", budget=150), Registry.discover(), objects={"executor": executor})
    assert executor.closed == 1


def test_counts_of_numpy_are_kept_as_plain_numbers(tmp_path: Path) -> None:
    import numpy as np
    from denas_toy.stairs import Stairs

    class Counting(Stairs):
        def cost(self, arch: Architecture) -> dict[str, float]:
            return {name: np.int64(value) for name, value in super().cost(arch).items() if name != "size_mb"}

    result = run_search(config(tmp_path / "a", budget=5), Registry.discover(), objects={"space": Counting()})
    assert type(result.best.evaluation.metrics["params"]) is int


def test_a_strategy_that_crashes_is_named(tmp_path: Path) -> None:
    class Crashing(Repeating):
        def ask(self, problem: Problem, history: History, *, count: int, seed: int) -> list[Architecture]:
            raise KeyError("lost")

    with pytest.raises(PluginError, match="Crashing' failed: KeyError: 'lost'"):
        run_search(config(tmp_path / "a"), Registry.discover(), objects={"strategy": Crashing()})
