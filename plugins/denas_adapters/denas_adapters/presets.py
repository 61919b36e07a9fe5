"""How finely the sizes of adapters are chosen, as presets of the space."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

PRESETS: Mapping[str, Mapping[str, Any]] = MappingProxyType(
    {
        "blocks": {"per": "block"},
        "projections": {"per": "projection"},
        "query-value": {"per": "projection", "projections": ["query", "value"]},
        "scaling": {"kind": "ia3", "per": "projection"},
    }
)
"""``blocks`` has one choice for the attention of a layer and one for its feed-forward layer, which is the default."""
