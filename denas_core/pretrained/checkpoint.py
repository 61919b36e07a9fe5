"""Checkpoints of transformers: their configuration and weights, read once; nothing that comes with them is run."""

from __future__ import annotations

import copy
import functools
import hashlib
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from denas_core.errors import ConfigError, did_you_mean
from denas_core.seeding import canonical_json
from denas_core.system.atomic import storage_errors
from denas_core.system.extras import require_extra
from denas_core.text import describe_error, safe_repr

from .files import CheckpointFiles, find_checkpoint, read_json
from .silence import silent_transformers

if TYPE_CHECKING:
    from torch import Tensor
    from transformers import PretrainedConfig

    from .weights import CheckpointWeights

MAX_LAYERS = 10_000
MAX_LABELS = 100_000

_DROPPED = frozenset(
    {
        # A configuration file must not choose what code loads it, or from where. Names that begin with "_" are
        # dropped for the same reason.
        "attn_implementation",
        "auto_map",
        "configuration_files",
        "dtype",
        "experts_implementation",
        "fusion_config",
        "name_or_path",
        "torch_dtype",
        "transformers_weights",
    }
)


class Pretrained:
    """A checkpoint of transformers, or a configuration alone: made by `open` or `of_config`.

    Attributes:
        values: The configuration as in ``config.json``, without what says where or how to load it.
        files: The files of the checkpoint; None for a configuration that is not a file.
    """

    def __init__(self, values: Mapping[str, Any], files: CheckpointFiles | None, *, origin: str) -> None:
        """Check `values`, which errors call `origin`; see `open` and `of_config`."""
        self.files = files
        self.values: Mapping[str, Any] = MappingProxyType(_checked(values, origin))
        try:
            self._text = canonical_json(dict(self.values))
        except (ValueError, TypeError) as error:
            raise ConfigError(f"{origin!r} holds what JSON cannot: {describe_error(error)}") from error
        self._config = _configuration(self.values, origin)
        self._origin = origin

    @classmethod
    def open(cls, reference: str, *, allow_pickle: bool = False) -> Pretrained:
        """Open a checkpoint: a folder, a configuration as a .json file, or the id ``owner/name`` of a hub.

        Only a hub id reaches for the network, and none whose ``owner`` is a folder here.

        Args:
            reference: Where it is.
            allow_pickle: Whether weights may be a pickle, which is then read with ``weights_only=True``.

        Raises:
            ConfigError: there is none; its weights are a pickle, and that is not allowed; its configuration is damaged,
                of a model type that transformers does not know, or for code of its own.
            StorageError: it cannot be read.
        """
        require_extra("train", "transformers", "safetensors", purpose="a checkpoint")
        files = find_checkpoint(reference, allow_pickle=allow_pickle)
        return cls(read_json(files.config), files, origin=str(files.config))

    @classmethod
    def of_config(cls, values: Mapping[str, Any], *, origin: str = "config") -> Pretrained:
        """Return a configuration without a checkpoint, from the values of a ``config.json``. Errors as `open`."""
        require_extra("train", "transformers", purpose="a configuration of transformers")
        return cls(values, None, origin=origin)

    @property
    def config(self) -> PretrainedConfig:
        """The configuration, a copy each time."""
        return copy.deepcopy(self._config)

    @property
    def has_weights(self) -> bool:
        """Whether there are weights beside the configuration."""
        return self.files is not None and bool(self.files.weights)

    @property
    def tokenizer_file(self) -> Path | None:
        """``tokenizer.json`` of the checkpoint, else its ``vocab.txt``; None where there is neither."""
        return None if self.files is None else self.files.tokenizer

    def weights(self) -> Mapping[str, Tensor]:
        """Return the parameters and persistent buffers of the base model, under its names; float32, on the CPU.

        They are read when first asked for, once, shared by all callers, and must not be changed. A pooler that the
        checkpoint lacks, as those of masked language models do, is not made up: it is left out and named in `missing`,
        and who builds a network from these weights draws it fresh, under the seed of that network. Anything else that
        is missing is an error.

        Raises:
            ConfigError: there are none, they are damaged, a pickle that holds more than tensors, or of another network
                than the configuration.
            StorageError: they cannot be read.
        """
        return self._weights.tensors

    @property
    def missing(self) -> tuple[str, ...]:
        """Names of tensors of the base model that `weights` has not, since the checkpoint lacks them."""
        return self._weights.missing

    @property
    def unused(self) -> tuple[str, ...]:
        """Names of tensors of the checkpoint that the base model has no place for, such as heads."""
        return self._weights.unused

    def digest(self) -> str:
        """Return the SHA-256 of what configuration and weights hold, 64 hexadecimal digits; paths do not count."""
        return self._digest

    @functools.cached_property
    def _digest(self) -> str:
        total = hashlib.sha256(self._text.encode())
        for path in self.files.weights if self.files else ():
            with storage_errors(path), path.open("rb") as file:
                total.update(hashlib.file_digest(file, "sha256").digest())
        return total.hexdigest()

    @functools.cached_property
    def _weights(self) -> CheckpointWeights:
        from .weights import read_weights

        if self.files is None or not self.files.weights:
            raise ConfigError(
                f"{self._origin!r} is a configuration without weights; give the folder of a checkpoint"
            )
        return read_weights(self.config, self.files)


def _checked(values: Mapping[str, Any], origin: str) -> dict[str, Any]:
    """Return `values` without what says where or how to load them."""
    own = values.get("auto_map")
    if isinstance(own, Mapping) and not own.keys().isdisjoint({"AutoConfig", "AutoModel"}):
        raise ConfigError(
            f"{origin!r} is for code of its own ({safe_repr(own)}), which is never run; where the model is a stock "
            "one of transformers, remove 'auto_map'"
        )
    if values.get("quantization_config"):
        raise ConfigError(
            f"{origin!r} is of quantised weights, which cannot be sliced; give the checkpoint before that"
        )
    kept: dict[str, Any] = {}
    for name, value in values.items():
        if name.startswith("_") or name in _DROPPED:
            continue
        if isinstance(value, Mapping) and ("model_type" in value or name.endswith("_config")):
            value = _checked(value, origin)
        # Configurations make lists as long as these numbers say.
        limit = MAX_LABELS if name == "num_labels" else MAX_LAYERS if "layer" in name else None
        if limit is not None and isinstance(value, int) and value > limit:
            raise ConfigError(f"{name!r} is {safe_repr(value)} in {origin!r}; at most {limit} are supported")
        kept[name] = value
    return kept


def _configuration(values: Mapping[str, Any], origin: str) -> PretrainedConfig:
    with silent_transformers():
        from transformers.models.auto.configuration_auto import CONFIG_MAPPING

        kind = values.get("model_type")
        if not isinstance(kind, str):
            raise ConfigError(f"{origin!r} names no 'model_type', such as 'bert'; add the one of its network")
        if kind not in CONFIG_MAPPING:
            raise ConfigError(
                f"{origin!r} is of model type {kind!r:.60}, which transformers does not know without code of its own"
                f"{did_you_mean(kind, CONFIG_MAPPING)}"
            )
        try:
            config = CONFIG_MAPPING[kind].from_dict(copy.deepcopy(dict(values)))
        # The checks of each configuration class raise what they like.
        except Exception as error:
            raise ConfigError(
                f"{origin!r} is not a configuration of {kind!r}: {describe_error(error)}"
            ) from error
    return config
