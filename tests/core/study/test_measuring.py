"""Where and when latency is measured: by the executor, and never beside a candidate that is being evaluated."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

from denas_core import Demand, Executor
from denas_core.launch import search

TOY: dict[str, Any] = {"space": "toy/stairs", "score": "toy/both", "device": "cpu"}
WITH_LATENCY = {**TOY, "probe": "toy/ruler", "objectives": ["score", "latency_ms"], "latency": "measured"}


@dataclasses.dataclass(kw_only=True)
class Ahead(Executor):
    """Begins the next candidate before it gives a result, as one worker in another process does."""

    def open(self, demand: Demand) -> None:
        self.__dict__.update(demand=demand, begun=0, given=0, measured=0, beside=0)

    @property
    def slots(self) -> int:
        return 1

    def run(self, evaluate: Any, work: Any) -> Any:
        waiting = None
        for index, arch in work:
            self.__dict__["begun"] += 1
            if waiting is not None:
                self.__dict__["given"] += 1
                yield waiting
            waiting = index, evaluate(arch)
        if waiting is not None:
            self.__dict__["given"] += 1
            yield waiting

    def measure(self, measure: Any, arch: Any, evaluation: Any) -> Any:
        known = self.__dict__
        known["measured"] += 1
        known["beside"] += known["begun"] - known["given"]
        found = measure(arch, evaluation)
        return dataclasses.replace(
            found, metrics={**found.metrics, "latency_ms": 2 * found.metrics["latency_ms"]}
        )


def test_one_worker_is_idle_while_latency_is_measured(tmp_path: Path) -> None:
    executor = Ahead()
    search(**WITH_LATENCY, executor=executor, budget=6, out=tmp_path / "run")
    assert executor.__dict__["measured"] == 6
    assert executor.__dict__["beside"] == 0


def test_the_executor_says_what_is_measured(tmp_path: Path) -> None:
    plain = search(**WITH_LATENCY, executor="builtin/serial", budget=6, out=tmp_path / "plain")
    ours = search(**WITH_LATENCY, executor=Ahead(), budget=6, out=tmp_path / "ours")
    assert ours.best.arch == plain.best.arch
    assert ours.best.evaluation.metrics["latency_ms"] == 2 * plain.best.evaluation.metrics["latency_ms"]


def test_nothing_is_measured_without_need(tmp_path: Path) -> None:
    executor = Ahead()
    search(**TOY, executor=executor, budget=6, out=tmp_path / "run")
    assert executor.__dict__["measured"] == 0


def test_an_executor_learns_what_a_candidate_needs(tmp_path: Path) -> None:
    executor = Ahead()
    search(**TOY, executor=executor, budget=3, out=tmp_path / "a")
    demand = executor.__dict__["demand"]
    assert (demand.measures_latency, demand.full_latency) == (False, False)
    assert dict(demand.distributions) == {"denas-core": "0.1.0", "denas-toy": "0.1.0"}
    search(**WITH_LATENCY, executor=executor, constraints=["latency<=0.9x"], budget=3, out=tmp_path / "b")
    demand = executor.__dict__["demand"]
    assert (demand.measures_latency, demand.full_latency) == (True, True)
