from __future__ import annotations

import dataclasses
import math
from math import log
from typing import Any

import pytest

from denas_core.contracts.component import option
from denas_core.contracts.score import CONTINUOUS_INPUT, CombinedScore, ProxyScore
from denas_core.errors import ConfigError, NotInstalled
from denas_core.evaluation.scoring import Scoring
from denas_core.values.architecture import Architecture
from denas_core.values.batch import Batch
from denas_core.values.trial import Evaluation, Trial
from denas_core.values.views import WeightView
from tests.core.conditional_space import Conditional, all_members


@dataclasses.dataclass(kw_only=True)
class Convolutional(Conditional):
    """A space that says which weights and inputs it has."""

    perturbable: tuple[str, ...] = ()

    def build(self, arch: Architecture, **kwargs: Any) -> Any:
        return None

    def batch(self, size: int, **kwargs: Any) -> Batch:
        return Batch(inputs={}, perturbable=self.perturbable)

    def views(self, model: Any) -> list[WeightView]:
        return [WeightView("a", "conv", 0), WeightView("b", "attention.q", 1)]


@dataclasses.dataclass(kw_only=True)
class Proxy(ProxyScore):
    """A score that is never measured here."""

    role: str = ""
    name: str = ""

    def requires(self) -> frozenset[str]:
        return frozenset([self.role]) if self.role else frozenset()

    def measure(self, candidate: Any) -> float:
        raise NotImplementedError


class Cost(Proxy):
    direction = "minimize"


@dataclasses.dataclass(kw_only=True)
class Mixture(CombinedScore):
    """A combination whose defaults a test chooses."""

    defaults: dict[str, float] = option({}, "Weight by component")

    def default_weights(self, space: Any) -> dict[str, float]:
        return self.defaults

    def component(self, name: str, space: Any) -> ProxyScore | None:
        own = {
            "depth": Proxy(),
            "size": Cost(),
            "fusion": Proxy(role="ffn"),
            "focus": Proxy(role="attention"),
        }
        return own.get(name)


SPACE = Convolutional().named("toy/convolutional")
ARCHS = list(all_members(SPACE).values())


def unknown(name: str) -> ProxyScore:
    raise NotInstalled(f"no score {name}")


def mixture(
    defaults: dict[str, float], weights: dict[str, float] | None = None, resolve: Any = unknown
) -> Scoring:
    score = Mixture(defaults=defaults, weights=weights or {}).named("toy/mixture")
    return Scoring(score, SPACE, resolve)


def trial(index: int, latency: dict[str, Any] | None = None, **components: float) -> Trial:
    metrics = {} if latency is None else {"latency_ms": latency["median"]}
    evaluation = Evaluation(state="scored", components=components, metrics=metrics, latency=latency)
    return Trial(index=index, generation=0, arch=ARCHS[index], evaluation=evaluation)


def values_of(scoring: Scoring, trials: list[Trial]) -> list[float]:
    values = scoring.values(trials)
    return [values[trial.arch.key] for trial in trials]


def test_a_single_score_is_a_component_by_its_short_name_and_its_own_value() -> None:
    scoring = Scoring(Proxy().named("toy/depth"), SPACE, unknown)
    assert (list(scoring.components), scoring.weights) == (["depth"], {"depth": 1.0})
    assert not scoring.is_relative
    assert values_of(scoring, [trial(0, depth=3.0), trial(1, depth=-2.0)]) == [3.0, -2.0]


def test_a_single_score_that_is_minimised_counts_negatively() -> None:
    scoring = Scoring(Cost().named("toy/cost"), SPACE, unknown)
    assert values_of(scoring, [trial(0, cost=3.0), trial(1)]) == [-3.0, -math.inf]


def test_a_combination_adds_log_ranks_in_the_directions_of_its_components() -> None:
    scoring = mixture({"depth": 1.0, "size": 0.5})
    assert scoring.is_relative
    trials = [trial(0, depth=1, size=10), trial(1, depth=2, size=30), trial(2, depth=3, size=20)]
    assert values_of(scoring, trials) == pytest.approx(
        [log(1 / 3), log(2 / 3) + 0.5 * log(1 / 3), 0.5 * log(2 / 3)]
    )


def test_weights_of_the_user_beat_the_defaults_and_zero_is_not_computed() -> None:
    scoring = mixture({"depth": 1.0, "size": 2.0, "latency": 0.0}, {"depth": 0.0, "size": 3.0})
    assert list(scoring.components) == ["size"]
    assert scoring.weights == {"size": 3.0}
    assert not scoring.needs_latency


def test_a_component_of_another_plugin_is_looked_up() -> None:
    scoring = mixture({"depth": 1.0}, {"zoo/zen": 1.0}, lambda name: Proxy(name=name))
    assert scoring.components["zoo/zen"] == Proxy(name="zoo/zen")
    with pytest.raises(NotInstalled, match="no score zoo/zen"):
        mixture({"depth": 1.0}, {"zoo/zen": 1.0})


