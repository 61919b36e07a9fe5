"""Hidden states: what a network and its teacher compute before their outputs."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from denas_core.values.counterparts import Counterpart


class HiddenStates:
    """The hidden states of a network that should be those of its teacher.

    Args:
        counterparts: Which modules are compared.
        network: The network that learns.
        teacher: The network of its teacher.
    """

    def __init__(self, counterparts: Sequence[Counterpart], network: nn.Module, teacher: nn.Module) -> None:
        self._counterparts = counterparts
        self._ours = _Seen(network, [one.module for one in counterparts])
        self._taught = _Seen(teacher, [one.original for one in counterparts])

    @contextlib.contextmanager
    def watched(self) -> Iterator[None]:
        """Remember the hidden states of passes inside this context."""
        with self._ours.watched(), self._taught.watched():
            yield

    def distance(self, mask: Tensor | None) -> Tensor:
        """Return 1 minus the mean cosine of the hidden states (Sanh et al. 2019, arXiv:1910.01108, section 3).

        Args:
            mask: Boolean, (samples, positions). Positions of padding do not count. None if all positions count.
        """
        parts = []
        for one in self._counterparts:
            ours, taught = self._ours.outputs[one.module], self._taught.outputs[one.original]
            places = torch.tensor(one.features, device=taught.device)
            cosines = functional.cosine_similarity(ours.float(), taught.float()[..., places], dim=-1)
            is_masked = mask is not None and cosines.shape == mask.shape
            parts.append(1 - (cosines[mask] if is_masked else cosines).mean())
        return torch.stack(parts).mean()


class _Seen:
    """The last outputs of some modules."""

    def __init__(self, network: nn.Module, names: Sequence[str]) -> None:
        self._modules = {name: network.get_submodule(name) for name in names}
        self.outputs: dict[str, Tensor] = {}

    @contextlib.contextmanager
    def watched(self) -> Iterator[None]:
        handles = [module.register_forward_hook(self._hook(name)) for name, module in self._modules.items()]
        try:
            yield
        finally:
            for handle in handles:
                handle.remove()
            self.outputs.clear()

    def _hook(self, name: str) -> Callable[..., None]:
        def see(module: nn.Module, inputs: Any, output: Any) -> None:
            self.outputs[name] = output if isinstance(output, Tensor) else output[0]

        return see
