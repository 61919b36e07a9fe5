"""Diversity and saliency of encoders of tokens, whose last layer norm hides every weight from a plain sum."""

from __future__ import annotations

import dataclasses
import itertools
import math
import random
from typing import Any, Literal

import pytest

from denas_core import Candidate, SearchSpace
from denas_core.values.architecture import Architecture
from denas_core.values.ranking import kendall_tau
from denas_core.values.views import FEED_FORWARD
from denas_scores.diversity import Diversity
from denas_scores.saliency import Saliency

from .toy_spaces import TokenSpace

Dtype = Literal["float32", "float64"]
ARCHITECTURES = 50


def bert() -> SearchSpace:
    """The original's space, with networks of a few thousand parameters."""
    space = pytest.importorskip("denas_nlp.bert.space").Bert(
        tied=False,
        layers=[2, 3, 4],
        heads=[2, 3, 4],
        hidden=list(range(32, 97, 16)),
        intermediate=list(range(32, 129, 32)),
        head_size=8,
        vocab_size=200,
        seq_len=6,
    )
    named: SearchSpace = space.named("nlp/bert")
    return named


SPACES = pytest.mark.parametrize("make", [TokenSpace, bert])


def samples(space: SearchSpace) -> list[Architecture]:
    rng = random.Random(0)
    found = {arch.key: arch for arch in (space.sample(rng) for _ in range(8 * ARCHITECTURES))}
    return list(itertools.islice(found.values(), ARCHITECTURES))


@SPACES
def test_a_plain_sum_hides_what_the_read_out_of_diversity_shows(make: Any) -> None:
    space = make()
    candidate = Candidate(space, space.full())
    ours = Diversity(batch_size=3, dtype="float64").passes()[0]

    def largest(readout: Any) -> float:
        spec = dataclasses.replace(ours, gradients="weights", roles=("attention", "ffn"), readout=readout)
        gradients = candidate.trace(spec).gradients
        assert len(gradients) == sum(
            view.has_role("attention") or view.has_role("ffn") for view in candidate.views()
        )
        return max(float(gradient.abs().max()) for gradient in gradients.values())

    assert largest("sum") < 1e-11
    assert largest("cotangent") > 1e-2
    assert Diversity(dtype="float64").measure(candidate) > 1e-2


@SPACES
def test_no_norm_hides_anything_from_saliency(make: Any) -> None:
    space = make()
    candidate = Candidate(space, space.full())
    spec = dataclasses.replace(Saliency(batch_size=3).passes()[0], gradients="weights")
    gradients = candidate.trace(spec).gradients
    seen = {view.parameter for view in candidate.views() if view.kind != "head" and view.is_feed_forward}
    assert spec.roles == FEED_FORWARD
    assert seen and min(float(gradients[name].min()) for name in seen) > 0


@SPACES
def test_float32_and_float64_rank_alike(make: Any) -> None:
    space = make()
    architectures = samples(space)

    def values(dtype: Dtype) -> list[list[float]]:
        scores = (Diversity(batch_size=2, dtype=dtype), Saliency(batch_size=2, dtype=dtype))
        return [[score.measure(Candidate(space, arch)) for arch in architectures] for score in scores]

    for single, double in zip(values("float32"), values("float64"), strict=True):
        assert len(set(double)) == len(architectures) == ARCHITECTURES
        tau = kendall_tau(single, double)
        assert tau is not None and tau >= 0.99


@SPACES
def test_a_batch_is_the_sum_of_its_samples(make: Any) -> None:
    """Saliency adds up; diversity is a norm, which is at most the sum."""
    space = make()
    arch = space.smallest()

    class Shifted(type(space)):  # type: ignore[misc]
        """Has one sample, of those of the other."""

        def batch(self, size: int, *, seed: int, kind: Any = "noise") -> Any:
            whole = super().batch(3, seed=seed, kind=kind)
            return dataclasses.replace(
                whole,
                inputs={name: tensor[self.first : self.first + 1] for name, tensor in whole.inputs.items()},
                masks={name: mask[self.first : self.first + 1] for name, mask in whole.masks.items()},
            )

    def alone(score: Any, first: int) -> float:
        shifted = Shifted(**space.options()).named(space.id)
        shifted.__dict__["first"] = first
        value: float = score.measure(Candidate(shifted, arch))
        return value

    parts = [math.exp(alone(Saliency(), first)) for first in range(3)]
    assert Saliency(batch_size=3).measure(Candidate(space, arch)) == pytest.approx(
        math.log(sum(parts)), rel=1e-12
    )
    norms = [alone(Diversity(dtype="float64"), first) for first in range(3)]
    whole = Diversity(batch_size=3, dtype="float64").measure(Candidate(space, arch))
    assert whole <= sum(norms)
