"""What a model confuses, counted by hand."""

from __future__ import annotations

import torch

from denas_core.values.mistakes import confusion, largest_share


def test_a_row_of_the_matrix_is_a_true_class() -> None:
    expected = torch.tensor([0, 0, 0, 1, 2])
    predicted = torch.tensor([0, 1, 1, 1, 0])
    assert confusion(predicted, expected, ["ant", "bee", "cat"]) == {
        "labels": ["ant", "bee", "cat"],
        "matrix": [[1, 2, 0], [0, 1, 0], [1, 0, 0]],
    }


def test_of_many_classes_the_worst_pairs_are_kept() -> None:
    labels = [f"class {number}" for number in range(30)]
    expected = torch.tensor([7, 7, 7, 7, 29, 3])
    predicted = torch.tensor([7, 8, 8, 9, 0, 3])
    assert confusion(predicted, expected, labels) == {
        "classes": 30,
        "pairs": [
            {"expected": "class 7", "predicted": "class 8", "count": 2, "samples": 4},
            {"expected": "class 7", "predicted": "class 9", "count": 1, "samples": 4},
            {"expected": "class 29", "predicted": "class 0", "count": 1, "samples": 1},
        ],
    }


def test_indices_that_are_no_labels_give_nothing() -> None:
    assert confusion(torch.tensor([3]), torch.tensor([0]), ["ant", "bee"]) == {}
    assert confusion(torch.tensor([0]), torch.tensor([-1]), ["ant", "bee"]) == {}
    assert confusion(torch.tensor([]), torch.tensor([]), ["ant"]) == {}


def test_chance_is_the_share_of_the_most_frequent_class() -> None:
    assert largest_share(torch.tensor([0, 1, 1, 2])) == 0.5
    assert largest_share(torch.tensor([])) is None
