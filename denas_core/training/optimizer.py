"""The optimizer of a training, and the parameters that decay."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import nn

from denas_core.values.views import WeightView

from .layer_rates import layer_groups
from .settings import TrainingSettings


def make_optimizer(
    model: nn.Module, settings: TrainingSettings, views: Callable[[], Sequence[WeightView]] = list
) -> torch.optim.Optimizer:
    """Return the optimizer of the parameters of `model`. Biases, norms and vectors do not decay.

    Args:
        model: The network.
        settings: The settings of the training.
        views: Returns the places of its weights; called only if layers have learning rates of their own.
    """
    decayed, plain = split_by_decay(model)
    groups: list[dict[str, Any]] = [
        {"params": decayed, "weight_decay": settings.weight_decay},
        {"params": plain, "weight_decay": 0.0},
    ]
    if settings.layer_decay < 1:
        groups = layer_groups(groups, model, views(), lr=settings.lr, decay=settings.layer_decay)
    groups = [group for group in groups if group["params"]]
    if settings.optimizer == "sgd":
        return torch.optim.SGD(groups, lr=settings.lr, momentum=settings.momentum)
    return torch.optim.AdamW(groups, lr=settings.lr)


def split_by_decay(model: nn.Module) -> tuple[list[nn.Parameter], list[nn.Parameter]]:
    """Return the trainable parameters that decay and those that do not."""
    decayed: list[nn.Parameter] = []
    plain: list[nn.Parameter] = []
    seen: set[int] = set()
    for module in model.modules():
        is_norm = "norm" in type(module).__name__.lower()
        for name, parameter in module.named_parameters(recurse=False):
            if not parameter.requires_grad or id(parameter) in seen:
                continue
            seen.add(id(parameter))
            is_plain = is_norm or parameter.dim() < 2 or name.endswith("bias")
            (plain if is_plain else decayed).append(parameter)
    return decayed, plain
