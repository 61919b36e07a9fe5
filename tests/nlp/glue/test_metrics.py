"""The official metrics, against numbers worked out by hand and definitions."""

from __future__ import annotations

import math
import statistics

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from denas_nlp.glue.metrics import accuracy, f1, matthews, pearson, spearman

LABELS = st.lists(st.tuples(st.integers(0, 1), st.integers(0, 1)), min_size=1, max_size=30)
SCORES = st.lists(st.tuples(st.integers(-9, 9), st.integers(-9, 9)), min_size=2, max_size=30)


def columns(pairs: list[tuple[int, int]]) -> tuple[torch.Tensor, torch.Tensor]:
    first, second = zip(*pairs, strict=True)
    return torch.tensor(first), torch.tensor(second)


def test_labels_by_hand() -> None:
    # 3 found rightly, 1 missed, 2 false, 4 rightly not found.
    found = torch.tensor([1, 1, 1, 0, 1, 1, 0, 0, 0, 0])
    wanted = torch.tensor([1, 1, 1, 1, 0, 0, 0, 0, 0, 0])
    assert accuracy(found, wanted) == pytest.approx(0.7)
    assert f1(found, wanted) == pytest.approx(2 * (3 / 5) * (3 / 4) / (3 / 5 + 3 / 4))
    assert matthews(found, wanted) == pytest.approx((3 * 4 - 2 * 1) / math.sqrt(5 * 4 * 6 * 5))


def test_scores_by_hand() -> None:
    found, wanted = torch.tensor([1.0, 2.0, 3.0, 4.0, 5.0]), torch.tensor([2.0, 1.0, 4.0, 3.0, 9.0])
    # Deviations -2, -1, 0, 1, 2 and -1.8, -2.8, 0.2, -0.8, 5.2; ranks of the second 2, 1, 4, 3, 5.
    assert pearson(found, wanted) == pytest.approx((3.6 + 2.8 - 0.8 + 10.4) / math.sqrt(10 * 38.8))
    assert spearman(found, wanted) == pytest.approx(1 - 6 * 4 / (5 * 24))


def test_equal_scores_share_their_rank() -> None:
    found, wanted = torch.tensor([1.0, 2.0, 2.0, 3.0]), torch.tensor([10.0, 20.0, 30.0, 40.0])
    # Ranks 1, 2.5, 2.5, 4 and 1, 2, 3, 4.
    assert spearman(found, wanted) == pytest.approx(4.5 / math.sqrt(4.5 * 5))


def test_degenerate_predictions_have_no_correlation_and_not_no_number() -> None:
    ones, mixed = torch.tensor([1, 1, 1, 1]), torch.tensor([1, 0, 1, 0])
    assert matthews(ones, mixed) == matthews(mixed, ones) == 0.0
    assert f1(1 - ones, mixed) == 0.0
    assert f1(ones, mixed) == pytest.approx(2 / 3)
    assert pearson(ones.float(), mixed.float()) == spearman(ones.float(), mixed.float()) == 0.0


@given(LABELS)
def test_matthews_is_the_linear_correlation_of_labels(pairs: list[tuple[int, int]]) -> None:
    found, wanted = columns(pairs)
    assert matthews(found, wanted) == pytest.approx(pearson(found, wanted), abs=1e-9)


@given(LABELS)
def test_f1_is_the_harmonic_mean_of_precision_and_recall(pairs: list[tuple[int, int]]) -> None:
    found, wanted = columns(pairs)
    hits = sum(pair == (1, 1) for pair in pairs)
    if hits:
        precision, recall = hits / int(found.sum()), hits / int(wanted.sum())
        assert f1(found, wanted) == pytest.approx(statistics.harmonic_mean([precision, recall]))
    else:
        assert f1(found, wanted) == 0.0


@given(SCORES)
def test_correlations_are_those_of_the_standard_library(pairs: list[tuple[int, int]]) -> None:
    first, second = zip(*pairs, strict=True)
    if len(set(first)) == 1 or len(set(second)) == 1:
        return
    found, wanted = columns(pairs)
    assert pearson(found, wanted) == pytest.approx(statistics.correlation(first, second), abs=1e-9)
    ranked = statistics.correlation(*(_ranks(values) for values in (first, second)))
    assert spearman(found, wanted) == pytest.approx(ranked, abs=1e-9)


def _ranks(values: tuple[int, ...]) -> list[float]:
    # The mean over all places that equal values may have.
    return [sum(v < x for v in values) + (sum(v == x for v in values) + 1) / 2 for x in values]
