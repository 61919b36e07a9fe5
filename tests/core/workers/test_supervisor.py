"""The supervisor alone, over a transport that reorders, repeats, loses and garbles what it carries."""

from __future__ import annotations

import pytest

from denas_core.workers.messages import Work
from denas_core.workers.supervisor import Supervisor

from .evaluations import square, work
from .simulated import SimulatedTransport


@pytest.mark.parametrize("workers", [1, 2, 4, 16])
def test_every_candidate_gives_its_own_result_in_every_order(workers: int) -> None:
    for seed in range(50):
        found = list(Supervisor(SimulatedTransport(workers, seed=seed)).run(square, work(40)))
        assert sorted(index for index, _ in found) == list(range(40))
        assert all(result.components == {"square": float(index * index)} for index, result in found)


def test_lost_workers_and_rubbish_cost_a_second_attempt_and_no_result() -> None:
    failed = 0
    for seed in range(50):
        transport = SimulatedTransport(4, seed=seed, losses=0.1, rubbish=0.1)
        found = dict(Supervisor(transport).run(square, work(40)))
        assert sorted(found) == list(range(40))
        attempts = [int(Work.decode(message).arch["x"]) for message in transport.sent]
        for index, result in found.items():
            assert attempts.count(index) <= 2
            if result.state == "scored":
                assert result.components == {"square": float(index * index)}
            else:
                assert attempts.count(index) == 2
                failed += 1
    assert 0 < failed < 50 * 40 * 0.1


def test_leases_are_never_used_twice() -> None:
    transport = SimulatedTransport(4, losses=0.2)
    supervisor = Supervisor(transport)
    for _ in range(3):
        list(supervisor.run(square, work(40)))
    leases = [Work.decode(message).lease for message in transport.sent]
    assert len(set(leases)) == len(leases)
