"""The DE-Score of speech transformers is a signal, where the original's was rounding noise."""

from __future__ import annotations

import random
from typing import Any

import pytest
import torch

from denas_asr.transformer.space import Transformer
from denas_core import Candidate
from denas_core.models.deployable import DeployableNetwork
from denas_scores.de_score import DEScore
from denas_scores.diversity import Diversity
from denas_scores.saliency import Saliency

SMALL: dict[str, Any] = {
    "embed_dims": [12, 24, 36],
    "vocabulary": 20,
    "mels": 8,
    "channels": 2,
    "decoder_layers": 1,
    "decoder_hidden": 32,
    "probe_frames": 24,
}


def small(**options: Any) -> Transformer:
    return Transformer(**{**SMALL, **options}).named("asr/transformer")


def kendall_tau(first: list[float], second: list[float]) -> float:
    pairs = [
        ((a > b) - (a < b)) * ((c > d) - (c < d))
        for i, (a, c) in enumerate(zip(first, second, strict=True))
        for b, d in list(zip(first, second, strict=True))[:i]
    ]
    return sum(pairs) / len(pairs)


@pytest.mark.parametrize(
    ("kind", "options", "depths"),
    # The magnitudes of deeper networks overflow float32, which is why saliency takes float64 by default.
    [(Diversity, {"noise": 1.0}, [5, 6, 7, 8, 9, 10, 11, 12]), (Saliency, {}, [2, 3, 4, 5])],
)
def test_the_scores_of_float32_rank_like_those_of_float64(
    kind: Any, options: dict[str, float], depths: list[int]
) -> None:
    space, rng = small(depths=depths), random.Random(0)
    architectures = [space.sample(rng) for _ in range(50)]
    single, double = (
        [kind(dtype=dtype, **options).measure(Candidate(space, arch)) for arch in architectures]
        for dtype in ("float32", "float64")
    )
    assert min(double) > 1
    assert kendall_tau(single, double) >= 0.99


def test_the_read_out_of_the_original_does_not_depend_on_any_weight_and_ours_does() -> None:
    space = small()
    arch = space.smallest()
    model = space.load(space.build(arch), arch, seed=0).double()
    module = DeployableNetwork(space, model)
    inputs = space.batch(2, seed=0).to(dtype=torch.float64).inputs
    weights = [block.attention.out.weight for block in model.encoder.blocks]
    theirs = torch.autograd.grad(model.encode(inputs["features"])[0].sum(), weights)
    ours = torch.autograd.grad(sum(logits.sum() for logits in module(*inputs.values())), weights)
    for one, other in zip(theirs, ours, strict=True):
        assert one.abs().max() < 1e-10 and other.abs().max() > 1e-2


def test_the_scores_of_networks_of_real_size_are_finite() -> None:
    space = Transformer(probe_frames=16, vocabulary=100).named("asr/transformer")
    for arch in (space.smallest(), space.full()):
        candidate = Candidate(space, arch)
        assert 0 < Diversity().measure(candidate) < 1e10
        assert 0 < Saliency().measure(candidate) < 600


@pytest.mark.parametrize("combination", ["classic", "reference"])
def test_diversity_sees_random_features(combination: Any) -> None:
    space = small()
    component = DEScore(combination=combination).component("diversity", space)
    assert component.passes()[0].perturbation == 1.0
    assert DEScore(combination=combination).component("saliency", space).passes()[0].perturbation == 0.0
