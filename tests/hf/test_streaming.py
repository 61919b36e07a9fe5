"""Networks that read their weights while they run give the outputs of networks that hold them."""

from __future__ import annotations

import pytest
import torch

from denas_hf.space import Auto

from .tiny_models import CONFIGS, checkpoint


@pytest.mark.parametrize("name", CONFIGS)
def test_a_streamed_network_has_the_outputs_of_a_network_in_memory(name: str) -> None:
    space = Auto(model=str(checkpoint(name)))
    arch = space.smallest()

    def structure() -> torch.nn.Module:
        with torch.device("meta"):
            return space.build(arch, head=space.own_head())

    held = space.load(structure(), arch, seed=3, weights="inherited").eval()
    streamed = space.stream(structure(), arch, seed=3)
    assert streamed is not None and all(one.is_meta for one in streamed.eval().parameters())
    batch = space.batch(2, seed=0)
    with torch.no_grad():
        expected, found = space.forward(held, batch), space.forward(streamed, batch)
    assert expected.logits.keys() == found.logits.keys()
    assert all(torch.equal(tensor, found.logits[key]) for key, tensor in expected.logits.items())
