"""Read the pickle files of CIFAR without running any code that a pickle names."""

from __future__ import annotations

import io
import pickle
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from denas_core.errors import ConfigError, describe_error

if TYPE_CHECKING:
    from torch import Tensor


def read_pickle(path: Path) -> dict[str, Any]:
    """Return the mapping in `path` with texts as keys; arrays of bytes become `PickledArray` objects.

    No code of numpy or of any other package is called: the few names that these files contain are replaced by classes
    of this module, and every other name is refused.

    Raises:
        ConfigError: the file is damaged, has other contents, or contains a name that no batch needs.
    """
    try:
        content = _Reader(io.BytesIO(path.read_bytes()), encoding="bytes").load()
        if not isinstance(content, dict):
            raise ValueError(f"it holds a {type(content).__name__}")
        return {as_text(key): value for key, value in content.items()}
    # A damaged pickle can raise any exception, even MemoryError.
    except Exception as error:
        raise ConfigError(
            f"{str(path)!r} is damaged or not a batch of CIFAR: {describe_error(error)}; download it again"
        ) from error


def as_text(value: Any) -> str:
    """Return a text; Python 2 may have stored it as bytes.

    Raises:
        ValueError: the value is not a text; other values are not converted, because that may take very long.
    """
    if not isinstance(value, (bytes, str)):
        raise ValueError(f"a {type(value).__name__} stands where a text should")
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else value


class PickledArray:
    """An array of bytes, as described in a pickle."""

    shape: tuple[int, ...] = ()
    content: bytes = b""

    def __setstate__(self, state: Any) -> None:
        _version, shape, dtype, is_fortran, content = state
        if not isinstance(dtype, _Dtype) or dtype.code not in ("u1", "|u1", "uint8") or is_fortran:
            raise ValueError("an array does not hold bytes in rows")
        if not isinstance(content, bytes):
            raise ValueError(f"an array holds a {type(content).__name__}")
        self.shape, self.content = tuple(int(size) for size in shape), content

    def tensor(self) -> Tensor:
        """Return the array as a uint8 tensor.

        Raises:
            ValueError: the number of bytes does not fit the shape.
        """
        import math

        import torch

        if math.prod(self.shape) != len(self.content):
            raise ValueError(f"an array of shape {self.shape} has {len(self.content)} bytes")
        return torch.frombuffer(bytearray(self.content), dtype=torch.uint8).reshape(self.shape)


class _Dtype:
    def __init__(self, code: Any, *_: Any) -> None:
        self.code = as_text(code)

    def __setstate__(self, state: Any) -> None:
        """Ignore byte order and alignment, which have no effect on single bytes."""


def _reconstruct(*_: Any) -> PickledArray:
    return PickledArray()


def _encode(text: str, encoding: Any) -> bytes:
    # Python 3 writes bytes for Python 2 in this encoding. Other codecs, such as zlib, run code of their own.
    if as_text(encoding) != "latin1":
        raise ValueError(f"a text is encoded as {encoding!r}")
    return text.encode("latin1")


NAMES: dict[tuple[str, str], Any] = {
    ("numpy", "ndarray"): PickledArray,
    ("numpy", "dtype"): _Dtype,
    ("numpy.core.multiarray", "_reconstruct"): _reconstruct,
    ("numpy._core.multiarray", "_reconstruct"): _reconstruct,
    ("_codecs", "encode"): _encode,
}


# This is the unpickler written in Python: the one in C allocates memory for as many objects as a damaged file claims.
class _Reader(pickle._Unpickler):
    dispatch: ClassVar[dict[int, Any]] = dict(pickle._Unpickler.dispatch)

    def find_class(self, module: str, name: str) -> Any:
        found = NAMES.get((module, name))
        if found is None:
            raise pickle.UnpicklingError(f"it names {module}.{name}, which no batch of CIFAR needs")
        return found

    def load_build(self) -> None:
        # Without this check, any object on the stack could get new attributes, even functions of this module.
        stack: list[Any] = self.stack  # type: ignore[attr-defined]
        if not isinstance(stack[-2], (PickledArray, _Dtype)):
            raise pickle.UnpicklingError("it sets attributes of an object that has none")
        super().load_build()  # type: ignore[misc]

    dispatch[pickle.BUILD[0]] = load_build
    # This operation allocates as many bytes as the file claims, and no batch uses it.
    del dispatch[pickle.BYTEARRAY8[0]]
