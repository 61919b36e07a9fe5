"""Translate the original's training keys for speech: data, features, augmentation and losses."""

from __future__ import annotations

from pathlib import PurePath
from typing import Any

from denas_core.legacy import KeyTable, OldConfig, Outcome, Rule, flag, mapping, number, text, to, whole

_MASKS = {
    "time_warp": False,
    "n_freq_mask": 4,
    "freq_mask_width": 15,
    "n_time_mask": 4,
    "time_mask_width": 20,
    "replace_with_zero": False,
}
"""Mask settings that are fixed here."""


def _implied(old: OldConfig) -> Outcome:
    return Outcome(
        settings={
            "training.optimizer": "adamw",
            "training.weight_decay": 0.0,
            "training.schedule": "noam",
            "task.cmvn": "global",
        },
        note="Adam, whose constants cannot be chosen here (betas 0.9 and 0.98, eps 1e-9), after Noam's schedule",
    )


def _part(option: str) -> Rule:
    def rule(old: OldConfig, key: str) -> Outcome:
        path = PurePath(old.read(key, text))
        note = f"{path.name} or a folder of that name, under data; the original needed the table"
        return Outcome(settings={f"task.{option}": path.stem}, note=note)

    return rule


def _augmentation(old: OldConfig, key: str) -> Outcome:
    section = old.read(key, mapping)
    masks = [bool(section.get(name, True)) for name in ("freq_mask", "time_mask")]
    differing = [name for name, value in _MASKS.items() if section.get(name, value) != value]
    notes = [f"{name} is always {_MASKS[name]} here" for name in differing if any(masks)]
    if masks[0] != masks[1]:
        notes.append("bands and times are masked together or not at all here")
    return Outcome(settings={"task.spec_augment": any(masks)}, note="; ".join(notes))


def _speed(old: OldConfig, key: str) -> Outcome:
    return Outcome(settings={"task.speed": list(range(95, 105)) if old.read(key, flag) else [100]})


def _features(old: OldConfig, key: str) -> Outcome:
    section = old.read(key, mapping)
    settings: dict[str, Any] = {}
    for name, target in (("sample_rate", "task.rate"), ("n_mels", "space.mels")):
        if name in section:
            settings[target] = OldConfig(section, f"{old.origin}, {key}").read(name, whole)
    return Outcome(settings=settings, note="windows of 25 ms every 10 ms, as there")


SPEECH = KeyTable(
    implied=_implied,
    keys={
        "data_folder": to("data", text),
        "train_csv": _part("train"),
        "valid_csv": _part("dev"),
        "test_csv": _part("split"),
        "tokenizer_ckpt": to("task.vocab", text, note="a model of SentencePiece"),
        "lr_adam": to("training.lr", number),
        "n_warmup_steps": to("training.warmup"),
        "grad_accumulation_factor": to("training.accumulate"),
        "max_grad_norm": to("training.clip", number),
        "label_smoothing": to("training.label_smoothing", number),
        "ctc_weight": to("task.ctc_loss", number),
        "speed_perturb": _speed,
        "augmentation": _augmentation,
        "compute_features": _features,
    },
    unused={
        "training did not decode with a beam; see task.decoding": "min_decode_ratio max_decode_ratio lm_weight "
        "valid_search_interval valid_beam_size test_beam_size ctc_weight_decode",
        "it was never read": "output_folder save_folder skip_prep ckpt_interval_minutes sorting mode",
    },
    elsewhere={
        "compute_features, which the original read": "sample_rate n_fft n_mels",
        "the vocabulary numbers the symbols": "blank_index pad_index bos_index eos_index",
    },
    fixed={"loss_reduction": "batchmean"},
)
