"""A search space from a network: it is run once, and what can be left out of it is found."""

from __future__ import annotations

import copy
import dataclasses
import hashlib
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Literal

from denas_core.contracts.component import option
from denas_core.contracts.space import SearchSpace, Variant
from denas_core.errors import ConfigError
from denas_core.text import describe_error, safe_repr
from denas_core.values.architecture import Architecture, Knob
from denas_core.values.batch import Batch, BatchKind, Outputs

from .samples import Example, Samples
from .tracing.groups import LEAST

if TYPE_CHECKING:
    from torch import nn

    from .tracing.checking import Shrinkable

FRACTIONS = (0.25, 0.5, 0.75, 1.0)
"""Shares of the units of a group that a network may keep."""


def space_of(
    model: nn.Module, example_inputs: Example, *, fractions: Sequence[float] = FRACTIONS
) -> TracedSpace:
    """Return the search space of the networks that are left of `model` when channels and blocks are left out.

    The network runs once, in eval mode on the CPU, to find which channels of its layers belong together. Each group of
    channels becomes a knob, and so does each stack of residual blocks. Only what was left out on trial, and ran, is a
    choice. Networks inherit weights: they keep the channels with the largest weights, and the first blocks.

    Args:
        model: The network. It is copied.
        example_inputs: An example of its inputs, see `space_from_function`. Small ones make the tracing fast.
        fractions: The shares of the units of each group that may be kept; 1 is always among them.

    Raises:
        ConfigError: the network does not run on the inputs, decides by their values, holds weights that are not finite,
            or nothing can be left out of it.
    """
    from torch import nn

    if not isinstance(model, nn.Module):
        raise ConfigError(f"space_of needs an nn.Module, not {safe_repr(model, 60)}")
    name = type(model).__name__
    shares = sorted({*fractions, 1.0})
    if not all(isinstance(share, int | float) and 0 < share <= 1 for share in shares):
        raise ConfigError(f"fractions {list(fractions)!r} must be above 0, and at most 1")
    samples = Samples.of(example_inputs)
    digest = _checked_digest(model, name)
    try:
        network = copy.deepcopy(model).cpu()
    except Exception as error:
        raise ConfigError(f"the network {name} cannot be copied: {describe_error(error)}") from error
    found = _found(network, samples, name)
    if not found.groups and not found.stacks:
        unknown = f"; there are no rules for {', '.join(found.unknown)}" if found.unknown else ""
        raise ConfigError(f"nothing can be left out of the network {name}{unknown}")
    made = TracedSpace(network=name, digest=digest, fractions=shares, samples=samples.describe())
    made.__dict__.update(_model=network, _samples=samples, _found=found)
    return made.named(f"{type(model).__module__}:{type(model).__qualname__}")


def _found(network: nn.Module, samples: Samples, name: str) -> Shrinkable:
    import torch

    from .tracing.checking import find_shrinkable

    batch = Batch(inputs={key: tensor.cpu() for key, tensor in samples.tensors.items()})

    def call(module: nn.Module) -> Any:
        return module(**batch.inputs) if samples.by_name else module(*batch.inputs.values())

    training = {key: module.training for key, module in network.named_modules()}
    try:
        with torch.no_grad():
            samples.forward(network.eval(), batch)
        return find_shrinkable(network, call, dict(batch.inputs))
    except ConfigError:
        raise
    except Exception as error:
        shapes = ", ".join(str(list(tensor.shape)) for tensor in batch.inputs.values())
        raise ConfigError(
            f"the network {name} does not run on inputs of the shape {shapes}: {describe_error(error)}"
        ) from error
    finally:
        for key, module in network.named_modules():
            module.training = training[key]


def _checked_digest(model: nn.Module, name: str) -> str:
    import torch

    digest = hashlib.sha256()
    for key, tensor in (*model.named_parameters(), *model.named_buffers()):
        if tensor.is_meta:
            raise ConfigError(
                f"weight {key!r} of the network {name} is on the meta device; load its weights first"
            )
        if tensor.is_floating_point() and not bool(tensor.isfinite().all()):
            raise ConfigError(f"weight {key!r} of the network {name} holds numbers that are not finite")
        digest.update(f"{key} {tensor.dtype} {list(tensor.shape)}".encode())
        flat = tensor.detach().cpu().contiguous().reshape(-1)
        digest.update(flat.view(torch.uint8).numpy().data)
    return digest.hexdigest()


