"""Sizes with which the networks of both spaces are built in milliseconds."""

from __future__ import annotations

from typing import Any

SIZES: dict[str, Any] = {
    "depths": [1, 2],
    "embed_dims": [12, 16],
    "mlp_ratios": [1.5, 2.0],
    "heads": [1, 2, 3],
    "vocabulary": 11,
    "mels": 10,
    "channels": 3,
    "decoder_layers": 2,
    "decoder_heads": 2,
    "decoder_hidden": 20,
    "seconds": 0.23,
    "probe_frames": 13,
}
