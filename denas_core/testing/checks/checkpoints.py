"""What a search space promises about files: it can do without them, names those that exist, and takes their weights."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from denas_core.contracts.space import SearchSpace
from denas_core.errors import ConfigError
from denas_core.testing.check import CheckSkipped, check, check_on, fail, must_succeed
from denas_core.testing.samples.built import Network, networks, smallest, tensors_of
from denas_core.testing.samples.difference import brief, difference
from denas_core.testing.samples.members import few, text

from .networks import SEED, require_weights


@check
def portable_options_make_the_same_networks(space: SearchSpace) -> None:
    """A space made of portable() gives its networks the same keys, and has itself the same portable()."""
    from denas_core.registry.options import make_component

    portable = dict(space.portable())
    with must_succeed("making a space of portable()", "return options of its own"):
        other: SearchSpace = make_component(type(space), portable, id=space.id)
    for arch in few(space):
        with must_succeed(
            f"architecture() of {text(arch)} in the space made of portable()", "keep its knobs"
        ):
            key = other.architecture(arch.as_dict()).key
        if key != arch.key:
            fail(f"the space made of portable() gives {text(arch)} another key; keep what makes the key")
    if found := difference(portable, dict(other.portable()), "portable()"):
        fail(f"in the space made of portable(), {found}; leave nothing to be left out twice")


@check
def portable_options_name_no_file(space: SearchSpace) -> None:
    """No value of portable() is a file or folder of this machine."""
    for value in _texts(space.portable()):
        if Path(value).is_absolute() and len(value) < 4096 and Path(value).exists():
            fail(f"portable() holds {brief(value)}, which other machines lack; give what was read of it")


@check
def assets_are_files(space: SearchSpace) -> None:
    """assets() maps names to files that are there."""
    assets: Any = space.assets()
    if not assets:
        raise CheckSkipped("it has no assets")
    for name, path in dict(assets).items():
        if not isinstance(name, str) or not isinstance(path, Path) or not path.is_file():
            fail(f"assets() maps {name!r} to {brief(path)}, not to the pathlib.Path of a file; leave it out")


@check_on(networks)
def inherited_weights_are_those_of_the_checkpoint(space: SearchSpace, network: Network) -> None:
    """Where it `inherits`, load() gives finite weights, the same each time, that are not the fresh ones."""
    if not space.inherits:
        raise CheckSkipped("it has no checkpoint")
    require_weights(network, network.build("cpu"), weights="inherited")
    inherited, fresh = (tensors_of(network.load(seed=SEED, weights=each)) for each in ("inherited", "fresh"))
    if not difference(inherited, fresh):
        fail("load(weights='inherited') gives the fresh weights of the seed; take those of the checkpoint")


@check_on(smallest)
def inherited_weights_need_a_checkpoint(space: SearchSpace, network: Network) -> None:
    """Where it has no checkpoint, load() refuses to inherit weights with a ConfigError."""
    if space.inherits:
        raise CheckSkipped("it has a checkpoint")
    model = network.build()
    try:
        network.load(model, weights="inherited")
    except ConfigError:
        return
    fail("load(weights='inherited') gives weights where there is no checkpoint; leave that to super().load()")


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, (list, tuple)) or hasattr(value, "values"):
        for item in value.values() if hasattr(value, "values") else value:
            yield from _texts(item)
