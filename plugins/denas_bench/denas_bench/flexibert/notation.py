"""How NAS-Bench-BERT writes a network: the hidden size, and five values of each layer.

``{"hidden_size": 128, "layers": [["SA", "SDP", 2, 512, 3], ...]}``: the operation and its parameter, heads, the width
of additional feed-forward layers, and the number of feed-forward layers. In training, the operation had no effect.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from denas_core.errors import ConfigError, did_you_mean

OPERATIONS = ("SA", "LT", "DSC")
PARTS = ("heads", "ffn_width", "ffn_layers")


def knob_of(layer: int, part: str) -> str:
    """Return the name of a knob of a layer, counted from 1."""
    return f"layer{layer}.{part}"


def is_network(document: Mapping[str, Any]) -> bool:
    """Tell whether a mapping is meant as a network of the benchmark."""
    return isinstance(document.get("layers"), list)


def values_of(document: Mapping[str, Any], *, origin: str) -> dict[str, Any]:
    """Return the knob values of a network of the benchmark; what else the mapping says is not read.

    Raises:
        ConfigError: there is no hidden size, a layer has not five values, or an operation is unknown.
    """
    if "hidden_size" not in document:
        raise ConfigError(f"the network has no hidden_size ({origin})")
    layers = document["layers"]
    values: dict[str, Any] = {"hidden": document["hidden_size"], "layers": len(layers)}
    for index, layer in enumerate(layers, start=1):
        if not isinstance(layer, list) or len(layer) != 5:
            raise ConfigError(
                f"layer {index} is {layer!r:.60} ({origin}); expected five values such as ['SA', 'SDP', 2, 512, 3]"
            )
        operation, _, *rest = layer
        if operation not in OPERATIONS:
            hint = did_you_mean(str(operation), OPERATIONS) or f"; choose from {', '.join(OPERATIONS)}"
            raise ConfigError(f"layer {index} has the unknown operation {operation!r:.40} ({origin}){hint}")
        values |= {knob_of(index, part): value for part, value in zip(PARTS, rest, strict=True)}
    return values
