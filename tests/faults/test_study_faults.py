"""What users and plugins can get wrong in a search: told in one line, and nothing is lost."""

from __future__ import annotations

import os
import re
import signal
from pathlib import Path
from typing import Any

import pytest

from denas_core.contracts.problem import Problem
from denas_core.contracts.strategy import History, Strategy
from denas_core.errors import ConfigError, Interrupted, PluginError, StoreDamaged
from denas_core.launch import resume, run_search
from denas_core.registry.registry import Registry
from denas_core.study.study import Study
from denas_core.values.architecture import Architecture
from denas_core.values.trial import Trial
from tests.core.toy_searches import Watcher, table, toy_config, toy_search


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
    with pytest.raises(PluginError, match="1 of 2 proposals are not architectures, or are known already"):
        run_search(toy_config(tmp_path / "a"), Registry.discover(), objects={"strategy": Repeating()})


def test_a_resume_with_another_score_of_one_s_own_is_refused(tmp_path: Path) -> None:
    from denas_toy.scores import Height, Slope

    run_search(toy_config(tmp_path / "a", budget=5), Registry.discover(), objects={"score": Height()})
    with pytest.raises(ConfigError, match=r"cannot go on with score.*only budget and executor may change"):
        resume(tmp_path / "a", budget=9, objects={"score": Slope()})
    assert resume(tmp_path / "a", budget=9, objects={"score": Height()}).counts["scored"] == 9


class Failing(Watcher):
    """An observer that breaks."""

    def trial_done(self, study: Study, trial: Trial) -> None:
        raise OSError("nobody reads this")


def test_an_observer_that_fails_changes_no_result(tmp_path: Path) -> None:
    watcher = Watcher()
    observers = [Failing(), watcher]
    result = run_search(toy_config(tmp_path / "a", budget=20), Registry.discover(), observers=observers)
    assert result.counts["scored"] == len(watcher.keys) == 20
    assert any("nobody reads this" in notice for notice in result.notices)


def test_a_hang_up_that_the_caller_ignores_stays_ignored(tmp_path: Path) -> None:
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        watcher = Watcher(after=5, act=lambda: os.kill(os.getpid(), signal.SIGHUP))
        result = run_search(toy_config(tmp_path / "a", budget=20), Registry.discover(), observers=[watcher])
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
    run_search(toy_config(tmp_path / "a", budget=150), Registry.discover(), objects={"executor": executor})
    assert executor.closed == 1


def test_counts_of_numpy_are_kept_as_plain_numbers(tmp_path: Path) -> None:
    import numpy as np
    from denas_toy.stairs import Stairs

    class Counting(Stairs):
        def cost(self, arch: Architecture) -> dict[str, float]:
            return {name: np.int64(value) for name, value in super().cost(arch).items() if name != "size_mb"}

    result = run_search(
        toy_config(tmp_path / "a", budget=5), Registry.discover(), objects={"space": Counting()}
    )
    assert type(result.best.evaluation.metrics["params"]) is int


def test_a_strategy_that_crashes_is_named(tmp_path: Path) -> None:
    class Crashing(Repeating):
        def ask(self, problem: Problem, history: History, *, count: int, seed: int) -> list[Architecture]:
            raise KeyError("lost")

    with pytest.raises(PluginError, match="Crashing' failed: KeyError: 'lost'"):
        run_search(toy_config(tmp_path / "a"), Registry.discover(), objects={"strategy": Crashing()})


def test_a_raised_budget_is_kept_for_the_next_resume(tmp_path: Path) -> None:
    toy_search(tmp_path / "a", budget=5)
    watcher = Watcher(after=3, act=lambda: os.kill(os.getpid(), signal.SIGTERM))
    with pytest.raises(Interrupted):
        resume(tmp_path / "a", budget=40, observers=[watcher])
    assert resume(tmp_path / "a").counts["scored"] == 40


def test_searches_in_threads_give_what_they_give_alone(tmp_path: Path) -> None:
    from concurrent.futures import ThreadPoolExecutor

    pytest.importorskip("denas_cv")
    pytest.importorskip("denas_scores")

    def run(name: str) -> None:
        score = {"name": "scores/de-score", "batch_size": 4}
        toy_search(tmp_path / name, space="cv/cnn", score=score, constraints=["params<=100k"], budget=4)

    run("alone")
    with ThreadPoolExecutor(3) as pool:
        list(pool.map(run, ["a", "b", "c"]))
    for name in ("a", "b", "c"):
        assert table(tmp_path / name) == table(tmp_path / "alone")


@pytest.mark.parametrize(
    ("objects", "text"),
    [
        ({"score": {"name": "not an object"}}, "the score must be a ProxyScore or CombinedScore, not dict"),
        ({"spcae": None}, "there is no component 'spcae'; did you mean 'space'?"),
    ],
)
def test_objects_of_the_wrong_kind_are_refused(tmp_path: Path, objects: Any, text: str) -> None:
    with pytest.raises(ConfigError, match=re.escape(text)):
        run_search(toy_config(tmp_path / "a"), Registry.discover(), objects=objects)


def test_options_of_objects_are_checked_like_those_of_a_file(tmp_path: Path) -> None:
    from denas_toy.stairs import Stairs

    with pytest.raises(ConfigError, match=r"option 'highest'.*greater than or equal to 2.*got 1"):
        run_search(toy_config(tmp_path / "a"), Registry.discover(), objects={"space": Stairs(highest=1)})


def test_a_space_that_fails_is_named(tmp_path: Path) -> None:
    from denas_toy.stairs import Stairs

    class Broken(Stairs):
        def cost(self, arch: Architecture) -> dict[str, float]:
            raise KeyError("lost")

    with pytest.raises(PluginError, match="Broken' failed: KeyError: 'lost'"):
        run_search(
            toy_config(tmp_path / "a", constraints=["params<=99"]),
            Registry.discover(),
            objects={"space": Broken()},
        )
