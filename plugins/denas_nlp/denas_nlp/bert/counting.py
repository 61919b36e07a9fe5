"""Compute the cost of a network by formulas, because a search needs costs far more often than scores.

The formulas give what the core counts on the meta device, operation by operation; tests compare the two.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .shape import Shape

FLOAT_BYTES = 4
INTEGER_BYTES = 8
SINGLE_OPERATIONS = frozenset({"gelu", "relu", "silu", "swish", "tanh", "sigmoid"})
"""Activation functions that allocate one tensor; networks with any other function are counted on the meta device."""


def cost_of(shape: Shape, common: Mapping[str, Any], *, tokens: int) -> dict[str, float]:
    """Return the cost of a network without a task head for one text of `tokens` tokens, equal to `counted_cost`."""
    embeddings = _embedding_params(shape, common)
    encoder = shape.layers * _layer_params(shape)
    params = embeddings + encoder + (shape.hidden + 1) * shape.hidden
    # The position numbers and the segment of each position are stored as buffers.
    weight_bytes = FLOAT_BYTES * params + 2 * INTEGER_BYTES * common["max_position_embeddings"]
    input_bytes = 2 * INTEGER_BYTES * tokens
    activation_bytes = FLOAT_BYTES * _peak(shape, tokens)
    return {
        "params": params,
        "trainable_params": params,
        "flops": shape.layers * _layer_flops(shape, tokens) + 2 * shape.hidden**2,
        "size_mb": weight_bytes / 1e6,
        "memory_mb": (weight_bytes + input_bytes + activation_bytes) / 1e6,
        "params_embeddings": embeddings,
        "params_encoder": encoder,
    }


def _embedding_params(shape: Shape, common: Mapping[str, Any]) -> int:
    rows = common["vocab_size"] + common["max_position_embeddings"] + common["type_vocab_size"]
    return int((rows + 2) * shape.hidden)


def _layer_params(shape: Shape) -> int:
    hidden, attention, intermediate = shape.hidden, shape.attention, shape.intermediate
    projections = 3 * (hidden + 1) * attention + (attention + 1) * hidden
    feed_forward = (hidden + 1) * intermediate + (intermediate + 1) * hidden
    return projections + feed_forward + 2 * 2 * hidden


def _layer_flops(shape: Shape, tokens: int) -> int:
    weights = 4 * shape.hidden * shape.attention + 2 * shape.hidden * shape.intermediate
    return 2 * tokens * weights + 2 * 2 * tokens**2 * shape.attention


def _peak(shape: Shape, tokens: int) -> int:
    """Return the largest number of values that are in memory at one time."""
    hidden, attention = tokens * shape.hidden, tokens * shape.attention
    intermediate, scores = tokens * shape.intermediate, tokens**2 * shape.heads
    statistics = 2 * tokens
    # From the second layer on, the embeddings are still in memory in addition to the layer's input.
    around = hidden if shape.layers == 1 else 2 * hidden
    return max(
        5 * hidden + statistics,
        around + 5 * attention + scores,
        around + 4 * attention + 2 * scores,
        around + 3 * hidden + attention + statistics,
        around + hidden + 2 * intermediate,
        around + 4 * hidden + intermediate + statistics,
    )
