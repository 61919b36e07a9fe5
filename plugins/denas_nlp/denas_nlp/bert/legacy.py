"""The original's score settings for BERT, and the translation of its search and training keys."""

from __future__ import annotations

from typing import Any

from denas_core import Recipe
from denas_core.legacy import NO_TERM, TEXT_KEYS, KeyTable, Legacy, OldConfig, Outcome, text, to

from .choices import derived_choices
from .original import BERT_BASE

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
    # The original used the output of feed-forward blocks where it meant the output of attention.
    diversity=("attention.q", "attention.k", "attention.v", "ffn.out"),
    saliency={"ffn": 1},
)

_BOUNDS = {
    "LAYER_NUM": "layers",
    "HEAD_NUM": "heads",
    "HIDDEN_SIZE": "hidden",
    "INTERMEDIATE_SIZE": "intermediate",
}
"""The option for each key of the section SEARCH_SPACE."""

_READABLE = f"whole numbers min, max and step of at least 1 under each of {', '.join((*_BOUNDS, 'QKV_SIZE'))}"


def _choices(section: Any) -> dict[str, Any]:
    """Return the settings for a section SEARCH_SPACE."""
    usual = derived_choices(BERT_BASE, tied=False)
    settings: dict[str, Any] = {}
    for name, entry in section.items() if isinstance(section, dict) else [("", None)]:
        if name == "QKV_SIZE":
            continue
        bounds = entry.get("bounds", entry) if isinstance(entry, dict) else None
        if name not in _BOUNDS or not isinstance(bounds, dict):
            raise ValueError(_READABLE)
        match bounds.get("min"), bounds.get("max"), bounds.get("step", 1):
            case int(least), int(most), int(step) if 0 < least <= most and step > 0:
                # The original ignored the step of the layers.
                choices = list(range(least, most + 1, 1 if name == "LAYER_NUM" else step))
                if choices != usual[_BOUNDS[name]]:
                    settings[f"space.{_BOUNDS[name]}"] = choices
            case _:
                raise ValueError(_READABLE)
    return settings


def _search_space(old: OldConfig, key: str) -> Outcome:
    settings = old.read(key, _choices)
    has_qkv = "QKV_SIZE" in old.document[key]
    note = "QKV_SIZE had no effect: attention is 64 wide for each head" if has_qkv else ""
    return Outcome(settings=settings, note=note)


def _checkpoint(old: OldConfig, key: str) -> Outcome:
    return Outcome(
        settings={"space.checkpoint": old.read(key, text), "score.weights_from": "inherited"},
        note="give the folder where it is now; weights that are a pickle need space.allow_pickle=true",
    )


def _checkpoint_config(old: OldConfig, key: str) -> Outcome:
    if old.document.get("pretrained_bert") is not None:
        return Outcome(fate="elsewhere", note="the configuration is read from the folder of the weights")
    return Outcome(settings={"space.checkpoint": old.read(key, text)})


LEGACY = Legacy(
    domains=("bert",),
    search=KeyTable(
        preset="denas",
        keys={
            **TEXT_KEYS,
            "pretrained_bert": _checkpoint,
            "pretrained_bert_config": _checkpoint_config,
            "SEARCH_SPACE": _search_space,
        },
        unused={
            "the original read the sizes from the checkpoint, as is done here": "SUPERNET",
            "it was never read; put the SEARCH_SPACE of that file into this one": "supernet_cfg",
            NO_TERM: "expressivity_weight complexity_weight",
        },
    ),
    training=KeyTable(
        preset="denas",
        task="nlp/squad",
        keys={"model": to("space.checkpoint", text, note="give the folder where it is now")},
    ),
)
