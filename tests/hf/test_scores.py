"""The DE-Score of networks of every family: finite, not zero, and the same where a network is written otherwise."""

from __future__ import annotations

import math

import pytest

from denas_core import Candidate, PassSpec
from denas_scores.de_score import DEScore
from denas_scores.diversity import Diversity
from denas_scores.saliency import Saliency

from .tiny_models import CONFIGS, CONTINUOUS, TEXTS, inheriting_space, made, space_of

OF_ATTENTION = {"naswot", "entropy", "params", "flops", "depth-width", "jacob-cov", "saliency"}


@pytest.mark.parametrize("combination", ["ensemble", "classic"])
@pytest.mark.parametrize("weights_from", ["fresh", "inherited"])
@pytest.mark.parametrize("name", CONFIGS)
def test_every_default_component_is_finite_and_not_zero(
    name: str, weights_from: str, combination: str
) -> None:
    space = inheriting_space(name)
    score = DEScore(batch_size=4, weights_from=weights_from, combination=combination)
    weights = score.default_weights(space)
    used = {component for component, weight in weights.items() if weight}
    classic = {"diversity", "saliency"} if name in TEXTS else set(weights) - {"latency"}
    assert used == (OF_ATTENTION if combination == "ensemble" else classic)
    candidate = Candidate(space, space.full())
    for component in used:
        measured = score.component(component, space)
        assert measured is not None
        value = measured.measure(candidate)
        assert math.isfinite(value) and abs(value) > 1e-6, component


@pytest.mark.parametrize("name", TEXTS)
def test_texts_have_a_tangent_kernel_too(name: str) -> None:
    space = space_of(name)
    complexity = DEScore(batch_size=4, combination="classic").component("complexity", space)
    assert complexity is not None
    assert 0 < complexity.measure(Candidate(space, space.full())) < 40


@pytest.mark.parametrize("name", CONFIGS)
def test_gradients_reach_every_feed_forward_layer_of_the_network_without_norms(name: str) -> None:
    space = space_of(name)
    candidate = Candidate(space, space.full())
    spec = PassSpec(
        inputs="ones",
        size=1,
        magnitude=True,
        dtype="float64",
        norm="bypass",
        readout="sum",
        gradients="weights",
    )
    gradients = candidate.trace(spec).gradients
    for view in candidate.views():
        if view.has_role("ffn"):
            assert view.of(gradients[view.parameter]).abs().sum() > 0, view.parameter


@pytest.mark.parametrize(
    "config",
    [
        {**CONFIGS["llama"], "num_hidden_layers": 16, "hidden_size": 128, "intermediate_size": 344},
        {**CONFIGS["t5-gated"], "num_layers": 8, "num_decoder_layers": 8, "d_model": 128, "d_ff": 256},
    ],
    ids=["llama", "t5-gated"],
)
def test_deep_gated_networks_keep_a_finite_saliency(config: dict[str, object]) -> None:
    space = made(config=config)
    assert 0 < Saliency().measure(Candidate(space, space.full())) < 100


@pytest.mark.parametrize("name", ["bert", "gpt2", "llama", "t5"])
def test_diversity_ranks_alike_in_both_precisions(name: str) -> None:
    space = space_of(name)
    single, double = (
        Diversity(dtype=dtype).measure(Candidate(space, space.full())) for dtype in ("float32", "float64")
    )
    assert single == pytest.approx(double, rel=1e-3)


def test_the_constant_batch_of_a_score_may_be_shorter() -> None:
    space = made(config=CONFIGS["bert"], probe_tokens=3)
    assert space.batch(2, seed=0, kind="ones").inputs["input_ids"].shape == (2, 3)
    assert space.batch(2, seed=0).inputs["input_ids"].shape == (2, 9)
    twin = made(config=CONFIGS["bert"])
    # The same network with the same weights, so that only what scores see differs.
    assert space.full().key == twin.full().key
    values = [Diversity().measure(Candidate(one, one.full())) for one in (space, twin)]
    assert values[0] != values[1]


def test_images_and_sounds_have_no_recipe_of_the_original() -> None:
    assert all(space_of(name).reference_recipe() is None for name in CONTINUOUS)
    recipe = space_of("bert").reference_recipe()
    assert recipe is not None and recipe.initialisation == "fresh"
    recipe = inheriting_space("bert").reference_recipe()
    assert recipe is not None and recipe.initialisation == "inherited"


def test_the_reference_counts_the_layers_that_the_original_knew_by_name() -> None:
    space = inheriting_space("bert")
    recipe = space.reference_recipe()
    assert recipe is not None
    views = space.views(space.build(space.full()))
    # The original matched nine layers of attention and nine others in a RoBERTa of three layers.
    assert sum(any(map(view.has_role, recipe.diversity)) for view in views) == 9
    assert sum(any(map(view.has_role, recipe.saliency)) for view in views) == 9
    score = DEScore(combination="reference", synaptic_batch_size=2)
    for name in ("diversity", "saliency"):
        component = score.component(name, space)
        assert component is not None
        assert math.isfinite(component.measure(Candidate(space, space.full())))
