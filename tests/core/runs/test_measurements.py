"""Latencies that were measured after a search, beside the trials in the store."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from denas_core.errors import StoreDamaged
from denas_core.runs.measurements import OF_SEARCH, Measurement, with_measurements
from denas_core.runs.store import Store
from denas_core.values.architecture import Architecture
from denas_core.values.trial import Evaluation, Trial

PREDICTED = {"median": 4.0, "low": 3.8, "high": 4.2, "verdict": "predicted", "metrics": ["latency_ms"]}


def stable(ms: float, verdict: str = "stable") -> dict[str, object]:
    """Return a measured latency."""
    return {"median": ms, "low": 0.99 * ms, "high": 1.01 * ms, "verdict": verdict, "rounds": 30}


def trial(index: int) -> Trial:
    """Return a scored trial with a predicted latency."""
    return Trial(
        index=index,
        generation=0,
        arch=Architecture("toy/stairs", {"depth": 2, "step0": index + 1}, f"{index:032x}"),
        evaluation=Evaluation(
            state="scored",
            components={"height": 1.0},
            metrics={"params": 8, "latency_ms": 4.0},
            latency=PREDICTED,
        ),
    )


TRIALS = [trial(index) for index in range(3)]
KEYS = [each.arch.key for each in TRIALS]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A store of three trials."""
    file = tmp_path / "study.db"
    with Store.create(file, {"config": {}}, active_seconds=2.5) as store:
        assert store.active_seconds() == 2.5
        for each in TRIALS:
            store.append(each, active_seconds=3.0)
    return file


def test_a_measurement_replaces_the_prediction_for_readers_and_not_in_the_trial(path: Path) -> None:
    held = Measurement(key=KEYS[0], metrics={"latency_ms": 4.5}, latency=stable(4.5), when="now")
    broken = Measurement(
        key=KEYS[1],
        state="infeasible",
        reason="latency_ms<=5: 6 [5.94, 6.06]",
        violation=0.2,
        metrics={"latency_ms": 6.0},
        latency=stable(6.0),
    )
    with Store.open(path) as store:
        store.add_measurements([held, broken], active_seconds=9.0)
    with Store.read(path) as store:
        assert store.searched_trials() == TRIALS
        assert store.measurements() == {OF_SEARCH: {KEYS[0]: held, KEYS[1]: broken}}
        assert store.active_seconds() == 9.0
        first, second, third = store.trials()
    assert first.evaluation.metrics["latency_ms"] == 4.5
    assert first.evaluation.predicted == {"latency_ms": 4.0}
    assert (second.evaluation.state, second.evaluation.violation) == ("infeasible", 0.2)
    assert third == TRIALS[2]


def test_other_machines_do_not_change_the_trials(path: Path) -> None:
    one = Measurement(key=KEYS[0], machine="a/b c", metrics={"latency_ms": 9.0}, latency=stable(9.0))
    with Store.open(path) as store:
        store.add_measurements([one])
        assert store.trials() == TRIALS
        assert store.measurements() == {"a/b c": {KEYS[0]: one}}


def test_a_measurement_is_never_replaced(path: Path) -> None:
    with Store.open(path) as store:
        store.add_measurements([Measurement(key=KEYS[0], latency=stable(4.5))])
        with pytest.raises(StoreDamaged):
            store.add_measurements([Measurement(key=KEYS[0], latency=stable(5.5))])
        assert store.measurements()[OF_SEARCH][KEYS[0]].latency == stable(4.5)


def test_a_changed_measurement_is_found(path: Path) -> None:
    with Store.open(path) as store:
        store.add_measurements([Measurement(key=KEYS[0], latency=stable(4.5))])
    with sqlite3.connect(path) as connection:
        connection.execute("UPDATE meta SET value = replace(value, '4.5', '1.5') WHERE key LIKE 'latency/%'")
    connection.close()
    with Store.read(path) as store, pytest.raises(StoreDamaged, match="measurement"):
        store.trials()


def test_an_unstable_measurement_turns_a_trial_away_only_if_another_one_holds() -> None:
    noisy = Measurement(
        key=KEYS[0],
        state="infeasible",
        reason="latency undecided",
        violation=0.1,
        latency=stable(5.0, "unstable"),
        decides=False,
    )
    assert with_measurements(TRIALS, {KEYS[0]: noisy}) == TRIALS
    held = Measurement(key=KEYS[1], metrics={"latency_ms": 4.5}, latency=stable(4.5))
    found = with_measurements(TRIALS, {KEYS[0]: noisy, KEYS[1]: held})
    assert [each.evaluation.state for each in found] == ["infeasible", "scored", "scored"]
