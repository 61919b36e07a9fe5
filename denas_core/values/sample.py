"""The random networks of a run, against which a combined score may rank all others."""

from __future__ import annotations

from collections.abc import Sequence

from .trial import Trial

SMALLEST_SAMPLE = 32
"""Random networks from which on the others are ranked against them: with 16, rankings agree less with accuracies."""


def random_trials(trials: Sequence[Trial]) -> list[Trial]:
    """Return the scored trials of the first generation, which is proposed before any result is known."""
    return [trial for trial in trials if trial.is_scored and trial.generation == 0]


def sample_of(trials: Sequence[Trial]) -> list[Trial]:
    """Return the random networks against which all others are ranked; none if there are fewer than `SMALLEST_SAMPLE`.

    While the first generation is evaluated, these are all scored trials, so that they are ranked among each other.
    """
    sample = random_trials(trials)
    return sample if len(sample) >= SMALLEST_SAMPLE else []
