"""What a search space promises about networks: they build anywhere, load from a seed, and every knob changes them."""

from __future__ import annotations

import functools
from collections.abc import Iterator
from typing import Any

from denas_core.contracts.space import SearchSpace
from denas_core.testing.check import CheckSkipped, check_on, fail, must_succeed
from denas_core.testing.samples.built import (
    Network,
    batch_of,
    batch_tensors,
    contents_of,
    networks,
    shapes,
    smallest,
    tensors_of,
)
from denas_core.testing.samples.difference import brief, difference
from denas_core.testing.samples.surroundings import other_seeds
from denas_core.values.architecture import Knob
from denas_core.values.views import KINDS

from .calls import Call, Loan

SEED = 7


def calls(space: SearchSpace) -> Iterator[Call]:
    """Yield how a search calls a space for one network; nothing for a space without networks."""
    network = networks(space)[1]
    try:
        structure, batch, model = network.build(), batch_of(space), functools.cache(network.load)
    except CheckSkipped:
        return
    yield Call("build()", lambda seed: tensors_of(network.build()))
    yield Call("load()", lambda seed: tensors_of(network.load(seed=seed)), draws=True)
    yield Call("batch()", lambda seed: batch_tensors(batch_of(space, seed=seed)), draws=True)
    yield Call("batch(kind='ones')", lambda seed: batch_tensors(batch_of(space, kind="ones")))
    yield Call("batch(kind='cost')", lambda seed: batch_tensors(batch_of(space, kind="cost")))
    yield Call("forward()", lambda seed: network.outputs(model(), batch))
    yield Call("views()", lambda seed: list(space.views(structure)))
    yield Call("parts()", lambda seed: dict(space.parts(structure)))
    yield Call("block_names()", lambda seed: list(space.block_names(structure)))
    yield Call("residual_ends()", lambda seed: list(space.residual_ends(structure)))


def loans(space: SearchSpace) -> Iterator[Loan]:
    """Yield the calls of a space with a network and a batch that others use too."""
    network = networks(space)[0]
    try:
        model, batch = network.load(), batch_of(space)
    except CheckSkipped:
        return
    run = functools.partial(network.outputs, model, batch)
    yield Loan("forward()", run, lambda: {**contents_of(model), **batch_tensors(batch)})


@check_on(networks)
def structures_build_on_any_device(space: SearchSpace, network: Network) -> None:
    """build() makes the same tensors on the CPU and on the meta device, where they take no memory."""
    there, here = tensors_of(network.build()), tensors_of(network.build("cpu"))
    in_memory = [name for name, tensor in there.items() if not tensor.is_meta]
    if in_memory:
        fail(f"on meta build() makes {brief(in_memory[:3])} elsewhere; name no device, and build anew")
    if found := difference(shapes(here), shapes(there), "the shapes"):
        fail(f"build() makes other tensors on the CPU than on meta: {found}; look at no device")


@check_on(networks)
def knobs_change_the_network(space: SearchSpace, network: Network) -> None:
    """Every knob that counts in a network changes it: its structure, its costs or its outputs."""
    structure = _description(network)
    for knob in space.knobs():
        others = _with_other_values(network, knob) if knob.name in network.arch.values else []
        # Cheapest first: nearly every knob is seen in the structure.
        if others and not any(
            structure != _description(other)
            or dict(space.cost(network.arch)) != dict(space.cost(other.arch))
            or difference(network.outputs(), other.outputs())
            for other in others
        ):
            fail(
                f"knob {knob.name!r} counts in {network}, and none of its values changes that network; use it in "
                "build(), or say where it counts with when=(parent, values)"
            )


@check_on(networks)
def costs_count_the_network(space: SearchSpace, network: Network) -> None:
    """cost() counts the parameters of the network that is built."""
    parameters = list(network.build().parameters())
    cost = space.cost(network.arch)
    trainable = [parameter for parameter in parameters if parameter.requires_grad]
    for name, counted in (("params", parameters), ("trainable_params", trainable)):
        count = sum(parameter.numel() for parameter in counted)
        if cost.get(name, count) != count:
            fail(f"cost() says {cost[name]} {name} for {network}, but the network has {count}; count it")


@check_on(smallest)
def cost_batches_run_on_meta(space: SearchSpace, network: Network) -> None:
    """The network runs on the meta device with the batch of kind 'cost', so that FLOPs can be counted."""
    network.build()
    advice = "make tensors on the device of the input, and leave out masks that are not given"
    with must_succeed("on the meta device the network", advice):
        flops = space.counted_cost(network.arch)["flops"]
    if flops <= 0:
        fail("the core counts no FLOPs; forward() must run the model on the batch")


@check_on(networks)
def pieces_add_up_to_the_network(space: SearchSpace, network: Network) -> None:
    """The operators and costs of pieces(), each times its count, are those of the network that is built."""
    from denas_core.latency.pieces import PieceReader
    from denas_core.networks.pieces import Piece

    network.build()
    reader = PieceReader(space, batch_size=1)
    with must_succeed(f"reading pieces() of {network}", "make the networks of pieces on the meta device"):
        added = reader.of_network(network.arch)
    whole = reader.of_piece(Piece(key=None, build=lambda: space.build(network.arch)))
    if added != whole:
        operator = min({*added, *whole}, key=lambda each: (added[each] == whole[each], str(each)))
        fail(
            f"the pieces of {network} have {operator.name} with {operator.arguments:.80} {added[operator]} times, and "
            f"the network has it {whole[operator]} times; correct their counts, or do not override pieces()"
        )
    if type(space).cost is SearchSpace.cost:
        cost, counted = space.cost(network.arch), space.counted_cost(network.arch)
        if found := difference(counted, cost, "the costs"):
            fail(
                f"the costs of the pieces of {network} do not add up to those of the network: {found}; correct the "
                "pieces, or override cost() too, for example with counted_cost()"
            )