@pytest.mark.parametrize("weight", [-1.0, -0.001, math.nan, math.inf])
def test_a_weight_that_is_negative_or_not_finite_is_refused(weight: float) -> None:
    with pytest.raises(ConfigError) as caught:
        mixture({"depth": 1.0}, {"size": weight})
    assert (
        str(caught.value)
        == f"weight size={weight!r} must be a finite number >= 0, at most 1e+06; 0 leaves the component out"
    )


def test_weights_that_are_all_zero_are_refused() -> None:
    with pytest.raises(ConfigError) as caught:
        mixture({"depth": 1.0}, {"depth": 0.0})
    assert str(caught.value) == "every component of 'toy/mixture' has weight 0; give one a positive weight"


def test_defaults_that_the_space_cannot_have_at_all_are_refused() -> None:
    with pytest.raises(ConfigError) as caught:
        mixture({"fusion": 1.0})
    assert str(caught.value) == (
        "no component of 'toy/mixture' is left: fusion is left out: toy/convolutional has no ffn"
    )


def test_a_default_component_that_the_space_cannot_have_is_dropped_with_a_notice() -> None:
    scoring = mixture({"depth": 1.0, "fusion": 1.0, "focus": 1.0})
    assert list(scoring.weights) == ["depth", "focus"]
    assert scoring.notices == ["fusion is left out: toy/convolutional has no ffn"]


def test_a_named_component_that_the_space_cannot_have_is_refused() -> None:
    message = "score component 'fusion' needs ffn, and 'toy/convolutional' has none"
    with pytest.raises(ConfigError) as caught:
        mixture({"depth": 1.0}, {"fusion": 1.0})
    assert str(caught.value) == message
    with pytest.raises(ConfigError) as caught:
        Scoring(Proxy(role="ffn").named("toy/fusion"), SPACE, unknown)
    assert str(caught.value) == message


def test_a_score_that_adds_noise_needs_an_input_that_takes_it() -> None:
    noisy = Proxy(role=CONTINUOUS_INPUT).named("toy/noisy")
    assert list(Scoring(noisy, Convolutional(perturbable=("x",)), unknown).components) == ["noisy"]
    with pytest.raises(ConfigError) as caught:
        Scoring(noisy, SPACE, unknown)
    assert (
        str(caught.value)
        == "score component 'noisy' needs continuous input, and 'toy/convolutional' has none"
    )


STABLE = {"median": 5.0, "low": 4.9, "high": 5.1, "verdict": "stable"}
SLOW = {"median": 7.0, "low": 6.9, "high": 7.1, "verdict": "stable"}
UNSTABLE = {"median": 1.0, "low": 0.1, "high": 9.0, "verdict": "unstable"}


def test_latency_is_a_minimised_column_and_an_unstable_one_ranks_last() -> None:
    scoring = mixture({"depth": 1.0, "latency": 0.5})
    assert scoring.needs_latency
    assert list(scoring.components) == ["depth"]
    trials = [trial(0, STABLE, depth=1), trial(1, SLOW, depth=2), trial(2, UNSTABLE, depth=3)]
    assert values_of(scoring, trials) == pytest.approx(
        [log(1 / 3), log(2 / 3) + 0.5 * log(2 / 3), 0.5 * log(1 / 3)]
    )
    assert scoring.lacking(trials) == {"latency": 1}
    assert scoring.lacking(trials[:2]) == {}


def test_a_component_that_no_trial_has_is_named() -> None:
    scoring = mixture({"depth": 1.0, "size": 1.0})
    with pytest.raises(ConfigError) as caught:
        scoring.values([trial(0, depth=1.0, sizes=3.0)])
    assert str(caught.value) == (
        "component 'size' was not computed in this run (it has depth, sizes); 'denas rank --compute' adds it"
    )
    with pytest.raises(ConfigError) as caught:
        mixture({"depth": 1.0, "latency": 1.0}).values([trial(0, depth=1.0)])
    assert str(caught.value) == (
        "component 'latency' was not computed in this run (it has depth); measure it in a new search"
    )


def test_the_ranking_is_scored_ones_by_value_then_infeasible_ones_by_violation_then_failed_ones() -> None:
    scoring = mixture({"depth": 1.0})
    states = [
        Evaluation(state="failed", reason="crashed"),
        Evaluation(state="infeasible", reason="x", violation=0.5),
        Evaluation(state="scored", components={"depth": 1.0}),
        Evaluation(state="infeasible", reason="x", violation=0.1),
        Evaluation(state="scored", components={"depth": 2.0}),
        Evaluation(state="scored", components={"depth": 2.0}),
    ]
    trials = [Trial(index=i, generation=0, arch=ARCHS[i], evaluation=state) for i, state in enumerate(states)]
    ranked, values = scoring.rank(trials)
    tied = sorted((4, 5), key=lambda index: ARCHS[index].key)
    assert [trial.index for trial in ranked] == [*tied, 2, 3, 1, 0]
    assert set(values) == {ARCHS[index].key for index in (2, 4, 5)}
    assert scoring.rank(trials[:2]) == ([trials[1], trials[0]], {})
