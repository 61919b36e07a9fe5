"""Predictions, and what a task says about them besides its metrics."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Generic, TypeVar

if TYPE_CHECKING:
    from torch import Tensor

    from denas_core.values.batch import Outputs

    from .split import Split

S = TypeVar("S")


class Assessing(Generic[S]):
    """The part of a task that has predictions, compares models with chance, and shows their mistakes."""

    @abstractmethod
    def predict(self, outputs: Outputs) -> Tensor:
        """Return the predictions for a batch, (samples, ...), which `metrics` gets.

        Training calls this after each epoch, so it must be quick, and it gets only the outputs; see also `assess`. The
        predictions of all batches are joined; if their other dimensions differ, the smaller ones are filled with -1.
        """

    def chance(self, targets: Mapping[str, Tensor], split: Split[S]) -> float | None:
        """Return the value of the task's metric for the best model that answers the same for every sample.

        A model that is not better than this has learnt nothing, and users are told so. By default it is None, which
        means that the value is not known.

        Args:
            targets: The targets of a whole split, as `metrics` gets them.
            split: The samples.
        """
        return None

    def mistakes(
        self, predictions: Tensor, targets: Mapping[str, Tensor], facts: Mapping[str, Any]
    ) -> Mapping[str, Any]:
        """Return what a model confuses, for people; by default nothing is known of it.

        It is stored with the result of a training, so it must be small, and JSON must be able to represent it. Reports
        show what `denas_core.confusion` returns, for tasks that predict a class.

        Args:
            predictions: The predictions for the split, as `metrics` gets them.
            targets: Its targets.
            facts: See `TaskData.facts`.
        """
        return {}

    def worst_answers(
        self,
        predictions: Tensor,
        targets: Mapping[str, Tensor],
        split: Split[S],
        facts: Mapping[str, Any],
    ) -> Mapping[str, Any]:
        """Return the samples on which a model is most wrong, for people; by default nothing is known of them.

        A task whose answers are texts or sets, and not one of several classes, returns what
        `denas_core.worst_answers` makes of all answers. It is stored with the result of a training, and reports show
        it.

        Args:
            predictions: The predictions for the split, as `metrics` gets them.
            targets: Its targets.
            split: The samples.
            facts: See `TaskData.facts`.
        """
        return {}

    def assess(self, outputs: Outputs, targets: Mapping[str, Tensor]) -> Tensor:
        """Return what `metrics` gets of a batch whose targets are known; by default the predictions.

        A task overrides this method if its metrics need more of the outputs than predictions can hold, such as the
        probability of one token among all tokens of a vocabulary. `decode` then returns the same form.

        Args:
            outputs: The outputs of the network.
            targets: The targets that `collate` returned.
        """
        return self.predict(outputs)
