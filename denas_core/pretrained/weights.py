"""Read the weights of a checkpoint of transformers as tensors of its base model. No code in a file is run."""

from __future__ import annotations

import dataclasses
import pickle
import zipfile
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from denas_core.errors import ConfigError
from denas_core.system.atomic import storage_errors
from denas_core.text import describe_error

from .files import CheckpointFiles
from .silence import silent_transformers

if TYPE_CHECKING:
    from transformers import PretrainedConfig

ADDED_LATER = ("pooler.", "masked_spec_embed")
"""Tensors of base models that checkpoints often lack. A network that was trained with another head has no pooler, and
a network that was fine-tuned without masking has no mask."""

COMPILED, WRAPPED = "_orig_mod.", "module."
"""What torch.compile puts into the names of tensors, and what DistributedDataParallel puts before them."""

SAFE_UNPICKLING = "2.10"
"""First version of torch whose ``weights_only=True`` has no known security hole (CVE-2025-32434, CVE-2026-24747)."""


@dataclasses.dataclass(frozen=True, slots=True)
class CheckpointWeights:
    """The weights of the base model in a checkpoint.

    Attributes:
        tensors: Parameters and persistent buffers by name. Floating-point tensors are float32.
        missing: Names of tensors that the checkpoint lacks. All of them begin with a name in `ADDED_LATER`.
        unused: Names of tensors of the checkpoint that the base model does not have, such as heads.
        others: These tensors by name.
    """

    tensors: Mapping[str, Tensor]
    missing: tuple[str, ...]
    unused: tuple[str, ...]
    others: Mapping[str, Tensor]


def read_weights(config: PretrainedConfig, files: CheckpointFiles) -> CheckpointWeights:
    """Read the weights of a checkpoint. The global random generator does not change.

    Args:
        config: The configuration, which may be changed.
        files: The files of the checkpoint, with weights.

    Raises:
        ConfigError: the weights are damaged, are a pickle that holds more than tensors, or belong to another network.
        StorageError: they cannot be read.
    """
    place = str(files.directory)
    # The caller may have chosen the meta device or inference mode, but all callers share the weights.
    with (
        torch.device("cpu"),
        torch.inference_mode(False),
        torch.random.fork_rng(devices=[]),
        silent_transformers(),
    ):
        read = _without_wrappers(_read_tensors(files))
        try:
            network = _network_class(config, files)
            # The folder is not passed, because transformers would search it for adapters and other files.
            model, report = network.from_pretrained(
                None,
                config=config,
                state_dict=dict(read),
                local_files_only=True,
                dtype=torch.float32,
                # `_check_report` refuses them, because transformers explains them only in its log.
                ignore_mismatched_sizes=True,
                output_loading_info=True,
            )
        except ConfigError:
            raise
        # An unusual file can cause any exception in transformers.
        except Exception as error:
            raise ConfigError(
                f"the weights in {place!r} cannot be read: {describe_error(error)}; weights and configuration must be "
                "complete and belong to the same network"
            ) from error
    _check_report(network.__name__, report, place)
    missing = tuple(sorted(report["missing_keys"]))
    tensors = {name: tensor.detach() for name, tensor in model.state_dict().items() if name not in missing}
    _check_finite(tensors, place)
    unused = tuple(sorted(report["unexpected_keys"]))
    others = {name: read[name].float() for name in unused if name in read}
    return CheckpointWeights(MappingProxyType(tensors), missing, unused, MappingProxyType(others))


def _read_tensors(files: CheckpointFiles) -> dict[str, Tensor]:
    """Return every tensor in the files. Other files of the folder are not read."""
    from safetensors import safe_open

    if files.pickled and torch.__version__ < SAFE_UNPICKLING:
        raise ConfigError(
            f"{str(files.weights[0])!r} is a pickle, which torch {torch.__version__} cannot read safely; install torch "
            f"{SAFE_UNPICKLING} or newer, or convert it to safetensors"
        )
    tensors: dict[str, Tensor] = {}
    for path in files.weights:
        with storage_errors(path):
            path.open("rb").close()
        try:
            if files.pickled:
                content = torch.load(
                    path, map_location="cpu", weights_only=True, mmap=zipfile.is_zipfile(path)
                )
                tensors |= _by_name(content, path)
            else:
                with safe_open(path, "pt") as file:
                    tensors |= {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
        except ConfigError:
            raise
        except pickle.UnpicklingError as error:
            raise ConfigError(
                f"{str(path)!r} is damaged, or holds more than tensors, which could run code, so it was not read; "
                "convert it to safetensors where it was made"
            ) from error
        # A damaged file can cause any exception in torch.
        except Exception as error:
            raise ConfigError(
                f"{str(path)!r} is damaged: {describe_error(error)}; download the checkpoint again"
            ) from error
    return tensors


def _without_wrappers(tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Return the tensors without the parts of their names that torch.compile and wrappers for several GPUs add."""
    plain = {name.replace(COMPILED, ""): tensor for name, tensor in tensors.items()}
    while plain and all(name.startswith(WRAPPED) for name in plain):
        plain = {name.removeprefix(WRAPPED): tensor for name, tensor in plain.items()}
    return plain


def _check_finite(tensors: Mapping[str, Tensor], place: str) -> None:
    for name, tensor in tensors.items():
        if tensor.is_floating_point() and not tensor.isfinite().all():
            raise ConfigError(
                f"tensor {name!r} in {place!r} holds weights that are not finite; use another checkpoint"
            )


def _by_name(content: object, path: Path) -> dict[str, Tensor]:
    named = content.items() if isinstance(content, dict) else ()
    tensors = {name: value for name, value in named if isinstance(name, str) and isinstance(value, Tensor)}
    if not tensors:
        raise ConfigError(f"{str(path)!r} holds no tensors by name; it is not a checkpoint of transformers")
    return tensors


def _network_class(config: PretrainedConfig, files: CheckpointFiles) -> Any:
    """Return the class of the base model; refuse a network with far more parameters than its files can hold."""
    from transformers import AutoModel

    with torch.device("meta"):
        network = AutoModel.from_config(config)  # type: ignore[no-untyped-call]
    parameters = sum(parameter.numel() for parameter in network.parameters())
    size = sum(path.stat().st_size for path in files.weights)
    # Quantised weights were refused before, so that every parameter has at least one byte in the file.
    if parameters > 2 * size:
        raise ConfigError(
            f"{str(files.config)!r} describes a network of {parameters} parameters, but its weights have {size} bytes; "
            "they belong to different networks"
        )
    return type(network)


def _check_report(network: str, report: Mapping[str, Any], place: str) -> None:
    for name, found, wanted in sorted(report["mismatched_keys"]):
        raise ConfigError(
            f"tensor {name!r} in {place!r} has shape {list(found)}, but a {network} with its configuration has "
            f"{list(wanted)}; they belong to different networks"
        )
    lacking = sorted(name for name in report["missing_keys"] if not name.startswith(ADDED_LATER))
    if lacking:
        raise ConfigError(
            f"the weights in {place!r} lack {len(lacking)} tensors of a {network} with its configuration, such as "
            f"{lacking[0]!r}; they belong to different networks"
        )
