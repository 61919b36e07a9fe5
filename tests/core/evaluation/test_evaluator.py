from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable, Iterator
from typing import Any

import numpy
import pytest
import torch

from denas_core.contracts.probe import LatencyProbe
from denas_core.contracts.problem import Problem
from denas_core.contracts.score import ProxyScore
from denas_core.errors import DenasError, Infeasible, ScoreFailed
from denas_core.evaluation.evaluator import Evaluator, judge_latency, pinned_threads
from denas_core.values.architecture import Architecture
from denas_core.values.latency import Latency
from denas_core.values.objectives import Constraint
from denas_core.values.trial import Evaluation
from tests.core.conditional_space import Conditional, Endless

SPACE = Conditional()
ARCH = SPACE.full()
COST = {"params": 110, "flops": 1344}


@dataclasses.dataclass(kw_only=True)
class Acting(ProxyScore):
    """A score that does what a test says."""

    act: Callable[[], Any]

    def measure(self, candidate: Any) -> float:
        return self.act()


@dataclasses.dataclass(kw_only=True)
class Fixed(LatencyProbe):
    """A probe with a fixed answer, which remembers what it was asked to time."""

    answer: Any
    prepared: list[Architecture] = dataclasses.field(default_factory=list)

    def prepare(self, space: Any, arch: Architecture, *, seed: int, device: str) -> Callable[[], object]:
        print("preparing")
        self.prepared.append(arch)
        return lambda: None

    def time(self, call: Callable[[], object], reference: Callable[[], object] | None) -> Latency:
        if isinstance(self.answer, BaseException):
            raise self.answer
        return self.answer


def raising(error: BaseException) -> Callable[[], Any]:
    def act() -> Any:
        raise error

    return act


def evaluate(
    *acts: Callable[[], Any],
    constraints: tuple[str, ...] = (),
    probe: LatencyProbe | None = None,
    space: Conditional = SPACE,
) -> Evaluation:
    components = {f"score{i}": Acting(act=act) for i, act in enumerate(acts)}
    problem = Problem(space, [Constraint.parse(text) for text in constraints])
    return Evaluator(problem, components, probe=probe)(ARCH)


def latency(median: float, low: float, high: float, verdict: Any = "stable") -> Latency:
    return Latency(median=median, low=low, high=high, verdict=verdict, rounds=30)


def test_a_scored_trial_has_every_component_its_counts_and_its_seconds() -> None:
    result = evaluate(lambda: 1.5, lambda: 2, constraints=("params<=110", "flops>=1344"))
    assert (result.state, result.reason, result.violation, result.latency) == ("scored", "", 0.0, None)
    assert result.components == {"score0": 1.5, "score1": 2.0}
    assert result.metrics == COST
    assert set(result.seconds) == {"cost", "score0", "score1"}
    assert all(seconds >= 0 for seconds in result.seconds.values())


@pytest.mark.parametrize(
    ("act", "reason"),
    [
        (raising(ScoreFailed("no\n  weights")), "score1: no weights"),
        (
            raising(ZeroDivisionError("division by zero")),
            "score1: crashed: ZeroDivisionError: division by zero",
        ),
        (raising(SystemExit(3)), "score1: crashed: SystemExit: 3"),
        (raising(MemoryError()), "score1: out of memory"),
        (raising(RuntimeError("x" * 10_000)), f"score1: crashed: RuntimeError: {'x' * 200}"),
        (lambda: float("nan"), "score1: not finite: nan"),
        (lambda: True, "score1: not a number: bool True"),
        (lambda: torch.tensor(1.0), "score1: not a number: Tensor"),
        (lambda: None, "score1: not a number: NoneType None"),
    ],
)
def test_a_score_that_fails_fails_its_trial_with_the_reason(act: Callable[[], Any], reason: str) -> None:
    result = evaluate(lambda: 1.0, act, raising(AssertionError("scores after a failure do not run")))
    assert (result.state, result.reason) == ("failed", reason)
    assert (result.components, result.metrics) == ({"score0": 1.0}, COST)


def test_an_interruption_is_no_failure_of_the_candidate() -> None:
    with pytest.raises(KeyboardInterrupt):
        evaluate(raising(KeyboardInterrupt()))


def test_an_infeasible_architecture_is_not_scored() -> None:
    result = evaluate(raising(AssertionError("scored")), constraints=("params<=55", "flops<=672", "flops>=1"))
    assert (result.state, result.reason) == ("infeasible", "params<=55: 110; flops<=672: 1.344k")
    assert result.violation == 1.0 + 1.0
    assert (result.components, result.metrics) == ({}, COST)


@pytest.mark.parametrize(
    ("error", "state", "reason", "violation"),
    [
        (ValueError("odd\nshape"), "failed", "cost: ValueError: odd shape", 0.0),
        (SystemExit(1), "failed", "cost: SystemExit: 1", 0.0),
        (Infeasible("too large to be described"), "infeasible", "too large to be described", 1.0),
    ],
)
def test_an_architecture_that_cannot_be_counted_is_not_scored(
    error: BaseException, state: str, reason: str, violation: float
) -> None:
    class Broken(Conditional):
        def cost(self, arch: Architecture) -> dict[str, float]:
            raise error

    result = evaluate(raising(AssertionError("scored")), space=Broken())
    assert (result.state, result.reason, result.violation) == (state, reason, violation)


