"""Entropies of the principal components of features."""

from __future__ import annotations

import math

import pytest
import torch

from denas_scores.spectra import entropy

pytestmark = pytest.mark.numerics


@pytest.mark.parametrize(("rows", "channels"), [(200, 6), (6, 200), (20, 20)])
def test_the_entropy_is_that_of_the_singular_values(rows: int, channels: int) -> None:
    features = torch.randn(rows, channels, generator=torch.Generator().manual_seed(0))
    centred = (features - features.mean(0)).double()
    squares = torch.linalg.svdvals(centred).square()
    shares = [float(share) for share in squares / squares.sum() if share > 1e-6]
    # The eigenvalues of the score are of a float32 product, and it adds 1e-8 to each share.
    expected = -math.fsum(share * math.log(share) for share in shares)
    assert entropy(features) == pytest.approx(expected, abs=1e-5)


def test_features_that_do_not_vary_have_no_entropy() -> None:
    assert entropy(torch.ones(3, 5)) == entropy(torch.ones(5, 3)) == 0.0