@check_on(smallest)
def weights_come_from_the_seed(space: SearchSpace, network: Network) -> None:
    """load() gives every weight a finite value on the CPU, the same for a seed, whatever was there before."""
    import torch

    model = network.build("cpu")
    with torch.no_grad():
        for parameter in model.parameters():
            if parameter.is_floating_point():
                parameter.fill_(torch.nan)
    require_weights(network, model, weights="fresh")


@check_on(networks)
def views_show_weights(space: SearchSpace, network: Network) -> None:
    """views() name parameters with rows and columns that exist, a role that scores know, and a layer from 0 on."""
    model = network.build()
    parameters = dict(model.named_parameters(remove_duplicate=False))
    for view in space.views(model):
        name = f"view {view.parameter!r}"
        if view.parameter not in parameters:
            fail(f"{name} shows no parameter; those are {brief(list(parameters))}")
        if view.kind not in KINDS:
            fail(f"{name} has the kind {view.kind!r}; choose from {', '.join(KINDS)}")
        if not isinstance(view.layer, int) or view.layer < 0:
            fail(f"{name} has the layer {view.layer!r}; count from 0 at the input")
        shape = tuple(parameters[view.parameter].shape)
        if len(shape) < 2:
            fail(f"{name} has the shape {shape}; a view is a matrix or a kernel")
        size = shape[1::-1] if view.transposed else shape[:2]
        for bounds, most in ((view.rows, size[0]), (view.columns, size[1])):
            if bounds is not None and not 0 <= bounds[0] < bounds[1] <= most:
                fail(f"{name} has rows or columns {bounds} of {most}; give (start, stop)")


@check_on(smallest)
def parts_and_blocks_exist(space: SearchSpace, network: Network) -> None:
    """Every prefix of parts() is that of a parameter, and every name of block_names() that of a module."""
    model = network.build()
    names = [name for name, _ in model.named_parameters()]
    for part, prefixes in space.parts(model).items():
        for prefix in prefixes:
            if isinstance(prefixes, str) or not any(name.startswith(prefix) for name in names):
                fail(f"part {part!r} has the prefix {prefix!r}, but no parameter has it: {brief(names)}")
    if unknown := set(space.block_names(model)) - {name for name, _ in model.named_modules()}:
        fail(f"block_names() names {brief(sorted(unknown))}; name modules of the network")


@check_on(smallest)
def residual_ends_can_begin_at_zero(space: SearchSpace, network: Network) -> None:
    """With the weights of residual_ends() at 0, the outputs are finite, and training can move each of these weights."""
    import torch

    names = list(space.residual_ends(network.build()))
    if not names:
        raise CheckSkipped("it names no last weights of residual bodies")
    model = network.load()
    parameters = dict(model.named_parameters(remove_duplicate=False))
    if unknown := set(names) - set(parameters):
        fail(f"residual_ends() names {brief(sorted(unknown))}; name parameters of the network")
    with torch.no_grad():
        for name in names:
            parameters[name].zero_()
    logits = space.forward(model, batch_of(space)).logits
    if infinite := [name for name, tensor in logits.items() if not tensor.isfinite().all()]:
        fail(f"with residual_ends() at 0 the logits {brief(infinite)} are not finite; name fewer weights")
    generator = torch.Generator().manual_seed(SEED)
    # A weighted sum, because the plain sum of normalised outputs is constant.
    total = torch.stack(
        [
            (tensor.double() * torch.randn(tensor.shape, generator=generator, dtype=torch.double)).sum()
            for tensor in logits.values()
        ]
    ).sum()
    gradients = torch.autograd.grad(total, [parameters[name] for name in names], allow_unused=True)
    still = [
        name for name, each in zip(names, gradients, strict=True) if each is None or not each.count_nonzero()
    ]
    if still:
        fail(f"with residual_ends() at 0, {brief(still)} have no gradient; name one weight of each body")


@check_on(smallest)
def heads_are_replaced(space: SearchSpace, network: Network) -> None:
    """build(head=...) puts the given head into the network."""
    import torch

    network.build()
    head = torch.nn.Identity()
    with torch.device("meta"):
        model = space.build(network.arch, head=head)
    if not any(module is head for module in model.modules()):
        fail("build() leaves out the head that it is given; a task needs it in place of the network's own")


def require_weights(network: Network, model: Any, *, weights: Any) -> None:
    """Fail unless load() gives a model the weights that it gives one of the meta device, all of them finite."""
    first = tensors_of(network.load(seed=SEED, weights=weights))
    with other_seeds():
        second = tensors_of(network.load(model, seed=SEED, weights=weights))
    advice = "initialise every tensor from the seed, or give it the value of the checkpoint"
    if found := difference(first, second):
        fail(f"load(weights={weights!r}) depends on more than the seed: {found}; {advice}")
    unset = [name for name, each in first.items() if each.device.type != "cpu" or not each.isfinite().all()]
    if unset:
        fail(f"load(weights={weights!r}) gives {brief(unset)} no finite values on the CPU; {advice}")


def _with_other_values(network: Network, knob: Knob) -> list[Network]:
    """Return what a network becomes with the other values of a knob, without those that canonical() takes back."""
    space, values = network.space, network.arch.values
    inactive = {other.name: other.values[0] for other in space.knobs()}
    others = (value for value in knob.values if value != values[knob.name])
    found = [space.unchecked(space.canonical({**inactive, **values, knob.name: other})) for other in others]
    return [Network(space, other) for other in found if other.key != network.arch.key]


def _description(network: Network) -> tuple[str, dict[str, tuple[int, ...]]]:
    structure = network.build()
    return repr(structure), shapes(tensors_of(structure))
