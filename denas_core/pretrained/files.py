"""Find the files of a checkpoint of transformers. Files outside its folder are never read."""

from __future__ import annotations

import dataclasses
import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NoReturn

from denas_core.errors import ConfigError
from denas_core.system.atomic import storage_errors
from denas_core.text import describe_error, safe_repr

from .silence import silent_transformers

CONFIG = "config.json"
TOKENIZERS = ("tokenizer.json", "vocab.txt")
MAX_JSON_BYTES = 16_000_000
"""Largest size of a JSON file. A configuration with the 21,843 labels of ImageNet has 1.6 MB."""

_SAFE, _PICKLED = "model.safetensors", "pytorch_model.bin"
_OTHERS = (
    "tf_model.h5",
    "flax_model.msgpack",
    "model.onnx",
    "*.gguf",
    "*.ckpt",
    "*.pt",
    "*.bin",
    "*.safetensors",
)
_HUB_ID = re.compile(r"[A-Za-z0-9][\w.-]{0,95}/[A-Za-z0-9][\w.-]{0,95}")
_HUB_FILES = (
    CONFIG,
    *TOKENIZERS,
    "tokenizer_config.json",
    _SAFE,
    f"{_SAFE}.index.json",
    "model-*.safetensors",
)
_HUB_PICKLES = (_PICKLED, f"{_PICKLED}.index.json", "pytorch_model-*.bin")


@dataclasses.dataclass(frozen=True, slots=True)
class CheckpointFiles:
    """The files of a checkpoint that are read.

    Attributes:
        config: The file of the configuration.
        weights: The files of the weights, in order of their names; empty if there are none.
        pickled: Whether the weights are pickles.
        index: The name of the file of each tensor, if an index says it.
    """

    config: Path
    weights: tuple[Path, ...] = ()
    pickled: bool = False
    index: Mapping[str, str] = dataclasses.field(default_factory=dict)

    @property
    def directory(self) -> Path:
        """The folder of the files."""
        return self.config.parent

    @property
    def tokenizer(self) -> Path | None:
        """``tokenizer.json`` of the folder, else ``vocab.txt``; None if there is neither."""
        # A configuration with another name may be in any folder, with a vocabulary that does not belong to it.
        found = (self.directory / name for name in TOKENIZERS if self.config.name == CONFIG)
        return next((path for path in found if path.is_file()), None)


def find_checkpoint(reference: str, *, allow_pickle: bool = False) -> CheckpointFiles:
    """Return the files of a checkpoint. Those of a hub id are downloaded, or taken from the cache.

    Args:
        reference: A folder, a configuration as a JSON file without weights, or the id ``owner/name`` of a model on the
            hub.
        allow_pickle: Whether weights may be a pickle if there are none as safetensors.

    Raises:
        ConfigError: there is no such checkpoint, or it cannot be read.
    """
    path = _as_path(reference)
    if path.is_file():
        if path.suffix != ".json":
            raise ConfigError(
                f"{reference!r} is not a checkpoint: name a folder, or a configuration as a .json file"
            )
        return CheckpointFiles(config=path.resolve())
    if path.is_dir():
        return _find_in_directory(path.resolve(), allow_pickle)
    if is_hub_id(reference) and not path.parent.exists():
        return _find_in_directory(_download(reference, allow_pickle), allow_pickle)
    raise ConfigError(
        f"there is no checkpoint {reference!r}: name a folder with {CONFIG}, a configuration as a .json file, or the "
        "id 'owner/name' of a model on the hub"
    )


def is_hub_id(reference: str) -> bool:
    """Return whether a text has the form ``owner/name`` of a model on the hub."""
    return _HUB_ID.fullmatch(reference) is not None


