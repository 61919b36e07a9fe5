"""What the core itself provides, and the toy plugin of its tests, keep the promises of their kinds."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
from denas_toy.ruler import Ruler
from denas_toy.scores import Both, Height, Slope
from denas_toy.shuffled import Shuffled
from denas_toy.stairs import Stairs

from denas_core import SearchSpace
from denas_core.builtin.evolution import Evolution
from denas_core.builtin.local_search import LocalSearch
from denas_core.builtin.nsga2 import NSGA2
from denas_core.builtin.process import Process
from denas_core.builtin.queue import Queue
from denas_core.builtin.random_search import RandomSearch
from denas_core.builtin.regularized_evolution import RegularizedEvolution
from denas_core.builtin.serial import Serial
from denas_core.builtin.successive_halving import SuccessiveHalving
from denas_core.builtin.wall_clock import WallClock
from denas_core.testing import (
    CombinedScoreTests,
    ExecutorTests,
    ProbeTests,
    ScoreTests,
    SpaceTests,
    StrategyTests,
)

from .workers.directory_workers import working


class TestRandomSearch(StrategyTests):
    def make(self) -> RandomSearch:
        return RandomSearch()


class TestEvolution(StrategyTests):
    def make(self) -> Evolution:
        return Evolution()


class TestRegularizedEvolution(StrategyTests):
    def make(self) -> RegularizedEvolution:
        return RegularizedEvolution(population=4)


class TestNSGA2(StrategyTests):
    def make(self) -> NSGA2:
        return NSGA2(first=4, population=4)


class TestSuccessiveHalving(StrategyTests):
    def make(self) -> SuccessiveHalving:
        return SuccessiveHalving(first=4, population=4)


class TestLocalSearch(StrategyTests):
    def make(self) -> LocalSearch:
        return LocalSearch(starts=4)


@pytest.mark.nightly
class TestEvolutionOfTheEliteAlone(StrategyTests):
    def make(self) -> Evolution:
        return Evolution(population=0, mutations=6, crossovers=6, select=3)


class TestWallClock(ProbeTests):
    def make(self) -> WallClock:
        return WallClock(warmup=1, min_rounds=6, max_rounds=12)


class TestSerial(ExecutorTests):
    def make(self) -> Serial:
        return Serial()


class TestProcess(ExecutorTests):
    def make(self) -> Process:
        return Process(workers=2)


class TestQueue(ExecutorTests):
    @pytest.fixture(autouse=True)
    def _worker(self, tmp_path: Path) -> Iterator[None]:
        tmp_path.chmod(0o700)
        self.directory = str(tmp_path)
        with working(tmp_path, "--workers", "2", "--wait"):
            yield

    def make(self) -> Queue:
        return Queue(directory=self.directory)


class TestStairs(SpaceTests):
    def make(self) -> Stairs:
        return Stairs().named("toy/stairs")


class OnStairs:
    def spaces(self) -> Sequence[SearchSpace]:
        return (Stairs().named("toy/stairs"),)


class TestHeight(OnStairs, ScoreTests):
    def make(self) -> Height:
        return Height()


class TestSlope(OnStairs, ScoreTests):
    def make(self) -> Slope:
        return Slope()


class TestBoth(OnStairs, CombinedScoreTests):
    def make(self) -> Both:
        return Both()


class TestRuler(OnStairs, ProbeTests):
    def make(self) -> Ruler:
        return Ruler()


class TestShuffled(ExecutorTests):
    def make(self) -> Shuffled:
        return Shuffled()
