"""Searches that compute the dear components for the better candidates alone."""

from __future__ import annotations

import contextlib
import dataclasses
import json
import os
import signal
import sqlite3
from pathlib import Path
from typing import Any

import pytest

from denas_core import Strategy, search
from denas_core.builtin import SuccessiveHalving
from denas_core.errors import Interrupted, PluginError
from denas_core.evaluation.rungs import PEERS
from denas_core.launch import resume, run_search
from denas_core.registry.registry import Registry
from denas_core.runs.files import read_run
from denas_core.runs.rows import TABLES_BY_VERSION
from denas_core.study.repair import repair_run
from denas_core.values.trial import Trial
from tests.core.gate import Gate
from tests.core.study.test_repair import change
from tests.core.toy_searches import Watcher, denas_command, denas_here, table, toy_config, toy_search
from tests.core.workers.directory_workers import working
from tests.faults.test_kill import committed, kill_after

FIRST, CHILDREN = 40, 20
HALVING = {"name": "successive-halving", "first": FIRST, "children": CHILDREN}
TIERED = {"score": "toy/tiered", "strategy": HALVING}
LATER = 80
"""Budget with which a search has several generations after the first."""


def trials_of(run: Path) -> list[Trial]:
    with read_run(run) as store:
        return store.trials()


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    run = tmp_path_factory.mktemp("halving") / "whole"
    toy_search(run, budget=LATER, **TIERED)
    return run


def test_a_candidate_that_is_cut_has_the_cheap_components_and_a_reason(whole: Path) -> None:
    trials = trials_of(whole)
    cut = [trial for trial in trials if trial.evaluation.state == "cut"]
    assert len(cut) >= 10
    for trial in cut:
        assert list(trial.evaluation.components) == ["slope"]
        assert trial.evaluation.reason.startswith("after slope: ")
        assert trial.evaluation.metrics
    assert all(set(t.evaluation.components) == {"height", "slope"} for t in trials if t.is_scored)
    assert sum(trial.is_scored for trial in trials) == LATER


def test_who_is_cut_follows_from_the_generations_before(whole: Path) -> None:
    trials = trials_of(whole)
    assert all(trial.is_scored for trial in trials if trial.generation == 0)
    for trial in trials:
        if trial.generation == 0:
            continue
        peers = [t for t in trials if t.generation < trial.generation][-PEERS:]
        slopes = [peer.evaluation.components["slope"] for peer in peers]
        better = sum(slope < trial.evaluation.components["slope"] for slope in slopes)
        assert trial.is_scored == (better < PEERS / 2)


def test_cut_candidates_are_counted_shown_and_never_chosen(whole: Path) -> None:
    cut = {trial.arch.key for trial in trials_of(whole) if trial.evaluation.state == "cut"}
    document = json.loads((whole / "result.json").read_text())
    assert document["trials"] == {"scored": LATER, "cut": len(cut), "infeasible": 0, "failed": 0}
    chosen = {
        document["best"]["key"],
        *document["choices"].values(),
        *(row["key"] for row in document["front"]),
    }
    assert not chosen & cut
    ranked = json.loads(denas_here("rank", str(whole), "--top", "1000", "--json").stdout)["ranked"]
    assert len(ranked) == LATER and not {row["key"] for row in ranked} & cut
    shown = json.loads(denas_here("trials", str(whole), "--state", "cut", "--json").stdout)["trials"]
    assert {row["key"] for row in shown} == cut
    assert "after slope: " in denas_here("trials", str(whole), "--state", "cut").stdout
    assert "after slope: " in (whole / "report.html").read_text()


def test_without_groups_to_choose_from_it_is_nsga2(tmp_path: Path) -> None:
    toy_search(tmp_path / "halving", score="toy/sampled", strategy=HALVING)
    toy_search(tmp_path / "nsga2", score="toy/sampled", strategy={**HALVING, "name": "nsga2"})
    assert table(tmp_path / "halving") == table(tmp_path / "nsga2")


def test_with_a_share_of_one_it_is_nsga2(tmp_path: Path) -> None:
    toy_search(tmp_path / "halving", score="toy/tiered", strategy={**HALVING, "keep": 1})
    toy_search(tmp_path / "nsga2", score="toy/tiered", strategy={**HALVING, "name": "nsga2"})
    assert table(tmp_path / "halving") == table(tmp_path / "nsga2")


@pytest.mark.parametrize(
    "executor",
    [
        {"name": "builtin/process", "workers": 2},
        {"name": "toy/shuffled", "workers": 7},
    ],
    ids=lambda executor: executor["name"],
)
def test_workers_do_not_change_who_is_cut(tmp_path: Path, whole: Path, executor: dict[str, Any]) -> None:
    toy_search(tmp_path / "workers", budget=LATER, executor=executor, **TIERED)
    assert table(tmp_path / "workers") == table(whole)


