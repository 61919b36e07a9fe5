"""Examine the networks of a space: the names of their inputs, and the sizes of their embedding tables."""

from __future__ import annotations

import contextlib
import dataclasses
import random
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from torch import Tensor, nn

    from denas_core import SearchSpace, Task

TOKENS, MASK, SEGMENTS = "input_ids", "attention_mask", "token_type_ids"
KNOWN = (TOKENS, MASK, SEGMENTS)


def inputs_of(space: SearchSpace) -> tuple[str, ...] | str:
    """Return the names of the inputs of networks of `space`, or the reason why they do not take texts."""
    try:
        inputs = space.batch(1, seed=0).inputs
    except NotImplementedError:
        return "it has no batches"
    names = ", ".join(map(repr, inputs))
    if TOKENS not in inputs:
        return f"its networks take {names}, and not {TOKENS!r}, the tokens of a text"
    tokens = inputs[TOKENS]
    if tokens.is_floating_point() or tokens.dim() != 2:
        return f"its {TOKENS!r} is {tokens.dtype} of shape {tuple(tokens.shape)}, not a row of tokens"
    others = [name for name in inputs if name not in KNOWN]
    if others:
        return f"its networks also take {', '.join(map(repr, others))}, which a text alone does not have"
    return tuple(inputs)


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Reach:
    """The sizes of a network's embedding tables.

    Attributes:
        tokens: Number of rows of the token table; None if no look-up of tokens is seen.
        positions: Greatest number of tokens of a sample; None if no table of positions is seen.
    """

    tokens: int | None
    positions: int | None


def reach_of(space: SearchSpace) -> Reach:
    """Return the sizes of the embedding tables, found by recording the look-ups of one network on the meta device.

    A table belongs to tokens if the tokens of the batch are looked up in it. It belongs to positions if one row is
    looked up for each position of a sample, the indices are not an input, and there are rows for all positions. Tables
    of relative positions are different: they have a look-up for each pair of positions. Tables of segments have few
    rows.
    """
    import torch
    from torch import nn

    arch = space.smallest() or space.sample(random.Random(0))
    with torch.device("meta"):
        network = space.build(arch, head=nn.Identity())
    batch = space.batch(1, seed=0, kind="cost")
    with torch.no_grad(), _watched() as look_ups:
        space.forward(network.eval(), batch)
    tokens = batch.inputs[TOKENS]
    length = tokens.shape[1]
    vocabulary, positions = [], []
    for look_up in look_ups:
        if look_up.is_of(tokens):
            vocabulary.append(look_up.rows)
        elif look_up.places == length <= look_up.rows and not any(map(look_up.is_of, batch.inputs.values())):
            # As in RoBERTa, rows up to the padding row do not belong to positions, and as in Bart, neither do as many
            # as the module says.
            skipped = max(look_up.padding + 1, _offset(network, look_up.table))
            positions.append(look_up.rows - skipped)
    return Reach(tokens=min(vocabulary, default=None), positions=min(positions, default=None))


def why_no_language_model(space: SearchSpace, task: Task[Any], facts: Mapping[str, Any]) -> str:
    """Return why networks of `space` give no score of each token for each position; empty if they do.

    Args:
        space: A space whose networks take texts.
        task: A task whose head gives such scores.
        facts: The facts from which the task makes its head.
    """
    import torch

    from denas_core.models import build_network

    arch = space.smallest() or space.sample(random.Random(0))
    network = build_network(space, arch, task=task, facts=facts)
    batch = space.batch(1, seed=0, kind="cost")
    with torch.no_grad():
        logits = next(iter(space.forward(network.eval(), batch).logits.values()))
    if logits.dim() == 3:
        return ""
    return (
        "its networks are no language models of this kind, which give scores of the next token at each position; "
        "models such as GPT-2, Llama and T5 do, in hf/auto"
    )


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class _LookUp:
    indices: Tensor
    table: Tensor
    padding: int

    @property
    def rows(self) -> int:
        return len(self.table)

    @property
    def places(self) -> int:
        return self.indices.numel()

    def is_of(self, tensor: Tensor) -> bool:
        # Many networks look up a view of their input.
        return self.indices is tensor or self.indices._base is tensor


def _offset(network: nn.Module, table: Tensor) -> int:
    """Return the number of rows before that of the first position, by the name that transformers uses."""
    owners = (module for module in network.modules() if getattr(module, "weight", None) is table)
    return max((int(getattr(module, "offset", 0)) for module in owners), default=0)


@contextlib.contextmanager
def _watched() -> Iterator[list[_LookUp]]:
    from torch.nn import functional
    from torch.overrides import TorchFunctionMode

    seen: list[_LookUp] = []

    class Watch(TorchFunctionMode):
        def __torch_function__(
            self,
            function: Callable[..., Any],
            types: Sequence[type],
            args: tuple[Any, ...] = (),
            kwargs: Mapping[str, Any] | None = None,
        ) -> Any:
            named = dict(kwargs or {})
            if function is functional.embedding:
                padding = named.get("padding_idx")
                seen.append(
                    _LookUp(indices=args[0], table=args[1], padding=-1 if padding is None else int(padding))
                )
            return function(*args, **named)

    with Watch():
        yield seen
