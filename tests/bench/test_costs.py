"""Costs and operators that are added up are those of the whole network."""

from __future__ import annotations

import random
from typing import Any

import pytest

from denas_bench.autoformer.space import AutoFormer
from denas_bench.flexibert.space import FlexiBERT
from denas_bench.nasbench201.space import NASBench201
from denas_bench.tc_resnet.space import TCResNet
from denas_core import SearchSpace
from denas_core.latency.pieces import PieceReader
from denas_core.networks import Piece
from denas_core.registry.options import make_component

SMALL_IMAGES = {"image_size": 32, "probe_size": 32, "classes": 7}
SPACES: list[tuple[type[SearchSpace], dict[str, Any]]] = [
    (AutoFormer, {**SMALL_IMAGES, "depths": [1, 2, 3]}),
    (
        AutoFormer,
        {**SMALL_IMAGES, "depths": [2, 3], "embed_dims": [24, 48], "heads": [2, 3, 6], "plain": True},
    ),
    (AutoFormer, {"depths": [12], "embed_dims": [192, 216]}),
    (FlexiBERT, {}),
    (FlexiBERT, {"seq_len": 3, "probe_tokens": 2, "vocab_size": 50}),
    (NASBench201, {"cells": 1}),
    (NASBench201, {"cells": 2, "channels": 3, "image_size": 4}),
    (NASBench201, {"cells": 3, "classes": 100}),
    (TCResNet, {}),
    (TCResNet, {"frames": 1}),
    (TCResNet, {"bands": 1, "frames": 7, "classes": 3000}),
    (TCResNet, {"bands": 400, "frames": 30}),
]


@pytest.mark.parametrize(("kind", "options"), SPACES)
def test_costs_and_operators_are_those_of_the_whole_network(
    kind: type[SearchSpace], options: dict[str, Any]
) -> None:
    space = make_component(kind, options, id="bench/space")
    rng = random.Random(0)
    reader = PieceReader(space, batch_size=2)
    for arch in (space.smallest(), space.full(), *(space.sample(rng) for _ in range(6))):
        assert arch is not None
        assert space.cost(arch) == space.counted_cost(arch), arch.as_dict()
        whole = reader.of_piece(Piece(key=None, build=lambda arch=arch: space.build(arch)))  # type: ignore[misc]
        assert reader.of_network(arch) == whole, arch.as_dict()
