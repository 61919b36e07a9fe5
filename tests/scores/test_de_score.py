"""The DE-Score: its components, and how they become one number."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping
from typing import Any

import pytest
import torch

from denas_core import Candidate, Recipe, Table
from denas_core.errors import ConfigError
from denas_core.evaluation.computing import compute_on_rungs
from denas_core.evaluation.scoring import Scoring
from denas_core.values.contender import Rung
from denas_scores.de_score import HEADINGS, DEScore, combine_as_original
from denas_scores.reference import ReferenceComplexity

from .toy_spaces import AttentionSpace, CNNSpace

pytestmark = pytest.mark.numerics

CLASSIC = DEScore(combination="classic")
FOUR = ("expressivity", "complexity", "diversity", "saliency")


class RecipeSpace(CNNSpace):
    def reference_recipe(self) -> Recipe:
        return Recipe(
            arithmetic="ratio",
            weights={"expressivity": 1.0, "complexity": 2.0, "saliency": 4.0, "latency": 0.0},
            batch_size=8,
            variant="plain",
            initialisation="normal",
        )


def table(columns: Mapping[str, list[float | None]], **weights: float) -> Table:
    directions: dict[str, Any] = {
        name: "minimize" if name in ("complexity", "latency") else "maximize" for name in columns
    }
    return Table(columns=columns, weights=weights, directions=directions)


def no_other(name: str) -> Any:
    raise AssertionError(f"{name} is not one of the DE-Score's own")


def test_the_default_is_one_rule_for_networks_with_attention_and_one_for_others() -> None:
    of_both = ["naswot", "entropy", "params", "flops", "jacob-cov", "saliency"]
    for space, others in (
        (AttentionSpace(), ["depth-width"]),
        (CNNSpace(), ["participation", "progressivity", "trainability"]),
    ):
        scoring = Scoring(DEScore(), space, no_other)
        assert set(scoring.weights) == {*of_both, *others} == set(scoring.components)
        # Size counts twice.
        assert scoring.weights == {name: 2.0 if name == "params" else 1.0 for name in [*of_both, *others]}
        assert not scoring.notices


@pytest.mark.parametrize("space", [AttentionSpace(), RecipeSpace()])
def test_runs_made_earlier_keep_their_components(space: Any) -> None:
    """Their configuration says rank, which was the name of what is called classic now."""
    earlier, classic = (Scoring(DEScore(combination=name), space, no_other) for name in ("rank", "classic"))
    assert earlier.weights == classic.weights and earlier.components == classic.components


def test_every_component_has_its_place_under_one_of_the_words() -> None:
    under = [name for names in HEADINGS.values() for name in names]
    assert len(under) == len(set(under))
    for space in (AttentionSpace(), CNNSpace()):
        assert set(DEScore().default_weights(space)) == {*under, "latency"}


@pytest.mark.parametrize("space", [AttentionSpace(), CNNSpace()])
def test_the_default_runs_two_passes(space: Any) -> None:
    components = Scoring(DEScore(batch_size=4), space, no_other).components.values()
    candidate = Candidate(space, space.full(), passes=[s for c in components for s in c.passes()])
    values = [component.measure(candidate) for component in components]
    assert all(map(math.isfinite, values)) and len(candidate.pass_seconds) == 2


@pytest.mark.parametrize("space", [AttentionSpace(), CNNSpace()])
def test_a_candidate_that_is_cut_has_run_the_cheap_pass_alone(space: Any) -> None:
    scoring = Scoring(DEScore(), space, no_other)
    cheap, dear = scoring.rungs
    assert sorted(cheap) == ["flops", "params", "saliency"] and {*cheap, *dear} == set(scoring.components)
    candidate = Candidate(
        space, space.full(), passes=[s for c in scoring.components.values() for s in c.passes()]
    )
    out_of_reach = Rung(peers={name: [math.inf] * 10 for name in cheap}, sample=None, share=0.5)
    found = compute_on_rungs(candidate, scoring.components, scoring, [out_of_reach], metrics={}, seed=0)
    assert found.cut.startswith("after ") and set(found.values) == set(cheap)
    assert [spec.inputs for spec in candidate.pass_seconds] == ["ones"]


def test_repeats_average_over_weights_and_batches() -> None:
    space = CNNSpace()
    twice = DEScore(batch_size=4, repeats=2).component("naswot", space)
    assert twice is not None and [spec.repeat for spec in twice.passes()] == [0, 1]
    single = [dataclasses.replace(spec) for spec in twice.passes()]
    candidate = Candidate(space, space.full())
    values = [twice.value(candidate.trace(spec)) for spec in single]  # type: ignore[attr-defined]
    assert values[0] != values[1] and twice.measure(candidate) == pytest.approx(sum(values) / 2)


def test_a_space_says_which_components_do_not_fit_it() -> None:
    class Own(CNNSpace):
        def unsuitable_scores(self) -> Mapping[str, str]:
            return {"progressivity": "its widths never grow"}

    scoring = Scoring(DEScore(), Own(), no_other)
    assert "progressivity" not in scoring.components
    assert scoring.notices == ["progressivity is left out: its widths never grow"]
    named = Scoring(DEScore(weights={"progressivity": 1.0}), Own(), no_other)
    assert "progressivity" in named.components and not named.notices


def test_classic_is_four_components_of_weight_one_and_no_latency() -> None:
    weights = CLASSIC.default_weights(AttentionSpace())
    assert weights == {**dict.fromkeys(FOUR, 1.0), "latency": 0.0}
    assert list(Scoring(CLASSIC, AttentionSpace(), no_other).components) == list(FOUR)


def test_a_space_without_attention_goes_without_diversity() -> None:
    scoring = Scoring(CLASSIC, CNNSpace(), no_other)
    assert list(scoring.components) == ["expressivity", "complexity", "saliency"]
    assert len(scoring.notices) == 1


def test_a_component_without_a_part_in_the_original_has_none_by_default() -> None:
    """The recipe of the space names no diversity, so there is nothing to leave out, and nothing to tell."""
    scoring = Scoring(CLASSIC, RecipeSpace(), no_other)
    assert list(scoring.components) == ["expressivity", "complexity", "saliency"]
    assert set(scoring.weights.values()) == {1.0} and not scoring.notices


def test_a_transformer_is_scored_by_diversity_and_saliency() -> None:
    space = pytest.importorskip("denas_cv.vit.space").ViT().named("cv/vit")
    assert list(Scoring(CLASSIC, space, no_other).components) == ["diversity", "saliency"]
    more = Scoring(DEScore(combination="classic", weights={"expressivity": 1.0}), space, no_other)
    assert list(more.components) == ["expressivity", "diversity", "saliency"]
    original = Scoring(DEScore(combination="reference"), space, no_other)
    assert original.weights == {"diversity": 1.0, "saliency": 1.0, "latency": 10_000.0}


def test_the_latency_of_the_original_is_in_its_own_unit() -> None:
    """(6 + 4) / (1 + 10,000 weight * 50 ms in seconds) = 10 / 501."""
    space = pytest.importorskip("denas_cv.vit.space").ViT().named("cv/vit")
    columns: dict[str, list[float | None]] = {
        "diversity": [6.0, 6.0],
        "saliency": [4.0, 4.0],
        "latency": [50.0, None],
    }
    values = table(columns, diversity=1.0, saliency=1.0, latency=10_000.0)
    combined = DEScore(combination="reference").combine(values, space)
    assert combined == [pytest.approx(10 / 501), -math.inf]


@pytest.mark.parametrize("combination", ["classic", "reference"])
def test_a_component_of_weight_zero_is_not_computed(combination: Any) -> None:
    space = RecipeSpace()
    score = DEScore(combination=combination, weights={"saliency": 0.0})
    assert list(Scoring(score, space, no_other).components) == ["expressivity", "complexity"]


def test_rank_adds_weighted_log_ranks() -> None:
    """Ranks 2, 1 of expressivity under weight 1 and 1, 2 of complexity (smaller is better) under weight 3."""
    columns = {"expressivity": [7.0, 5.0], "complexity": [9.0, 4.0]}
    values = DEScore().combine(table(columns, expressivity=1.0, complexity=3.0), CNNSpace())
    assert values == pytest.approx([3 * math.log(1 / 2), math.log(1 / 2)])


def test_the_ratio_of_the_original() -> None:
    """(1 * 6) / (4 * 0.5) - 2 * 1.25 = 0.5, then over 1 + 0.1 * 10 = 2."""
    columns: dict[str, list[float | None]] = {
        "expressivity": [6.0],
        "saliency": [0.5],
        "complexity": [1.25],
        "latency": [10.0],
    }
    weights = {"expressivity": 1.0, "saliency": 4.0, "complexity": 2.0}
    score = DEScore(combination="reference")
    without = {name: column for name, column in columns.items() if name != "latency"}
    assert score.combine(table(without, **weights), RecipeSpace()) == pytest.approx([0.5])
    assert score.combine(table(columns, **weights, latency=0.1), RecipeSpace()) == pytest.approx([0.25])


def test_the_sum_of_the_original() -> None:
    """2 * 3 + 0.5 * 8 = 10, then over 1 + 4 * 0.25 = 2."""
    values = {"diversity": 3.0, "saliency": 8.0, "expressivity": 99.0, "latency": 0.25}
    weights = {"diversity": 2.0, "saliency": 0.5, "expressivity": 1.0, "latency": 4.0}
    assert combine_as_original(values, weights, "sum") == pytest.approx(5.0)


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ({"expressivity": 6.0, "complexity": 1.0}, 5.0),
        ({"saliency": 2.0, "complexity": 1.0}, -1.0),
        ({"expressivity": 6.0}, 6.0),
        ({"complexity": 1.5}, -1.5),
    ],
)
def test_nothing_is_divided_by_a_weight_of_zero(values: dict[str, float], expected: float) -> None:
    weights = dict.fromkeys(("expressivity", "saliency", "complexity"), 0.0) | dict.fromkeys(values, 1.0)
    assert combine_as_original(values, weights, "ratio") == pytest.approx(expected)


def test_an_unstable_latency_puts_a_row_last() -> None:
    """In the original's arithmetic the other row is -2 / (1 + 2 * 3)."""
    columns: dict[str, list[float | None]] = {"complexity": [2.0, 1.0], "latency": [3.0, None]}
    values = table(columns, complexity=1.0, latency=2.0)
    reference = DEScore(combination="reference").combine(values, RecipeSpace())
    assert reference == [pytest.approx(-2 / 7), -math.inf]
    first, second = DEScore().combine(values, RecipeSpace())
    assert first > second


