"""Batches that are made from an example of the inputs of a network."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from denas_core.errors import ConfigError
from denas_core.seeding import derive_seed
from denas_core.text import describe_error, safe_repr
from denas_core.values.batch import Batch, BatchKind, Outputs

if TYPE_CHECKING:
    from torch import Tensor, nn

Example = Any
"""A tensor whose first dimension is the sample, a sequence of such tensors, or a mapping of them by argument; or a
function that returns one of these for a number of samples."""


@dataclasses.dataclass(frozen=True, slots=True)
class Samples:
    """Inputs of a network, from which batches of any size are made.

    Attributes:
        tensors: The example by name of the input.
        by_name: Whether the network takes the inputs as keyword arguments.
        draw: Function that returns new samples for a number of samples; None if there is only the example.
    """

    tensors: Mapping[str, Tensor]
    by_name: bool
    draw: Callable[[int], Any] | None = None

    @classmethod
    def of(cls, example: Example) -> Samples:
        """Read an example.

        Raises:
            ConfigError: it is not made of tensors whose first dimension is the sample, or its function fails.
        """
        if callable(example):
            tensors, by_name = _named(_drawn(example, 2, seed=0))
            return cls(tensors, by_name, example)
        tensors, by_name = _named(example)
        return cls(tensors, by_name)

    def describe(self) -> dict[str, Any]:
        """Return shape of a sample and type of each input, as JSON can represent them."""
        return {
            name: {"shape": list(tensor.shape[1:]), "dtype": str(tensor.dtype).removeprefix("torch.")}
            for name, tensor in self.tensors.items()
        }

    def batch(self, size: int, *, seed: int, kind: BatchKind) -> Batch:
        """Return a batch of inputs; see `BatchKind`.

        Noise is standard normal for an input of floating-point numbers, and drawn from the numbers of the example for
        other inputs. Inputs of truth values, such as masks, repeat the first sample. A function for samples gives its
        own.
        """
        if self.draw is not None and kind == "noise":
            inputs, _ = _named(_drawn(self.draw, size, seed=seed))
        else:
            inputs = {
                name: _values(tensor, size, seed=derive_seed(seed, "input", number), kind=kind)
                for number, (name, tensor) in enumerate(self.tensors.items())
            }
        continuous = tuple(name for name, tensor in inputs.items() if tensor.is_floating_point())
        return Batch(inputs=inputs, perturbable=continuous, units={"samples": float(size)})

    def forward(self, model: nn.Module, batch: Batch) -> Outputs:
        """Run `model` on `batch`. It returns a tensor, a tuple of features and logits, or a mapping with ``logits``.

        Raises:
            ConfigError: it returns something else.
        """
        from torch import Tensor

        out = model(**batch.inputs) if self.by_name else model(*batch.inputs.values())
        if isinstance(out, Mapping) and "logits" in out:
            out = out["logits"]
        features, logits = out if isinstance(out, tuple) and len(out) == 2 else (out, out)
        if not isinstance(features, Tensor) or not isinstance(logits, Tensor):
            raise ConfigError(
                f"the network {type(model).__name__} returns {_kind_of(out)}; it must return a tensor, a tuple of "
                "features and logits, or a mapping with the key 'logits'"
            )
        return Outputs(features=features, logits={"logits": logits}, masks=batch.masks)


def _kind_of(out: object) -> str:
    if isinstance(out, tuple):
        return f"a tuple of {', '.join(type(part).__name__ for part in out)}"
    return f"a {type(out).__name__}"


def _named(example: Any) -> tuple[dict[str, Tensor], bool]:
    from torch import Tensor

    by_name = isinstance(example, Mapping)
    if isinstance(example, Mapping):
        tensors = dict(example)
    elif isinstance(example, Tensor):
        tensors = {"x": example}
    elif isinstance(example, Sequence) and not isinstance(example, str):
        tensors = {f"x{number}": tensor for number, tensor in enumerate(example, 1)}
    else:
        tensors = {}
    if not tensors:
        raise ConfigError(
            f"inputs must be a tensor, a sequence or a mapping of tensors, or a function that returns them for a "
            f"number of samples, not {safe_repr(example, 60)}"
        )
    for name, tensor in tensors.items():
        if not isinstance(name, str) or not isinstance(tensor, Tensor):
            raise ConfigError(f"input {name!r} must be a tensor, not {safe_repr(tensor, 60)}")
        if tensor.dim() == 0 or len(tensor) == 0:
            raise ConfigError(
                f"input {name!r} has the shape {list(tensor.shape)}; its first dimension must be the sample, and hold "
                "at least one"
            )
    return tensors, by_name


def _drawn(draw: Callable[[int], Any], size: int, *, seed: int) -> Any:
    import torch

    with torch.random.fork_rng(devices=[]), torch.device("cpu"):
        torch.default_generator.manual_seed(seed)
        try:
            return draw(size)
        except Exception as error:
            raise ConfigError(
                f"the function for inputs raised {describe_error(error)} for {size} samples"
            ) from error


def _values(tensor: Tensor, size: int, *, seed: int, kind: BatchKind) -> Tensor:
    import torch

    shape = (size, *tensor.shape[1:])
    if kind == "cost":
        return torch.empty(shape, dtype=tensor.dtype, device="meta")
    if tensor.is_floating_point():
        if kind == "ones":
            return torch.ones(shape, dtype=tensor.dtype)
        return torch.randn(shape, generator=torch.Generator().manual_seed(seed)).to(tensor.dtype)
    if kind == "ones" or tensor.dtype == torch.bool:
        return tensor[:1].cpu().expand(shape).contiguous()
    known = tensor.cpu().flatten()
    return known[torch.randint(len(known), shape, generator=torch.Generator().manual_seed(seed))]
