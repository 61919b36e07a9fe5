"""Weights that networks inherit from a checkpoint; the checkpoint is read and ranked only once."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from denas_core.pretrained import By, Layout, choose, inherited, member_importance, take

if TYPE_CHECKING:
    from torch import Tensor

    from denas_core.pretrained import Axis, Pretrained

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
        return inherited(
            self._original.layout,
            self._pretrained.weights(),
            source_sizes=self._sizes,
            target_sizes=self._original.sizes(config),
            by=self._by,
            importance=self._importance,
        )

    def token_head_for(self, config: Any) -> Mapping[str, Tensor]:
        """Return the weights with which a language model of `config` makes scores of tokens; do not change them.

        They are empty if the scores are made with the table of tokens. The hidden features are those that
        `weights_for` takes.

        Raises:
            ConfigError, PluginError: see `weights_for`.
        """
        head = Layout(self._original.family.token_head)
        others = self._pretrained.other_weights()
        source = {name: tensor for name, tensor in others.items() if head.pattern_of(name) is not None}
        choice = choose(
            self._original.layout,
            self._pretrained.weights(),
            source_sizes=self._sizes,
            target_sizes=self._original.sizes(config),
            by=self._by,
            importance=self._importance,
        )
        return take(head, source, choice, sizes=self._sizes)

    @functools.cached_property
    def _sizes(self) -> dict[str, int]:
        return self._original.sizes(self._original.config)

    @functools.cached_property
    def _importance(self) -> Mapping[Axis, Tensor] | None:
        if self._by == "leading":
            return None
        return member_importance(self._original.layout, self._pretrained.weights(), sizes=self._sizes)
