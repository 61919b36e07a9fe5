"""Residual bodies that begin at zero: a deep network then begins as a shallow one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from denas_core.errors import ConfigError

if TYPE_CHECKING:
    from torch import nn

    from denas_core.contracts.space import SearchSpace


def zero_residuals(network: nn.Module, space: SearchSpace, *, weights: str) -> None:
    """Set the last weights of the residual bodies of `network` to 0, see `SearchSpace.residual_ends`.

    Args:
        network: The network, with the weights that training would begin with.
        space: Its space.
        weights: ``fresh``; a checkpoint has trained what would be set to 0.

    Raises:
        ConfigError: the weights are not fresh, or the space names no weight.
    """
    import torch

    if weights != "fresh":
        raise ConfigError(
            f"training.zero_residuals needs fresh weights, but training begins from the checkpoint of {space.id!r}; "
            "leave it out, or use --set training.weights=fresh"
        )
    names = space.residual_ends(network)
    if not names:
        raise ConfigError(
            f"training.zero_residuals has no effect: space {space.id!r} names no last weights of residual bodies in "
            "this network; leave it out"
        )
    parameters = dict(network.named_parameters(remove_duplicate=False))
    with torch.no_grad():
        for name in names:
            parameters[name].zero_()
