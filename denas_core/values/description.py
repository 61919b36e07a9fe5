"""What a data set contains, as a task sees it."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class DataDescription:
    """What a data set contains, which a task finds quickly: it reads names, headers and a few samples.

    JSON must be able to represent every attribute.

    Attributes:
        format: What the files are, such as "folders of images, one for each class".
        samples: Number of samples by part, such as {"train": 6920, "valid": 872}. A part that training would set aside
            is not counted apart.
        labels: Number of training samples by label, the most frequent first; empty if the task has no labels.
        facts: What else users want to know, by name, such as {"size": "500 x 375 pixels (median)"}.
        exact: Whether the data are in a form that only this task reads. A task that reads any table of texts is not
            exact, and another task that is exact is preferred to it.
        task_options: Options of the task with which it would read the data, such as {"text": "review"}.
        space_options: Options of a space that the data determine, such as {"classes": 2, "channels": 3}. Those that a
            space does not have are ignored.
        spaces: Names of spaces, with presets, that suit data of this kind and amount, the best first.
        notices: Sentences for the user, such as what is not read and why.
    """

    format: str
    samples: Mapping[str, int]
    labels: Mapping[str, int] = dataclasses.field(default_factory=dict)
    facts: Mapping[str, Any] = dataclasses.field(default_factory=dict)
    exact: bool = True
    task_options: Mapping[str, Any] = dataclasses.field(default_factory=dict)
    space_options: Mapping[str, Any] = dataclasses.field(default_factory=dict)
    spaces: Sequence[str] = ()
    notices: Sequence[str] = ()
