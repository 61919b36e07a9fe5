"""How the original DE-NAS scores models of transformers, and what its search configurations of them mean here."""

from __future__ import annotations

from typing import Any

from denas_core.contracts.original import Recipe
from denas_core.legacy import Legacy, OldConfig, Outcome, bound, dropped, to
from denas_core.legacy.token_weights import diversity_weight, latency_weight

from .notation import COMMON

RECIPE = Recipe(
    arithmetic="sum",
    weights={
        "expressivity": 0.0,
        "complexity": 0.0,
        "diversity": 1e-5,
        "saliency": 1.0,
        "latency": 0.01,
    },
    batch_size=32,
    synaptic_batch_size=32,
    diversity=("attention.q", "attention.k", "attention.v"),
    # It knew layers by names such as BertSelfOutput, which is the output of attention.
    saliency={"attention.out": 1, "ffn": 1},
)

BERT_BASE_NAME = "bert-base-uncased"

_MILLION = 1_000_000
_ZERO = "it had no effect in the original: its score of these models had no {0} term; score.weights.{0} has it here"


def _model(old: OldConfig, key: str) -> Outcome:
    model = old.text(key)
    # With fewer heads, the original made them wider.
    settings: dict[str, Any] = {"space.head_width": "free"}
    if model == BERT_BASE_NAME:
        note = (
            "its configuration is the default; for its weights give space.model the folder of the checkpoint"
        )
        return Outcome(fate="translated", settings=settings, note=note)
    settings |= {"space.model": model, "score.weights_from": "inherited"}
    note = "give the folder of the checkpoint; owner/name is looked for in the hub"
    return Outcome(fate="translated", settings=settings, note=note)


def _search_space(old: OldConfig, key: str) -> Outcome:
    section = old.get(key)
    knobs = {name: knob for knob, name in COMMON.items()}
    settings: dict[str, Any] = {}
    for name, entry in section.items() if isinstance(section, dict) else [("", None)]:
        bounds = entry if isinstance(entry, dict) else {}
        most = bounds.get("max", 0)
        half = most // 2 if isinstance(most, int) else 0
        match most, bounds.get("min", half), bounds.get("step", 1):
            case int(most), int(least), int(step) if name in knobs and 0 < least < most and step > 0:
                # Its ranges did not include their end.
                settings[f"space.{knobs[name]}"] = list(range(least, most, step))
            case _:
                raise old.refused(key, f"whole numbers max, min and step under some of {', '.join(knobs)}")
    return Outcome(fate="translated", settings=settings, note="max was not included, and is not here")


LEGACY = Legacy(
    domains=("hf",),
    keys={
        "supernet": _model,
        "pretrained_model_path": dropped("give space.model the folder of the checkpoint"),
        "max_param_limits": bound("params", "<=", factor=_MILLION),
        "min_param_limits": bound("params", ">=", factor=_MILLION),
        "budget_latency_max": bound("latency_ms", "<=", note="of a batch; set probe.batch_size to its size"),
        "budget_latency_min": bound("latency_ms", ">=", note="of a batch; set probe.batch_size to its size"),
        "img_size": to("space.seq_len", note="tokens of a text"),
        "batch_size": to("score.synaptic_batch_size"),
        "search_space": _search_space,
        "expressivity_weight": dropped(_ZERO.format("expressivity")),
        "complexity_weight": dropped(_ZERO.format("complexity")),
        "diversity_weight": diversity_weight,
        "latency_weight": latency_weight,
    },
)
