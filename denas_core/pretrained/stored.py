"""Weights that stay where they are, in files for example, and are read one at a time."""

from __future__ import annotations

import dataclasses
import functools
import pickle
import zipfile
from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from denas_core.errors import ConfigError
from denas_core.system.atomic import storage_errors
from denas_core.text import describe_error

SAFE_UNPICKLING = "2.10"
"""First version of torch whose ``weights_only=True`` has no known security hole (CVE-2025-32434, CVE-2026-24747)."""

MAPPED_BYTES = 2**30
"""Files are mapped into memory again after so many bytes, because all pages that were read count as memory in use."""


@dataclasses.dataclass(frozen=True, slots=True)
class Stored:
    """A tensor that can be read.

    Attributes:
        shape: Its shape.
        dtype: The type of its numbers where it is stored.
        memory: What is equal for two names of the same tensor, and differs for all other tensors.
        load: Returns the tensor as it is stored.
        as_float: Whether `read` returns numbers as float32.
    """

    shape: tuple[int, ...]
    dtype: torch.dtype
    memory: Hashable
    load: Callable[[], Tensor]
    as_float: bool = False

    @classmethod
    def of(cls, tensor: Tensor) -> Stored:
        """Return a tensor that is in memory."""
        memory = (tensor.data_ptr(), tensor.dtype, tensor.shape, tensor.stride())
        return cls(tuple(tensor.shape), tensor.dtype, memory, lambda: tensor)

    def read(self) -> Tensor:
        """Return the tensor, as float32 if `as_float`."""
        tensor = self.load()
        return tensor.float() if self.as_float else tensor

    def is_finite(self) -> bool:
        """Return whether all numbers are finite. A tensor of integers is not read, another one is not copied."""
        if not self.dtype.is_floating_point:
            return True
        tensor = self.load()
        if not tensor.numel():
            return True
        # NaN is the smallest and the largest of all numbers here. This takes a twentieth of the time of `isfinite`.
        return all(bool(end.isfinite()) for end in tensor.aminmax())


class StoredWeights(Mapping[str, Tensor]):
    """Weights by name. Each access reads the tensor again, and nothing is kept, so that memory holds one at a time.

    Attributes:
        entries: What is known of each tensor without reading it.
    """

    def __init__(self, entries: Mapping[str, Stored]) -> None:
        """Take the weights by name."""
        self.entries = entries

    @classmethod
    def of(cls, weights: Mapping[str, Tensor]) -> StoredWeights:
        """Return weights that may be in memory."""
        if isinstance(weights, StoredWeights):
            return weights
        return cls({name: Stored.of(tensor) for name, tensor in weights.items()})

    def __getitem__(self, name: str) -> Tensor:
        return self.entries[name].read()

    def __iter__(self) -> Iterator[str]:
        return iter(self.entries)

    def __len__(self) -> int:
        return len(self.entries)

    def __contains__(self, name: object) -> bool:
        # The default would read the tensor.
        return name in self.entries


class TensorFiles:
    """The tensors in the files of a checkpoint, as they are stored.

    Attributes:
        entries: The tensors by name.
        names: The names of the tensors in each file.
    """

    def __init__(self, paths: Sequence[Path], *, pickled: bool) -> None:
        """Read what is in the files, but not the values of safetensors. Other files of the folder are not read.

        Raises:
            ConfigError: a file is damaged, or is a pickle that holds more than tensors or cannot be read safely.
            StorageError: a file cannot be read.
        """
        self._mapped: dict[Path, Any] = {}
        self._bytes = 0
        self.entries: dict[str, Stored] = {}
        self.names: dict[str, frozenset[str]] = {}
        if pickled and torch.__version__ < SAFE_UNPICKLING:
            raise ConfigError(
                f"{str(paths[0])!r} is a pickle, which torch {torch.__version__} cannot read safely; install torch "
                f"{SAFE_UNPICKLING} or newer, or convert it to safetensors"
            )
        for path in paths:
            with storage_errors(path):
                path.open("rb").close()
            try:
                found = _unpickled(path) if pickled else self._listed(path)
            except ConfigError:
                raise
            except pickle.UnpicklingError as error:
                raise ConfigError(
                    f"{str(path)!r} is damaged, or holds more than tensors, which could run code, so it was not read; "
                    "convert it to safetensors where it was made"
                ) from error
            # A damaged file can cause any exception in torch.
            except Exception as error:
                raise _damaged(path, error) from error
            self.entries |= found
            self.names[path.name] = frozenset(found)

    def _listed(self, path: Path) -> dict[str, Stored]:
        file = self._map(path)
        found = {}
        for name in file.keys():  # noqa: SIM118
            tensor = file.get_tensor(name)
            load = functools.partial(self._read, path, name)
            found[name] = Stored(tuple(tensor.shape), tensor.dtype, (path, name), load)
        return found

    def _read(self, path: Path, name: str) -> Tensor:
        # The caller may have chosen the meta device or inference mode.
        with storage_errors(path), torch.device("cpu"), torch.inference_mode(False):
            if self._bytes > MAPPED_BYTES:
                self._mapped.clear()
                self._bytes = 0
            try:
                tensor: Tensor = self._map(path).get_tensor(name)
            except OSError:
                raise
            # The file may have been replaced by a damaged one.
            except Exception as error:
                raise _damaged(path, error) from error
        self._bytes += tensor.nbytes
        return tensor

    def _map(self, path: Path) -> Any:
        from safetensors import safe_open

        if path not in self._mapped:
            self._mapped[path] = safe_open(path, "pt")
        return self._mapped[path]


def _unpickled(path: Path) -> dict[str, Stored]:
    content = torch.load(path, map_location="cpu", weights_only=True, mmap=zipfile.is_zipfile(path))
    named = content.items() if isinstance(content, dict) else ()
    tensors = {
        name: Stored.of(value) for name, value in named if isinstance(name, str) and isinstance(value, Tensor)
    }
    if not tensors:
        raise ConfigError(f"{str(path)!r} holds no tensors by name; it is not a checkpoint of transformers")
    return tensors


def _damaged(path: Path, error: Exception) -> ConfigError:
    return ConfigError(f"{str(path)!r} is damaged: {describe_error(error)}; download the checkpoint again")
