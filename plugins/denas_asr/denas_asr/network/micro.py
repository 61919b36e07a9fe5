"""The options of small recognisers, which the presets ``micro`` of both spaces share."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

MICRO: Mapping[str, Any] = MappingProxyType(
    {
        "depths": [4, 5, 6, 7, 8, 9, 10, 11, 12],
        "mlp_ratios": [1.0, 2.0, 3.0, 4.0],
        "heads": [1, 2, 4],
        # The letters of English, space, apostrophe, blank, beginning and end are 31 symbols.
        "vocabulary": 32,
        "mels": 40,
        "channels": 32,
        "decoder_layers": 1,
        "decoder_hidden": 256,
    }
)
"""All of `SpeechSpace`'s options that differ from the defaults, except the widths."""
