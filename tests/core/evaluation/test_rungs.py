"""Rungs: with whom a candidate is compared, who goes on, and what is wrong with a score or a strategy is said."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Any

import pytest

from denas_core import CombinedScore, Problem, ProxyScore, Trial
from denas_core.errors import PluginError
from denas_core.evaluation.evaluator import Evaluator
from denas_core.evaluation.rungs import FEWEST, PEERS, explain_cut, make_rungs
from denas_core.evaluation.scoring import Scoring
from denas_core.testing import SampleMLP
from denas_core.values.contender import Contender, Rung
from denas_core.values.trial import Evaluation, State

SPACE = SampleMLP()
ARCH = SPACE.full()


@dataclasses.dataclass(kw_only=True)
class Counting(ProxyScore):
    """A score without passes, which counts how often it is measured."""

    value: float = 1.0
    calls: int = 0

    def measure(self, candidate: Any) -> float:
        self.__dict__["asked"] = self.__dict__.get("asked", 0) + 1
        return self.value


@dataclasses.dataclass(kw_only=True)
class Three(CombinedScore):
    """Three components in an order that a test chooses."""

    order: list[list[str]] = dataclasses.field(default_factory=lambda: [["a"], ["b"], ["c"]])
    broken: bool = False

    def default_weights(self, space: Any) -> dict[str, float]:
        return {"a": 1.0, "b": 1.0, "c": 1.0, "latency": 0.0}

    def component(self, name: str, space: Any) -> ProxyScore | None:
        return Counting()

    def rungs(self, components: Any) -> list[list[str]]:
        return self.order

    def combine(self, table: Any, space: Any) -> Sequence[float]:
        return [1 / 0] if self.broken else super().combine(table, space)


class Sampled(Three):
    """The same, ranked against random networks."""

    uses_sample = True


def scoring(score: CombinedScore | None = None) -> Scoring:
    return Scoring(score or Three(), SPACE, lambda name: Counting())


def trial(index: int, *, generation: int = 0, state: State = "scored", **components: float) -> Trial:
    evaluation = Evaluation(state=state, reason="" if state == "scored" else "because", components=components)
    return Trial(index=index, generation=generation, arch=ARCH, evaluation=evaluation)


def scored(count: int) -> list[Trial]:
    return [trial(index, a=float(index), b=1.0, c=1.0) for index in range(count)]


def rungs(trials: list[Trial], *, share: float = 0.5, score: CombinedScore | None = None) -> tuple[Rung, ...]:
    return make_rungs(scoring(score), trials, share=share, knows_latency=False)


def test_a_candidate_is_compared_with_the_last_ones_that_came_as_far() -> None:
    trials = scored(30)
    trials += [
        trial(30, state="cut", a=30.0),
        trial(31, state="failed"),
        trial(32, state="failed", a=32.0, b=2.0),
    ]
    first, second = rungs(trials)
    assert list(first.peers["a"]) == [*map(float, range(30 - PEERS + 2, 31)), 32.0]
    assert list(second.peers) == ["a", "b"]
    assert list(second.peers["a"]) == [*map(float, range(30 - PEERS + 1, 30)), 32.0]
    assert first.sample is second.sample is None


def test_few_peers_cut_nobody() -> None:
    few, enough = rungs(scored(FEWEST - 1)), rungs(scored(FEWEST))
    assert explain_cut(scoring(), few[0], {"a": -1.0}, {}) == ""
    assert explain_cut(scoring(), enough[0], {"a": -1.0}, {})


def test_nothing_is_cut_in_the_first_generation_or_with_a_share_of_one() -> None:
    assert rungs([]) == () == rungs(scored(20), share=1)


@pytest.mark.parametrize(("share", "first_kept"), [(0.5, 10), (0.25, 15), (0.9, 2)])
def test_the_share_of_the_peers_goes_on(share: float, first_kept: int) -> None:
    (rung, _) = rungs(scored(20), share=share)
    kept = [value for value in range(20) if not explain_cut(scoring(), rung, {"a": float(value)}, {})]
    # A candidate that equals a peer is not worse than it.
    assert kept == list(range(first_kept, 20))


def test_the_reason_says_what_was_compared_and_how_many_go_on() -> None:
    (rung, _) = rungs(scored(20))
    assert explain_cut(scoring(), rung, {"a": 3.0}, {}) == (
        "after a: 16 of the last 20 candidates are better, and the best 50% go on"
    )


def test_a_score_with_a_sample_compares_against_the_random_networks() -> None:
    first = [trial(index, a=float(index), b=float(-index), c=1.0) for index in range(40)]
    later = [trial(40 + index, generation=1, a=100.0, b=-5.0, c=1.0) for index in range(PEERS)]
    _, rung = rungs(first + later, score=Sampled())
    assert rung.sample is not None and len(rung.sample["a"]) == 40
    # Among the peers alone, it would be worse in one component and better in the other, and they would be equal.
    reason = explain_cut(scoring(Sampled()), rung, {"a": 0.0, "b": -4.0}, {})
    assert reason.startswith("after a, b: 20 of the last 20")


def test_a_predicted_latency_counts_on_every_rung() -> None:
    predicted = {"median": 1.0, "low": 1.0, "high": 1.0, "verdict": "predicted", "metrics": ["latency_ms"]}
    trials = [
        dataclasses.replace(
            each,
            evaluation=dataclasses.replace(each.evaluation, metrics={"latency_ms": 5.0}, latency=predicted),
        )
        for each in [trial(index, a=1.0, b=1.0, c=1.0) for index in range(20)]
    ]
    timed = scoring(Three(weights={"latency": 1.0}))
    rung, _ = make_rungs(timed, trials, share=0.5, knows_latency=True)
    assert not explain_cut(timed, rung, {"a": 1.0}, {"latency_ms": 5.0})
    assert explain_cut(timed, rung, {"a": 1.0}, {"latency_ms": 6.0})
    without, _ = make_rungs(timed, trials, share=0.5, knows_latency=False)
    assert list(without.peers) == ["a"]


@pytest.mark.parametrize("share", [0, -1, 1.5, float("nan"), None, "half"])
def test_a_share_that_is_none_is_the_fault_of_the_strategy(share: Any) -> None:
    with pytest.raises(PluginError, match=r"^kept_share must be a number above 0 and at most 1, not "):
        rungs(scored(20), share=share)


@pytest.mark.parametrize(
    "order",
    [[["a"], ["b"]], [["a", "b"], ["b", "c"]], [["a", "b", "c"], []], [["a"], ["b"], ["c"], ["d"]], []],
)
def test_groups_that_are_not_all_components_once_are_the_fault_of_the_score(order: list[list[str]]) -> None:
    with pytest.raises(PluginError, match=r"rungs\(\) must have each of a, b, c in one group, not"):
        scoring(Three(order=order))


def test_later_components_of_a_cut_candidate_are_not_measured() -> None:
    own = scoring()
    evaluator = Evaluator(Problem(SPACE), own.components, scoring=own)
    better = Rung(peers={"a": [2.0] * 10}, sample=None, share=0.5)
    found = evaluator.evaluate(Contender.of(ARCH, [better, Rung(peers={}, sample=None, share=0.5)]))
    assert (found.state, dict(found.components)) == ("cut", {"a": 1.0})
    assert found.reason == "after a: 10 of the last 10 candidates are better, and the best 50% go on"
    assert found.metrics["params"] == SPACE.cost(ARCH)["params"]
    assert [own.components[name].__dict__.get("asked", 0) for name in "abc"] == [1, 0, 0]


def test_a_candidate_that_passes_has_the_same_values_as_without_rungs() -> None:
    own = scoring()
    evaluator = Evaluator(Problem(SPACE), own.components, scoring=own)
    worse = [
        Rung(peers={name: [0.0] * 10 for name in names}, sample=None, share=0.5) for names in ("a", "ab")
    ]
    found, whole = evaluator.evaluate(Contender.of(ARCH, worse)), evaluator.evaluate(ARCH)
    assert found.state == "scored"
    assert dataclasses.replace(found, seconds={}) == dataclasses.replace(whole, seconds={})


def test_a_combination_that_fails_on_a_rung_fails_the_candidate_with_its_reason() -> None:
    own = scoring(Three(broken=True))
    evaluator = Evaluator(Problem(SPACE), own.components, scoring=own)
    rung = Rung(peers={"a": [2.0] * 10}, sample=None, share=0.5)
    found = evaluator.evaluate(Contender.of(ARCH, [rung]))
    assert found.state == "failed"
    assert found.reason.startswith("a: cannot be compared: ")
    assert "ZeroDivisionError" in found.reason