def test_workers_of_a_shared_directory_do_not_change_who_is_cut(tmp_path: Path, whole: Path) -> None:
    shared = tmp_path / "shared"
    shared.mkdir(mode=0o700)
    executor = {"name": "builtin/queue", "directory": str(shared)}
    with working(shared):
        toy_search(tmp_path / "workers", budget=LATER, executor=executor, **TIERED)
    assert table(tmp_path / "workers") == table(whole)


@pytest.mark.parametrize("after", [FIRST - 3, FIRST + 7, FIRST + CHILDREN, FIRST + CHILDREN + 1])
def test_a_search_that_is_stopped_goes_on_with_the_same_table(
    tmp_path: Path, whole: Path, after: int
) -> None:
    run = tmp_path / "run"
    watcher = Watcher(after=after, act=lambda: os.kill(os.getpid(), signal.SIGTERM))
    config = toy_config(run, budget=LATER, **TIERED)
    with pytest.raises(Interrupted):
        run_search(config, Registry.discover(), observers=[watcher])
    resume(run)
    assert table(run) == table(whole)


@pytest.mark.slow
def test_kills_change_nothing(tmp_path: Path, whole: Path) -> None:
    run = tmp_path / "killed"
    gate = Gate(tmp_path / "gate", run / "study.db", trials=FIRST + 5)
    command = ["search", "toy/stairs", "--score", "toy/tiered", "--device", "cpu", "--budget", str(LATER)]
    command += ["--strategy", "successive-halving", "--set", f"strategy.first={FIRST}", *gate.setting]
    command += ["--set", f"strategy.children={CHILDREN}", "-o", str(run)]
    assert kill_after(denas_command(*command), 0, run=run, wait_for=FIRST + 2)
    gate.move(committed(run) + 15)
    assert kill_after(denas_command("search", "--resume", str(run)), 0, run=run, wait_for=committed(run) + 8)
    gate.open()
    assert denas_here("search", "--resume", str(run)).returncode == 0
    assert any(trial.evaluation.state == "cut" for trial in trials_of(run))
    assert table(run) == table(whole)


def test_a_budget_of_time_ends_it_and_it_goes_on(tmp_path: Path) -> None:
    run = tmp_path / "run"
    score = {"name": "toy/tiered", "pause": 0.01}
    toy_search(run, score=score, strategy=HALVING, budget="1s")
    before = table(run)
    scored = sum(trial.is_scored for trial in trials_of(run))
    assert scored
    resume(run, budget=scored + LATER)
    after = table(run)
    assert after[: len(before)] == before and len(after) > len(before)
    assert any(trial.evaluation.state == "cut" for trial in trials_of(run))


def test_a_repaired_run_goes_on_with_the_same_table(tmp_path: Path, whole: Path) -> None:
    run = tmp_path / "run"
    toy_search(run, budget=LATER, **TIERED)
    change(run, f"DELETE FROM trial WHERE idx = {FIRST + 9}")
    assert repair_run(run, Registry.discover()).kept == FIRST + 9
    resume(run)
    assert table(run) == table(whole)


def test_a_run_of_an_earlier_version_is_read_repaired_and_goes_on(tmp_path: Path) -> None:
    run = tmp_path / "run"
    toy_search(run, budget=30)
    with contextlib.closing(sqlite3.connect(run / "study.db", isolation_level=None)) as connection:
        connection.execute("PRAGMA writable_schema = ON")
        for name, statement in TABLES_BY_VERSION[1].items():
            connection.execute("UPDATE sqlite_master SET sql = ? WHERE name = ?", (statement, name))
        connection.execute("PRAGMA user_version = 1")
    toy_search(tmp_path / "whole", budget=60)
    resume(run, budget=50)
    with contextlib.closing(sqlite3.connect(run / "study.db")) as connection:
        (statement,) = connection.execute("SELECT sql FROM sqlite_master WHERE name = 'trial'").fetchone()
    assert statement == TABLES_BY_VERSION[1]["trial"]
    change(run, "DELETE FROM trial WHERE idx = 20")
    assert repair_run(run, Registry.discover()).kept == 20
    resume(run, budget=60)
    assert table(run) == table(tmp_path / "whole")


def test_a_strategy_with_a_wrong_share_is_named(tmp_path: Path) -> None:
    @dataclasses.dataclass(kw_only=True)
    class Wrong(SuccessiveHalving):
        @property
        def kept_share(self) -> float:
            return 2.0

    strategy: Strategy = Wrong()
    with pytest.raises(PluginError, match=r"kept_share must be a number above 0 and at most 1, not 2\.0"):
        search(
            "toy/stairs", score="toy/tiered", strategy=strategy, budget=60, out=tmp_path / "r", device="cpu"
        )


@pytest.mark.parametrize("keep", ["0", "1.5", "half"])
def test_an_option_that_is_no_share_is_refused_in_one_line(tmp_path: Path, keep: str) -> None:
    arguments = ["search", "toy/stairs", "--score", "toy/tiered", "--strategy", "successive-halving"]
    done = denas_here(*arguments, "--set", f"strategy.keep={keep}", "-o", str(tmp_path / "r"))
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1 and "keep" in done.stderr
