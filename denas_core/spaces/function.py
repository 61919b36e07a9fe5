"""A search space from a function that builds a network from named choices."""

from __future__ import annotations

import dataclasses
import functools
import inspect
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Literal

from denas_core.contracts.component import option
from denas_core.contracts.space import SearchSpace, Variant
from denas_core.errors import ConfigError
from denas_core.seeding import canonical_json, digest
from denas_core.text import describe_error, safe_repr
from denas_core.values.architecture import Architecture, Knob
from denas_core.values.batch import Batch, BatchKind, Outputs

from .choices import knobs_of, read_choices
from .samples import Example, Samples

if TYPE_CHECKING:
    from torch import nn

Build = Callable[..., Any]

MOST_MEASURED = 8
"""Values of a knob whose networks are counted to find the smallest and the largest one."""


def space_from_function(build: Build, *, knobs: Mapping[str, Any], inputs: Example) -> FunctionSpace:
    """Return the search space of the networks that a function builds.

    Args:
        build: A function that takes the knobs as keyword arguments, and returns an ``nn.Module``. It should take random
            numbers only from torch. A knob that is not active is not passed. If the function has a parameter ``head``,
            a task can pass a module that takes the place of the network's last layer; it is None otherwise.
        knobs: Values by name of the knob, such as ``{"depth": [2, 4, 8], "act": ["relu", "gelu"]}``. A knob that
            exists only while another has certain values is
            ``{"kernel": {"values": [3, 5], "when": {"conv": [True]}}}``.
        inputs: An example of the inputs: a tensor whose first dimension is the sample, a sequence of tensors, or a
            mapping of them by keyword argument. Or a function that returns one of these for a number of samples.

    Raises:
        ConfigError: the function fails, does not return a module, or returns one that does not take the inputs.
    """
    if not callable(build):
        raise ConfigError(f"build must be a function that returns a network, not {safe_repr(build, 60)}")
    samples = Samples.of(inputs)
    space = _space(build, read_choices(knobs), samples)
    space.check()
    return space


def _space(build: Build, choices: dict[str, Any], samples: Samples) -> FunctionSpace:
    space = FunctionSpace(choices=choices, samples=samples.describe())
    space.__dict__.update(_build=build, _samples=samples)
    module = getattr(build, "__module__", None) or type(build).__module__
    name = getattr(build, "__qualname__", None) or type(build).__qualname__
    return space.named(f"{module}:{name}")


