"""The networks of ``asr/keywords`` have the sizes of the papers, and their pieces add up."""

from __future__ import annotations

import math
import random

import pytest
import torch

from denas_asr.keywords.space import Keywords
from denas_core.errors import ConfigError
from denas_core.registry.registry import Registry


def separable(space: Keywords, *, blocks: int, channels: int, stride: int = 1) -> dict[str, object]:
    return {
        "kind": "separable",
        "separable.blocks": blocks,
        **{
            f"separable.block{number}.{part}": value
            for number in range(1, blocks + 1)
            for part, value in (("channels", channels), ("kernel", 3), ("stride", stride))
        },
    }


def test_the_small_network_of_the_paper_has_its_parameters() -> None:
    # DS-CNN-S of arXiv:1711.07128 has 4 blocks of 64 channels. Each has 9 weights a channel and 64 x 64 more; batch
    # normalisations have a weight and a bias a channel.
    space = Keywords(classes=12, mels=10, frames=49).named("asr/keywords")
    arch = space.architecture(separable(space, blocks=4, channels=64))
    norms = 9 * 2 * 64
    assert space.cost(arch)["params"] == 10 * 4 * 64 + 4 * (9 * 64 + 64 * 64) + norms + 64 * 12 + 12 == 23_180


def test_sizes_reach_from_thousands_to_half_a_million_parameters() -> None:
    space = Keywords().named("asr/keywords")
    assert space.cost(space.smallest())["params"] < 5_000
    assert 400_000 < space.cost(space.full())["params"] < 600_000


@pytest.mark.parametrize("kind", ["temporal", "separable"])
def test_a_stage_knows_the_shape_of_its_output(kind: str) -> None:
    space = Keywords(mels=13, frames=37, block_kinds=[kind]).named("asr/keywords")
    rng = random.Random(0)
    for _ in range(10):
        arch = space.sample(rng)
        for stage in space._stages(arch):
            module = stage.build().eval()
            assert module(torch.zeros(2, *stage.shape)).shape[1:] == stage.output
        model = space.build(arch).eval()
        assert model(torch.zeros(2, 13, 37)).shape == (2, 12)


def test_an_unknown_kind_is_refused() -> None:
    with pytest.raises(ConfigError, match="block_kinds must have one or more of temporal, separable"):
        Registry.discover().create("space", "asr/keywords", {"block_kinds": ["other"]})


@pytest.mark.parametrize("kind", ["temporal", "separable"])
def test_every_component_of_the_default_score_has_a_value_for_both_kinds(kind: str) -> None:
    from denas_core.contracts.candidate import Candidate
    from denas_core.evaluation.scoring import Scoring

    registry = Registry.discover()
    space = Keywords().named("asr/keywords")
    rng = random.Random(0)
    arch = next(arch for arch in iter(lambda: space.sample(rng), None) if arch.as_dict()["kind"] == kind)
    score = registry.create("score", "scores/de-score", {"batch_size": 4})
    components = Scoring(score, space, lambda name: registry.create("score", name)).components
    candidate = Candidate(space, arch, passes=[one for part in components.values() for one in part.passes()])
    assert all(math.isfinite(part.measure(candidate)) for part in components.values())
    blocks = arch.as_dict()[f"{kind}.blocks"]
    assert len(space.block_names(space.build(arch))) == blocks
