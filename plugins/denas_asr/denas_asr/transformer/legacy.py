"""Translate the original's search and training keys for speech recognisers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from denas_core.legacy import (
    NO_TERM,
    KeyTable,
    Legacy,
    OldConfig,
    Outcome,
    layered_choices,
    millions,
    number,
    to,
    whole,
)

USUAL: Mapping[str, Sequence[float]] = {
    "depths": [5, 6, 7, 8, 9, 10, 11, 12],
    "embed_dims": [192, 216, 240, 324, 384, 444],
    "mlp_ratios": [3.0, 3.5, 4.0, 4.5, 5.0],
    "heads": [2, 3, 4],
}
"""The choices of the original by option; the space has the same."""


def _batch_size(old: OldConfig, key: str) -> Outcome:
    samples = old.read(key, whole)
    return Outcome(
        fate="missing",
        note=f"it scored {samples} utterances of 16 s, and fewer and shorter ones rank alike; "
        f"score.synaptic_batch_size={samples} and space.probe_frames=1600 have that batch",
    )


def _same(values: Any) -> int:
    """Return the whole number that a list repeats."""
    if not isinstance(values, list) or len(values) != 3 or len(set(map(whole, values))) != 1:
        raise ValueError("a list of three equal whole numbers")
    return whole(values[0])


LEGACY = Legacy(
    domains=("asr",),
    search=KeyTable(
        keys={
            **millions(
                "params_reference",
                "the transformer without front-end and output heads, as there; params has all",
            ),
            "SEARCH_SPACE": layered_choices(USUAL),
            "batch_size": _batch_size,
        },
        unused={
            "the original stopped; here latency_ms and rtf can be bounded": "budget_latency_max budget_latency_min",
            "it was not read in searches for speech recognisers": "SUPERNET",
            "it was never read; SEARCH_SPACE in this file counts": "supernet_cfg",
            "it was not read for speech; space.seconds is how long an utterance is": "img_size",
            NO_TERM: "expressivity_weight complexity_weight",
            "no latency was measured; score.weights.latency has it here": "latency_weight",
        },
    ),
    training=KeyTable(
        task="asr/speech-recognition",
        keys={
            "num_decoder_layers": to("space.decoder_layers"),
            "nhead": to("space.decoder_heads"),
            "d_ffn": to("space.decoder_hidden"),
            "transformer_dropout": to("space.dropout", number),
            "output_neurons": to("space.vocabulary"),
            "out_channels": to("space.channels", _same),
        },
        elsewhere={
            "the architecture, as in the original": "d_model num_encoder_layers mlp_ratio encoder_heads",
            "compute_features.n_mels is its last number, the others had no effect": "input_shape",
            "it follows from mel bands and channels": "input_size",
        },
        fixed={
            "num_blocks": 3,
            "num_layers_per_block": 1,
            "kernel_sizes": [5, 5, 1],
            "strides": [2, 2, 1],
            "residuals": [False, False, True],
        },
    ),
)
