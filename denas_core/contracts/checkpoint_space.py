"""What a search space with a checkpoint defines."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from denas_core.errors import ConfigError
from denas_core.values.architecture import Architecture

from .knob_space import KnobSpace

if TYPE_CHECKING:
    from pathlib import Path

    from torch import nn


@dataclasses.dataclass(kw_only=True)
class CheckpointSpace(KnobSpace):
    """Networks that may inherit weights of a checkpoint. The defaults suit a space without a checkpoint."""

    @property
    def inherits(self) -> bool:
        """Whether the space has a checkpoint. `load` can then give its weights, and training starts from them."""
        return False

    def assets(self) -> Mapping[str, Path]:
        """Return files, by name, that prepare the inputs of the space's checkpoint, such as ``tokenizer``."""
        return {}

    def reconstruct(self, model: nn.Module, arch: Architecture) -> nn.Module:
        """Fit the inherited weights of `model` to each other, and return it; by default they stay as they are.

        This is called once before a training or an export that begins with inherited weights. Scores see the weights as
        `load` returns them, because this may take longer than a score.
        """
        return model

    def reconstructs_weights(self, arch: Architecture) -> bool:
        """Return whether `reconstruct` changes the weights that the network of `arch` inherits; by default not."""
        return False

    def stream(self, model: nn.Module, arch: Architecture, *, seed: int) -> nn.Module | None:
        """Let `model` read the weights that it inherits while it runs, so that they may be larger than memory.

        Returns:
            `model`, a network of transformers, after `denas_core.pretrained.stream`; or None if this space cannot do
            that, as by default.
        """
        return None

    def own_head(self) -> nn.Module | None:
        """Return the head of the checkpoint's network, for `build`; by default none.

        It is a head with which networks that inherit weights are of use without a training.
        """
        return None

    def trim_vocabulary(self, directory: Path, *, tokens: int) -> Mapping[str, int]:
        """Write a copy of the space's checkpoint that knows fewer tokens; by default this is refused.

        Words whose tokens are left out are written with shorter tokens. For all other texts the copy computes the same.

        Args:
            directory: Folder of the copy, which exists and is empty.
            tokens: Tokens to keep: special ones, those of which every text can be written, the most frequent ones of
                the calibration data if the space has such data, and then the first ones of the vocabulary.

        Returns:
            Numbers of tokens: ``tokens`` of the copy, ``tokens_of_checkpoint``, ``tokens_of_data`` that are in the
            calibration data, and ``tokens_of_data_kept``.

        Raises:
            ConfigError: the checkpoint has no vocabulary that can be smaller, or none of this size.
        """
        raise ConfigError(f"space {self.id!r} cannot make the vocabulary of a checkpoint smaller")

    def share_of_tokens(self) -> float:
        """Return the share of the checkpoint's parameters that `trim_vocabulary` makes fewer; by default 0."""
        return 0.0

    @classmethod
    def shrinking(
        cls, checkpoint: str, *, data: Path | None, task: str | None
    ) -> Mapping[str, Mapping[str, Any]] | None:
        """Return the settings with which ``denas shrink`` makes a checkpoint smaller; by default None.

        None means that networks of this space are not smaller versions of the checkpoint. Settings of the user take
        precedence over these.

        Args:
            checkpoint: Folder of the checkpoint, or its id on a hub.
            data: The data of the fine-tuning; None without fine-tuning.
            task: Name of the task that reads the data; None for the one that recognises them.

        Returns:
            Options by part, which are ``space`` (with the option that names the checkpoint), ``score`` (with its
            ``name``) and ``training``.
        """
        return None
