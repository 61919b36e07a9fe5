"""Knobs and notation of transformers with one depth and one width, but an MLP ratio and heads for each block.

The notation is that of the original DE-NAS: ``(depth, MLP ratio of each block, heads of each block, embedding
width)``.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import cast

from denas_core.errors import ConfigError
from denas_core.values.architecture import Knob, KnobValue

MOST_LAYERS = 256
LARGEST_CHOICES: Mapping[str, float] = {
    "depths": MOST_LAYERS,
    "embed_dims": 8192,
    "mlp_ratios": 16,
    "heads": 128,
}
"""The largest choice that each option may have."""

_NUMBER = re.compile(r"[0-9]{1,6}(?:\.[0-9]{1,6})?")
_FORM = "'(depth, MLP ratio of each block, heads of each block, embedding width)', such as (2, 3.5, 4.0, 3, 4, 192)"


def layered_knobs(
    *, depths: Sequence[int], embed_dims: Sequence[int], **of_a_block: Sequence[KnobValue]
) -> tuple[Knob, ...]:
    """Return the knobs of the network, then those of each block, which are numbered from 1 as in ``layer1.heads``."""
    knobs = [Knob("depth", tuple(depths)), Knob("embed_dim", tuple(embed_dims))]
    for layer in range(1, depths[-1] + 1):
        deep_enough = tuple(depth for depth in depths if depth >= layer)
        when = ("depth", deep_enough) if len(deep_enough) < len(depths) else None
        knobs += [
            Knob(f"layer{layer}.{name}", tuple(choices), layer, when) for name, choices in of_a_block.items()
        ]
    return tuple(knobs)


def check_choices(name: str, choices: Sequence[float], most: float) -> None:
    """Check that choices are in ascending order and in range.

    Raises:
        ValueError: they are not; the text names the option.
    """
    if not choices or list(choices) != sorted(set(choices)):
        raise ValueError(
            f"{name} {list(choices)!r} must be one or more different numbers, from small to large"
        )
    wrong = [choice for choice in choices if not 0 < choice <= most]
    if wrong:
        raise ValueError(f"{name} has {wrong[0]!r}; a choice must be more than 0, and at most {most:g}")


def is_tuple(text: str) -> bool:
    """Return whether `text` is meant as a tuple of the original DE-NAS, even if it has mistakes."""
    return text.lstrip().startswith(("(", "["))


def parse_tuple(text: str, *, origin: str) -> dict[str, KnobValue]:
    """Return the knob values of a tuple, such as ``(2, 3.5, 4.0, 3, 4, 192)``. List brackets are accepted too.

    Raises:
        ConfigError: an entry is not a number, or the number of entries does not fit the depth.
    """
    entries = [entry.strip() for entry in text.strip().strip("()[]").split(",")]
    if entries[-1] == "":
        entries.pop()
    for entry in entries:
        if not _NUMBER.fullmatch(entry):
            raise ConfigError(
                f"{entry[:20]!r} is not a number of an architecture ({origin}); expected {_FORM}"
            )
    numbers = [float(entry) for entry in entries]
    depth = int(numbers[0]) if numbers else 0
    if not 1 <= depth <= MOST_LAYERS or depth != numbers[0] or len(numbers) != 2 * depth + 2:
        raise ConfigError(
            f"{len(numbers)} numbers starting with {(entries or [''])[0]!r} are not an architecture ({origin}); "
            f"expected {_FORM}"
        )
    values: dict[str, KnobValue] = {"depth": depth, "embed_dim": _whole(numbers[-1])}
    for index in range(depth):
        values[f"layer{index + 1}.mlp_ratio"] = numbers[1 + index]
        values[f"layer{index + 1}.heads"] = _whole(numbers[1 + depth + index])
    return values


def format_tuple(values: Mapping[str, KnobValue]) -> str:
    """Return canonical knob values as a tuple, which `parse_tuple` reads."""
    depth = cast("int", values["depth"])
    ratios, heads = (
        [values[f"layer{index + 1}.{name}"] for index in range(depth)] for name in ("mlp_ratio", "heads")
    )
    return f"({', '.join(map(str, (depth, *ratios, *heads, values['embed_dim'])))})"


def _whole(number: float) -> int | float:
    return int(number) if number == int(number) else number
