"""Cepstral mean and variance normalisation, though of bands: by what training has, or by each utterance itself."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from denas_core.errors import ConfigError

if TYPE_CHECKING:
    from torch import Tensor

LEAST_SPREAD = 1e-2
"""A band whose logarithms vary by less, such as one that is silent, is not blown up."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Normalisation:
    """What is taken from each band, and what it is divided by.

    Attributes:
        mean: By band.
        std: By band, above 0.
    """

    mean: tuple[float, ...]
    std: tuple[float, ...]

    def apply(self, features: Tensor) -> Tensor:
        """Return normalised features (frames, bands)."""
        return (features - features.new_tensor(self.mean)) / features.new_tensor(self.std)

    def as_facts(self) -> dict[str, Any]:
        """Return what `from_facts` reads, fit for JSON."""
        return {"mean": list(self.mean), "std": list(self.std)}

    @classmethod
    def from_facts(cls, facts: Mapping[str, Any]) -> Normalisation:
        """Return what `as_facts` has put down."""
        return cls(mean=tuple(facts["mean"]), std=tuple(facts["std"]))


def measured(utterances: Iterable[Tensor]) -> Normalisation:
    """Return the mean and the spread of each band over all frames.

    Args:
        utterances: Features (frames, bands) of each, those of a training split or of a part of it.

    Raises:
        ConfigError: there is not a single frame.
    """
    frames, sums, squares = 0, None, None
    for features in utterances:
        if not len(features):
            continue
        exact = features.double()
        frames += len(exact)
        sums = exact.sum(0) if sums is None else sums + exact.sum(0)
        squares = exact.square().sum(0) if squares is None else squares + exact.square().sum(0)
    if sums is None or squares is None:
        raise ConfigError("no utterance is long enough for a frame of features; give longer audio")
    mean = sums / frames
    std = (squares / frames - mean.square()).clamp(min=0).sqrt().clamp(min=LEAST_SPREAD)
    return Normalisation(
        mean=tuple(round(value, 5) for value in mean.tolist()),
        std=tuple(round(value, 5) for value in std.tolist()),
    )


def by_utterance(features: Tensor) -> Tensor:
    """Return features (frames, bands) of which each band has mean 0, and spread 1 unless it has hardly any."""
    if not len(features):
        return features
    spread = features.std(0, correction=0).clamp(min=LEAST_SPREAD)
    return (features - features.mean(0)) / spread
