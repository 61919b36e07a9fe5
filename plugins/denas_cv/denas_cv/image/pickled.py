"""A reader of the pickles in which CIFAR is handed out, which cannot run anything that a pickle asks for."""

from __future__ import annotations

import io
import pickle
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from denas_core.errors import ConfigError, describe_error

if TYPE_CHECKING:
    from torch import Tensor


def read_pickle(path: Path) -> dict[str, Any]:
    """Return the mapping in `path`, keys as texts; arrays of bytes are `PickledArray` objects.

    Nothing of numpy or of any other package is called: the few names that these files hold stand for classes of this
    module, and every other name is refused.

    Raises:
        ConfigError: the file is damaged, holds something else, or names what it does not need.
    """
    try:
        content = _Reader(io.BytesIO(path.read_bytes()), encoding="bytes").load()
        if not isinstance(content, dict):
            raise ValueError(f"it holds a {type(content).__name__}")
        return {as_text(key): value for key, value in content.items()}
    # A damaged pickle raises anything, MemoryError among it.
    except Exception as error:
        raise ConfigError(
            f"{str(path)!r} is damaged or no batch of CIFAR: {describe_error(error)}; fetch it again"
        ) from error


def as_text(value: Any) -> str:
    """Return a text that Python 2 may have written as bytes.

    Raises:
        ValueError: it is no text; turning anything else into one may take forever.
    """
    if not isinstance(value, (bytes, str)):
        raise ValueError(f"a {type(value).__name__} stands where a text should")
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else value


class PickledArray:
    """An array of bytes as a pickle describes it."""

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
            ValueError: it has fewer or more bytes than its shape says.
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
        """Keep the code alone: order of bytes and alignment mean nothing for single bytes."""


def _reconstruct(*_: Any) -> PickledArray:
    return PickledArray()


def _encode(text: str, encoding: Any) -> bytes:
    # How Python 3 writes bytes for Python 2. Other codecs are programs of their own, such as zlib.
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


# The one in Python: that in C gives memory for as many objects as a damaged file says that it has.
class _Reader(pickle._Unpickler):
    dispatch: ClassVar[dict[int, Any]] = dict(pickle._Unpickler.dispatch)

    def find_class(self, module: str, name: str) -> Any:
        found = NAMES.get((module, name))
        if found is None:
            raise pickle.UnpicklingError(f"it asks for {module}.{name}, which no batch of CIFAR needs")
        return found

    def load_build(self) -> None:
        # Anything else on the stack would get attributes, functions of this module too.
        stack: list[Any] = self.stack  # type: ignore[attr-defined]
        if not isinstance(stack[-2], (PickledArray, _Dtype)):
            raise pickle.UnpicklingError("it sets attributes of what has none")
        super().load_build()  # type: ignore[misc]

    dispatch[pickle.BUILD[0]] = load_build
    # It gives memory for as many bytes as the file says that it has, and no batch uses it.
    del dispatch[pickle.BYTEARRAY8[0]]
