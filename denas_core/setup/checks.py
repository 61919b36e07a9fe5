"""Whether the knobs of a space can be searched."""

from __future__ import annotations

from typing import TYPE_CHECKING

from denas_core.errors import ConfigError
from denas_core.values.architecture import Value

if TYPE_CHECKING:
    from denas_core.contracts.space import SearchSpace


def check_knobs(space: SearchSpace) -> None:
    """Refuse knobs that cannot be searched: none at all, empty, doubled, with a parent that comes later or never fits.

    Raises:
        ConfigError: naming the knob.
    """
    seen: dict[str, tuple[Value, ...]] = {}
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
