"""Resolve the options of a space to its original network, the source of its weights, and its choices."""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Iterable, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from denas_core.pretrained import Pretrained

from .bounds import NAMES, Bounds, bounds_of
from .family import Family
from .importance import LEADING, check_importance
from .original import Original

if TYPE_CHECKING:
    from transformers import PretrainedConfig

    from .inheriting import Inheritance

BERT_BASE = MappingProxyType({"model_type": "bert", "vocab_size": 30522})
"""The configuration of bert-base-uncased, the original's default model too; keys that are missing have defaults."""

CHECKED_BYTES = 4_000_000_000
"""Size of the largest checkpoint whose values are read before a search."""


@dataclasses.dataclass(frozen=True, eq=False)
class Start:
    """The resolved options of a space.

    Attributes:
        pretrained: The checkpoint or configuration, read once for the whole space.
        original: The original network.
        bounds: The choices of the space.
        by: Name of the importance by which the weights that networks inherit are selected.
        trained_from: Digest of the checkpoint from which a trained model started, if the checkpoint is not available.
    """

    pretrained: Pretrained
    original: Original
    bounds: Bounds
    by: str
    trained_from: str

    @property
    def has_weights(self) -> bool:
        """Whether there are weights to inherit."""
        return self.pretrained.has_weights

    @property
    def ever_had_weights(self) -> bool:
        """Whether there are weights now, or were when the options were written."""
        return self.has_weights or bool(self.trained_from)

    def digest(self) -> str:
        """Return the digest of the checkpoint or configuration; its location has no effect."""
        return self.pretrained.digest() if self.has_weights else self.trained_from or self.pretrained.digest()

    def check_weights(self) -> None:
        """Check the weights. Their values are not read if they are too many to be read without need.

        Raises:
            ConfigError: they are damaged, are not finite, or do not have the shapes of the configuration.
        """
        files = self.pretrained.files
        if self.has_weights and files:
            size = sum(path.stat().st_size for path in files.weights)
            self.pretrained.weights(are_read=size <= CHECKED_BYTES)

    @functools.cached_property
    def inheritance(self) -> Inheritance:
        """The weights from which networks inherit."""
        # The module needs torch, which a search without a checkpoint does without.
        from .inheriting import Inheritance

        return Inheritance(self.original, self.pretrained, by=self.by)

    def assets(self) -> dict[str, Path]:
        """Return the checkpoint's tokenizer file, if it has one."""
        file = self.pretrained.tokenizer_file
        return {} if file is None else {"tokenizer": file}

    def check_options(self, reference: str) -> None:
        """Check the digest and the importance.

        Args:
            reference: The name of the checkpoint, for errors.

        Raises:
            ConfigError: there is no such importance.
            ValueError: the digest is that of another checkpoint, or the importance does not suit the network.
        """
        if self.has_weights and self.trained_from and self.trained_from != self.pretrained.digest():
            raise ValueError(
                f"digest {self.trained_from!r} does not match the checkpoint {reference!r}; give the one that the "
                "space was made with, or leave digest out"
            )
        check_importance(self.by)
        if self.by != LEADING and not self.original.is_uniform:
            raise ValueError(
                f"layers of this {self.original.config.model_type!r} are of several kinds in a fixed order; set "
                "inherit=leading"
            )


def start_of(options: Mapping[str, Any], families: Iterable[Family]) -> Start:
    """Return the resolved options of a space.

    Raises:
        ConfigError: there is no such checkpoint or configuration, or networks like it cannot be made smaller.
        ValueError: options contradict each other or the checkpoint, or choices are out of order or range.
    """
    pretrained = _opened(options)
    config = pretrained.config
    original = Original(config, family_of(config, families))
    digest = options["digest"]
    # Heads wider than the checkpoint's could not inherit all of their weights.
    has_weights = pretrained.has_weights or bool(digest)
    bounds = bounds_of(
        original,
        {name: options[name] for name in NAMES},
        keeps_head_width=options["head_width"] == "kept",
        widest_head=original.head_width if has_weights else original.dimensions.hidden,
    )
    return Start(pretrained, original, bounds, options["inherit"], digest)


def original_of(model: str) -> Original:
    """Return the network of a checkpoint or a configuration; of BERT-base if `model` is empty.

    Raises:
        ConfigError: the checkpoint cannot be read, or networks like it cannot be made smaller.
    """
    config = _opened({"model": model, "config": {}, "allow_pickle": False}).config
    return Original(config, family_of(config, ()))


def family_of(config: PretrainedConfig, families: Iterable[Family]) -> Family:
    """Return the family of a configuration: one of `families` that names its model type, else a derived one.

    Raises:
        ConfigError: no family can be derived.
    """
    listed = next((family for family in families if config.model_type in family.model_types), None)
    if listed is not None:
        return listed
    from .deriving import derive

    return derive(config)


def _opened(options: Mapping[str, Any]) -> Pretrained:
    if not options["model"]:
        return Pretrained.of_config(options["config"] or BERT_BASE)
    if options["config"]:
        raise ValueError("model and config both give the original network; give only one of them")
    return Pretrained.open(options["model"], allow_pickle=options["allow_pickle"])
