"""The rows of a checkpoint's tensors that belong to tokens, and copies of its files without some of them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from denas_core.errors import ConfigError
from denas_core.pretrained import TensorFiles
from denas_core.system.atomic import storage_errors, write_json

if TYPE_CHECKING:
    from denas_core.pretrained import CheckpointFiles
    from denas_hf.original import Original

VOCABULARY = "vocab_size"
"""Name of the number of tokens in a configuration."""

_INDEX = "model.safetensors.index.json"


def check_rows(original: Original) -> None:
    """Check that only tokens make the tensors of a base model as large as the vocabulary.

    A tensor that has as many rows for another reason is told by networks with a token more and less.

    Raises:
        ConfigError: there is such a tensor, or the network has no vocabulary.
    """
    from denas_hf.network import build_network

    tokens = getattr(original.config, VOCABULARY, None)
    if not original.family.modality.is_text or not isinstance(tokens, int):
        raise ConfigError(f"a {original.config.model_type!r} has no vocabulary that could be smaller")
    shapes = []
    for vocabulary in (tokens, tokens + 8):
        config = original.resized(original.dimensions)
        setattr(config, VOCABULARY, vocabulary)
        with torch.device("meta"):
            shapes.append(
                {name: tensor.shape for name, tensor in build_network(original, config).state_dict().items()}
            )
    for name, shape in shapes[0].items():
        grows = [size for size, other in zip(shape, shapes[1][name], strict=True) if size != other]
        if grows != [size for size in shape if size == tokens]:
            raise ConfigError(
                f"which parts of {name!r}, of shape {list(shape)}, belong to the {tokens} tokens cannot be told, so "
                "the vocabulary cannot be smaller"
            )


def write_rows(files: CheckpointFiles, directory: Path, *, kept: Sequence[int], tokens: int) -> None:
    """Write the weights of a checkpoint with some of its tokens as safetensors, one file after the other.

    Args:
        files: The checkpoint.
        directory: Folder of the new files.
        kept: The tokens to keep, in the order of their numbers.
        tokens: Tokens of the checkpoint; see `check_rows`.

    Raises:
        ConfigError: a file is damaged.
        StorageError: a file cannot be read or written.
    """
    from safetensors.torch import save_file

    chosen = torch.tensor(kept)
    found = TensorFiles(files.weights, pickled=files.pickled)
    places: dict[str, str] = {}
    size = 0
    for path in files.weights:
        file = f"{path.stem.removeprefix('pytorch_')}.safetensors" if files.pickled else path.name
        written = {name: _some(found.entries[name].read(), chosen, tokens) for name in found.names[path.name]}
        with storage_errors(directory / file):
            save_file(written, directory / file, metadata={"format": "pt"})
        places |= dict.fromkeys(written, file)
        size += sum(tensor.nbytes for tensor in written.values())
    if files.index:
        write_json(directory / _INDEX, {"metadata": {"total_size": size}, "weight_map": places})


def _some(tensor: Tensor, kept: Tensor, tokens: int) -> Tensor:
    for axis, size in enumerate(tensor.shape):
        if size == tokens:
            tensor = tensor.index_select(axis, kept)
    # Tensors that share memory cannot be written into one file.
    return tensor.clone(memory_format=torch.contiguous_format)
