"""Replaces batch norms while a network is scored: by norms with the statistics of the batch, or by the identity."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

import torch
from torch import Tensor

from denas_core.errors import ScoreFailed


class BatchNorms:
    """Replaces `torch.nn.functional.batch_norm`. It neither reads nor changes the running statistics.

    Attributes:
        policy: See `PassSpec.norm`.
        calls: Number of calls so far.
        statistics: Mean and inverse standard deviation of each call so far, under the policy ``batch``.
    """

    def __init__(
        self,
        policy: Literal["batch", "coupled", "bypass"],
        *,
        replay: Sequence[tuple[Tensor, Tensor]] | None = None,
    ) -> None:
        """Follow `policy`. `replay` has the statistics of each call of an earlier run, which are used again."""
        self.policy = policy
        self.calls = 0
        self.statistics: list[tuple[Tensor, Tensor]] = []
        self._replay = replay

    def __call__(
        self,
        input: Tensor,
        running_mean: Tensor | None = None,
        running_var: Tensor | None = None,
        weight: Tensor | None = None,
        bias: Tensor | None = None,
        training: bool = False,
        momentum: float = 0.1,
        eps: float = 1e-5,
    ) -> Tensor:
        """Normalise `input`, (samples, channels, ...)."""
        self.calls += 1
        if self.policy == "bypass":
            return input
        if self.policy == "coupled":
            return torch.batch_norm(input, weight, bias, None, None, True, 0.0, eps, False)
        if self._replay is not None:
            return self._replayed(input, weight, bias)
        result: Tensor
        result, mean, inverse_std = HeldBatchNorm.apply(input, weight, bias, eps)  # type: ignore[no-untyped-call]
        self.statistics.append((mean, inverse_std))
        return result

    def _replayed(self, input: Tensor, weight: Tensor | None, bias: Tensor | None) -> Tensor:
        call = len(self.statistics)
        if self._replay is None or call >= len(self._replay):
            raise ScoreFailed(
                "the network normalises more often on a perturbed batch; its steps depend on the data"
            )
        mean, inverse_std = self._replay[call]
        self.statistics.append((mean, inverse_std))
        scale = inverse_std if weight is None else inverse_std * weight
        shift = -mean * scale if bias is None else bias - mean * scale
        shape = _per_channel(input)
        return torch.addcmul(shift.view(shape), input, scale.view(shape))


class HeldBatchNorm(torch.autograd.Function):
    """A batch norm whose statistics count as constants in the backward run, so that samples do not couple."""

    @staticmethod
    def forward(
        ctx: Any, input: Tensor, weight: Tensor | None, bias: Tensor | None, eps: float
    ) -> tuple[Tensor, Tensor, Tensor]:
        result, mean, inverse_std = torch.native_batch_norm(input, weight, bias, None, None, True, 0.0, eps)
        ctx.mark_non_differentiable(mean, inverse_std)
        ctx.set_materialize_grads(False)
        needs_normalised = weight is not None and weight.requires_grad
        ctx.save_for_backward(input if needs_normalised else None, weight, mean, inverse_std)
        return result, mean, inverse_std

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor | None) -> tuple[Tensor | None, ...]:
        gradient = gradients[0]
        if gradient is None:
            return None, None, None, None
        input, weight, mean, inverse_std = ctx.saved_tensors
        shape = _per_channel(gradient)
        others = [dim for dim in range(gradient.dim()) if dim != 1]
        by_input = by_weight = by_bias = None
        if ctx.needs_input_grad[0]:
            scale = inverse_std if weight is None else inverse_std * weight
            by_input = gradient * scale.view(shape)
        if ctx.needs_input_grad[1]:
            normalised = (input - mean.view(shape)) * inverse_std.view(shape)
            by_weight = (gradient * normalised).sum(others)
        if ctx.needs_input_grad[2]:
            by_bias = gradient.sum(others)
        return by_input, by_weight, by_bias, None


def _per_channel(tensor: Tensor) -> list[int]:
    return [1, -1, *[1] * (tensor.dim() - 2)]
