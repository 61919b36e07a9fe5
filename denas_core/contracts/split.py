"""A part of a data set, as a task reads it."""

from __future__ import annotations

import random
from abc import ABC, abstractmethod
from typing import Generic, TypeVar

S = TypeVar("S")


class Split(ABC, Generic[S]):
    """One part of a data set, read sample by sample."""

    @abstractmethod
    def __len__(self) -> int:
        """Return the number of samples."""

    @abstractmethod
    def sample(self, index: int, rng: random.Random | None = None) -> S:
        """Return one sample in the form that `Task.collate` takes.

        Args:
            index: Index of the sample, from 0.
            rng: Generator for augmentation, seeded by sample and epoch; None for a sample without augmentation.
        """

    def length(self, index: int) -> float | None:
        """Return the length of a sample in any unit, without reading the sample; None if it has no length.

        If every sample has a length, training puts samples of similar length into a batch, so that they need little
        padding.

        Args:
            index: Index of the sample, from 0.
        """
        return None
