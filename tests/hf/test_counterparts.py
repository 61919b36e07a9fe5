"""Which hidden states of the original network a smaller network learns."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import nn

from denas_core import Architecture
from denas_core.contracts.task import head_width
from denas_core.training.hidden_states import HiddenStates
from denas_hf.space import Auto

from .tiny_models import CONFIGS, inheriting_space


@pytest.mark.parametrize("name", CONFIGS)
def test_the_whole_network_has_the_hidden_states_of_the_original(name: str) -> None:
    space = inheriting_space(name)
    full = space.full()
    assert full is not None
    network, original = (with_head(space, full) for _ in range(2))
    found = space.counterparts(network, full, **whole(space))
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
    network, original = (with_head(space, arch) for arch in (small, full))
    states = HiddenStates(space.counterparts(network, small, **whole(space)), network, original)
    batch = space.batch(2, seed=0)
    with states.watched(), torch.no_grad():
        for one in (network, original):
            space.forward(one, batch)
        assert 0 < float(states.distance(None)) < 2


def test_blocks_learn_what_the_next_block_reads_in_the_original() -> None:
    space = inheriting_space("bert", inherit="leading")
    arch = space.architecture({**space.full().as_dict(), "layers": 2})  # type: ignore[union-attr]
    found = space.counterparts(space.build(arch), arch, **whole(space))
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
    assert space.counterparts(network, arch, **whole(space))
    assert not space.counterparts(network, arch, **whole(other))
    assert not space.counterparts(network, arch, teacher_space=space, teacher_arch=arch)


def test_the_importance_that_a_teacher_was_searched_with_does_not_matter() -> None:
    space, other = inheriting_space("bert"), inheriting_space("bert", inherit="magnitude")
    arch = space.smallest()
    assert space.counterparts(space.build(arch), arch, **whole(other))


def whole(space: Auto) -> dict[str, Any]:
    """Return the space and the architecture of a teacher that is the whole network of a space."""
    return {"teacher_space": space, "teacher_arch": space.full()}


def with_head(space: Auto, arch: Architecture) -> nn.Module:
    """Return a network with inherited weights and a head."""
    with torch.device("meta"):
        structure = space.build(arch)
    head = nn.Linear(head_width(space, structure), 2)
    return space.load(space.build(arch, head=head), arch, seed=0, weights="inherited").eval()
