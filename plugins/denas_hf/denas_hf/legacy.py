"""The original's score settings for transformers models, and the translation of its search and training keys."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from denas_core import Recipe
from denas_core.errors import DenasError
from denas_core.legacy import NO_TERM, TEXT_KEYS, KeyTable, Legacy, OldConfig, Outcome, text, to

from .notation import COMMON
from .original import Dimensions
from .start import original_of

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
    # The original recognised layers by class names such as BertSelfOutput, which is the output of attention.
    saliency={"attention.out": 1, "ffn": 1},
)

BERT_BASE = "bert-base-uncased"
_NO_BOUNDS = "the choices are those of the space, since the model cannot be read here: "


def _model_of(old: OldConfig, key: str = "supernet") -> str:
    """Return the model named in a configuration; empty for BERT-base, whose configuration is the default."""
    name = old.read(key, text, BERT_BASE)
    folder = Path(old.read("pretrained_model_path", text, "")) / name
    if folder.is_dir():
        return str(folder)
    return "" if name == BERT_BASE else name


def _model(old: OldConfig, key: str) -> Outcome:
    model = _model_of(old, key)
    if not model:
        note = (
            "its configuration is the default; for its weights give space.model the folder of the checkpoint"
        )
        return Outcome(settings={"space.model": ""}, note=note)
    note = "give the folder of the checkpoint; owner/name is looked for in the hub"
    return Outcome(settings={"space.model": model, "score.weights_from": "inherited"}, note=note)


def _implied(old: OldConfig) -> Outcome:
    """Return the original's default limits and choices, which start at half of the model and exclude the full size."""
    # The original made heads wider when there were fewer of them.
    settings: dict[str, Any] = {"space.head_width": "free"}
    note = "its default choices and limits; feed-forward layers keep their width"
    try:
        full = original_of(_model_of(old)).dimensions
    except DenasError as error:
        note = f"{_NO_BOUNDS}{error}"
    else:
        settings |= {f"space.{name}": choices for name, choices in _default_choices(full).items()}
    limits = {"max_param_limits": "params<=1x", "min_param_limits": "params>=0.5x"}
    bounds = tuple(text for key, text in limits.items() if old.document.get(key) is None)
    return Outcome(settings=settings, constraints=bounds, note=note)


def _default_choices(full: Dimensions) -> dict[str, list[int]]:
    # Ranges of the original excluded their end, so a model of one layer or head had no valid choice.
    return {
        "layers": list(range(max(1, full.layers // 2), full.layers)) or [1],
        "heads": list(range(max(1, full.heads // 2), full.heads)) or [1],
        "hidden": list(range(full.hidden // 2, full.hidden, 16)),
        "intermediate": [full.intermediate],
    }


def _choices(section: Any) -> dict[str, list[int]]:
    """Return the settings for a section ``search_space``."""
    knobs = {name: knob for knob, name in COMMON.items()}
    settings: dict[str, list[int]] = {}
    for name, entry in section.items() if isinstance(section, dict) else [("", None)]:
        bounds = entry if isinstance(entry, dict) else {}
        most = bounds.get("max", 0)
        half = most // 2 if isinstance(most, int) else 0
        match most, bounds.get("min", half), bounds.get("step", 1):
            case int(most), int(least), int(step) if name in knobs and 0 < least < most and step > 0:
                settings[f"space.{knobs[name]}"] = list(range(least, most, step))
            case _:
                raise ValueError(f"whole numbers max, min and step under some of {', '.join(knobs)}")
    return settings


def _search_space(old: OldConfig, key: str) -> Outcome:
    return Outcome(settings=old.read(key, _choices), note="max was not included, and is not here")


def _name_to_train(old: OldConfig, key: str) -> Outcome:
    if old.document.get("model") is not None:
        return Outcome(fate="elsewhere", note="model")
    return Outcome(settings={"space.model": _model_of(old, key)})


LEGACY = Legacy(
    domains=("hf",),
    search=KeyTable(
        implied=_implied,
        keys={
            "supernet": _model,
            **TEXT_KEYS,
            "search_space": _search_space,
        },
        unused={NO_TERM: "expressivity_weight complexity_weight"},
        elsewhere={"supernet: the folder of that name in it, if there is one": "pretrained_model_path"},
    ),
    training=KeyTable(
        task="nlp/squad",
        implied=lambda old: Outcome(
            settings={"space.head_width": "free"}, note="fewer heads are wider heads"
        ),
        keys={
            "model": to("space.model", text, note="give the folder where it is now"),
            "supernet": _name_to_train,
        },
        unused={"it was never read": "tokenizer"},
        missing={"a fresh head begins as other layers of the model do": "initializer_range"},
        elsewhere={
            "the task": "task_type",
            "the architecture": "hidden_size",
            "the model says which inputs it takes": "input_id",
        },
    ),
)