@dataclasses.dataclass(kw_only=True)
class TracedSpace(SearchSpace):
    """Networks that are left of one network when channels and blocks are left out; `space_of` makes it.

    The network belongs to the object, and is no option.
    """

    network: str = option("", "Class of the network")
    digest: str = option("", "Hash of its weights")
    fractions: list[float] = option(list(FRACTIONS), "Shares of the units of a group that may be kept")
    samples: dict[str, Any] = option({}, "Shape and type of each input of the network")

    def knobs(self) -> tuple[Knob, ...]:
        """Return a knob for each stack of blocks, its depth, and one for each group of channels, its width."""
        found = self._found
        knobs = []
        conditions: dict[str, tuple[str, tuple[int, ...]]] = {}
        for stack in found.stacks:
            # At least one block stays, unless the container has others beside.
            least = int(len(stack.blocks) == len(list(self._model.get_submodule(stack.name).children())))
            depths = tuple(range(least, len(stack.blocks) + 1))
            if len(depths) < 2:
                continue
            depth = Knob(f"{stack.name}.depth".lstrip("."), depths)
            knobs.append(depth)
            for place, block in enumerate(stack.blocks):
                deeper = tuple(count for count in depths if count > place)
                if len(deeper) < len(depths):
                    conditions[block] = (depth.name, deeper)
        for layer, group in enumerate(found.groups):
            size = len(group.units)
            widths = sorted({min(size, max(LEAST, round(size * share))) for share in self.fractions})
            when = next(
                (
                    condition
                    for block, condition in conditions.items()
                    if all(name.startswith(f"{block}.") for name, _ in group.members)
                ),
                None,
            )
            knobs.append(Knob(f"{group.name}.width", tuple(widths), layer=layer, when=when))
        return tuple(knobs)

    def build(
        self, arch: Architecture, *, head: nn.Module | None = None, variant: Variant = "full"
    ) -> nn.Module:
        """Return what is left of the network, with its weights; on the meta device without them."""
        import torch

        if torch.get_default_device().type != "meta":
            return self._cut(self._model, arch, head)
        if "_on_meta" not in self.__dict__:
            self.__dict__["_on_meta"] = copy.deepcopy(self._model).to("meta")
        return self._cut(self.__dict__["_on_meta"], arch, head)

    def load(
        self,
        model: nn.Module,
        arch: Architecture,
        *,
        seed: int,
        weights: Literal["fresh", "inherited"] = "fresh",
    ) -> nn.Module:
        """Return the network with the weights that are left of the whole one, or with fresh ones."""
        head = model.__dict__.get("_denas_head")
        if head is not None:
            head = self.initialise(head, seed=seed)
        network = self._cut(self._model, arch, head)
        return network if weights == "inherited" else self.initialise(network, seed=seed)

    @property
    def inherits(self) -> bool:
        """The network is the checkpoint."""
        return True

    def batch(self, size: int, *, seed: int, kind: BatchKind = "noise") -> Batch:
        """Return a batch like the example, see `Samples`."""
        return self._samples.batch(size, seed=seed, kind=kind)

    def forward(self, model: nn.Module, batch: Batch) -> Outputs:
        """Run the network on the batch, see `Samples`."""
        return self._samples.forward(model, batch)

    def summary(self) -> str:
        """Return what can be left out of the network, and what stays whole and why, in a few lines."""
        found = self._found
        channels = ", ".join(f"{group.name} ({len(group.units)})" for group in found.groups)
        blocks = ", ".join(block for stack in found.stacks for block in stack.blocks)
        lines = [f"{len(found.groups)} groups of channels: {channels or 'none'}"]
        lines.append(f"blocks that can be left out: {blocks or 'none'}")
        if found.refused:
            lines.append(f"stay whole, because smaller networks do not run: {', '.join(found.refused)}")
        if found.unknown:
            lines.append(
                f"stay whole, because there are no rules for it: what {', '.join(found.unknown)} use"
            )
        return "\n".join(lines)

    def __reduce__(self) -> tuple[Any, ...]:
        own = {name: self.__dict__[name] for name in ("_id", "_model", "_samples", "_found")}
        return _copied, (self.options(), own)

    @property
    def _found(self) -> Shrinkable:
        found: Shrinkable = self.__dict__["_found"]
        return found

    @property
    def _samples(self) -> Samples:
        samples: Samples = self.__dict__["_samples"]
        return samples

    @property
    def _model(self) -> nn.Module:
        model: nn.Module = self.__dict__["_model"]
        return model

    def _cut(self, source: nn.Module, arch: Architecture, head: nn.Module | None) -> nn.Module:
        from .tracing.cutting import cut

        found = self._found
        if head is not None and not found.head:
            raise ConfigError(
                f"the network {self.network} does not end with a linear layer, so no task can replace its head"
            )
        kept = {
            group.name: int(arch.values[f"{group.name}.width"])
            for group in found.groups
            if f"{group.name}.width" in arch.values
        }
        dropped: list[str] = []
        for stack in found.stacks:
            depth = arch.values.get(f"{stack.name}.depth".lstrip("."), len(stack.blocks))
            dropped += stack.blocks[int(depth) :]
        network = copy.deepcopy(source)
        cut(network, found.units_of, found.groups, found.cut_to(kept, dropped))
        if head is not None:
            parent, _, own = found.head.rpartition(".")
            setattr(network.get_submodule(parent), own, head)
            network.__dict__["_denas_head"] = head
        return network


def _copied(options: dict[str, Any], own: dict[str, Any]) -> TracedSpace:
    space = TracedSpace(**options)
    space.__dict__.update(own)
    return space
