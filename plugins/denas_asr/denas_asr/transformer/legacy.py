"""How the original DE-NAS configures and scores speech recognisers: what each key of its searches is here."""

from __future__ import annotations

from denas_core.legacy import Legacy, bound
from denas_core.recipe import Recipe

RECIPE = Recipe(
    arithmetic="sum",
    weights={"expressivity": 0.0, "complexity": 0.0, "diversity": 1.0, "saliency": 1.0, "latency": 0.0},
    batch_size=32,
    synaptic_batch_size=32,
    saliency={"ffn": 1},
)

LEGACY = Legacy(
    domains=("asr",), keys={"max_param_limits": bound("params_reference", "<=", factor=1_000_000)}
)
