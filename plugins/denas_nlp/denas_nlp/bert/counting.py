"""Compute the cost of a network by formulas, because a search needs costs far more often than scores.

The formulas give what the core counts on the meta device, operation by operation; tests compare the two.
"""

from __future__ import annotations

from typing import Any

from denas_hf import Dimensions

from .original import BertOriginal

FLOAT_BYTES = 4
INTEGER_BYTES = 8
SINGLE_OPERATIONS = frozenset({"gelu", "relu", "silu", "swish", "tanh", "sigmoid"})
"""Activation functions that allocate one tensor; networks with any other function are counted on the meta device."""


def cost_of(original: BertOriginal, sizes: Dimensions, *, tokens: int) -> dict[str, float]:
    """Return the cost of a network without a task head for one text of `tokens` tokens, equal to `counted_cost`."""
    config, attention = original.config, original.attention(sizes)
    embeddings = _embedding_params(sizes, config)
    encoder = sizes.layers * _layer_params(sizes, attention)
    params = embeddings + encoder + (sizes.hidden + 1) * sizes.hidden
    # The position numbers and the segment of each position are stored as buffers.
    weight_bytes = FLOAT_BYTES * params + 2 * INTEGER_BYTES * config.max_position_embeddings
    input_bytes = 2 * INTEGER_BYTES * tokens
    activation_bytes = FLOAT_BYTES * _peak(sizes, attention, tokens)
    return {
        "params": params,
        "trainable_params": params,
        "flops": sizes.layers * _layer_flops(sizes, attention, tokens) + 2 * sizes.hidden**2,
        "size_mb": weight_bytes / 1e6,
        "memory_mb": (weight_bytes + input_bytes + activation_bytes) / 1e6,
        "params_embeddings": embeddings,
        "params_encoder": encoder,
    }


def _embedding_params(sizes: Dimensions, config: Any) -> int:
    rows = config.vocab_size + config.max_position_embeddings + config.type_vocab_size
    return int((rows + 2) * sizes.hidden)


def _layer_params(sizes: Dimensions, attention: int) -> int:
    hidden, intermediate = sizes.hidden, sizes.intermediate
    projections = 3 * (hidden + 1) * attention + (attention + 1) * hidden
    feed_forward = (hidden + 1) * intermediate + (intermediate + 1) * hidden
    return projections + feed_forward + 2 * 2 * hidden


def _layer_flops(sizes: Dimensions, attention: int, tokens: int) -> int:
    weights = 4 * sizes.hidden * attention + 2 * sizes.hidden * sizes.intermediate
    return 2 * tokens * weights + 2 * 2 * tokens**2 * attention


def _peak(sizes: Dimensions, width: int, tokens: int) -> int:
    """Return the largest number of values that are in memory at one time."""
    hidden, attention = tokens * sizes.hidden, tokens * width
    intermediate, scores = tokens * sizes.intermediate, tokens**2 * sizes.heads
    statistics = 2 * tokens
    # From the second layer on, the embeddings are still in memory in addition to the layer's input.
    around = hidden if sizes.layers == 1 else 2 * hidden
    return max(
        5 * hidden + statistics,
        around + 5 * attention + scores,
        around + 4 * attention + 2 * scores,
        around + 3 * hidden + attention + statistics,
        around + hidden + 2 * intermediate,
        around + 4 * hidden + intermediate + statistics,
    )
