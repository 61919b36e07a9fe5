"""A search on two nodes: the same table as in one process, whatever happens to workers, nodes and the driver."""

from __future__ import annotations

import contextlib
import dataclasses
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

from denas_core import Architecture, Demand, Evaluation
from denas_core.launch import resume
from denas_core.results.result import SearchResult
from denas_core.testing import ExecutorTests
from denas_ray.executor import Ray
from denas_ray.latency import RemoteLatency
from tests.core.gate import Gate
from tests.core.toy_searches import denas_command, environment, table, toy_config, toy_search
from tests.core.workers import evaluations
from tests.core.workers.directory_workers import wait_until
from tests.core.workers.evaluations import BAD, work
from tests.core.workers.standing_clock import StandingClock

from .conftest import NODE, node_environment

ray = pytest.importorskip("ray")

SCORED = (next(work(1))[1], Evaluation(state="scored", components={"a": 1.0}))
"""A candidate whose latency is to be measured."""

SECONDS = 300.0
"""How long a test waits for what the cluster does within a few seconds, and the deadline of a candidate."""


class TestRay(ExecutorTests):
    @pytest.fixture(autouse=True)
    def _join(self, executor: Ray) -> None:
        self.executor = executor

    def make(self) -> Ray:
        return self.executor


@pytest.fixture(scope="module")
def executor(joined: Any) -> Iterator[Ray]:
    """An executor that most tests share, because starting workers takes seconds."""
    made = Ray(address="auto", deadline=SECONDS, latency_resource="bench").named("ray/ray")
    made.open(Demand(measures_latency=True))
    yield made
    made.close()


@pytest.fixture
def idle(joined: Any, executor: Ray) -> Any:
    """The cluster without the workers of the shared executor, so that another one has room."""
    executor.close()
    return joined


@pytest.fixture(scope="module")
def serial(tmp_path_factory: pytest.TempPathFactory) -> list[Any]:
    """The table of the search that all tests repeat."""
    out = tmp_path_factory.mktemp("serial") / "run"
    toy_search(out, executor="builtin/serial")
    return table(out)


def search_on(cluster: Any, out: Path, **changes: Any) -> SearchResult:
    return toy_search(out, executor={"name": "ray/ray", "address": cluster.address}, **changes)


def workers() -> list[psutil.Process]:
    """Return the processes of all workers on this machine."""
    found = []
    for process in psutil.process_iter(["cmdline"]):
        if (process.info["cmdline"] or [""])[0].startswith("ray::Worker"):
            found.append(process)
    return found


def act_at(count: int, acts: dict[int, Callable[[], object]]) -> Iterator[tuple[int, Architecture]]:
    """Yield work, and act before some of its items."""
    for item in work(count):
        acts.get(item[0], lambda: None)()
        yield item


def run_until(executor: Ray, happened: Callable[[], bool]) -> None:
    """Evaluate until something has happened."""
    until = time.monotonic() + SECONDS

    def items() -> Iterator[tuple[int, Architecture]]:
        for item in work(100_000):
            if happened():
                return
            assert time.monotonic() < until, executor.describe()
            yield item

    found = dict(executor.run(evaluations.slow, items()))
    check(found, len(found))


@contextlib.contextmanager
def measuring(executor: Ray, *, deadline: float) -> Iterator[RemoteLatency]:
    """Measure latency on the nodes of an executor."""
    transport = executor._transport()
    assert transport is not None
    latency = RemoteLatency(transport, "bench", deadline=deadline)
    try:
        yield latency
    finally:
        latency.close()


def losses(executor: Ray) -> list[str]:
    """Return what happened to workers, also what the notices leave out."""
    supervisor = executor._supervisor()
    assert supervisor is not None
    return supervisor.losses


def check(found: dict[int, Evaluation], count: int, *, without: int | None = None) -> None:
    assert sorted(found) == list(range(count))
    values = {index: result.components for index, result in found.items() if index != without}
    assert values == {index: {"square": float(index * index)} for index in values}


def test_both_nodes_work(executor: Ray) -> None:
    run_until(executor, lambda: executor.describe() == "2 workers on 2 nodes")
    found = dict(executor.run(evaluations.slow, work(8)))
    assert len({result.metrics["process"] for result in found.values()}) == 2


def test_candidates_of_a_killed_worker_are_evaluated_again(executor: Ray) -> None:
    before = len(losses(executor))
    found = dict(executor.run(evaluations.slow, act_at(12, {5: lambda: workers()[0].kill()})))
    check(found, 12)
    (loss,) = losses(executor)[before:]
    assert "was replaced: its worker on node " in loss
    assert loss.endswith(" ended")


def test_a_candidate_that_ends_its_worker_twice_fails(executor: Ray) -> None:
    found = dict(executor.run(evaluations.exits, work(6)))
    check(found, 6, without=BAD)
    assert found[BAD].state == "failed"
    assert found[BAD].reason.endswith(" ended (2 workers)")


