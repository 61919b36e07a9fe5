"""What the original's keys of searches and trainings of speech recognisers are here."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from denas_core.contracts.original import KeyTable, Legacy, OldConfig, Outcome
from denas_core.legacy.rules import (
    MILLION,
    bound,
    elsewhere,
    fixed,
    layered_choices,
    no_term,
    number,
    to,
    unused,
    whole,
)

USUAL: Mapping[str, Sequence[float]] = {
    "depths": [5, 6, 7, 8, 9, 10, 11, 12],
    "embed_dims": [192, 216, 240, 324, 384, 444],
    "mlp_ratios": [3.0, 3.5, 4.0, 4.5, 5.0],
    "heads": [2, 3, 4],
}
"""Choices of the original, by option; those of the space too."""


def _batch_size(old: OldConfig, key: str) -> Outcome:
    samples = old.read(key, whole)
    return Outcome(
        fate="missing",
        note=f"it scored {samples} utterances of 16 s, and fewer and shorter ones rank alike; "
        f"score.synaptic_batch_size={samples} and space.probe_frames=1600 have that batch",
    )


def _same(values: Any) -> int:
    """Return what all whole numbers of a list are."""
    if not isinstance(values, list) or len(values) != 3 or len(set(map(whole, values))) != 1:
        raise ValueError("a list of three equal whole numbers")
    return whole(values[0])


_STOPPED = unused(
    "with it the original stopped: it measured no latency of speech; latency_ms and rtf can be bounded here"
)
_WHAT_COUNTS = "the transformer without front-end and output heads, as there; params has all"
_OF_ARCH = elsewhere("the architecture, which took the place of this value in the original too")

LEGACY = Legacy(
    domains=("asr",),
    search=KeyTable(
        keys={
            "max_param_limits": bound("params_reference", "<=", factor=MILLION, note=_WHAT_COUNTS),
            "min_param_limits": bound("params_reference", ">=", factor=MILLION, note=_WHAT_COUNTS),
            "budget_latency_max": _STOPPED,
            "budget_latency_min": _STOPPED,
            "SEARCH_SPACE": layered_choices(USUAL),
            "SUPERNET": unused("it was not read in searches for speech recognisers"),
            "supernet_cfg": unused("it was never read; SEARCH_SPACE in this file counts"),
            "img_size": unused("it was not read for speech; space.seconds is how long an utterance is"),
            "batch_size": _batch_size,
            **no_term("expressivity", "complexity", score="ASR"),
            **no_term(
                "latency", score="ASR", note="no latency was measured; score.weights.latency has it here"
            ),
        },
    ),
    training=KeyTable(
        task="asr/speech-recognition",
        keys={
            "d_model": _OF_ARCH,
            "num_encoder_layers": _OF_ARCH,
            "mlp_ratio": _OF_ARCH,
            "encoder_heads": _OF_ARCH,
            "num_decoder_layers": to("space.decoder_layers"),
            "nhead": to("space.decoder_heads"),
            "d_ffn": to("space.decoder_hidden"),
            "transformer_dropout": to("space.dropout", number),
            "output_neurons": to("space.vocabulary"),
            "out_channels": to("space.channels", _same),
            "num_blocks": fixed(3),
            "num_layers_per_block": fixed(1),
            "kernel_sizes": fixed([5, 5, 1]),
            "strides": fixed([2, 2, 1]),
            "residuals": fixed([False, False, True]),
            "input_shape": elsewhere("compute_features.n_mels is its last number, the others had no effect"),
            "input_size": elsewhere("it follows from mel bands and channels"),
        },
    ),
)
