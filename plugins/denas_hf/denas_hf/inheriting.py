"""Weights that networks inherit from a checkpoint; the checkpoint is read and ranked only once."""

from __future__ import annotations

import functools
from collections.abc import Callable, Collection, Mapping
from typing import TYPE_CHECKING, Any

from denas_core.errors import ConfigError, PluginError
from denas_core.pretrained import (
    Axis,
    Choice,
    Layout,
    StoredWeights,
    check_fits,
    choose,
    member_importance,
    take,
)

from .importance import LEADING, MAGNITUDE, Checkpoint, importance_of

if TYPE_CHECKING:
    from torch import Tensor, nn

    from denas_core.pretrained import Pretrained

    from .original import Original


class Inheritance:
    """The weights of a checkpoint, from which smaller networks inherit slices.

    Args:
        original: The network of the checkpoint.
        pretrained: The checkpoint, which must have weights.
        by: Name of the importance by which kept members are selected, see `denas_hf.importance`.
    """

    def __init__(self, original: Original, pretrained: Pretrained, *, by: str) -> None:
        self._original = original
        self._pretrained = pretrained
        self._by = by
        self._importance: Mapping[Axis, Tensor] | None = None

    def calibrate(self, checkpoint: Callable[[], Checkpoint]) -> None:
        """Compute the importance, unless it is known already; `checkpoint` is only called if it is needed."""
        if self._importance is not None or self._by == LEADING:
            return
        # A network that does not fit into memory is refused before all weights are read.
        seen = None if self._by == MAGNITUDE else checkpoint()
        found = member_importance(self._original.layout, self._pretrained.weights(), sizes=self._sizes)
        if seen is not None:
            given = importance_of(self._by).members(seen)
            found |= {axis: _checked(axis, found, numbers, self._by) for axis, numbers in given.items()}
        if self._original.family.is_ordered:
            found |= {Axis(stack): _descending(depth) for stack, depth in self._original.depths.items()}
        self._importance = found

    def weights_for(self, config: Any) -> Mapping[str, Tensor]:
        """Return the weights that a network of `config` inherits, by names of the base model; do not change them.

        Raises:
            ConfigError: the checkpoint is damaged, or its weights do not fit its configuration.
            PluginError: the family has no rule for a weight.
        """
        return take(self._original.layout, self._pretrained.weights(), self.choice(config), sizes=self._sizes)

    @property
    def missing(self) -> tuple[str, ...]:
        """Names of tensors of the base model that the checkpoint lacks, so that they are drawn."""
        return self._pretrained.missing

    def choice(self, config: Any) -> Choice:
        """Return the members that a network of `config` keeps. Raises like `weights_for`."""
        return choose(
            self._original.layout,
            self._pretrained.weights(),
            source_sizes=self._sizes,
            target_sizes=self._original.sizes(config),
            by="leading" if self._by == LEADING else "magnitude",
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
        others = self._pretrained.other_weights().entries
        source = {name: stored for name, stored in others.items() if head.pattern_of(name) is not None}
        return take(head, StoredWeights(source), self.choice(config), sizes=self._sizes)

    def check_token_head(self) -> None:
        """Check that the checkpoint has the weights with which its class makes scores of tokens.

        Raises:
            ConfigError: it has none, and its table of tokens is not used in their place.
        """
        config = self._original.config
        # A configuration that does not say whether the table of tokens is shared leaves it to the class.
        if getattr(config, "tie_word_embeddings", True):
            return
        wanted = [name for name in self._original.family.token_head if name.endswith(".weight")]
        lost = set(wanted) - {*self._pretrained.unused}
        if lost:
            raise ConfigError(
                f"the checkpoint has no {min(lost)!r}, with which a {config.architectures[0]} makes scores of tokens, "
                "so these would be random; take a checkpoint with this head, or remove the class from the "
                "architectures in its config.json"
            )

    def give(
        self,
        network: nn.Module,
        config: Any,
        *,
        seed: int,
        streamed: bool = False,
        held: Collection[str] = (),
    ) -> nn.Module:
        """Give a network of `config` the weights that it inherits, see `load_weights`. Raises like `weights_for`."""
        from .network import is_language_model
        from .weights import load_weights

        return load_weights(
            network,
            seed=seed,
            inherited=self.weights_for(config),
            fresh=self.missing,
            token_head=self.token_head_for(config) if is_language_model(network) else {},
            streamed=streamed,
            held=held,
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


def network_of(original: Original, pretrained: Pretrained) -> nn.Module:
    """Return the network of a checkpoint with its weights, on the CPU in eval mode.

    Raises:
        Infeasible: it does not fit into memory.
    """
    import torch

    from .network import build_network
    from .weights import load_weights

    with torch.device("meta"):
        network = build_network(original, original.resized(original.dimensions))
    check_fits(
        network,
        why="calibration runs",
        instead="inherit=magnitude and inherit=leading, with reconstructs=false, read one tensor at a time",
    )
    return load_weights(network, seed=0, inherited=pretrained.weights(), fresh=pretrained.missing).eval()


def _descending(count: int) -> Tensor:
    """Return numbers by which the first members are kept."""
    import torch

    return torch.arange(count, 0, -1, dtype=torch.float64)


def _checked(axis: Axis, known: Mapping[Axis, Tensor], numbers: Tensor, by: str) -> Tensor:
    if axis not in known or numbers.shape != known[axis].shape or not numbers.isfinite().all():
        raise PluginError(
            f"importance {by!r} gives the axis {str(axis)!r} {list(numbers.shape)} numbers; it needs one finite number "
            "for each of its members"
        )
    return numbers.double()
