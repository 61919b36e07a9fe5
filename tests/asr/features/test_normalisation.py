"""Bands get mean 0 and spread 1: over training, or within an utterance."""

from __future__ import annotations

import json
import math

import pytest
import torch

from denas_asr.features.normalisation import (
    LEAST_SPREAD,
    Normalisation,
    measure_normalisation,
    normalise_by_utterance,
)
from denas_core.errors import ConfigError

pytestmark = pytest.mark.numerics


def test_training_is_measured_frame_by_frame_and_not_utterance_by_utterance() -> None:
    found = measure_normalisation(
        [torch.tensor([[0.0, 5.0]]), torch.tensor([[3.0, 5.0], [6.0, 5.0]]), torch.zeros(0, 2)]
    )
    # Mean of 0, 3, 6; spread by n and not n - 1: the root of (9 + 0 + 9) / 3.
    assert found.mean == (3.0, 5.0)
    assert found.std == (round(math.sqrt(6), 5), LEAST_SPREAD)
    applied = found.apply(torch.tensor([[6.0, 5.0]]))
    assert torch.allclose(applied, torch.tensor([[3 / math.sqrt(6), 0.0]]), atol=1e-5)


def test_large_offsets_cost_no_precision() -> None:
    found = measure_normalisation(
        [torch.full((1000, 1), 1000.0) + torch.tensor([[1.0], [-1.0]]).repeat(500, 1)]
    )
    assert found == Normalisation(mean=(1000.0,), std=(1.0,))


def test_an_utterance_is_normalised_by_itself() -> None:
    x = torch.tensor([[0.0, 7.0], [3.0, 7.0], [6.0, 7.0]])
    found = normalise_by_utterance(x)
    assert torch.allclose(found[:, 0], torch.tensor([-3.0, 0.0, 3.0]) / math.sqrt(6))
    # A band without spread is not blown up.
    assert torch.equal(found[:, 1], torch.zeros(3))
    assert normalise_by_utterance(torch.zeros(0, 2)).shape == (0, 2)
    assert torch.equal(normalise_by_utterance(x[:1]), torch.zeros(1, 2))


def test_what_is_kept_with_the_weights_comes_back() -> None:
    found = measure_normalisation([torch.rand(9, 80)])
    assert Normalisation.from_facts(json.loads(json.dumps(found.as_facts()))) == found


def test_nothing_to_measure_is_an_error() -> None:
    with pytest.raises(ConfigError, match="every utterance is shorter than one frame"):
        measure_normalisation([torch.zeros(0, 80)])
