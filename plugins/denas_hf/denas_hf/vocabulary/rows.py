"""The rows of a checkpoint's tensors that belong to tokens, and copies of its files without some of them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn

from denas_core.errors import ConfigError
from denas_core.pretrained import TensorFiles

from .token_settings import write_settings

if TYPE_CHECKING:
    from denas_core.pretrained import CheckpointFiles
    from denas_hf.original import Original

VOCABULARY = "vocab_size"
"""Name of the number of tokens in a configuration."""

MORE = 8
"""Tokens by which the vocabulary of another network is larger, to see what grows with it."""

_INDEX = "model.safetensors.index.json"


def check_rows(original: Original) -> None:
    """Check that only tokens make the tensors of a base model as large as the vocabulary.

    A tensor that has as many rows for another reason is told by a network with more tokens.

    Raises:
        ConfigError: there is such a tensor, or the network has no vocabulary.
    """
    tokens = tokens_of(original)
    if tokens is None:
        raise ConfigError(f"a {original.config.model_type!r} has no vocabulary that could be smaller")
    others = _base(original, tokens + MORE).state_dict()
    for name, tensor in _base(original, tokens).state_dict().items():
        grows = [size for size, other in zip(tensor.shape, others[name].shape, strict=True) if size != other]
        if grows != [size for size in tensor.shape if size == tokens]:
            raise ConfigError(
                f"which parts of {name!r}, of shape {list(tensor.shape)}, belong to the {tokens} tokens cannot be "
                "told, so the vocabulary cannot be smaller"
            )


def share_of_rows(original: Original) -> float:
    """Return the share of the parameters of a base model that belong to tokens; 0 if it has no vocabulary."""
    tokens = tokens_of(original)
    if tokens is None:
        return 0.0
    whole, larger = (
        sum(parameter.numel() for parameter in _base(original, vocabulary).parameters())
        for vocabulary in (tokens, tokens + MORE)
    )
    return tokens * (larger - whole) / MORE / whole


def tokens_of(original: Original) -> int | None:
    """Return the number of tokens of a network that reads texts; None for other networks."""
    tokens = getattr(original.config, VOCABULARY, None)
    return tokens if original.family.modality.is_text and isinstance(tokens, int) else None


def _base(original: Original, tokens: int) -> nn.Module:
    """Return the base model with another number of tokens, on the meta device."""
    from denas_hf.network import build_network

    config = original.resized(original.dimensions)
    setattr(config, VOCABULARY, tokens)
    with torch.device("meta"):
        return build_network(original, config)


def write_rows(files: CheckpointFiles, directory: Path, *, kept: Sequence[int], tokens: int) -> None:
    """Write the weights of a checkpoint with some of its tokens as safetensors, one file after the other.

    Args:
        files: The checkpoint.
        directory: Folder of the new files.
        kept: The tokens to keep, in the order of their numbers.
        tokens: Tokens of the checkpoint; see `check_rows`.

    Raises:
        ConfigError: a file is damaged.
        StorageError: a file cannot be read.
        OSError: a file cannot be written.
    """
    from safetensors.torch import save_file

    chosen = torch.tensor(kept)
    found = TensorFiles(files.weights, pickled=files.pickled)
    places: dict[str, str] = {}
    size = 0
    for path in files.weights:
        file = f"{path.stem.removeprefix('pytorch_')}.safetensors" if files.pickled else path.name
        written = {name: _some(found.entries[name].read(), chosen, tokens) for name in found.names[path.name]}
        save_file(written, directory / file, metadata={"format": "pt"})
        places |= dict.fromkeys(written, file)
        size += sum(tensor.nbytes for tensor in written.values())
    if files.index:
        write_settings(directory / _INDEX, {"metadata": {"total_size": size}, "weight_map": places})


def _some(tensor: Tensor, kept: Tensor, tokens: int) -> Tensor:
    for axis, size in enumerate(tensor.shape):
        if size == tokens:
            tensor = tensor.index_select(axis, kept)
    # Tensors that share memory cannot be written into one file.
    return tensor.clone(memory_format=torch.contiguous_format)
