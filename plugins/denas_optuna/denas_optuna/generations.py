"""Optuna's NSGA-II with the generations of a search."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from optuna import Study
from optuna.samplers import NSGAIISampler
from optuna.trial import FrozenTrial, TrialState


class GenerationsSampler(NSGAIISampler):
    """NSGA-II for one generation, whose parents come from the generations that are finished.

    Optuna counts complete trials, and begins a generation when there are `population_size` of them. In a search,
    trials also fail, and a time budget makes generations smaller, so that Optuna would propose random ones again.

    Args:
        generations: The generation of each trial of the study, in order; it never falls.
        options: What `NSGAIISampler` takes.
    """

    def __init__(self, generations: Sequence[int], **options: Any) -> None:
        super().__init__(**options)
        self._generations = generations
        self._next = max(generations, default=-1) + 1
        self._parents: list[list[FrozenTrial]] = []

    def get_trial_generation(self, study: Study, trial: FrozenTrial) -> int:
        """Return the number of the generation that is proposed."""
        return self._next

    def get_population(self, study: Study, generation: int) -> list[FrozenTrial]:
        """Return the complete trials of a finished generation."""
        finished = study.get_trials(deepcopy=False)[: len(self._generations)]
        return [
            trial
            for trial, own in zip(finished, self._generations, strict=True)
            if own == generation and trial.state == TrialState.COMPLETE
        ]

    def get_parent_population(self, study: Study, generation: int) -> list[FrozenTrial]:
        """Return the parents of a generation: the best of all earlier ones."""
        if not self._parents:
            self._parents.append([])
        # In a loop, because the recursion of Optuna's own method ends at some hundred generations.
        while len(self._parents) <= generation:
            self._parents.append(self.select_parent(study, len(self._parents)))
        return self._parents[generation]