def test_a_count_that_is_no_number_fails_the_trial_instead_of_holding_every_constraint() -> None:
    class Odd(Conditional):
        def cost(self, arch: Architecture) -> dict[str, float]:
            return {"params": float("nan")}

    result = evaluate(lambda: 1.0, constraints=("params<=1",), space=Odd())
    assert (result.state, result.reason) == ("failed", "cost: ScoreFailed: not finite: nan")


def test_what_scores_and_probes_print_does_not_reach_standard_output(
    capsys: pytest.CaptureFixture[str],
) -> None:
    evaluate(lambda: print("scoring") or 1.0, probe=Fixed(answer=latency(5, 4, 6)))
    printed = capsys.readouterr()
    assert printed.out == ""
    assert printed.err == "scoring\npreparing\npreparing\n"


@pytest.mark.parametrize(
    ("answer", "state", "reason", "violation"),
    [
        (latency(4, 3, 5), "scored", "", 0.0),
        (latency(4, 3, 6), "infeasible", "latency undecided: 4 [3, 6] against latency_ms<=5", 0.2),
        (latency(7, 6, 10), "infeasible", "latency_ms<=5: 7 [6, 10]", 1.0),
        (latency(1, 0.5, 1.5), "infeasible", "latency undecided: 1 [0.5, 1.5] against latency_ms>=1", 0.5),
        (latency(0.5, 0.4, 0.6), "infeasible", "latency_ms>=1: 0.5 [0.4, 0.6]", 0.6),
    ],
)
def test_a_measured_constraint_is_judged_by_the_whole_interval(
    answer: Latency, state: str, reason: str, violation: float
) -> None:
    result = evaluate(lambda: 1.0, constraints=("latency_ms<=5", "latency_ms>=1"), probe=Fixed(answer=answer))
    assert (result.state, result.reason) == (state, reason)
    assert result.violation == pytest.approx(violation)
    assert result.metrics == {**COST, "latency_ms": answer.median}
    assert result.latency == answer.as_dict()
    assert set(result.seconds) == {"cost", "score0", "latency"}


def test_without_a_measured_constraint_any_latency_will_do() -> None:
    assert judge_latency([], latency(4, 0.1, 100, "unstable")) == ("", 0.0)


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (RuntimeError("no\ndevice"), "latency: RuntimeError: no device"),
        (SystemExit(1), "latency: SystemExit: 1"),
        (latency(float("nan"), 1, 2), "latency: ScoreFailed: not finite: nan"),
        (latency(1, 1, float("inf")), "latency: ScoreFailed: not finite: inf"),
        (5.0, "latency: TypeError: 5.0 is not a Latency"),
        (latency(-1, -2, 0), "latency: ScoreFailed: -1 ms is negative, or outside its interval [-2, 0]"),
        (latency(9, 1, 2), "latency: ScoreFailed: 9 ms is negative, or outside its interval [1, 2]"),
        (
            latency(1, 1, 2, "sure"),
            "latency: ScoreFailed: the verdict 'sure' is none of 'stable', 'unstable', 'predicted'",
        ),
    ],
)
def test_a_probe_that_fails_fails_the_trial_and_keeps_its_scores(answer: Any, reason: str) -> None:
    result = evaluate(lambda: 1.0, constraints=("latency_ms<=5",), probe=Fixed(answer=answer))
    assert (result.state, result.reason, result.latency) == ("failed", reason, None)
    assert (result.components, result.metrics) == ({"score0": 1.0}, COST)


@pytest.mark.parametrize(
    ("space", "timed"), [(SPACE, [ARCH, SPACE.smallest()]), (Endless(), [ARCH])], ids=["ends", "endless"]
)
def test_latency_is_timed_beside_the_smallest_network_if_there_is_one(
    space: Any, timed: list[Architecture]
) -> None:
    probe = Fixed(answer=latency(5, 4, 6))
    Evaluator(Problem(space), {}, probe=probe).latency(ARCH)
    assert [arch.as_dict() for arch in probe.prepared] == [arch.as_dict() for arch in timed]


def test_a_run_without_a_probe_has_no_latency() -> None:
    with pytest.raises(DenasError, match="this run has no latency probe"):
        Evaluator(Problem(SPACE), {}).latency(ARCH)


@pytest.fixture
def threads() -> Iterator[int]:
    before = torch.get_num_threads()
    yield before
    torch.set_num_threads(before)


def test_threads_are_pinned_for_a_while_even_if_it_ends_badly(threads: int) -> None:
    torch.set_num_threads(1)
    with pytest.raises(ValueError, match="inside"), pinned_threads(2):
        assert torch.get_num_threads() == 2
        raise ValueError("inside")
    assert torch.get_num_threads() == 1


def test_counts_are_plain_numbers_whatever_a_space_counts_with() -> None:
    class Counting(Conditional):
        def cost(self, arch: Architecture) -> dict[str, Any]:
            return {"params": numpy.int64(2**60 + 1), "flops": numpy.float32(0.5)}

    counts = Evaluator(Problem(Counting()), {}).counts(ARCH)
    assert json.dumps(counts) == '{"params": 1152921504606846977, "flops": 0.5}'


def test_a_count_that_is_no_number_is_named() -> None:
    class Counting(Conditional):
        def cost(self, arch: Architecture) -> dict[str, Any]:
            return {"params": -1}

    with pytest.raises(ScoreFailed, match="params is negative: -1"):
        Evaluator(Problem(Counting()), {}).counts(ARCH)
