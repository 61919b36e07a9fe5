"""Probes and executors that break each promise, by the name of the check that must notice."""

from __future__ import annotations

import dataclasses
import itertools
import random
from collections.abc import Callable, Iterator
from typing import Any

import torch

from denas_core.builtin.serial import Serial
from denas_core.builtin.wall_clock import WallClock
from denas_core.values.architecture import Architecture
from denas_core.values.latency import Latency
from denas_core.values.trial import Evaluation

_counter = itertools.count(1)


@dataclasses.dataclass(kw_only=True)
class Quick(WallClock):
    """The wall clock, in a hurry."""

    min_rounds: int = 6
    max_rounds: int = 6
    warmup: int = 0


class OnceOnly(Quick):
    def prepare(self, space: Any, arch: Any, *, seed: int, device: str) -> Any:
        calls = iter([super().prepare(space, arch, seed=seed, device=device)])
        return lambda: next(calls)()


class Backwards(Quick):
    def time(self, call: Any, reference: Any) -> Latency:
        found = super().time(call, reference)
        return dataclasses.replace(found, low=found.high + 1, high=found.low)


class AlwaysRelative(Quick):
    def time(self, call: Any, reference: Any) -> Latency:
        return dataclasses.replace(super().time(call, reference), relative=1.0)


class Guessing(Quick):
    def time(self, call: Any, reference: Any) -> Latency:
        super().time(call, reference)
        relative = None if reference is None else 1.0
        return Latency(median=1.0, low=0.9, high=1.1, verdict="stable", rounds=1, relative=relative)


class Swallowing(Quick):
    def time(self, call: Callable[[], object], reference: Any) -> Latency:
        try:
            return super().time(call, reference)
        except Exception:
            return super().time(lambda: None, reference)


class NoUnits(Quick):
    def units(self, space: Any) -> Any:
        return {"samples": 0.0}


class CountingUnits(Quick):
    def units(self, space: Any) -> Any:
        return {"samples": float(next(_counter))}


class ReseedingProbe(Quick):
    def prepare(self, space: Any, arch: Any, *, seed: int, device: str) -> Any:
        torch.manual_seed(seed)
        return super().prepare(space, arch, seed=seed, device=device)


class ChattyProbe(Quick):
    def time(self, call: Any, reference: Any) -> Latency:
        print("timing")
        return super().time(call, reference)


BROKEN_PROBES: dict[str, Any] = {
    "calls_are_prepared": OnceOnly,
    "latencies_are_intervals": (Backwards, AlwaysRelative),
    "slower_calls_take_longer": Guessing,
    "exceptions_of_the_call_come_through": Swallowing,
    "units_are_positive": NoUnits,
    "it_leaves_the_process_alone": ReseedingProbe,
    "it_repeats": CountingUnits,
    "it_prints_nothing": ChattyProbe,
}

Results = Iterator[tuple[int, Evaluation]]


class Losing(Serial):
    def run(self, evaluate: Any, work: Any) -> Results:
        yield from itertools.islice(super().run(evaluate, work), 3)


class Mixing(Serial):
    def run(self, evaluate: Any, work: Any) -> Results:
        done = list(super().run(evaluate, work))
        yield from zip((index for index, _ in done), (result for _, result in reversed(done)), strict=True)


class Rebuilding(Serial):
    def run(self, evaluate: Any, work: Any) -> Results:
        yield from super().run(
            evaluate, ((index, Architecture(arch.space, arch.values, arch.key)) for index, arch in work)
        )


class Greedy(Serial):
    def run(self, evaluate: Any, work: Any) -> Results:
        yield from super().run(evaluate, list(work))


class Inventing(Serial):
    def run(self, evaluate: Any, work: Any) -> Results:
        found = list(super().run(evaluate, work))
        yield from found or [(0, Evaluation(state="failed", reason="nothing to do"))]


class OnceExecutor(Serial):
    def run(self, evaluate: Any, work: Any) -> Results:
        used, self.__dict__["used"] = self.__dict__.get("used", False), True
        return iter(()) if used else super().run(evaluate, work)


class CloseOnce(Serial):
    def close(self) -> None:
        if self.__dict__.setdefault("closed", 0):
            raise ValueError("already closed")
        self.__dict__["closed"] = 1


class SwallowingExecutor(Serial):
    def run(self, evaluate: Any, work: Any) -> Results:
        for index, arch in work:
            try:
                yield index, evaluate(arch)
            except Exception:
                yield index, Evaluation(state="failed", reason="something went wrong")


class SwallowingWork(Serial):
    """Takes whatever ends the work for its end."""

    def run(self, evaluate: Any, work: Any) -> Results:
        while True:
            try:
                index, arch = next(work)
            except Exception:
                return
            yield index, evaluate(arch)


class ReseedingExecutor(Serial):
    def run(self, evaluate: Any, work: Any) -> Results:
        random.seed(0)
        yield from super().run(evaluate, work)


class ChattyExecutor(Serial):
    def run(self, evaluate: Any, work: Any) -> Results:
        print("running")
        yield from super().run(evaluate, work)


BROKEN_EXECUTORS: dict[str, Any] = {
    "every_item_gives_its_result_once": (Losing, Mixing),
    "an_item_arrives_whole": Rebuilding,
    "work_is_taken_as_it_can_be_done": Greedy,
    "no_work_gives_no_results": Inventing,
    "closing_twice_is_fine": CloseOnce,
    "exceptions_come_through": (SwallowingExecutor, SwallowingWork),
    "it_leaves_the_process_alone": ReseedingExecutor,
    "it_prints_nothing": ChattyExecutor,
    "it_repeats": OnceExecutor,
}
