"""Residual bodies that begin at zero: a deep network then begins as a shallow one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from denas_core.errors import ConfigError

if TYPE_CHECKING:
    from torch import nn

    from denas_core.contracts.space import SearchSpace


def begin_residuals(network: nn.Module, space: SearchSpace, *, wanted: bool | None, weights: str) -> bool:
    """Set the last weights of the residual bodies of `network` to 0 if that is wanted, see `SearchSpace.residual_ends`.

    Args:
        network: The network, with the weights that training would begin with.
        space: Its space.
        wanted: What the settings say; None for what the space advises.
        weights: ``fresh``, or ``inherited``; a checkpoint has trained what would be set to 0.

    Returns:
        Whether the weights are 0 now.

    Raises:
        ConfigError: it is wanted, and the weights are not fresh or the space names no weight.
    """
    import torch

    is_advised = weights == "fresh" and space.advises_zero_residuals
    if not (is_advised if wanted is None else wanted):
        return False
    if weights != "fresh":
        raise ConfigError(
            f"training.zero_residuals needs fresh weights, but training begins from the checkpoint of {space.id!r}; "
            "leave it out, or use --set training.weights=fresh"
        )
    names = space.residual_ends(network)
    if wanted and not names:
        raise ConfigError(
            f"training.zero_residuals has no effect: space {space.id!r} names no last weights of residual bodies in "
            "this network; leave it out"
        )
    parameters = dict(network.named_parameters(remove_duplicate=False))
    with torch.no_grad():
        for name in names:
            parameters[name].zero_()
    return bool(names)
