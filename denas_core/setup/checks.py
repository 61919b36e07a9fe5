"""Checks of the components of a search before it starts."""

from __future__ import annotations

import importlib
import random
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from denas_core.contracts.component import Component
from denas_core.contracts.space import SearchSpace
from denas_core.errors import ConfigError, did_you_mean
from denas_core.registry.options import make_component
from denas_core.registry.registry import CONTRACTS
from denas_core.values.architecture import KnobValue
from denas_core.values.metrics import Metrics

if TYPE_CHECKING:
    from denas_core.contracts.space import SearchSpace

DEVICES = ("auto", "cpu", "cuda")
"""What ``--device`` may name."""


def check_knobs(space: SearchSpace) -> None:
    """Check that the knobs of a space can be searched.

    Raises:
        ConfigError: there are no knobs, a knob has no values or equal values, two knobs have the same name, or a knob
            depends on a parent that comes later or never has the wanted value. The text names the knob.
    """
    seen: dict[str, tuple[KnobValue, ...]] = {}
    for knob in space.knobs():
        if not knob.values:
            raise ConfigError(f"knob {knob.name!r} of space {space.id!r} has no values; give it at least one")
        if len(set(knob.values)) < len(knob.values):
            raise ConfigError(
                f"knob {knob.name!r} of space {space.id!r} lists a value twice: {knob.values!r}"
            )
        if knob.name in seen:
            raise ConfigError(f"space {space.id!r} has two knobs named {knob.name!r}")
        if knob.when is not None:
            parent, wanted = knob.when
            if parent not in seen:
                raise ConfigError(
                    f"knob {knob.name!r} of space {space.id!r} depends on {parent!r}, which is not before it"
                )
            never = [value for value in wanted if value not in seen[parent]]
            if never or not wanted:
                taken = "takes none of them" if len(never) == len(wanted) else f"never takes {never[0]!r}"
                raise ConfigError(
                    f"knob {knob.name!r} of space {space.id!r} is active while {parent!r} is one of {wanted!r}, but "
                    f"that {taken}; its values are {seen[parent]!r}"
                )
        seen[knob.name] = knob.values
    if not seen:
        raise ConfigError(f"space {space.id!r} has no knobs, so there is nothing to search")


def check_objects(objects: Mapping[str, Component]) -> None:
    """Check components that the caller has made, in the same way as components from a configuration.

    Raises:
        ConfigError: a component is not of the kind of its name, or an option is outside its bounds.
    """
    for unknown in objects.keys() - CONTRACTS.keys():
        raise ConfigError(f"there is no component {unknown!r}{did_you_mean(unknown, CONTRACTS)}")
    for kind in CONTRACTS:
        if kind not in objects:
            continue
        component = objects[kind]
        contracts = [_contract(reference) for reference in CONTRACTS[kind]]
        if not isinstance(component, tuple(contracts)):
            wanted = " or ".join(contract.__name__ for contract in contracts)
            raise ConfigError(f"the {kind} must be a {wanted}, not {type(component).__name__}")
        make_component(type(component), component.options(), id=component.id)


def check_metrics(space: SearchSpace, metrics: Metrics, names: Iterable[str]) -> None:
    """Check that `space` has the metrics that constraints and objectives name.

    Args:
        space: The space.
        metrics: The metrics of the search.
        names: Metrics that constraints and objectives name.

    Raises:
        ConfigError: the space does not have a metric. The text lists the metrics that it has.
    """
    wanted = list(names)
    known = [metric.name for metric in metrics if metric.is_measured]
    if any(name not in known for name in wanted):
        # All networks of a space have the same metrics, so any of them shows which there are.
        known = [*space.cost(space.smallest() or space.sample(random.Random(0))), *known]
    for name in wanted:
        if name not in known:
            raise ConfigError(f"space {space.id!r} has no metric {name!r}; it has {', '.join(known)}")


def choose_device(device: str) -> str:
    """Return ``cpu`` or ``cuda`` for the device that the user chose.

    Raises:
        ConfigError: the user chose CUDA, and this machine does not have it.
    """
    if device == "cpu":
        return device
    import torch

    available = torch.cuda.is_available()
    if device == "cuda" and not available:
        raise ConfigError("device 'cuda' is not available on this machine; use --device cpu")
    return "cuda" if available else "cpu"


def _contract(reference: str) -> type[Any]:
    module, _, name = reference.partition(":")
    return getattr(importlib.import_module(module), name)  # type: ignore[no-any-return]
