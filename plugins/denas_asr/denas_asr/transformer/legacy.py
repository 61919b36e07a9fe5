"""How the original DE-NAS configures searches for speech recognisers: what each of their keys is here."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from denas_core.legacy import Legacy, OldConfig, Outcome, bound, dropped
from denas_core.legacy.layered import layered_choices

USUAL: Mapping[str, Sequence[float]] = {
    "depths": [5, 6, 7, 8, 9, 10, 11, 12],
    "embed_dims": [192, 216, 240, 324, 384, 444],
    "mlp_ratios": [3.0, 3.5, 4.0, 4.5, 5.0],
    "heads": [2, 3, 4],
}
"""Choices of the original, by option; those of the space too."""


def _batch_size(old: OldConfig, key: str) -> Outcome:
    samples = old.whole(key)
    return Outcome(
        fate="changed",
        note=f"it scored {samples} utterances of 16 s, and fewer and shorter ones rank alike; "
        f"score.synaptic_batch_size={samples} and space.probe_frames=1600 have that batch",
    )


def _latency_bound(old: OldConfig, key: str) -> Outcome:
    old.number(key)
    return Outcome(
        fate="dropped",
        note="with it the original stopped: it measured no latency of speech; constraints on latency_ms or rtf do here",
    )


_ZERO = "it had no effect in the original: its ASR score had no {0} term; score.weights.{0} has it here"
_MILLION = 1_000_000
_WHAT_COUNTS = "the transformer without front-end and output heads, as there; params has all"

LEGACY = Legacy(
    domains=("asr",),
    keys={
        "max_param_limits": bound("params_reference", "<=", factor=_MILLION, note=_WHAT_COUNTS),
        "min_param_limits": bound("params_reference", ">=", factor=_MILLION, note=_WHAT_COUNTS),
        "budget_latency_max": _latency_bound,
        "budget_latency_min": _latency_bound,
        "SEARCH_SPACE": layered_choices(USUAL),
        "SUPERNET": dropped("only the candidate is built, never a network that holds all"),
        "supernet_cfg": dropped("a path that the original did not read; SEARCH_SPACE in this file counts"),
        "img_size": dropped("it had no effect in the original; space.seconds is how long an utterance is"),
        "batch_size": _batch_size,
        "expressivity_weight": dropped(_ZERO.format("expressivity")),
        "complexity_weight": dropped(_ZERO.format("complexity")),
        "latency_weight": dropped(_ZERO.format("latency")),
    },
)
