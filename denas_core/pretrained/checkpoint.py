"""Checkpoints of transformers: configuration and weights. No code in a checkpoint is run."""

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
from denas_core.system.extras import require_extra
from denas_core.text import describe_error, safe_repr

from .digests import file_digest
from .files import CheckpointFiles, find_checkpoint, read_json
from .silence import silent_transformers

if TYPE_CHECKING:
    from transformers import PretrainedConfig

    from .stored import StoredWeights
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
    """A checkpoint of transformers, or only a configuration. `open` and `of_config` make it, and check all of it.

    Attributes:
        values: The configuration as in ``config.json``, without the keys that say where or how to load it.
        files: The files of the checkpoint; None for a configuration that is not a file.
    """

    def __init__(self, values: Mapping[str, Any], files: CheckpointFiles | None, *, origin: str) -> None:
        """Check `values`, whose name in errors is `origin`, without transformers, which `config` needs first."""
        self.files = files
        self.values: Mapping[str, Any] = MappingProxyType(_check_values(values, origin))
        try:
            self._text = canonical_json(dict(self.values))
        except (ValueError, TypeError) as error:
            raise ConfigError(
                f"{origin!r} has a value that JSON cannot hold: {describe_error(error)}"
            ) from error
        self._origin = origin

    @classmethod
    def open(cls, reference: str, *, allow_pickle: bool = False) -> Pretrained:
        """Open a checkpoint.

        Args:
            reference: A folder, a configuration as a .json file, or the id ``owner/name`` of a model on the hub. Only
                an id is downloaded, and only if there is no local folder ``owner``.
            allow_pickle: Whether weights may be a pickle, which is then read with ``weights_only=True``.

        Raises:
            ConfigError: there is no checkpoint; its weights are a pickle that is not allowed; its configuration is
                damaged, has a model type that transformers does not know, or needs code of its own.
            StorageError: it cannot be read.
        """
        require_extra("train", "transformers", "safetensors", purpose="a checkpoint")
        files = find_checkpoint(reference, allow_pickle=allow_pickle)
        return cls(read_json(files.config), files, origin=str(files.config))._with_config()

    @classmethod
    def of_config(cls, values: Mapping[str, Any], *, origin: str = "config") -> Pretrained:
        """Return a configuration without a checkpoint, from the values of a ``config.json``. Raises like `open`."""
        require_extra("train", "transformers", purpose="a configuration of transformers")
        return cls(values, None, origin=origin)._with_config()

    @property
    def config(self) -> PretrainedConfig:
        """A copy of the configuration."""
        return copy.deepcopy(self._config)

    @property
    def has_weights(self) -> bool:
        """Whether the checkpoint has weights."""
        return self.files is not None and bool(self.files.weights)

    @property
    def tokenizer_file(self) -> Path | None:
        """``tokenizer.json`` of the checkpoint, else its ``vocab.txt``; None if there is neither."""
        return None if self.files is None else self.files.tokenizer

    def weights(self, *, are_read: bool = True) -> StoredWeights:
        """Return the parameters and persistent buffers of the base model by name, as float32 on the CPU.

        The first call checks names and shapes, and reads all values to check them. They stay in their files, which must
        not change: each access to a tensor reads it again. Callers must not change a tensor. Checkpoints of masked
        language models often lack a pooler; it is then left out here and named in `missing`. A network that is built
        from these weights draws such a part from its own seed. Any other missing tensor is an error.

        Args:
            are_read: Whether the values are checked, which takes as long as reading all files.

        Raises:
            ConfigError: there are no weights, they are damaged, they are a pickle that holds more than tensors, or
                they belong to another network than the configuration.
            StorageError: they cannot be read.
        """
        return (self._weights if are_read else self._found).tensors

    def other_weights(self) -> StoredWeights:
        """Return the tensors of the checkpoint that the base model does not have, such as heads, by name.

        They are read as `weights` are, and raise the same errors.
        """
        return self._weights.others

    @property
    def missing(self) -> tuple[str, ...]:
        """Names of tensors of the base model that the checkpoint lacks, and `weights` therefore too."""
        return self._found.missing

    @property
    def unused(self) -> tuple[str, ...]:
        """Names of tensors of the checkpoint that the base model does not have, such as heads."""
        return self._found.unused

    def digest(self) -> str:
        """Return the SHA-256 of the contents of configuration and weights, as 64 hexadecimal digits."""
        return self._digest

    @functools.cached_property
    def _config(self) -> PretrainedConfig:
        return _make_config(self.values, self._origin)

    def _with_config(self) -> Pretrained:
        """Make the configuration, so that its errors come now."""
        _ = self._config
        return self

    @functools.cached_property
    def _digest(self) -> str:
        total = hashlib.sha256(self._text.encode())
        for path in self.files.weights if self.files else ():
            total.update(file_digest(path))
        return total.hexdigest()

    @functools.cached_property
    def _weights(self) -> CheckpointWeights:
        from .weights import check_finite

        found = self._found
        assert self.files is not None, "_found has checked it"
        check_finite(found.tensors, str(self.files.directory))
        return found

    @functools.cached_property
    def _found(self) -> CheckpointWeights:
        from .weights import find_weights

        if self.files is None or not self.files.weights:
            raise ConfigError(
                f"{self._origin!r} is a configuration without weights; name the folder of a checkpoint instead"
            )
        return find_weights(self.config, self.files)


def _check_values(values: Mapping[str, Any], origin: str) -> dict[str, Any]:
    """Return `values` without the keys that say where or how to load them."""
    own = values.get("auto_map")
    if isinstance(own, Mapping) and not own.keys().isdisjoint({"AutoConfig", "AutoModel"}):
        raise ConfigError(
            f"{origin!r} needs code of its own ({safe_repr(own)}), which is never run; remove 'auto_map' if "
            "transformers has the class of the model"
        )
    if values.get("quantization_config"):
        raise ConfigError(
            f"{origin!r} has quantised weights, which cannot be sliced; name the checkpoint before quantisation"
        )
    kept: dict[str, Any] = {}
    for name, value in values.items():
        if name.startswith("_") or name in _DROPPED:
            continue
        if isinstance(value, Mapping) and ("model_type" in value or name.endswith("_config")):
            value = _check_values(value, origin)
        # The classes of configurations make lists of these lengths.
        limit = MAX_LABELS if name == "num_labels" else MAX_LAYERS if "layer" in name else None
        if limit is not None and isinstance(value, int) and value > limit:
            raise ConfigError(f"{name!r} is {safe_repr(value)} in {origin!r}; at most {limit} are supported")
        kept[name] = value
    return kept


def _make_config(values: Mapping[str, Any], origin: str) -> PretrainedConfig:
    with silent_transformers():
        from transformers.models.auto.configuration_auto import CONFIG_MAPPING

        kind = values.get("model_type")
        if not isinstance(kind, str):
            raise ConfigError(f"{origin!r} names no 'model_type', such as 'bert'; add that of its network")
        if kind not in CONFIG_MAPPING:
            raise ConfigError(
                f"{origin!r} has the model type {kind!r:.60}, which transformers does not know"
                f"{did_you_mean(kind, CONFIG_MAPPING)}"
            )
        try:
            config = CONFIG_MAPPING[kind].from_dict(copy.deepcopy(dict(values)))
        # The checks of a configuration class may raise any exception.
        except Exception as error:
            raise ConfigError(
                f"{origin!r} is not a configuration of {kind!r}: {describe_error(error)}"
            ) from error
    return config
