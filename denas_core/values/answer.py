"""What a trained network says about one input."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What a trained network says about one input.

    Attributes:
        text: The answer: a label, a score, a part of a paragraph or a transcript.
        probability: Probability of the answer from 0 to 1; None if the task has none.
        probabilities: The probability of each label, the likeliest first; empty for tasks without labels.
        spans: Parts of a text that were found, each with its "text", "label", "start" and "end" (exclusive) in
            characters; None for tasks that find none.
    """

    text: str
    probability: float | None = None
    probabilities: Mapping[str, float] = dataclasses.field(default_factory=dict)
    spans: Sequence[Mapping[str, Any]] | None = None

    @classmethod
    def of_labels(cls, labels: Mapping[str, float]) -> Answer:
        """Return the likeliest of several labels.

        Args:
            labels: The probability of each label.
        """
        ordered = dict(sorted(labels.items(), key=lambda pair: -pair[1]))
        text, probability = next(iter(ordered.items()))
        return cls(text=text, probability=probability, probabilities=ordered)

    def as_dict(self) -> dict[str, Any]:
        """Return the fields that are known, as JSON can represent them."""
        found: dict[str, Any] = {"answer": self.text}
        if self.probability is not None:
            found["probability"] = self.probability
        if self.probabilities:
            found["probabilities"] = dict(self.probabilities)
        if self.spans is not None:
            found["spans"] = [dict(span) for span in self.spans]
        return found