@dataclasses.dataclass(kw_only=True)
class FunctionSpace(SearchSpace):
    """The networks that a function builds from named choices; `space_from_function` makes it.

    The function belongs to the object, and is no option: a run that is read from a disk must not name code to call.
    """

    choices: dict[str, Any] = option({}, "Values of each knob, by its name")
    samples: dict[str, Any] = option({}, "Shape and type of each input of the network")

    def knobs(self) -> tuple[Knob, ...]:
        """Return the knobs, in the order of the choices."""
        return knobs_of(self.choices)

    def check(self) -> None:
        """Build networks at both ends of every knob, and run one of them.

        Raises:
            ConfigError: see `space_from_function`.
        """
        from denas_core.setup.checks import check_knobs

        check_knobs(self)
        names, takes_any = _parameters(self.__dict__["_build"])
        for name in self.choices:
            if name not in names and not takes_any:
                raise ConfigError(
                    f"{self.id!r} has no argument {name!r}, which is a knob; it has {', '.join(names)}"
                )
        self._run(self._middle())
        for arch in self._ends:
            self._run(arch)

    def build(
        self, arch: Architecture, *, head: nn.Module | None = None, variant: Variant = "full"
    ) -> nn.Module:
        """Return what the function returns. A network without residual connections is not known; it has them."""
        import torch

        device = torch.get_default_device()
        try:
            network = self._called(arch, head)
        except ConfigError:
            if device.type != "meta":
                raise
            # Constructors that read numbers from tensors, such as rates of stochastic depth, fail on the meta device.
            network = self._built_on_cpu(arch, head=head, seed=0).to(device)
        network.__dict__["_denas_head"] = head
        return network

    def load(
        self,
        model: nn.Module,
        arch: Architecture,
        *,
        seed: int,
        weights: Literal["fresh", "inherited"] = "fresh",
    ) -> nn.Module:
        """Return the network as the function initialises it, with random numbers from `seed`."""
        if weights == "inherited":
            return super().load(model, arch, seed=seed, weights=weights)
        head = model.__dict__.get("_denas_head")
        if head is not None:
            head = self.initialise(head, seed=seed)
        network = self._built_on_cpu(arch, head=head, seed=seed)
        network.__dict__["_denas_head"] = head
        return network.train(model.training)

    def batch(self, size: int, *, seed: int, kind: BatchKind = "noise") -> Batch:
        """Return a batch like the example, see `Samples`."""
        return self._example.batch(size, seed=seed, kind=kind)

    def forward(self, model: nn.Module, batch: Batch) -> Outputs:
        """Run the network on the batch, see `Samples`."""
        return self._example.forward(model, batch)

    def smallest(self) -> Architecture:
        """Return the architecture whose knobs have, each on its own, the values with the fewest parameters."""
        return self._ends[0]

    def full(self) -> Architecture:
        """Return the architecture whose knobs have, each on its own, the values with the most parameters."""
        return self._ends[1]

    def bounded_metrics(self) -> tuple[str, ...]:
        """Return none: choices of a function need no order, so larger and smaller networks than the ends may exist."""
        return ()

    def fingerprint(self) -> str:
        """Return the options and the shapes of the parameters of three networks."""
        shapes = {arch.key: self._shapes(arch) for arch in (self._plain(0), self._plain(-1))}
        return canonical_json({**self.options(), "networks": digest(list(shapes.values()))})

    def __reduce__(self) -> tuple[Any, ...]:
        return _space, (self.__dict__["_build"], self.choices, self.__dict__["_samples"])

    @property
    def _example(self) -> Samples:
        samples: Samples = self.__dict__["_samples"]
        return samples

    def _called(self, arch: Architecture, head: nn.Module | None) -> nn.Module:
        from torch import nn

        build = self.__dict__["_build"]
        values = dict(arch.values)
        if head is not None and "head" not in _parameters(build)[0]:
            raise ConfigError(
                f"{self.id!r} has no argument 'head', so no task can give its networks a head; add head=None, and use "
                "it in place of the last layer if it is not None"
            )
        call = f"{self.id}({', '.join(f'{name}={value!r}' for name, value in values.items())})"
        try:
            network = build(**values, **({} if head is None else {"head": head}))
        except Exception as error:
            raise ConfigError(f"{call} raised {describe_error(error)}") from error
        if not isinstance(network, nn.Module):
            raise ConfigError(f"{call} returned {safe_repr(network, 60)}; it must return an nn.Module")
        return network

    def _built_on_cpu(self, arch: Architecture, *, head: nn.Module | None, seed: int) -> nn.Module:
        import torch

        with torch.random.fork_rng(devices=[]), torch.device("cpu"):
            torch.default_generator.manual_seed(seed)
            return self._called(arch, head)

    def _run(self, arch: Architecture) -> None:
        import torch

        with torch.device("meta"):
            network = self.build(arch).eval()
        batch = self.batch(2, seed=0, kind="cost")
        try:
            with torch.no_grad():
                self.forward(network, batch)
        except ConfigError:
            raise
        except Exception as error:
            shapes = ", ".join(str(list(tensor.shape)) for tensor in batch.inputs.values())
            raise ConfigError(
                f"the network of {self.id} with {arch.as_dict()} does not run on inputs of the shape {shapes}: "
                f"{describe_error(error)}"
            ) from error

    def _shapes(self, arch: Architecture) -> dict[str, list[int]]:
        import torch

        with torch.device("meta"):
            network = self.build(arch)
        return {name: list(tensor.shape) for name, tensor in network.state_dict().items()}

    def _middle(self) -> Architecture:
        return self.unchecked(self._plain_values(lambda knob: knob.values[len(knob.values) // 2]))

    def _plain(self, index: int) -> Architecture:
        """Return the first or last values of the knobs, with a key that needs no fingerprint."""
        return Architecture(self.id, self._plain_values(lambda knob: knob.values[index]), str(index))

    def _plain_values(self, choose: Callable[[Knob], Any]) -> dict[str, Any]:
        return self.canonical({knob.name: choose(knob) for knob in self.knobs()})

    @functools.cached_property
    def _ends(self) -> tuple[Architecture, Architecture]:
        """The architectures with the fewest and the most parameters, each knob on its own."""
        middle = self._middle()
        ends: list[dict[str, Any]] = [{}, {}]
        for knob in self.knobs():
            if len(knob.values) > MOST_MEASURED:
                measured = [knob.values[0], knob.values[len(knob.values) // 2], knob.values[-1]]
            else:
                measured = list(knob.values)
            context = middle
            if knob.when is not None:
                context = self.changed(middle, {knob.when[0]: knob.when[1][0]})
            sizes = []
            for value in measured:
                cost = self.cost(self.changed(context, {knob.name: value}))
                sizes.append((cost["params"], cost["flops"]))
            # Of equal sizes, the first value counts as the smallest, and the last one as the largest.
            ends[0][knob.name] = measured[sizes.index(min(sizes))]
            ends[1][knob.name] = measured[len(sizes) - 1 - sizes[::-1].index(max(sizes))]
        small, large = (self.unchecked(self.canonical(values)) for values in ends)
        return small, large


def _parameters(build: Build) -> tuple[list[str], bool]:
    """Return the names of the arguments of a function, and whether it takes any other."""
    try:
        parameters = inspect.signature(build).parameters.values()
    except (TypeError, ValueError):
        return [], True
    return [p.name for p in parameters], any(p.kind is p.VAR_KEYWORD for p in parameters)
