"""Weights that networks inherit from a checkpoint; the checkpoint is read and ranked only once."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from denas_core.pretrained import Axis, By, Choice, choose, member_importance, take

if TYPE_CHECKING:
    from torch import Tensor

    from denas_core.pretrained import Pretrained

    from .original import Original


class Inheritance:
    """The weights of a checkpoint, from which smaller networks inherit slices.

    Args:
        original: The network of the checkpoint.
        pretrained: The checkpoint, which must have weights.
        by: How kept members are selected; see `By`.
    """

    def __init__(self, original: Original, pretrained: Pretrained, *, by: By) -> None:
        self._original = original
        self._pretrained = pretrained
        self._by = by

    def weights_for(self, config: Any) -> Mapping[str, Tensor]:
        """Return the weights that a network of `config` inherits, by names of the base model; do not change them.

        Raises:
            ConfigError: the checkpoint is damaged, or its weights do not fit its configuration.
            PluginError: the family has no rule for a weight.
        """
        return take(self._original.layout, self._pretrained.weights(), self.choice(config), sizes=self._sizes)

    def choice(self, config: Any) -> Choice:
        """Return the members that a network of `config` keeps. Raises like `weights_for`."""
        return choose(
            self._original.layout,
            self._pretrained.weights(),
            source_sizes=self._sizes,
            target_sizes=self._original.sizes(config),
            by=self._by,
            importance=self._importance,
        )

    def kept_features(self, config: Any) -> tuple[int, ...]:
        """Return the hidden features that a network of `config` keeps, in its own order. Raises like `weights_for`."""
        blocks, full = self._original.blocks, self._original.dimensions.hidden
        kept = self.choice(config).kept.get(Axis("hidden" if blocks == 1 else "block"))
        if kept is None:
            return tuple(range(full))
        return tuple(block * (full // blocks) + index for block in range(blocks) for index in kept)

    @functools.cached_property
    def _sizes(self) -> dict[str, int]:
        return self._original.sizes(self._original.config)

    @functools.cached_property
    def _importance(self) -> Mapping[Axis, Tensor] | None:
        if self._by == "leading":
            return None
        return member_importance(self._original.layout, self._pretrained.weights(), sizes=self._sizes)
