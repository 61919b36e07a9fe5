"""Translate the original's training keys for images."""

from __future__ import annotations

import re
from pathlib import PurePath
from typing import Any

from denas_core.legacy import KeyTable, OldConfig, Outcome, number, text, to

_FOLDERS = {"cifar10": "cifar-10-batches-py", "cifar100": "cifar-100-python"}
_IMAGENET = "ImageNet"


def _implied(old: OldConfig) -> Outcome:
    settings: dict[str, Any] = {"training.warmup": 0.0, "training.label_smoothing": 0.0}
    if old.document.get("data_set") == _IMAGENET:
        settings["task.smallest_crop"] = 0.08
    return Outcome(settings=settings, note="it had no warm-up and no label smoothing")


def _data_set(old: OldConfig, key: str) -> Outcome:
    def known(value: Any) -> str:
        if value != _IMAGENET and str(value).lower() not in _FOLDERS:
            raise ValueError(f"CIFAR10, CIFAR100 or {_IMAGENET}")
        return str(value)

    return Outcome(fate="elsewhere", note=f"the files under data show that they are {old.read(key, known)}")


def _data_path(old: OldConfig, key: str) -> Outcome:
    folder = _FOLDERS.get(str(old.document.get("data_set")).lower(), "")
    path = PurePath(old.read(key, text)) / folder
    return Outcome(
        settings={"data": str(path)}, note="where torchvision unpacks it; nothing is downloaded here"
    )


def _train_data_path(old: OldConfig, key: str) -> Outcome:
    path = PurePath(old.read(key, text))
    return Outcome(settings={"data": str(path.parent)}, note="the folder that holds train and val")


def _rand_augment(old: OldConfig, key: str) -> Outcome:
    def parsed(value: Any) -> dict[str, str]:
        name, *parts = text(value).split("-")
        found = dict(re.findall(r"^(m|n)(\d+(?:\.\d+)?)$", "\n".join(parts), re.MULTILINE))
        if name != "rand":
            raise ValueError("a text such as rand-m9-mstd0.5-inc1")
        return found

    found = old.read(key, parsed)
    settings = {
        "task.rand_augment": int(float(found.get("n", 2))),
        "task.magnitude": float(found.get("m", 10)),
    }
    return Outcome(settings=settings, note="the strength does not vary from image to image here")


def _color_jitter(old: OldConfig, key: str) -> Outcome:
    if old.document.get("aa"):
        return Outcome(fate="unused", note="with 'aa', timm changes no colours by it")
    return Outcome(fate="missing", note="task.rand_augment changes colours among other things")


IMAGES = KeyTable(
    implied=_implied,
    keys={
        "data_set": _data_set,
        "data_path": _data_path,
        "train_data_path": _train_data_path,
        "aa": _rand_augment,
        "color_jitter": _color_jitter,
        "reprob": to("task.erasing", number),
    },
    unused={"it was never read; training.label_smoothing has it here": "smoothing"},
    missing={"networks here have stochastic depth, and no dropout": "drop"},
    elsewhere={"train_data_path; the folder must be named val and lie beside train": "val_data_path"},
    fixed={"remode": "pixel", "recount": 1, "train_interpolation": "bilinear"},
)
