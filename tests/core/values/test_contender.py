"""A contender is its architecture, and keeps its rungs wherever it goes."""

from __future__ import annotations

import copy

from denas_core.testing import SampleMLP
from denas_core.values.contender import Contender, Rung
from denas_core.workers.messages import Work

ARCH = SampleMLP().full()
RUNGS = (
    Rung(peers={"a": [1.0, None, -2.5e300]}, sample={"a": [0.1, 0.2]}, share=0.25),
    Rung(peers={}, sample=None, share=0.25),
)


def test_it_equals_its_architecture() -> None:
    contender = Contender.of(ARCH, RUNGS)
    assert contender == ARCH and contender == ARCH and hash(contender) == hash(ARCH)
    assert contender.as_dict() == ARCH.as_dict() and list(contender.values) == list(ARCH.values)
    assert [len(rung) for rung in contender.rungs] == [3, 0]


def test_its_rungs_arrive_in_a_copy_and_in_a_message() -> None:
    contender = Contender.of(ARCH, RUNGS)
    for found in (copy.deepcopy(contender), Work.decode(Work(3, contender).encode()).arch):
        assert isinstance(found, Contender)
        assert found == contender and found.rungs == RUNGS
    assert not isinstance(Work.decode(Work(3, ARCH).encode()).arch, Contender)
