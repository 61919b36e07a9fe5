"""What the networks of a search space must do: build anywhere, load from a seed, keep samples apart."""

from __future__ import annotations

from typing import TYPE_CHECKING

from denas_core.testing.check import Check, CheckSkipped, require
from denas_core.testing.faults import told
from denas_core.testing.samples.built import (
    batch_of,
    few,
    forward,
    loaded,
    networks,
    output_tensors,
    structure,
    tensors_of,
)
from denas_core.text import safe_repr

from .batches import BATCH_CHECKS
from .knob_effects import knobs_change_the_network
from .outputs import OUTPUT_CHECKS

if TYPE_CHECKING:
    from denas_core.contracts.space import SearchSpace
    from denas_core.values.architecture import Architecture


def structures_build_on_meta(space: SearchSpace) -> None:
    """build() on the meta device makes a structure that takes no memory."""
    for arch in networks(space):
        on_cpu = [name for name, tensor in tensors_of(structure(space, arch)).items() if not tensor.is_meta]
        require(
            not on_cpu,
            f"under torch.device('meta') build() makes {safe_repr(on_cpu[:3])} elsewhere; name no device in it and "
            "build anew each time",
        )


def structures_build_on_the_cpu(space: SearchSpace) -> None:
    """build() on the CPU makes the same tensors as on the meta device."""
    arch = networks(space)[0]
    here = {
        name: tuple(tensor.shape) for name, tensor in tensors_of(structure(space, arch, device="cpu")).items()
    }
    there = {name: tuple(tensor.shape) for name, tensor in tensors_of(structure(space, arch)).items()}
    require(
        here == there,
        f"on the CPU build() makes {safe_repr(set(here.items()) - set(there.items()))} where on meta it makes "
        f"{safe_repr(set(there.items()) - set(here.items()))}; its shapes may depend on the architecture alone",
    )


def costs_count_the_network(space: SearchSpace) -> None:
    """cost() counts the parameters of the network that is built."""
    for arch in networks(space):
        parameters = list(structure(space, arch).parameters())
        cost = space.cost(arch)
        counted = {
            "params": sum(p.numel() for p in parameters),
            "trainable_params": sum(p.numel() for p in parameters if p.requires_grad),
        }
        for name, count in counted.items():
            require(
                cost.get(name, count) == count,
                f"cost() says {cost.get(name)} {name} for {safe_repr(arch.as_dict())}, but the network has {count}",
            )


def cost_batches_run_on_meta(space: SearchSpace) -> None:
    """The network runs on the meta device with the batch of kind 'cost', so that FLOPs can be counted."""

    arch = networks(space)[0]
    structure(space, arch)
    try:
        flops = space.counted_cost(arch)["flops"]
    except Exception as error:
        require(
            False,
            f"on meta the network raises {told(error)}; make tensors on the device of the input, and "
            "leave out masks that are not given",
        )
    require(flops > 0, "the core counts no FLOPs; forward() must run the model on the batch")


def weights_repeat(space: SearchSpace) -> None:
    """load() gives the same weights for a seed, wherever the network was built and whatever was drawn before."""
    import torch

    from denas_core.testing.samples.surroundings import restored

    arch = networks(space)[0]
    first = tensors_of(loaded(space, arch, seed=7))
    with restored():
        torch.manual_seed(99)
        second = tensors_of(space.load(structure(space, arch, device="cpu"), arch, seed=7))
    for name, tensor in first.items():
        require(
            torch.equal(tensor, second[name]),
            f"load(seed=7) gives {name!r} {safe_repr(few(tensor))} and then {safe_repr(few(second[name]))}; "
            "initialise every tensor from the seed, e.g. with denas_core.networks.initialise.initialise",
        )


def weights_depend_on_the_seed(space: SearchSpace) -> None:
    """load() gives other weights for another seed."""
    import torch

    arch = networks(space)[0]
    first, other = (tensors_of(loaded(space, arch, seed=seed)) for seed in (7, 8))
    require(
        any(not torch.equal(tensor, other[name]) for name, tensor in first.items()),
        "load() gives the same weights for seeds 7 and 8; draw them from the seed",
    )


