"""How tables write transformers whose blocks differ: a mapping with a list of heads and of MLP ratios.

The width is ``embed_dim`` or ``hidden_dim``, the heads ``num_heads``, the ratios ``mlp_ratio``; lists may be texts with
spaces, as in CSV files: ``4 4 3``.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from denas_core.errors import ConfigError

_WIDTHS = ("embed_dim", "hidden_dim")
_LISTS = {"num_heads": "heads", "mlp_ratio": "mlp_ratio"}


def is_row(document: Mapping[str, Any]) -> bool:
    """Tell whether a mapping is meant as a network of a table."""
    return _LISTS.keys() <= document.keys()


def values_of(document: Mapping[str, Any], *, origin: str) -> dict[str, Any]:
    """Return the knob values of a network of a table; what else the mapping says is not read.

    Raises:
        ConfigError: there is no width, a list has not one number for each block, or an entry is not a number.
    """
    width = next((document[name] for name in _WIDTHS if name in document), None)
    if width is None:
        raise ConfigError(f"the network has neither {' nor '.join(_WIDTHS)} ({origin})")
    lists = {name: _numbers(document[name], name, origin) for name in _LISTS}
    depth = len(lists["num_heads"])
    if "depth" in document:
        depth = int(_number(document["depth"], "depth", origin))
    values: dict[str, Any] = {"depth": depth, "embed_dim": _number(width, "width", origin)}
    for name, numbers in lists.items():
        if len(numbers) != depth:
            raise ConfigError(f"{name} has {len(numbers)} entries for {depth} blocks ({origin})")
        values |= {f"layer{i}.{_LISTS[name]}": number for i, number in enumerate(numbers, start=1)}
    return values


def _numbers(value: Any, name: str, origin: str) -> list[int | float]:
    entries = value if isinstance(value, list) else str(value).split()
    return [_number(entry, name, origin) for entry in entries]


def _number(value: Any, name: str, origin: str) -> int | float:
    try:
        number = float(value)
        return int(number) if number == int(number) else number
    except (TypeError, ValueError, OverflowError):
        raise ConfigError(f"{value!r:.40} is not a number, as {name} ({origin})") from None