def read_json(path: Path) -> dict[str, Any]:
    """Return the mapping in a JSON file.

    Raises:
        ConfigError: the file is larger than 16 MB, is not JSON, or does not hold a mapping.
        StorageError: it cannot be read.
    """
    with storage_errors(path), path.open("rb") as file:
        content = file.read(MAX_JSON_BYTES + 1)
    if len(content) > MAX_JSON_BYTES:
        raise ConfigError(f"{str(path)!r} is larger than 16 MB, so it does not belong to a checkpoint")
    try:
        document = json.loads(content.decode(), parse_constant=_refuse_constant)
    except (ValueError, RecursionError) as error:
        raise ConfigError(
            f"{str(path)!r} is not JSON: {describe_error(error)}; download the checkpoint again"
        ) from error
    if not isinstance(document, dict):
        raise ConfigError(
            f"{str(path)!r} must hold a mapping, not {safe_repr(document)}; download the checkpoint again"
        )
    return document


def _as_path(reference: str) -> Path:
    try:
        path = Path(reference or "?").expanduser()
        path.stat()
    except FileNotFoundError:
        return path
    # For example an unknown user after "~", a name that is too long, or a character that file names cannot have.
    except (OSError, RuntimeError, ValueError) as error:
        raise ConfigError(f"there is no checkpoint {reference!r:.120}: {describe_error(error)}") from error
    return path


def _find_in_directory(directory: Path, allow_pickle: bool) -> CheckpointFiles:
    config = directory / CONFIG
    if not config.is_file():
        raise ConfigError(f"{str(directory)!r} is not a checkpoint: it has no {CONFIG}")
    if (directory / "adapter_config.json").exists():
        raise ConfigError(
            f"{str(directory)!r} holds an adapter of another checkpoint; merge the two and name the result"
        )
    for name in (_SAFE, _PICKLED):
        is_single, file = (directory / name).is_file(), directory / f"{name}.index.json"
        if not is_single and not file.is_file():
            continue
        index = {} if is_single else _read_index(file, Path(name).suffix)
        weights = tuple(directory / each for each in sorted({name} if is_single else {*index.values()}))
        if name == _PICKLED and not allow_pickle:
            raise ConfigError(
                f"the weights of {str(directory)!r} are a pickle ({weights[0].name}), which could run code; allow it "
                "with --allow-pickle (space.allow_pickle=true), or convert them to safetensors"
            )
        return CheckpointFiles(config, weights, pickled=name == _PICKLED, index=index)
    for pattern in _OTHERS:
        for other in directory.glob(pattern):
            raise ConfigError(
                f"the weights of {str(directory)!r} have a format that is not supported ({other.name!r}); convert them "
                f"to {_SAFE}, or name its {CONFIG} for a network without these weights"
            )
    return CheckpointFiles(config=config)


def _read_index(index: Path, suffix: str) -> dict[str, str]:
    """Return the name of the file of each tensor."""
    table = read_json(index).get("weight_map")
    if not isinstance(table, dict) or not table or not all(map(_is_text, table.values())):
        raise ConfigError(f"{str(index)!r} names no files with weights; download the checkpoint again")
    for name in sorted({*table.values()}):
        # The name must not lead out of the folder, nor from safetensors to a pickle.
        if not re.fullmatch(r"[A-Za-z0-9][\w.-]*", name) or not name.endswith(suffix):
            raise ConfigError(
                f"{str(index)!r} names {name!r:.80}, which is not a {suffix} file of its folder"
            )
        if not (index.parent / name).is_file():
            raise ConfigError(
                f"{str(index)!r} names {name!r}, which is missing; download the checkpoint again"
            )
    return table


def _download(reference: str, allow_pickle: bool) -> Path:
    from huggingface_hub import snapshot_download

    try:
        with silent_transformers():
            directory = Path(snapshot_download(reference, allow_patterns=list(_HUB_FILES)))
            if allow_pickle and not list(directory.glob("*.safetensors")):
                snapshot_download(reference, allow_patterns=[*_HUB_FILES, *_HUB_PICKLES])
    # Depending on its version, huggingface_hub raises errors of requests, of httpx or of its own.
    except Exception as error:
        raise ConfigError(
            f"there is no folder {reference!r}, and no model with this id could be downloaded from the hub: "
            f"{describe_error(error)}"
        ) from error
    return directory


def _is_text(value: object) -> bool:
    return isinstance(value, str)


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"JSON has no number {name}")