def test_reference_follows_the_recipe_of_the_space() -> None:
    score = DEScore(combination="reference")
    component = score.component("complexity", RecipeSpace())
    assert component == ReferenceComplexity(batch_size=8, variant="plain", initialisation="normal")
    assert score.default_weights(RecipeSpace())["saliency"] == 4.0
    assert (
        DEScore(combination="reference", batch_size=5).component("complexity", RecipeSpace()).batch_size == 5
    )  # type: ignore[union-attr]


def test_reference_needs_a_recipe() -> None:
    with pytest.raises(ConfigError, match=r"has no recipe for it; use combination='ensemble'"):
        DEScore(combination="reference").default_weights(CNNSpace())


def test_the_constant_batch_is_as_large_as_the_space_says() -> None:
    class Tokens(AttentionSpace):
        @property
        def probe_samples(self) -> int:
            return 3

    def sizes(score: DEScore, space: AttentionSpace) -> list[int]:
        components = [score.component(name, space) for name in ("diversity", "saliency")]
        return [spec.size for component in components if component for spec in component.passes()]

    assert sizes(CLASSIC, AttentionSpace()) == [1, 1]
    assert sizes(CLASSIC, Tokens()) == [3, 3]
    assert sizes(DEScore(combination="classic", synaptic_batch_size=2), Tokens()) == [2, 2]


