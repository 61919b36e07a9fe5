"""What a space with files must do: leave them behind, name those that are there, give their weights each time."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from denas_core.errors import ConfigError, DenasError
from denas_core.testing.check import Check, CheckSkipped, require
from denas_core.testing.samples.built import few, networks, structure, tensors_of
from denas_core.testing.samples.members import ends, samples
from denas_core.testing.samples.surroundings import restored
from denas_core.text import safe_repr

if TYPE_CHECKING:
    from denas_core.contracts.space import SearchSpace


def portable_options_make_the_same_networks(space: SearchSpace) -> None:
    """A space made of portable() gives its networks the same keys, and has itself the same portable()."""
    from denas_core.registry.options import make_component

    portable = dict(space.portable())
    try:
        other: SearchSpace = make_component(type(space), portable, id=space.id)
    except DenasError as error:
        require(False, f"no space can be made of portable(): {error}; return options of its own")
    for arch in (*ends(space), *samples(space, 3)):
        try:
            key = other.architecture(arch.as_dict()).key
        except DenasError as error:
            key = str(error)
        require(
            key == arch.key,
            f"the space made of portable() gives {safe_repr(arch.as_dict())} the key {safe_repr(key)}, and not "
            f"{arch.key!r}; keep everything that fingerprint() looks at in its options",
        )
    again = dict(other.portable())
    require(
        again == portable,
        f"portable() is {safe_repr(portable)}, and {safe_repr(again)} for the space made of it; leave nothing to be "
        "left out twice",
    )


def portable_options_name_no_file(space: SearchSpace) -> None:
    """No value of portable() is a file or folder of this machine."""
    for text in _texts(space.portable()):
        path = Path(text)
        require(
            not (path.is_absolute() and len(text) < 4096 and path.exists()),
            f"portable() holds {safe_repr(text)}, which another machine does not have; give what was read of it "
            "instead",
        )


def assets_are_files(space: SearchSpace) -> None:
    """assets() maps names to files that are there."""
    assets: Any = space.assets()
    if not assets:
        raise CheckSkipped("it has no assets")
    for name, path in dict(assets).items():
        require(
            isinstance(name, str) and isinstance(path, Path) and path.is_file(),
            f"assets() maps {name!r} to {safe_repr(path)}, which is no pathlib.Path of a file; leave out what is not "
            "there",
        )


def inherited_weights_repeat(space: SearchSpace) -> None:
    """Where it `inherits`, load() gives finite weights of the checkpoint, the same each time, and others than fresh."""
    import torch

    if not space.inherits:
        raise CheckSkipped("it has no checkpoint")
    for arch in networks(space):
        with restored():
            torch.manual_seed(99)
            first = tensors_of(space.load(structure(space, arch), arch, seed=7, weights="inherited"))
        second = tensors_of(
            space.load(structure(space, arch, device="cpu"), arch, seed=7, weights="inherited")
        )
        for name, tensor in first.items():
            is_set = tensor.device.type == "cpu" and bool(torch.isfinite(tensor).all())
            require(
                is_set and torch.equal(tensor, second[name]),
                f"load(weights='inherited') gives {name!r} {safe_repr(few(tensor))} and then "
                f"{safe_repr(few(second[name]))}; give every tensor that of the checkpoint, or one drawn from the seed",
            )
        fresh = tensors_of(space.load(structure(space, arch), arch, seed=7))
        require(
            any(not torch.equal(tensor, first[name]) for name, tensor in fresh.items()),
            "load(weights='inherited') gives the fresh weights of the seed; take those of the checkpoint",
        )


def inherited_weights_need_a_checkpoint(space: SearchSpace) -> None:
    """Where it does not, load() refuses to inherit weights with a ConfigError, so that none are taken for them."""
    if space.inherits:
        raise CheckSkipped("it has a checkpoint")
    arch = networks(space)[0]
    model = structure(space, arch)
    try:
        space.load(model, arch, seed=7, weights="inherited")
    except ConfigError:
        return
    require(
        False,
        "load(weights='inherited') gives weights where there is no checkpoint; leave that to super().load()",
    )


CHECKPOINT_CHECKS: tuple[Check, ...] = (
    portable_options_make_the_same_networks,
    portable_options_name_no_file,
    assets_are_files,
    inherited_weights_repeat,
    inherited_weights_need_a_checkpoint,
)


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, (list, tuple)):
        for item in value:
            yield from _texts(item)
    elif hasattr(value, "items"):
        for item in value.values():
            yield from _texts(item)
