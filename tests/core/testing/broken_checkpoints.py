"""A search space that breaks each promise about its files, by the check that must notice."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import torch
from torch import nn

from denas_core import option
from denas_core.seeding import canonical_json
from denas_core.testing.samples.spaces import SampleMLP


@dataclasses.dataclass(kw_only=True)
class Stored(SampleMLP):
    """Begins from a file, which is this one: its length is all that the networks take of it."""

    checkpoint: str = option(__file__, "The file")
    length: int = option(0, "Bytes of the file, where it is not there", at_least=0)

    def __post_init__(self) -> None:
        if self.checkpoint:
            self.length = Path(self.checkpoint).stat().st_size

    @property
    def inherits(self) -> bool:
        return bool(self.checkpoint)

    def fingerprint(self) -> str:
        return canonical_json([self.classes, self.length])

    def portable(self) -> dict[str, Any]:
        return {**self.options(), "checkpoint": ""}

    def assets(self) -> dict[str, Path]:
        return {"tokenizer": Path(self.checkpoint)} if self.checkpoint else {}

    def load(self, model: nn.Module, arch: Any, *, seed: int, weights: Any = "fresh") -> nn.Module:
        model = super().load(model, arch, seed=seed, weights="fresh" if self.inherits else weights)
        if weights == "inherited":
            with torch.no_grad():
                next(model.parameters()).fill_(1 / self.length)
        return model


class Forgetful(Stored):
    def portable(self) -> dict[str, Any]:
        return {**super().portable(), "length": 0}


class Rooted(Stored):
    def portable(self) -> dict[str, Any]:
        return self.options()


class Hopeful(Stored):
    def assets(self) -> dict[str, Path]:
        return {"tokenizer": Path(self.checkpoint) / "tokenizer.json"}


class Dicing(Stored):
    def load(self, model: nn.Module, arch: Any, *, seed: int, weights: Any = "fresh") -> nn.Module:
        model = super().load(model, arch, seed=seed, weights=weights)
        if weights == "inherited":
            with torch.no_grad():
                next(model.parameters()).add_(torch.rand(()))
        return model


class Pretending(SampleMLP):
    def load(self, model: nn.Module, arch: Any, *, seed: int, weights: Any = "fresh") -> nn.Module:
        return super().load(model, arch, seed=seed)


class Deaf(Stored):
    """Gives fresh weights, whatever is asked for."""

    def load(self, model: nn.Module, arch: Any, *, seed: int, weights: Any = "fresh") -> nn.Module:
        return self.initialise(model, seed=seed)


class Narrowing(Stored):
    """Becomes another space each time that its options are taken along."""

    def portable(self) -> dict[str, Any]:
        return {**super().portable(), "classes": self.classes + 1}

    def fingerprint(self) -> str:
        return "always the same"


BROKEN_CHECKPOINTS: dict[str, Any] = {
    "portable_options_make_the_same_networks": (Forgetful, Narrowing),
    "portable_options_name_no_file": Rooted,
    "assets_are_files": Hopeful,
    "inherited_weights_are_those_of_the_checkpoint": (Dicing, Deaf),
    "inherited_weights_need_a_checkpoint": Pretending,
}
