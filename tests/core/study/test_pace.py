"""Budgets of time, on a clock that only the candidates move: a second each, unless a test says otherwise."""

from __future__ import annotations

import itertools
import os
import signal
import sqlite3
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from denas_core.builtin.evolution import Evolution
from denas_core.builtin.random_search import RandomSearch
from denas_core.contracts.problem import Problem
from denas_core.contracts.strategy import History
from denas_core.errors import Interrupted
from denas_core.launch import resume, run_search
from denas_core.registry.registry import Registry
from denas_core.results.result import SearchResult
from denas_core.runs.files import read_run
from denas_core.study.generation_sizes import GenerationSizes
from denas_core.study.repair import repair_run
from denas_core.values.trial import Evaluation, Trial
from tests.core.predicting import Guess, Scale
from tests.core.toy_searches import Watcher, table, toy_config, toy_search


class Clock:
    """A clock that stands still until somebody sleeps."""

    now = 1000.0

    def __call__(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds


@pytest.fixture(autouse=True)
def clock(monkeypatch: pytest.MonkeyPatch) -> Iterator[Clock]:
    Registry.discover().load("score", "toy/both")
    clock = Clock()
    times = SimpleNamespace(monotonic=clock, perf_counter=clock, sleep=clock.sleep)
    for module in (
        "denas_core.launch",
        "tests.core.predicting",
        "denas_core.study.study",
        "denas_core.study.pace",
        "denas_core.evaluation.computing",
        "denas_core.evaluation.evaluator",
    ):
        monkeypatch.setattr(f"{module}.time", times)
    monkeypatch.setattr("denas_toy.scores.time", times)
    yield clock


def search(out: Path, *, pause: float = 1.0, **changes: Any) -> SearchResult:
    return toy_search(out, score={"name": "toy/both", "pause": pause}, **changes)


def generations(run: Path) -> list[int]:
    """Return the size of each generation."""
    return list(Counter(row[1] for row in table(run)).values())


def test_a_minute_of_slow_candidates_has_four_generations_and_more(tmp_path: Path) -> None:
    result = search(tmp_path / "a", budget="60s")
    assert generations(tmp_path / "a") == [12, 12, 12, 12, 12]
    assert (
        "generations have 12 candidates instead of 100, so that the budget of 60s allows several"
        in result.notices
    )
    assert not [notice for notice in result.notices if "random sample" in notice]


@pytest.mark.parametrize(("pause", "budget"), [(0.1, "60s"), (0.01, "8s")])
def test_generations_keep_their_size_where_the_budget_allows_several(
    tmp_path: Path, pause: float, budget: str
) -> None:
    search(tmp_path / "a", pause=pause, budget=budget)
    assert generations(tmp_path / "a")[0] == 100


def test_a_budget_of_candidates_changes_no_generation(tmp_path: Path) -> None:
    search(tmp_path / "a", pause=30.0, budget=230)
    assert generations(tmp_path / "a") == [100, 100, 30]


def test_a_resume_goes_on_with_the_generations_that_the_run_began_with(tmp_path: Path, clock: Clock) -> None:
    search(tmp_path / "whole", budget="60s")
    for stop_after in (3, 12, 30):
        cut = tmp_path / f"cut{stop_after}"
        config = toy_config(cut, score={"name": "toy/both", "pause": 1.0}, budget="60s")
        with pytest.raises(Interrupted):
            run_search(config, Registry.discover(), observers=[_stopping(stop_after)])
        resume(cut)
        if stop_after > 6:
            assert table(cut) == table(tmp_path / "whole")
        assert len(generations(cut)) >= 4
    resume(tmp_path / "whole", budget=80)
    assert generations(tmp_path / "whole") == [12, 12, 12, 12, 12, 12, 8]


def test_workers_in_flight_belong_to_the_first_generation(tmp_path: Path) -> None:
    executor = {"name": "toy/shuffled", "workers": 16}
    search(tmp_path / "a", budget="60s", executor=executor)
    found = generations(tmp_path / "a")
    assert found[0] >= found[1] and len(found) >= 4
    store = read_run(tmp_path / "a")
    assert store.header()["generation_sizes"] == {"first": found[0], "later": found[1]}
    store.close()


@pytest.mark.parametrize(("workers", "stop_after"), [(1, 3), (1, 15), (1, 40), (16, 60)])
def test_a_repaired_run_goes_on_with_its_generations_although_its_header_is_lost(
    tmp_path: Path, workers: int, stop_after: int
) -> None:
    run = tmp_path / "run"
    config = toy_config(
        run,
        score={"name": "toy/both", "pause": 1.0},
        executor={"name": "toy/shuffled", "workers": workers},
        budget="60s",
    )
    if stop_after < 60:
        with pytest.raises(Interrupted):
            run_search(config, Registry.discover(), observers=[_stopping(stop_after)])
    else:
        run_search(config, Registry.discover())
    before, sizes = table(run), _sizes(run)
    connection = sqlite3.connect(run / "study.db")
    connection.execute("DELETE FROM meta")
    connection.commit()
    connection.close()
    repair_run(run, Registry.discover())
    # Sizes are chosen anew where no second generation depends on them.
    assert _sizes(run) == (sizes if max(generation for _, generation, *_ in before) else None)
    resume(run, budget="80s")
    assert table(run)[: len(before)] == before
    assert len(generations(run)) >= 4


@pytest.mark.parametrize("budget", [30, "17s"])
def test_a_search_that_stayed_random_sampling_says_so(tmp_path: Path, budget: Any) -> None:
    result = search(tmp_path / "a", pause=8.0, budget=budget)
    assert len(generations(tmp_path / "a")) == 1
    (said,) = [notice for notice in result.notices if "random sample" in notice]
    assert "before 'builtin/evolution' could learn from a result; raise the budget" in said


def test_random_search_is_random_without_a_word_and_keeps_its_generations(tmp_path: Path) -> None:
    result = search(tmp_path / "a", budget="60s", strategy="builtin/random")
    assert not [notice for notice in result.notices if "generation" in notice]
    assert generations(tmp_path / "a") == [50, 10]


def test_a_candidate_that_would_exceed_the_budget_is_not_begun(tmp_path: Path, clock: Clock) -> None:
    before = clock.now
    result = search(tmp_path / "a", pause=7.0, budget="60s")
    assert clock.now - before == 56.0
    assert not [notice for notice in result.notices if "took" in notice]


def test_a_time_budget_ends_within_one_candidate_and_counts_over_resumes(tmp_path: Path) -> None:
    first = search(tmp_path / "a", pause=0.25, budget="5s")
    assert first.counts["scored"] == 20
    again = resume(tmp_path / "a")
    assert again.counts == first.counts
    more = resume(tmp_path / "a", budget="10s")
    assert more.counts["scored"] == 40


def test_measurements_at_the_end_are_within_the_budget(tmp_path: Path, clock: Clock) -> None:
    before, probe = clock.now, Scale(pause=1.0)
    config = toy_config(
        tmp_path / "a",
        score={"name": "toy/height", "pause": 1.0},
        budget="80s",
        constraints=["latency_ms<=200"],
        executor="builtin/serial",
    )
    result = run_search(config, Registry.discover(), objects={"probe": probe}, predictor=Guess())
    assert clock.now - before == 80.0
    assert (sum(result.counts.values()), len(probe.readings)) == (70, 10)
    assert not result.best.evaluation.has_predicted_latency
    resume(tmp_path / "a", objects={"probe": probe}, predictor=Guess())
    assert clock.now - before == 80.0


def test_the_candidate_that_crosses_a_time_budget_is_kept(tmp_path: Path) -> None:
    assert search(tmp_path / "a", pause=0.5, budget="0.2s").counts["scored"] == 1


def test_a_wall_clock_that_is_set_meanwhile_changes_neither_budget_nor_seconds(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = time.time
    jumps = itertools.cycle([86_400, -86_400])
    monkeypatch.setattr(time, "time", lambda: now() + next(jumps))
    result = search(tmp_path / "a", pause=0.25, budget="5s")
    assert result.counts["scored"] == 20
    with read_run(tmp_path / "a") as store:
        assert store.active_seconds() == 5.0


def test_what_overran_a_budget_is_named(tmp_path: Path) -> None:
    result = search(tmp_path / "a", pause=45.0, budget="20s")
    assert (
        "the search took 45 s, more than its budget of 20s: the last step, trial 0, took 45 s and cannot be cut short"
        in result.notices
    )


def test_evolution_shrinks_in_proportion() -> None:
    space = Registry.discover().create("space", "toy/stairs")
    strategy = Evolution()
    random = RandomSearch().ask(Problem(space), History(), count=40, seed=3)
    trials = [
        Trial(index=place, generation=0, arch=arch, evaluation=Evaluation(state="scored"))
        for place, arch in enumerate(random[20:])
    ]
    history = History(trials=trials, ranked=trials)
    asked = strategy.ask(Problem(space), history, count=20, seed=3)
    again = RandomSearch().ask(Problem(space), history, count=20, seed=3)
    assert asked[:10] == again[:10]
    assert not set(asked[10:]) & set(again[10:])


def _sizes(run: Path) -> Any:
    with read_run(run) as store:
        return store.header().get("generation_sizes")


def _stopping(after: int) -> Watcher:
    return Watcher(after=after, act=lambda: os.kill(os.getpid(), signal.SIGTERM))


@pytest.mark.parametrize(
    ("expected", "needs_sample", "sizes"),
    [
        (150, True, (32, 30)),
        (150, False, (30, 30)),
        (70, True, (32, 14)),
        (60, True, (12, 12)),
        (3, True, (2, 2)),
    ],
)
def test_the_first_generation_is_a_sample_if_scores_need_one_and_there_is_time(
    expected: float, needs_sample: bool, sizes: tuple[int, int]
) -> None:
    found = GenerationSizes.fit(expected, full=50, taken=2, needs_sample=needs_sample)
    assert (found.first, found.later) == sizes
