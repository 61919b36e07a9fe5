"""Metrics of classes and of several labels, against scikit-learn and numbers worked out by hand."""

from __future__ import annotations

import pytest
import torch

from denas_nlp.classification.metrics import best_f1_of_same_labels, of_classes, of_labels


def test_metrics_of_classes_are_those_of_scikit_learn() -> None:
    metrics = pytest.importorskip("sklearn.metrics")
    generator = torch.Generator().manual_seed(3)
    wanted = torch.randint(0, 4, (200,), generator=generator)
    found = torch.where(
        torch.rand(200, generator=generator) < 0.6, wanted, torch.randint(0, 4, (200,), generator=generator)
    )
    assert of_classes(found, wanted, 4) == {
        "accuracy": pytest.approx(metrics.accuracy_score(wanted, found)),
        "f1_macro": pytest.approx(metrics.f1_score(wanted, found, average="macro")),
        "matthews": pytest.approx(metrics.matthews_corrcoef(wanted, found)),
    }


def test_a_class_that_never_occurs_does_not_count() -> None:
    wanted, found = torch.tensor([0, 0, 2, 2]), torch.tensor([0, 2, 2, 2])
    # F1 is 2/3 for class 0 and 4/5 for class 2.
    assert of_classes(found, wanted, 4)["f1_macro"] == pytest.approx((2 / 3 + 4 / 5) / 2)
    assert of_classes(torch.zeros(4).long(), wanted, 4)["matthews"] == 0


def test_metrics_of_several_labels_by_hand() -> None:
    wanted = torch.tensor([[1, 1, 0], [0, 0, 0], [1, 0, 0]]).bool()
    found = torch.tensor([[1, 0, 0], [0, 0, 0], [1, 1, 0]]).bool()
    # 2 hits of 3 predicted and 3 right ones; label 0 has F1 1, label 1 has F1 0, label 2 does not occur.
    assert of_labels(found, wanted) == {
        "f1_micro": pytest.approx(4 / 6),
        "f1_macro": pytest.approx(0.5),
        "exact_match": pytest.approx(1 / 3),
    }
    none = torch.zeros(2, 3).bool()
    assert of_labels(none, none) == {"f1_micro": 0.0, "f1_macro": 0.0, "exact_match": 1.0}


def test_the_same_labels_for_all_texts_have_an_f1_worked_out_by_hand() -> None:
    wanted = torch.tensor([[1, 1, 0], [0, 1, 0], [1, 1, 1], [0, 0, 0]]).bool()
    # Label 1 alone: 3 hits of 4 given and 6 right ones. With label 0: 5 hits of 8. With label 2: 6 hits of 12.
    assert best_f1_of_same_labels(wanted) == pytest.approx(max(2 * 3 / 10, 2 * 5 / 14, 2 * 6 / 18))
    assert best_f1_of_same_labels(torch.zeros(2, 3).bool()) == 0.0