def test_a_candidate_that_hangs_with_the_interpreters_lock_is_replaced(
    executor: Ray, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock, found = StandingClock(monkeypatch), {}
    for index, result in executor.run(evaluations.hangs, work(6)):
        found[index] = result
        if len(found) == 5:
            # The others are there, so that none of them can be late.
            clock.now += SECONDS
    check(found, 6, without=BAD)
    assert found[BAD].reason == "timed out: no result after 5 min 0 s"


def test_the_deadline_of_a_measurement_begins_when_its_process_has_loaded_it(
    executor: Ray, tmp_path: Path
) -> None:
    with measuring(executor, deadline=1.0) as latency:
        found = latency.measure(evaluations.LoadsSlowly(str(tmp_path), 3.0), *SCORED)
    assert found.reason == "latency: no result after 1 s"
    assert (tmp_path / "loaded").exists()


def test_a_process_that_measures_and_does_not_start_fails_the_candidate(
    executor: Ray, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("denas_ray.latency.SECONDS_TO_START", 0.5)
    with measuring(executor, deadline=300.0) as latency:
        found = latency.measure(evaluations.LoadsSlowly(str(tmp_path), 1000.0), *SCORED)
    assert found.reason == "latency: its process did not start within 0.5 s"


def test_a_measurement_that_cannot_be_loaded_says_why(executor: Ray, tmp_path: Path) -> None:
    with measuring(executor, deadline=300.0) as latency:
        found = latency.measure(evaluations.LoadsSlowly(str(tmp_path / "missing"), 0.0), *SCORED)
    assert found.state == "failed"
    assert found.reason.startswith("latency: its process cannot load what it must measure with: FileNotFound")


def test_latency_is_measured_on_the_node_that_the_user_names(executor: Ray) -> None:
    executor.open(Demand(measures_latency=True))
    found = [executor.measure(_measure, *SCORED) for _ in range(2)]
    assert [result.reason for result in found] == [_node_with("bench")] * 2
    assert any(notice.endswith(", which has 'bench'") for notice in executor.notices())


def test_a_node_leaves_and_another_one_joins(joined: Any, executor: Ray) -> None:
    def leave() -> None:
        joined.remove_node(next(iter(joined.worker_nodes)), allow_graceful=False)

    def join() -> None:
        joined.add_node(**NODE, env_vars=node_environment(), resources={"bench": 1})

    run_until(executor, lambda: executor.describe() == "2 workers on 2 nodes")
    found = dict(executor.run(evaluations.slow, act_at(30, {8: leave})))
    check(found, 30)
    run_until(executor, lambda: any("has left the cluster" in notice for notice in executor.notices()))
    assert executor.describe() == "1 worker on 1 node"
    join()
    run_until(executor, lambda: executor.describe() == "2 workers on 2 nodes")


def test_two_nodes_give_the_same_table_and_one_with_another_version_is_left_out(
    idle: Any, serial: list[Any], tmp_path: Path
) -> None:
    other = tmp_path / "other" / "denas_toy-9.9.dist-info"
    other.mkdir(parents=True)
    (other / "METADATA").write_text("Metadata-Version: 2.1\nName: denas-toy\nVersion: 9.9\n")
    node = idle.add_node(**NODE, env_vars=node_environment(other.parent))
    try:
        result = search_on(idle, tmp_path / "run")
    finally:
        idle.remove_node(node, allow_graceful=False)
    assert table(tmp_path / "run") == serial
    (notice,) = [notice for notice in result.notices if "left out" in notice]
    assert notice.endswith("is left out: it has other versions: denas-toy 9.9 instead of 0.1.0")


def test_a_killed_search_goes_on_where_it_was(idle: Any, serial: list[Any], tmp_path: Path) -> None:
    out = tmp_path / "run"
    gate = Gate(tmp_path / "gate", out / "study.db", trials=40)
    score = {"name": "toy/both", "gate": str(gate.path)}
    config = toy_config(out, score=score, executor={"name": "ray/ray", "address": idle.address})
    (tmp_path / "run.yaml").write_text(config.as_yaml())
    driver = subprocess.Popen(
        denas_command("search", "--config", str(tmp_path / "run.yaml"), "--quiet"),
        env=environment(),
        stdout=subprocess.DEVNULL,
    )
    wait_until(lambda: _stored(out) > 20)
    driver.kill()
    driver.wait()
    assert 20 < _stored(out) < len(serial)
    wait_until(lambda: not workers())
    gate.open()
    resume(out)
    assert [row[:3] for row in table(out)] == [row[:3] for row in serial]


@pytest.mark.nightly
def test_a_search_measures_latency_as_one_process_does(idle: Any, tmp_path: Path) -> None:
    options = {"probe": "toy/ruler", "objectives": ["score", "latency_ms"], "budget": 12}
    options["search"] = {"latency": "measured"}
    toy_search(tmp_path / "serial", executor="builtin/serial", **options)
    chosen = {"name": "ray/ray", "address": idle.address, "latency_resource": "bench"}
    toy_search(tmp_path / "ray", executor=chosen, **options)
    assert table(tmp_path / "ray") == table(tmp_path / "serial")


def _measure(arch: Architecture, evaluation: Evaluation) -> Evaluation:
    return dataclasses.replace(evaluation, state="infeasible", reason=ray.get_runtime_context().get_node_id())


def _node_with(resource: str) -> str:
    (found,) = [node["NodeID"] for node in ray.nodes() if node["Alive"] and resource in node["Resources"]]
    return str(found)


def _stored(run: Path) -> int:
    try:
        return len(table(run))
    except Exception:
        return 0


@pytest.mark.nightly
def test_a_worker_is_replaced_after_a_number_of_candidates(idle: Any) -> None:
    executor = Ray(address=idle.address, workers=1, candidates=3)
    try:
        found = dict(executor.run(evaluations.square, work(6)))
        check(found, 6)
        assert len({result.metrics["process"] for result in found.values()}) == 2
    finally:
        executor.close()


@pytest.mark.nightly
def test_a_program_can_join_a_cluster_after_one_of_its_own(idle: Any) -> None:
    ray.shutdown()
    for address in (None, idle.address):
        executor = Ray(address=address, workers=1)
        try:
            check(dict(executor.run(evaluations.square, work(6))), 6)
        finally:
            executor.close()
        assert not ray.is_initialized()
