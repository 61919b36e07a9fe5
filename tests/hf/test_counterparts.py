"""Which hidden states of the original network a smaller network learns."""

from __future__ import annotations

import dataclasses

import pytest
import torch
from torch import nn

from denas_core import TrainedModel
from denas_core.training.hidden_states import HiddenStates
from denas_hf.space import Auto

from .tiny_models import CONFIGS, inheriting_space


@pytest.mark.parametrize("name", CONFIGS)
def test_the_whole_network_has_the_hidden_states_of_the_original(name: str) -> None:
    space = inheriting_space(name)
    full = space.full()
    assert full is not None
    network, original = (
        space.load(space.build(full, head=nn.Linear(32, 2)), full, seed=seed, weights="inherited").eval()
        for seed in (0, 1)
    )
    found = space.counterparts(network, full, teacher=taught(space, original))
    assert found and all(one.module == one.original for one in found)
    states = HiddenStates(found, network, original)
    batch = space.batch(2, seed=0)
    with states.watched(), torch.no_grad():
        for one in (network, original):
            space.forward(one, batch)
        assert float(states.distance(None)) == pytest.approx(0, abs=1e-6)


@pytest.mark.parametrize("name", CONFIGS)
def test_the_hidden_states_of_a_smaller_network_are_compared(name: str) -> None:
    space = inheriting_space(name)
    small, full = space.smallest(), space.full()
    assert full is not None
    network, original = (
        space.load(space.build(arch, head=nn.Linear(32, 2)), arch, seed=0, weights="inherited").eval()
        for arch in (small, full)
    )
    states = HiddenStates(
        space.counterparts(network, small, teacher=taught(space, original)), network, original
    )
    batch = space.batch(2, seed=0)
    with states.watched(), torch.no_grad():
        for one in (network, original):
            space.forward(one, batch)
        assert 0 < float(states.distance(None)) < 2


def test_blocks_learn_what_the_next_block_reads_in_the_original() -> None:
    space = inheriting_space("bert", inherit="leading")
    arch = space.architecture({**space.full().as_dict(), "layers": 2})  # type: ignore[union-attr]
    found = space.counterparts(space.build(arch), arch, teacher=taught(space, nn.Identity()))
    # The original has three layers, and its first two are kept: the last one ends with the outputs of the third.
    assert [(one.module, one.original) for one in found] == [
        ("encoder.layer.0", "encoder.layer.0"),
        ("encoder.layer.1", "encoder.layer.2"),
    ]
    assert found[0].features == tuple(range(32))


def test_a_teacher_of_another_checkpoint_or_size_teaches_no_hidden_states() -> None:
    space, other = inheriting_space("bert"), inheriting_space("roberta")
    arch = space.smallest()
    network = space.build(arch)
    assert space.counterparts(network, arch, teacher=taught(space, network))
    assert not space.counterparts(network, arch, teacher=taught(other, network))
    smaller = dataclasses.replace(taught(space, network), arch=arch)
    assert not space.counterparts(network, arch, teacher=smaller)


def test_the_importance_that_a_teacher_was_searched_with_does_not_matter() -> None:
    space, other = inheriting_space("bert"), inheriting_space("bert", inherit="magnitude")
    arch = space.smallest()
    assert space.counterparts(space.build(arch), arch, teacher=taught(other, nn.Identity()))


def taught(space: Auto, network: nn.Module) -> TrainedModel:
    """Return a teacher that is the whole network of a space."""
    full = space.full()
    assert full is not None
    return TrainedModel(space=space, arch=full, network=network, task=None, facts={}, metrics={}, history={})
