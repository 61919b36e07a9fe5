"""The weights of a checkpoint of transformers, as tensors of its base model; nothing in a file is run."""

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
"""Tensors of base models that checkpoints often lack: what was trained under another head had no pooler, and what was
fine-tuned without masking no mask."""

SAFE_UNPICKLING = "2.10"
"""The torch from which on ``weights_only=True`` has no known hole (CVE-2025-32434, CVE-2026-24747)."""


@dataclasses.dataclass(frozen=True, slots=True)
class CheckpointWeights:
    """What a checkpoint holds of its base model.

    Attributes:
        tensors: Parameters and persistent buffers by name; float32 where they are of floating point.
        missing: Names of those that it lacks, all of the kind `ADDED_LATER`.
        unused: Names of tensors that the base model has no place for, such as heads.
    """

    tensors: Mapping[str, Tensor]
    missing: tuple[str, ...]
    unused: tuple[str, ...]


def read_weights(config: PretrainedConfig, files: CheckpointFiles) -> CheckpointWeights:
    """Read the weights of a checkpoint, once more each time; the global random generator is left as it was.

    Args:
        config: Its configuration; may be changed.
        files: Its files, weights among them.

    Raises:
        ConfigError: the weights are damaged, a pickle that holds more than tensors, or of another network.
        StorageError: they cannot be read.
    """
    place = str(files.directory)
    # The caller may be about to build on the meta device, or to infer; the weights are for everybody.
    with (
        torch.device("cpu"),
        torch.inference_mode(False),
        torch.random.fork_rng(devices=[]),
        silent_transformers(),
    ):
        tensors = _read_tensors(files)
        try:
            network = _network(config, files)
            # No folder, where transformers would look for adapters and more.
            model, report = network.from_pretrained(
                None,
                config=config,
                state_dict=tensors,
                local_files_only=True,
                dtype=torch.float32,
                # Refused by us: the text of transformers is in its log.
                ignore_mismatched_sizes=True,
                output_loading_info=True,
            )
        except ConfigError:
            raise
        # What strange files lead to inside transformers has no bounds.
        except Exception as error:
            raise ConfigError(
                f"the weights in {place!r} cannot be read: {describe_error(error)}; they and the configuration must be "
                "whole, and of one network"
            ) from error
    _check_report(network.__name__, report, place)
    missing = tuple(sorted(report["missing_keys"]))
    tensors = {name: tensor.detach() for name, tensor in model.state_dict().items() if name not in missing}
    return CheckpointWeights(MappingProxyType(tensors), missing, tuple(sorted(report["unexpected_keys"])))


def _read_tensors(files: CheckpointFiles) -> dict[str, Tensor]:
    """Return every tensor in the files, and nothing else that is in their folder."""
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
                f"{str(path)!r} is damaged, or holds more than tensors, which could run code; none of it was read: "
                "convert it to safetensors where it was made"
            ) from error
        # What damaged files lead to inside torch has no bounds.
        except Exception as error:
            raise ConfigError(
                f"{str(path)!r} is damaged: {describe_error(error)}; get the checkpoint again"
            ) from error
    return tensors


def _by_name(content: object, path: Path) -> dict[str, Tensor]:
    named = content.items() if isinstance(content, dict) else ()
    tensors = {name: value for name, value in named if isinstance(name, str) and isinstance(value, Tensor)}
    if not tensors:
        raise ConfigError(f"{str(path)!r} holds no tensors by name; it is not a checkpoint of transformers")
    return tensors


def _network(config: PretrainedConfig, files: CheckpointFiles) -> Any:
    """Return the class of the base model; refuse one that asks for more memory than its weights could fill."""
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
    return type(network)


def _check_report(network: str, report: Mapping[str, Any], place: str) -> None:
    for name, found, wanted in sorted(report["mismatched_keys"]):
        raise ConfigError(
            f"tensor {name!r} in {place!r} has shape {list(found)}, where a {network} of its configuration has "
            f"{list(wanted)}; they are of different networks"
        )
    lacking = sorted(name for name in report["missing_keys"] if not name.startswith(ADDED_LATER))
    if lacking:
        raise ConfigError(
            f"the weights in {place!r} lack {len(lacking)} tensors of a {network} of its configuration, such as "
            f"{lacking[0]!r}; they are of different networks"
        )
