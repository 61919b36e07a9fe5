"""The settings with which the original DE-NAS scores speech recognisers."""

from __future__ import annotations

from denas_core import Recipe

RECIPE = Recipe(
    arithmetic="sum",
    weights={"expressivity": 0.0, "complexity": 0.0, "diversity": 1.0, "saliency": 1.0, "latency": 0.0},
    batch_size=32,
    synaptic_batch_size=32,
    noise=1.0,
    saliency={"ffn": 1},
)
