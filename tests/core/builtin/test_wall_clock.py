from __future__ import annotations

import dataclasses
from typing import Any

import torch
from torch import nn

from denas_core.builtin.wall_clock import WallClock
from denas_core.contracts.space import SearchSpace
from denas_core.values.architecture import Architecture, Knob
from denas_core.values.batch import Batch, continuous_batch


@dataclasses.dataclass(kw_only=True)
class Linear(SearchSpace):
    """A linear layer of some width."""

    def knobs(self) -> tuple[Knob, ...]:
        return (Knob("width", (2, 4)),)

    def build(self, arch: Architecture, **kwargs: Any) -> nn.Module:
        return nn.Sequential(nn.Linear(3, int(arch["width"])), nn.Dropout(1.0))

    def batch(self, size: int, *, seed: int, kind: Any = "noise") -> Batch:
        return continuous_batch((3,), size, seed=seed, kind=kind)


def test_what_is_timed_is_inference_of_one_batch_of_the_network() -> None:
    space = Linear()
    call = WallClock(batch_size=5).prepare(space, space.full(), seed=0, device="cpu")
    logits = call().logits["logits"]  # type: ignore[attr-defined]
    assert logits.shape == (5, 4)
    assert logits.is_inference()
    assert torch.count_nonzero(logits) == 20
    assert torch.equal(call().logits["logits"], logits)  # type: ignore[attr-defined]