def every_weight_is_set(space: SearchSpace) -> None:
    """load() gives every parameter a finite value on the CPU, whatever was there before."""
    import torch

    arch = networks(space)[0]
    model = structure(space, arch, device="cpu")
    with torch.no_grad():
        for parameter in model.parameters():
            if parameter.is_floating_point():
                parameter.fill_(torch.nan)
    for name, tensor in tensors_of(space.load(model, arch, seed=0)).items():
        is_set = tensor.device.type == "cpu" and bool(torch.isfinite(tensor).all())
        require(
            is_set,
            f"after load() {name!r} is {safe_repr(few(tensor))} on {tensor.device}; give it its weights",
        )


def views_lie_within_parameters(space: SearchSpace) -> None:
    """views() name parameters that exist, and rows and columns that these have."""
    for arch in networks(space):
        model = structure(space, arch)
        parameters = dict(model.named_parameters(remove_duplicate=False))
        for view in space.views(model):
            require(
                view.parameter in parameters,
                f"views() names {view.parameter!r}, which is no parameter; it has {safe_repr(list(parameters)[:6])}",
            )
            shape = tuple(parameters[view.parameter].shape)
            require(
                len(shape) > 1,
                f"view {view.parameter!r} has the shape {shape}; a view is a matrix or a kernel",
            )
            size = tuple(reversed(shape[:2])) if view.transposed else shape[:2]
            for bounds, most, what in ((view.rows, size[0], "rows"), (view.columns, size[1], "columns")):
                require(
                    bounds is None or 0 <= bounds[0] < bounds[1] <= most,
                    f"view {view.parameter!r} has {what} {bounds} of {most}; give (start, stop) within the parameter",
                )


def views_have_known_roles(space: SearchSpace) -> None:
    """views() give every weight a role that scores know, and a layer counted from 0."""
    from denas_core.values.views import KINDS

    for view in space.views(structure(space, networks(space)[0])):
        require(
            view.kind in KINDS,
            f"view {view.parameter!r} has the kind {view.kind!r}; choose from {', '.join(KINDS)}",
        )
        require(
            isinstance(view.layer, int) and view.layer >= 0,
            f"view {view.parameter!r} has the layer {view.layer!r}; count from 0 at the input",
        )


def parts_name_parameters(space: SearchSpace) -> None:
    """Every prefix of parts() is that of a parameter."""
    model = structure(space, networks(space)[0])
    parts = space.parts(model)
    if not parts:
        raise CheckSkipped("it names no parts")
    names = [name for name, _ in model.named_parameters()]
    for part, prefixes in parts.items():
        for prefix in prefixes:
            require(
                not isinstance(prefixes, str) and any(name.startswith(prefix) for name in names),
                f"part {part!r} has the prefix {prefix!r}, with which no parameter begins: {safe_repr(names[:6])}",
            )


def heads_are_replaced(space: SearchSpace) -> None:
    """build(head=...) puts the given head into the network."""
    import torch
    from torch import nn

    arch = networks(space)[0]
    structure(space, arch)
    head = nn.Identity()
    with torch.device("meta"):
        model = space.build(arch, head=head)
    require(
        any(module is head for module in model.modules()),
        "build() leaves out the head that it is given; a task needs it in place of the network's own",
    )


def plain_variants_run(space: SearchSpace) -> None:
    """The plain variant, without residual connections, builds, loads and gives outputs of the same shapes."""
    arch, batch = networks(space)[0], batch_of(space)
    full = output_tensors(forward(space, loaded(space, arch), batch))
    plain = output_tensors(forward(space, loaded(space, arch, variant="plain"), batch))
    shapes = [{name: tuple(tensor.shape) for name, tensor in found.items()} for found in (full, plain)]
    require(shapes[0] == shapes[1], f"the plain variant gives {shapes[1]}, the full one {shapes[0]}")


def exercise_networks(space: SearchSpace, arch: Architecture) -> None:
    """Use everything that a space does with networks, once; nothing where it builds none."""
    try:
        model = loaded(space, arch)
    except CheckSkipped:
        return
    for kind in ("noise", "ones", "cost"):
        batch_of(space, kind=kind)
    forward(space, model, batch_of(space))
    space.views(model)
    space.parts(model)


NETWORK_CHECKS: tuple[Check, ...] = (
    structures_build_on_meta,
    structures_build_on_the_cpu,
    knobs_change_the_network,
    costs_count_the_network,
    cost_batches_run_on_meta,
    weights_repeat,
    weights_depend_on_the_seed,
    every_weight_is_set,
    *BATCH_CHECKS,
    *OUTPUT_CHECKS,
    views_lie_within_parameters,
    views_have_known_roles,
    parts_name_parameters,
    heads_are_replaced,
    plain_variants_run,
)