def test_other_scores_are_not_its_own() -> None:
    assert DEScore().component("gradient-norm", CNNSpace()) is None
    with pytest.raises(ConfigError, match="combination='reference' has no term for 'params'"):
        DEScore(combination="reference").component("params", RecipeSpace())


def test_the_ratio_of_the_original_is_not_taken_of_one_half() -> None:
    score = DEScore(combination="reference", weights={"expressivity": 0})
    with pytest.raises(ConfigError, match="divides expressivity by saliency: give both a weight, or neither"):
        score.component("saliency", RecipeSpace())


@pytest.mark.parametrize("combination", ["ensemble", "classic"])
@pytest.mark.parametrize("space", [AttentionSpace(), CNNSpace()])
def test_values_do_not_depend_on_which_components_are_measured_first(space: Any, combination: Any) -> None:
    components = Scoring(DEScore(batch_size=8, combination=combination), space, no_other).components
    together = Candidate(space, space.full(), passes=[s for c in components.values() for s in c.passes()])
    backwards = {name: components[name].measure(together) for name in reversed(components)}
    for name, score in components.items():
        assert score.measure(Candidate(space, space.full())) == backwards[name]


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
@pytest.mark.parametrize("space", [AttentionSpace(), AttentionSpace(fused=True), CNNSpace()])
def test_cpu_and_gpu_agree(space: Any) -> None:
    for score in Scoring(DEScore(batch_size=8), space, no_other).components.values():
        cpu, gpu = (
            score.measure(Candidate(space, space.full(), device=device)) for device in ("cpu", "cuda")
        )
        assert gpu == pytest.approx(cpu, rel=1e-3)


def test_inherited_weights_reach_every_component() -> None:
    class Pretrained(AttentionSpace):
        def load(self, model: Any, arch: Any, *, seed: int, weights: Any = "fresh") -> Any:
            model = super().load(model, arch, seed=seed)
            if weights == "inherited":
                with torch.no_grad():
                    for parameter in model.parameters():
                        parameter.copy_(torch.linspace(-0.5, 0.5, parameter.numel()).view_as(parameter))
            return model

    space = Pretrained()

    def measure(weights_from: Any, seed: int) -> list[float]:
        components = Scoring(
            DEScore(batch_size=8, combination="classic", weights_from=weights_from), space, no_other
        ).components.values()
        assert {spec.weights for score in components for spec in score.passes()} == {weights_from}
        return [score.measure(Candidate(space, space.full(), seed=seed)) for score in components]

    fresh, inherited = measure("fresh", 1), measure("inherited", 1)
    assert all(one != other for one, other in zip(fresh, inherited, strict=True))
    # Saliency sees weights and an input of ones, and nothing that is drawn.
    assert measure("inherited", 2)[3] == inherited[3] != measure("fresh", 2)[3]
