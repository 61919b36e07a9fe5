"""How the original DE-NAS configures and scores BERT: what each key of its search configurations is here."""

from __future__ import annotations

from typing import Any, Literal

from denas_core.contracts.original import Recipe
from denas_core.errors import ConfigError
from denas_core.legacy import Legacy, OldConfig, Outcome, Rule, bound, dropped, to
from denas_core.legacy.contract import bounded
from denas_core.legacy.token_weights import diversity_weight, latency_weight

from .shape import BERT_BASE, derived_choices

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
    # It took the output of feed-forward blocks for that of attention.
    diversity=("attention.q", "attention.k", "attention.v", "ffn.out"),
    saliency={"ffn": 1},
)

_BATCH_SIZE = 32
_BOUNDS = {
    "LAYER_NUM": "layers",
    "HEAD_NUM": "heads",
    "HIDDEN_SIZE": "hidden",
    "INTERMEDIATE_SIZE": "intermediate",
}
"""Option by the key of the section SEARCH_SPACE."""


def _search_space(old: OldConfig, key: str) -> Outcome:
    section = old.get(key)
    settings: dict[str, Any] = {}
    usual = derived_choices(BERT_BASE.shape, tied=False)
    for name, entry in section.items() if isinstance(section, dict) else [("", None)]:
        if name == "QKV_SIZE":
            continue
        bounds = entry.get("bounds", entry) if isinstance(entry, dict) else None
        if name not in _BOUNDS or not isinstance(bounds, dict):
            raise _refused(old, key)
        match bounds.get("min"), bounds.get("max"), bounds.get("step", 1):
            case int(least), int(most), int(step) if 0 < least <= most and step > 0:
                # The original read no step of the layers.
                choices = list(range(least, most + 1, 1 if name == "LAYER_NUM" else step))
                if choices != usual[_BOUNDS[name]]:
                    settings[f"space.{_BOUNDS[name]}"] = choices
            case _:
                raise _refused(old, key)
    note = "QKV_SIZE had no effect: attention is 64 wide for each head" if "QKV_SIZE" in section else ""
    return Outcome(fate="translated", settings=settings, note=note)


def _refused(old: OldConfig, key: str) -> ConfigError:
    names = ", ".join((*_BOUNDS, "QKV_SIZE"))
    return old.refused(key, f"whole numbers min, max and step of at least 1 under each of {names}")


def _checkpoint(old: OldConfig, key: str) -> Outcome:
    return Outcome(
        fate="translated",
        settings={"space.checkpoint": old.text(key), "score.weights_from": "inherited"},
        note="give the folder where it is now; weights that are a pickle need space.allow_pickle=true",
    )


def _checkpoint_config(old: OldConfig, key: str) -> Outcome:
    if old.get("pretrained_bert") is not None:
        return Outcome(fate="dropped", note="the configuration is read from the folder of the weights")
    return Outcome(fate="translated", settings={"space.checkpoint": old.text(key)})


def _latency(sign: Literal["<=", ">="]) -> Rule:
    def rule(old: OldConfig, key: str) -> Outcome:
        batch = old.whole("batch_size", _BATCH_SIZE)
        return Outcome(
            fate="translated",
            constraints=(bounded(old, key, "latency_ms", sign, 1),),
            settings={"probe.batch_size": batch},
            note=f"milliseconds a batch of {batch}",
        )

    return rule


_ZERO = "it had no effect in the original: its BERT score had no {0} term; score.weights.{0} has it here"
_MILLION = 1_000_000

LEGACY = Legacy(
    domains=("bert",),
    preset="denas",
    keys={
        "max_param_limits": bound("params", "<=", factor=_MILLION),
        "min_param_limits": bound("params", ">=", factor=_MILLION),
        "budget_latency_max": _latency("<="),
        "budget_latency_min": _latency(">="),
        "img_size": to("space.seq_len", note="tokens of a text"),
        "batch_size": to("score.synaptic_batch_size"),
        "pretrained_bert": _checkpoint,
        "pretrained_bert_config": _checkpoint_config,
        "SEARCH_SPACE": _search_space,
        "SUPERNET": dropped("the original read its sizes from the checkpoint, as is done here"),
        "supernet_cfg": dropped(
            "the space of that file is the preset; where yours differs, put its SEARCH_SPACE into this file"
        ),
        "expressivity_weight": dropped(_ZERO.format("expressivity")),
        "complexity_weight": dropped(_ZERO.format("complexity")),
        "diversity_weight": diversity_weight,
        "latency_weight": latency_weight,
    },
)
