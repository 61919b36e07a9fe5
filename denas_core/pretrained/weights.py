"""Find the weights of a checkpoint of transformers as tensors of its base model. No code in a file is run."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from denas_core.errors import ConfigError
from denas_core.text import describe_error

from .files import CheckpointFiles
from .silence import silent_transformers
from .stored import Stored, StoredWeights, TensorFiles

if TYPE_CHECKING:
    from transformers import PretrainedConfig

ADDED_LATER = ("pooler.", "masked_spec_embed")
"""Tensors of base models that checkpoints often lack. A network that was trained with another head has no pooler, and
a network that was fine-tuned without masking has no mask."""

COMPILED, WRAPPED = "_orig_mod.", "module."
"""What torch.compile puts into the names of tensors, and what DistributedDataParallel puts before them."""


@dataclasses.dataclass(frozen=True, slots=True)
class CheckpointWeights:
    """The weights of the base model in a checkpoint.

    Attributes:
        tensors: Parameters and persistent buffers by name. Floating-point tensors are read as float32.
        missing: Names of tensors that the checkpoint lacks. All of them begin with a name in `ADDED_LATER`.
        unused: Names of tensors of the checkpoint that the base model does not have, such as heads.
        others: These tensors by name.
    """

    tensors: StoredWeights
    missing: tuple[str, ...]
    unused: tuple[str, ...]
    others: StoredWeights


def find_weights(config: PretrainedConfig, files: CheckpointFiles) -> CheckpointWeights:
    """Find the weights of a checkpoint without reading them. The global random generator stays.

    Only tensors that transformers makes from several others, as it does with experts, are read.

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
        tensor_files = TensorFiles(files.weights, pickled=files.pickled)
        _check_index(files, tensor_files.names)
        stored = _without_wrappers(tensor_files.entries)
        network = _class_in(place, config, files)
        marks = {name: _mark(entry) for name, entry in stored.items()}
        state, report = _load(network, config, marks, place)
        _check_report(network.__name__, report, files)
        missing = tuple(sorted(report["missing_keys"]))
        by_mark = {mark.data_ptr(): name for name, mark in marks.items()}
        entries = {
            name: _as_float(stored[by_mark[tensor.data_ptr()]])
            if tensor.data_ptr() in by_mark
            else Stored.of(tensor.detach())
            for name, tensor in state.items()
            if name not in missing
        }
        if mixed := [
            name for name, tensor in state.items() if name in entries and _is_mixed(tensor, by_mark)
        ]:
            state, _ = _load(network, config, {name: entry.read() for name, entry in stored.items()}, place)
            entries |= {name: Stored.of(state[name].detach()) for name in mixed}
    tensors = StoredWeights(entries)
    unused = tuple(sorted(report["unexpected_keys"]))
    others = StoredWeights({name: _as_float(stored[name]) for name in unused if name in stored})
    return CheckpointWeights(tensors, missing, unused, others)


def check_finite(tensors: StoredWeights, place: str) -> None:
    """Read each tensor once, and check its values; `place` names the checkpoint in an error.

    Raises:
        ConfigError: a tensor is damaged, or holds numbers that are not finite.
        StorageError: it cannot be read.
    """
    seen = set()
    for name, entry in tensors.entries.items():
        if entry.memory in seen:
            continue
        seen.add(entry.memory)
        if not entry.is_finite():
            raise ConfigError(
                f"tensor {name!r} in {place!r} holds weights that are not finite; use another checkpoint"
            )


def _mark(entry: Stored) -> Tensor:
    """Return a tensor of the same shape that takes the memory of one number, and that no other tensor shares.

    transformers gives such tensors their names in the network, without the values of the checkpoint.
    """
    if entry.dtype.is_floating_point:
        return torch.full((), math.nan).expand(entry.shape)
    return torch.zeros((), dtype=entry.dtype).expand(entry.shape)


def _is_mixed(tensor: Tensor, by_mark: Mapping[int, str]) -> bool:
    """Return whether transformers made a tensor of the network from others, as it does with experts."""
    if tensor.data_ptr() in by_mark or not tensor.is_floating_point():
        return False
    return bool(tensor.isnan().any())


def _as_float(entry: Stored) -> Stored:
    if not entry.dtype.is_floating_point:
        return entry
    return dataclasses.replace(entry, as_float=True)


def _load(
    network: Any, config: PretrainedConfig, tensors: Mapping[str, Tensor], place: str
) -> tuple[dict[str, Tensor], Mapping[str, Any]]:
    """Return the tensors of a network by name, and what transformers reports about those of the checkpoint."""
    try:
        # The folder is not passed, because transformers would search it for adapters and other files.
        model, report = network.from_pretrained(
            None,
            config=config,
            state_dict=dict(tensors),
            local_files_only=True,
            dtype=torch.float32,
            # `_check_report` refuses them, because transformers explains them only in its log.
            ignore_mismatched_sizes=True,
            output_loading_info=True,
        )
    # An unusual file can cause any exception in transformers.
    except Exception as error:
        raise _unreadable(place, error) from error
    return dict(model.state_dict()), report


def _class_in(place: str, config: PretrainedConfig, files: CheckpointFiles) -> Any:
    try:
        return _network_class(config, files)
    except ConfigError:
        raise
    # An unusual configuration can cause any exception in transformers.
    except Exception as error:
        raise _unreadable(place, error) from error


def _unreadable(place: str, error: Exception) -> ConfigError:
    return ConfigError(
        f"the weights in {place!r} cannot be read: {describe_error(error)}; weights and configuration must be "
        "complete and belong to the same network"
    )


def _without_wrappers(tensors: Mapping[str, Stored]) -> dict[str, Stored]:
    """Return the tensors without the parts of their names that torch.compile and wrappers for several GPUs add."""
    plain = {name.replace(COMPILED, ""): tensor for name, tensor in tensors.items()}
    while plain and all(name.startswith(WRAPPED) for name in plain):
        plain = {name.removeprefix(WRAPPED): tensor for name, tensor in plain.items()}
    return plain


def _check_index(files: CheckpointFiles, names: Mapping[str, frozenset[str]]) -> None:
    absent = sorted(name for name, file in files.index.items() if name not in names[file])
    if absent:
        file = files.directory / files.index[absent[0]]
        raise ConfigError(
            f"{str(file)!r} lacks the tensor {absent[0]!r}, which the index of the checkpoint says is in it; download "
            "the checkpoint again"
        )


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


def _check_report(network: str, report: Mapping[str, Any], files: CheckpointFiles) -> None:
    place = str(files.directory)
    for name, found, wanted in sorted(report["mismatched_keys"]):
        raise ConfigError(
            f"tensor {name!r} in {place!r} has shape {list(found)}, but a {network} with its configuration has "
            f"{list(wanted)}; they belong to different networks"
        )
    lacking = sorted(name for name in report["missing_keys"] if not name.startswith(ADDED_LATER))
    if lacking:
        why = "; they belong to different networks"
        if files.index:
            why = f", and the index of the checkpoint names {len(files.weights)} files{why}, or a file is not named"
        raise ConfigError(
            f"the weights in {place!r} lack {len(lacking)} tensors of a {network} with its configuration, such as "
            f"{lacking[0]!r}{why}"
        )
