"""Mean and variance normalisation of mel bands, with the statistics of the training data or of each utterance."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from denas_core.errors import ConfigError

if TYPE_CHECKING:
    from torch import Tensor

LEAST_SPREAD = 1e-2
"""Smallest standard deviation to divide by, so that noise in a silent band is not amplified."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Normalisation:
    """The mean subtracted from each band, and the standard deviation it is divided by.

    Attributes:
        mean: Mean of each band.
        std: Standard deviation of each band, above 0.
    """

    mean: tuple[float, ...]
    std: tuple[float, ...]

    def apply(self, features: Tensor) -> Tensor:
        """Return normalised features (frames, bands)."""
        return (features - features.new_tensor(self.mean)) / features.new_tensor(self.std)

    def as_facts(self) -> dict[str, Any]:
        """Return values for JSON from which `from_facts` makes the same normalisation."""
        return {"mean": list(self.mean), "std": list(self.std)}

    @classmethod
    def from_facts(cls, facts: Mapping[str, Any]) -> Normalisation:
        """Return the normalisation that `as_facts` described."""
        return cls(mean=tuple(facts["mean"]), std=tuple(facts["std"]))


def measure_normalisation(utterances: Iterable[Tensor]) -> Normalisation:
    """Return the mean and the standard deviation of each band over all frames.

    Args:
        utterances: Features (frames, bands) of each utterance of a training split, or of some of them.

    Raises:
        ConfigError: there are no frames.
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
        raise ConfigError("every utterance is shorter than one frame of features; give longer audio")
    mean = sums / frames
    std = (squares / frames - mean.square()).clamp(min=0).sqrt().clamp(min=LEAST_SPREAD)
    return Normalisation(
        mean=tuple(round(value, 5) for value in mean.tolist()),
        std=tuple(round(value, 5) for value in std.tolist()),
    )


def normalise_by_utterance(features: Tensor) -> Tensor:
    """Return features (frames, bands) with mean 0 in each band, and standard deviation 1 unless a band is constant."""
    if not len(features):
        return features
    spread = features.std(0, correction=0).clamp(min=LEAST_SPREAD)
    return (features - features.mean(0)) / spread
