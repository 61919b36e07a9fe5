"""Checkpoints of transformers: their configuration and weights, read once, and nothing of them is run."""

from __future__ import annotations

import copy
import functools
import hashlib
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from .atomic import storage_errors
from .checkpoint_files import CheckpointFiles, find_checkpoint, read_json
from .errors import ConfigError, did_you_mean
from .extras import require_extra
from .one_line import described, shown
from .seeding import canonical_json
from .silence import silent_transformers

if TYPE_CHECKING:
    from torch import Tensor
    from transformers import PretrainedConfig

MAX_LAYERS = 10_000
MAX_LABELS = 100_000
SAFE_UNPICKLING = "2.10"
"""The torch from which on ``weights_only=True`` has no known hole (CVE-2025-32434, CVE-2026-24747)."""

ADDED_LATER = ("pooler.", "masked_spec_embed")
"""Tensors of base models that checkpoints often lack: what was trained with another head had no pooler, and what was
fine-tuned without masking no mask."""

_DROPPED = frozenset(
    {
        # Where and as what to load, which is not for a file to say; names beginning with "_" are dropped as well.
        "attn_implementation",
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
    """A checkpoint of transformers, or its configuration alone.

    Create one with `open` or `of_config`. Weights are read when first asked for, and once.

    Attributes:
        values: The configuration as in ``config.json``, without what says where or how to load it.
        files: Its files; None for a configuration that is none.
    """

    def __init__(self, values: Mapping[str, Any], files: CheckpointFiles | None, *, origin: str) -> None:
        """Check `values`, named `origin` in errors; see `open` and `of_config`."""
        self.files = files
        self._origin = origin
        self.values: Mapping[str, Any] = MappingProxyType(_checked(values, origin))
        self._config = _configuration(self.values, origin)

    @classmethod
    def open(cls, reference: str, *, allow_pickle: bool = False) -> Pretrained:
        """Open a checkpoint: a folder, a configuration as a .json file, or the id ``owner/name`` of a hub.

        Only a hub id reaches for the network. No code that comes with a checkpoint is ever run.

        Args:
            reference: Where it is.
            allow_pickle: Whether weights may be a pickle, which is then read with ``weights_only=True``.

        Raises:
            ConfigError: there is none; its weights are a pickle, and that is not allowed; its configuration is damaged,
                of a model type that transformers does not know, or of code of its own.
            StorageError: it cannot be read.
        """
        require_extra("train", "transformers", "safetensors", purpose="a checkpoint")
        files = find_checkpoint(reference, allow_pickle=allow_pickle)
        if files.pickled:
            _require_safe_unpickling(files.weights[0])
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
        """``tokenizer.json``, else ``vocab.txt`` of the checkpoint; None where there is neither."""
        return None if self.files is None else self.files.tokenizer

    @property
    def missing(self) -> tuple[str, ...]:
        """Names of tensors of the base model that the checkpoint lacks, and that `weights` leaves out: see there."""
        return self._read[1]

    @property
    def unused(self) -> tuple[str, ...]:
        """Names of tensors of the checkpoint that the base model has no place for, such as heads."""
        return self._read[2]

    def weights(self) -> Mapping[str, Tensor]:
        """Return the parameters and persistent buffers of the base model, under its names; float32, on the CPU.

        They are shared by all callers and must not be changed. A pooler that the checkpoint lacks, as those of masked
        language models do, is not made up: it is left out and named in `missing`, and who builds a network from these
        weights draws it fresh, under the seed of that network. Anything else that is missing is an error.

        Raises:
            ConfigError: there are none, they are damaged, lack tensors of the network, or are of other shapes.
        """
        return self._read[0]

    def digest(self) -> str:
        """Return the SHA-256 of configuration and weights, 64 hexadecimal digits; names of files do not count."""
        return self._digest

    @functools.cached_property
    def _digest(self) -> str:
        total = hashlib.sha256(canonical_json(dict(self.values)).encode())
        for path in self.files.weights if self.files else ():
            with storage_errors(path), path.open("rb") as file:
                total.update(hashlib.file_digest(file, "sha256").digest())
        return total.hexdigest()

    @functools.cached_property
    def _read(self) -> tuple[Mapping[str, Tensor], tuple[str, ...], tuple[str, ...]]:
        import torch

        if self.files is None or not self.files.weights:
            raise ConfigError(
                f"{self._origin!r} is a configuration without weights; give the folder of a checkpoint"
            )
        place = str(self.files.directory)
        _check_files(self.files)
        # The caller may be about to build on the meta device, or to infer; the weights are for everybody.
        with (
            torch.device("cpu"),
            torch.inference_mode(False),
            torch.random.fork_rng(devices=[]),
            silent_transformers(),
        ):
            try:
                _check_size(self._config, self.files)
                model, report = _load(self.config, self.files)
            except ConfigError:
                raise
            # What damaged files lead to inside transformers has no bounds.
            except Exception as error:
                raise ConfigError(
                    f"the weights in {place!r} cannot be read: {described(error, 300)}; get the checkpoint again"
                ) from error
        missing = tuple(sorted(report["missing_keys"]))
        lacking = [name for name in missing if not name.startswith(ADDED_LATER)]
        if lacking:
            raise ConfigError(
                f"the weights in {place!r} lack {len(lacking)} tensors of a {type(model).__name__}, such as "
                f"{lacking[0]!r}; they are of another network than the configuration"
            )
        tensors = {name: value.detach() for name, value in model.state_dict().items() if name not in missing}
        return MappingProxyType(tensors), missing, tuple(sorted(report["unexpected_keys"]))


def _checked(values: Mapping[str, Any], origin: str) -> dict[str, Any]:
    """Return `values` without what says where or how to load them."""
    kept: dict[str, Any] = {}
    if isinstance(own := values.get("auto_map"), Mapping) and {"AutoConfig", "AutoModel"} & set(own):
        raise ConfigError(
            f"{origin!r} is for code of its own ({shown(own)}), which is never run; where the model is a stock one of "
            "transformers, remove 'auto_map'"
        )
    if values.get("quantization_config"):
        raise ConfigError(
            f"{origin!r} is of quantised weights, which cannot be sliced; give the checkpoint before that"
        )
    for name, value in values.items():
        if name.startswith("_") or name in _DROPPED:
            continue
        if isinstance(value, Mapping) and ("model_type" in value or name.endswith("_config")):
            value = _checked(value, origin)
        limit = MAX_LABELS if name == "num_labels" else MAX_LAYERS if "layer" in name else None
        if limit is not None and isinstance(value, int) and value > limit:
            raise ConfigError(f"{name!r} is {shown(value)} in {origin!r}; at most {limit} are supported")
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
                f"{origin!r} is no configuration of {kind!r}: {described(error, 300)}"
            ) from error
    return config


def _require_safe_unpickling(path: Path) -> None:
    import torch

    if torch.__version__ < SAFE_UNPICKLING:
        raise ConfigError(
            f"{str(path)!r} is a pickle, which torch {torch.__version__} cannot read safely; install "
            f"torch {SAFE_UNPICKLING} or newer, or convert it to safetensors"
        )


def _check_files(files: CheckpointFiles) -> None:
    from safetensors import SafetensorError, safe_open

    for path in () if files.pickled else files.weights:
        try:
            with storage_errors(path), safe_open(path, "pt"):
                pass
        except SafetensorError as error:
            raise ConfigError(
                f"{str(path)!r} is damaged: {described(error)}; get the checkpoint again"
            ) from error


def _check_size(config: PretrainedConfig, files: CheckpointFiles) -> None:
    """Refuse a configuration that asks for more memory than its weights could fill."""
    import torch
    from transformers import AutoModel

    with torch.device("meta"):
        network = AutoModel.from_config(config)  # type: ignore[no-untyped-call]
    parameters = sum(parameter.numel() for parameter in network.parameters())
    size = sum(path.stat().st_size for path in files.weights)
    # Quantised weights are refused, so that no parameter has less than a byte.
    if parameters > 2 * size:
        raise ConfigError(
            f"{str(files.config)!r} is of a network of {parameters} parameters, and its weights have {size} bytes; "
            "they are of different networks"
        )


def _load(config: PretrainedConfig, files: CheckpointFiles) -> tuple[Any, dict[str, Any]]:
    import torch
    from transformers import AutoModel

    model, report = AutoModel.from_pretrained(
        files.directory,
        config=config,
        local_files_only=True,
        use_safetensors=not files.pickled,
        weights_only=True,
        dtype=torch.float32,
        output_loading_info=True,
    )
    return model, report
