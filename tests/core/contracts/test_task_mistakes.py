"""What the tasks of images, words and texts say about mistakes and chance."""

from __future__ import annotations

import pytest
import torch

from denas_core.registry.registry import Registry

EXPECTED = torch.tensor([0, 0, 1, 1, 1])
PREDICTED = torch.tensor([0, 1, 1, 1, 0])


@pytest.mark.parametrize(
    ("name", "predicted"),
    [
        ("cv/image-classification", torch.stack([PREDICTED, 1 - PREDICTED], dim=1)),
        ("asr/keyword-spotting", PREDICTED),
        ("nlp/text-classification", PREDICTED),
        ("nlp/sst2", PREDICTED),
    ],
)
def test_a_task_of_classes_has_a_matrix_and_the_share_of_the_largest_class(
    name: str, predicted: torch.Tensor
) -> None:
    task = Registry.discover().create("task", name, {})
    facts = {"labels": ["ant", "bee"]}
    assert task.chance({"label": EXPECTED}, None) == 0.6
    assert task.mistakes(predicted, {"label": EXPECTED}, facts) == {
        "labels": ["ant", "bee"],
        "matrix": [[1, 1], [1, 2]],
    }


@pytest.mark.parametrize(
    ("name", "options"), [("nlp/text-classification", {"multi_label": True}), ("cv/image-multilabel", {})]
)
def test_several_labels_have_no_matrix(name: str, options: dict[str, bool]) -> None:
    task = Registry.discover().create("task", name, options)
    assert task.mistakes(PREDICTED, {"label": EXPECTED}, {}) == {}
